package enginetest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
)

type saving struct {
	Model   string `json:"model_id"`
	Path    string `json:"path"`
	Seq     int    `json:"seq_id"`
	Session *int   `json:"sampling_session_seq_id"`
}

var goodName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// save keeps a copy of the adapter under a path that must be new.
func (s *Server) save(r *http.Request, kind string, sampler bool, result func(path string) object) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var q saving
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, refuse(422, "the body cannot be read: %v", err)
	}
	name := q.Path
	if sampler && name == "" && q.Session != nil {
		name = fmt.Sprintf("ss%d_seq%d", *q.Session, q.Seq)
	}
	if !goodName.MatchString(name) {
		return nil, refuse(422, "path %q is no name", name)
	}
	path := "tinker://" + q.Model + kind + name
	s.mu.Lock()
	_, taken := s.kept[path]
	m := s.models[q.Model]
	again := m != nil && m.done[q.Seq].digest == sha256.Sum256(raw) && !s.o.RunsAgain
	s.mu.Unlock()
	if taken && !again {
		return nil, refuse(409, "Checkpoint %q already exists for model %q", name, q.Model)
	}
	return s.inOrder(q.Model, q.Seq, raw, func(m *model, f *future) {
		s.kept[path] = &checkpoint{m.adapter.clone(), q.Model, sampler}
		if sampler {
			m.loaded = path
		}
		f.set(result(path))
	})
}

func (s *Server) saveWeights(r *http.Request) (any, error) {
	return s.save(r, "/weights/", false, func(path string) object { return object{"path": path, "type": "save_weights"} })
}

func (s *Server) saveForSampler(r *http.Request) (any, error) {
	return s.save(r, "/sampler_weights/", true, func(path string) object {
		return object{"path": path, "sampling_session_id": s.newSampler(path), "type": "save_weights_for_sampler"}
	})
}

func (s *Server) loadWeights(r *http.Request) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var q struct {
		Model     string `json:"model_id"`
		Path      string `json:"path"`
		Optimizer *bool  `json:"optimizer"`
		Seq       int    `json:"seq_id"`
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, refuse(422, "the body cannot be read: %v", err)
	}
	s.mu.Lock()
	c := s.kept[q.Path]
	s.mu.Unlock()
	if c == nil || c.sampler {
		return nil, refuse(404, "Checkpoint not found: %s", q.Path)
	}
	return s.inOrder(q.Model, q.Seq, raw, func(m *model, f *future) {
		if c.adapter.rank != m.adapter.rank {
			f.failed = &failure{400, fmt.Sprintf("Rank mismatch: checkpoint has rank %d, model has rank %d", c.adapter.rank, m.adapter.rank)}
			return
		}
		m.adapter = c.adapter.clone()
		clear(m.adapter.g)
		m.adapter.passes = 0
		if q.Optimizer != nil && !*q.Optimizer {
			clear(m.adapter.m)
			clear(m.adapter.v)
			m.adapter.t = 0
		}
		f.set(object{"path": q.Path, "type": "load_weights"})
	})
}
