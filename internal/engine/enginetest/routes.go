package enginetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"breakfix/internal/engine"
	"breakfix/internal/engine/wire"
)

type object = map[string]any

// failure is an answer that is no success.
type failure struct {
	status int
	detail string
}

func (f *failure) Error() string { return f.detail }

func refuse(status int, format string, args ...any) error {
	return &failure{status, fmt.Sprintf(format, args...)}
}

// routes are those of the protocol, and the few that only this server has.
func (s *Server) routes() {
	get := func(path string, do func(*http.Request) (any, error)) {
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { answer(w, do, r) })
	}
	post := func(path string, do func(*http.Request) (any, error)) {
		s.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { answer(w, do, r) })
	}
	get("/api/v1/healthz", func(*http.Request) (any, error) { return object{"status": "ok"}, nil })
	get("/api/v1/get_server_capabilities", func(*http.Request) (any, error) {
		return object{"supported_models": []object{{"model_name": s.o.Model, "max_context_length": 1 << 17}}}, nil
	})
	get("/api/v1/samplers/{id}", s.sampler)
	get(engine.TokenizerRoute, func(*http.Request) (any, error) {
		if s.o.NoTokenizer {
			return nil, refuse(404, "Not Found")
		}
		return s.tokens, nil
	})
	post("/api/v1/client/config", func(*http.Request) (any, error) { return object{"pjwt_auth_enabled": false}, nil })
	post("/api/v1/telemetry", func(*http.Request) (any, error) { return object{"status": "accepted"}, nil })
	post("/api/v1/create_session", s.createSession)
	post("/api/v1/session_heartbeat", s.heartbeat)
	post("/api/v1/create_model", s.createModel)
	post("/api/v1/get_info", s.info)
	post("/api/v1/unload_model", s.unload)
	post("/api/v1/forward", s.pass)
	post("/api/v1/forward_backward", s.pass)
	post("/api/v1/optim_step", s.optimStep)
	post("/api/v1/save_weights", s.saveWeights)
	post("/api/v1/load_weights", s.loadWeights)
	post("/api/v1/weights_info", s.weightsInfo)
	post("/api/v1/save_weights_for_sampler", s.saveForSampler)
	post("/api/v1/create_sampling_session", s.samplingSession)
	post("/api/v1/asample", s.sample)
	s.mux.HandleFunc("POST /api/v1/retrieve_future", s.retrieve)
	s.chatRoutes(get, post)
}

func answer(w http.ResponseWriter, do func(*http.Request) (any, error), r *http.Request) {
	got, err := do(r)
	if err != nil {
		f, ok := err.(*failure)
		if !ok {
			f = &failure{http.StatusUnprocessableEntity, err.Error()}
		}
		write(w, f.status, object{"detail": f.detail})
		return
	}
	write(w, http.StatusOK, got)
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = 500, []byte(`{"detail":"Internal Server Error"}`)
	}
	w.Header().Set("Content-Type", wire.JSON)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// body decodes a JSON body.
func body[T any](r *http.Request) (v T, err error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, refuse(422, "the body cannot be read: %v", err)
	}
	return v, nil
}

