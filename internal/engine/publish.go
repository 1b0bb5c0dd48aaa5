package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
)

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// named asks for a checkpoint of a name; one that is taken, perhaps by a try that
// was not answered, gets another.
func (m *Model) named(name string, do func(name string) error) error {
	name = notInNames.ReplaceAllString(name, "-")
	for n := 1; ; n++ {
		as := name
		if n > 1 {
			as = fmt.Sprintf("%s-%d", name, n)
		}
		err := do(as)
		var e *Error
		if !errors.As(err, &e) || e.Status != http.StatusConflict || n >= 20 {
			return err
		}
	}
}

func (m *Model) saveWeights(ctx context.Context, name string) (got result, err error) {
	err = m.named(name, func(as string) error {
		var said struct {
			Path string `json:"path"`
		}
		m.seq++
		body := map[string]any{"model_id": m.ID(), "path": as, "seq_id": m.seq, "type": "save_weights"}
		err := m.submit(ctx, "save a checkpoint", "save_weights", body, false, asJSON(&said))
		if got.path = said.Path; err == nil && got.path == "" {
			got.path = "tinker://" + m.ID() + "/weights/" + as
		}
		return err
	})
	return got, err
}

// publishWeights saves the weights for sampling and opens a sampling session on them.
func (m *Model) publishWeights(ctx context.Context, version string) (result, error) {
	next := &published{version: version}
	err := m.named("v"+version, func(as string) error {
		var said struct {
			Path string `json:"path"`
		}
		m.seq++
		body := map[string]any{"model_id": m.ID(), "path": as, "seq_id": m.seq, "type": "save_weights_for_sampler"}
		err := m.submit(ctx, "publish the weights", "save_weights_for_sampler", body, false, asJSON(&said))
		if next.path = said.Path; err == nil && next.path == "" {
			next.path = "tinker://" + m.ID() + "/" + as
		}
		return err
	})
	if err != nil {
		return result{}, err
	}
	if next.session, err = m.srv.samplingSession(ctx, m.session, next.path); err != nil {
		return result{}, m.ofModel(err)
	}
	m.current.Store(next)
	return result{path: next.path}, nil
}

// samplingSession opens one on a path of published weights.
func (s *Server) samplingSession(ctx context.Context, session, path string) (string, error) {
	s.mu.Lock()
	number := s.samples
	s.samples++
	s.mu.Unlock()
	var got struct {
		ID string `json:"sampling_session_id"`
	}
	const doing = "open a sampling session"
	err := s.post(ctx, doing, "/api/v1/create_sampling_session", map[string]any{
		"session_id": session, "sampling_session_seq_id": number, "model_path": path, "type": "create_sampling_session",
	}, &got)
	if err == nil && got.ID == "" {
		err = s.fail(Wrong, request{doing: doing}, 200, "it gives no sampling_session_id", nil)
	}
	return got.ID, err
}
