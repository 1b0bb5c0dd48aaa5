package enginetest

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"

	"breakfix/internal/engine/wire"
)

// sample is asample.
func (s *Server) sample(r *http.Request) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var q struct {
		Session string     `json:"sampling_session_id"`
		Base    string     `json:"base_model"`
		Path    string     `json:"model_path"`
		N       int        `json:"num_samples"`
		Prompt  wire.Input `json:"prompt"`
		Show    bool       `json:"prompt_logprobs"`
		Params  struct {
			MaxTokens   *int            `json:"max_tokens"`
			Seed        *uint64         `json:"seed"`
			Stop        json.RawMessage `json:"stop"`
			Temperature *float64        `json:"temperature"`
		} `json:"sampling_params"`
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, refuse(422, "the body cannot be read: %v", err)
	}
	prompt, err := q.Prompt.Tokens()
	if err != nil {
		return nil, refuse(422, "%v", err)
	}
	for i, id := range prompt {
		if id < 0 || int(id) >= s.tokens.Vocabulary() {
			return nil, refuse(400, "token %d of the prompt is outside the vocabulary", i)
		}
	}
	if q.Params.MaxTokens == nil || *q.Params.MaxTokens < 1 {
		return nil, refuse(400, "max_tokens must be a positive number")
	}
	do := draw{prompt: prompt, n: max(1, q.N), most: *q.Params.MaxTokens, temperature: 1}
	if q.Params.Temperature != nil {
		do.temperature = *q.Params.Temperature
	}
	if do.stops, do.texts, err = stops(q.Params.Stop); err != nil {
		return nil, err
	}
	s.mu.Lock()
	path := q.Path
	if q.Session != "" {
		var ok bool
		if path, ok = s.samplers[q.Session]; !ok {
			s.mu.Unlock()
			return nil, refuse(404, "Sampling session not found")
		}
	}
	if q.Params.Seed != nil {
		do.seed = *q.Params.Seed
	} else {
		s.drawn++
		do.seed = s.drawn << 32
	}
	lora, err := s.weightsAt(path)
	name := ""
	f := &future{}
	if err == nil {
		name = s.store(f)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	got := s.draw(lora, do)
	if s.o.Mismatch {
		for _, seq := range got {
			for i := range seq.LogProbs {
				seq.LogProbs[i] *= 1.3
			}
		}
	}
	out := wire.SampleResult{Sequences: got}
	if q.Show {
		out.Prompt = s.promptLogProbs(lora, prompt)
	}
	s.mu.Lock()
	f.set(out)
	f.proto, f.ready = out.Proto(), true
	s.mu.Unlock()
	promised := object{"request_id": name}
	if !s.o.NoSequenceID {
		ids := make([]string, do.n)
		for i := range ids {
			ids[i] = name + "-" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		}
		promised["sample_sequence_ids"] = ids
	}
	return promised, nil
}

// weightsAt are those of a path; nil is the base model. The caller holds the lock.
func (s *Server) weightsAt(path string) (*adapter, error) {
	if path == "" {
		return nil, nil
	}
	c := s.kept[path]
	if c == nil {
		return nil, refuse(404, "Checkpoint not found: %s", path)
	}
	if m := s.models[modelID(path)]; s.o.SlotTrap && m != nil && m.loaded != path {
		m.adapter.w = append([]float64(nil), c.adapter.w...)
		m.loaded = path
	}
	return c.adapter, nil
}

// stops are ids, or strings.
func stops(raw json.RawMessage) (ids []int32, texts []string, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil, nil
	}
	var one string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		return nil, []string{one}, nil
	case json.Unmarshal(raw, &ids) == nil:
		return ids, nil, nil
	case json.Unmarshal(raw, &texts) == nil:
		return nil, texts, nil
	}
	return nil, nil, refuse(400, "stop must be either all integers (token IDs) or all strings, not mixed")
}

// draw is what to sample.
type draw struct {
	prompt      []int32
	n, most     int
	temperature float64
	seed        uint64
	stops       []int32
	texts       []string
}

// draw samples n answers. The id that ends one is its last token.
func (s *Server) draw(lora *adapter, q draw) []wire.Sequence {
	var all []wire.Sequence
	for n := range q.n {
		rng := rand.New(rand.NewPCG(q.seed, uint64(n)))
		r := s.base.read(lora)
		for _, id := range q.prompt {
			r.take(id)
		}
		seq := wire.Sequence{Stopped: "length"}
		for len(seq.Tokens) < q.most {
			r.next()
			id := r.draw(rng, q.temperature)
			seq.Tokens = append(seq.Tokens, id)
			seq.LogProbs = append(seq.LogProbs, float32(r.logProb(id)))
			if holds(q.stops, id) || s.ends(seq.Tokens, q.texts) {
				seq.Stopped = "stop"
				break
			}
			r.take(id)
		}
		all = append(all, seq)
	}
	return all
}

func (s *Server) ends(ids []int32, texts []string) bool {
	if len(texts) == 0 {
		return false
	}
	text, _ := s.tokens.Decode(nil, ids)
	for _, t := range texts {
		if t != "" && strings.Contains(text, t) {
			return true
		}
	}
	return false
}

func (s *Server) promptLogProbs(lora *adapter, prompt []int32) []*float32 {
	out := make([]*float32, len(prompt))
	r := s.base.read(lora)
	for i, id := range prompt {
		if i > 0 {
			r.next()
			p := float32(r.logProb(id))
			out[i] = &p
		}
		r.take(id)
	}
	return out
}

// retrieve answers a future: its result, or that it is to be asked for again.
func (s *Server) retrieve(w http.ResponseWriter, r *http.Request) {
	q, err := body[struct {
		ID json.RawMessage `json:"request_id"`
	}](r)
	if err != nil {
		write(w, 422, object{"detail": err.Error()})
		return
	}
	id := strings.Trim(string(q.ID), `"`)
	s.mu.Lock()
	f := s.futures[id]
	var ready bool
	if f != nil {
		ready = f.ready && f.polls == 0
		if f.polls > 0 {
			f.polls--
		}
	}
	s.mu.Unlock()
	switch {
	case f == nil:
		write(w, 404, object{"detail": "Future not found"})
	case !ready:
		write(w, 200, object{"type": "try_again", "request_id": id, "queue_state": "active"})
	case f.failed != nil:
		write(w, f.failed.status, object{"detail": f.failed.detail})
	case f.proto != nil && (s.o.Protobuf || strings.Contains(r.Header.Get("Accept"), wire.Protobuf)):
		w.Header().Set("Content-Type", wire.Protobuf)
		_, _ = w.Write(f.proto)
	default:
		w.Header().Set("Content-Type", wire.JSON)
		_, _ = w.Write(f.json)
	}
}