func (s *Server) createSession(r *http.Request) (any, error) {
	q, err := body[struct {
		Tags    *[]string `json:"tags"`
		Version string    `json:"sdk_version"`
	}](r)
	if err != nil {
		return nil, err
	}
	if q.Tags == nil || q.Version == "" {
		return nil, refuse(422, "tags and sdk_version are required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprintf("session_%d", s.id())
	s.sessions[id] = time.Now()
	return object{"type": "create_session", "session_id": id}, nil
}

func (s *Server) heartbeat(r *http.Request) (any, error) {
	q, err := body[struct {
		Session string `json:"session_id"`
	}](r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alive(q.Session) {
		return nil, refuse(404, "Session not found")
	}
	s.sessions[q.Session] = time.Now()
	return object{"type": "session_heartbeat"}, nil
}

// alive ends sessions without a heartbeat, and their models with them.
func (s *Server) alive(session string) bool {
	for id, beat := range s.sessions {
		if time.Since(beat) > s.o.Expire {
			s.endSession(id)
		}
	}
	_, ok := s.sessions[session]
	return ok
}

func (s *Server) endSession(id string) {
	delete(s.sessions, id)
	for name, m := range s.models {
		if m.session == id {
			delete(s.models, name)
		}
	}
}

func (s *Server) createModel(r *http.Request) (any, error) {
	q, err := body[struct {
		Session string `json:"session_id"`
		Base    string `json:"base_model"`
		LoRA    struct {
			Rank    int    `json:"rank"`
			Seed    uint64 `json:"seed"`
			Unembed *bool  `json:"train_unembed"`
		} `json:"lora_config"`
	}](r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alive(q.Session) {
		return nil, refuse(404, "Session not found")
	}
	if q.Base != s.o.Model && !s.o.AnyBase {
		return nil, refuse(400, "base model %q is not served here", q.Base)
	}
	if q.LoRA.Rank < 1 || q.LoRA.Rank > 256 {
		return nil, refuse(400, "LoRA rank %d must be between 1 and 256", q.LoRA.Rank)
	}
	unembed := !s.o.NoUnembed && (q.LoRA.Unembed == nil || *q.LoRA.Unembed)
	id := fmt.Sprintf("model_%d", s.id())
	s.models[id] = &model{session: q.Session, base: q.Base, adapter: newAdapter(s.tokens.Vocabulary(), q.LoRA.Rank, q.LoRA.Seed, unembed), done: map[int]executed{}, next: 1}
	f := s.promise(object{"model_id": id, "type": "create_model"})
	return object{"request_id": f, "model_id": id}, nil
}

func (s *Server) info(r *http.Request) (any, error) {
	m, q, err := s.modelOf(r)
	if err != nil {
		return nil, err
	}
	return object{"type": "get_info", "model_id": q, "model_name": m.base, "is_lora": true, "lora_rank": m.adapter.rank,
		"model_data": object{"model_name": m.base, "base_model": m.base, "tokenizer_id": m.base}}, nil
}

func (s *Server) unload(r *http.Request) (any, error) {
	_, id, err := s.modelOf(r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.models, id)
	return object{"request_id": s.promise(object{"model_id": id, "type": "unload_model"}), "model_id": id}, nil
}

func (s *Server) modelOf(r *http.Request) (*model, string, error) {
	q, err := body[struct {
		Model string `json:"model_id"`
	}](r)
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.models[q.Model]
	if m == nil || !s.alive(m.session) {
		return nil, "", refuse(404, "Model not found")
	}
	return m, q.Model, nil
}

func (s *Server) weightsInfo(r *http.Request) (any, error) {
	q, err := body[struct {
		Path string `json:"tinker_path"`
	}](r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.kept[q.Path]
	if c == nil {
		return nil, refuse(404, "Checkpoint not found: %s", q.Path)
	}
	return object{"base_model": s.o.Model, "is_lora": true, "lora_rank": c.adapter.rank, "train_unembed": c.adapter.unembed, "train_mlp": true, "train_attn": true}, nil
}

func (s *Server) samplingSession(r *http.Request) (any, error) {
	q, err := body[struct {
		Session string `json:"session_id"`
		Base    string `json:"base_model"`
		Path    string `json:"model_path"`
	}](r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alive(q.Session) {
		return nil, refuse(404, "Session not found")
	}
	if (q.Base == "") == (q.Path == "") {
		return nil, refuse(400, "Exactly one of base_model or model_path must be provided")
	}
	if q.Path != "" && s.kept[q.Path] == nil {
		return nil, refuse(404, "Checkpoint not found: %s", q.Path)
	}
	return object{"type": "create_sampling_session", "sampling_session_id": s.newSampler(q.Path)}, nil
}

// newSampler opens a sampling session on a path; empty is the base model.
func (s *Server) newSampler(path string) string {
	id := fmt.Sprintf("sampling_%d", s.id())
	s.samplers[id] = path
	return id
}

func (s *Server) sampler(r *http.Request) (any, error) {
	id := r.PathValue("id")
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := s.samplers[id]
	if !ok {
		return nil, refuse(404, "Sampler not found")
	}
	out := object{"sampler_id": id, "base_model": s.o.Model}
	if path != "" {
		out["model_path"] = path
	}
	return out, nil
}

// modelID is the model of a path tinker://MODEL/….
func modelID(path string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(path, "tinker://"), "/")
	return id
}
