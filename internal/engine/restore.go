package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"breakfix/internal/engine/wire"
)

// unload gives a model back; one that cannot be is deleted with its session.
func (m *Model) unload(id string) {
	ctx, stop := context.WithTimeout(context.Background(), m.srv.patience.First*8)
	defer stop()
	b, _ := json.Marshal(map[string]string{"model_id": id, "type": "unload_model"})
	if _, err := m.srv.send(ctx, request{doing: "unload the model", method: http.MethodPost, route: "/api/v1/unload_model", kind: wire.JSON, body: b, quick: true}); err != nil {
		m.srv.log.Debug("unload", "error", err)
	}
}

// reopenSampler opens another sampling session in place of one that is gone. Where
// that fails the model is gone, too.
func (m *Model) reopenSampler(ctx context.Context, gone string) {
	now := m.current.Load()
	if now.session != gone || m.dirty {
		return
	}
	again, err := m.srv.samplingSession(ctx, m.session, now.path)
	if err != nil {
		m.dirty = true
		return
	}
	m.current.Store(&published{version: now.version, path: now.path, session: again})
}

// keep notes what was done.
func (m *Model) keep(e entry, got result) {
	switch e.kind {
	case backward:
		m.journal = append(m.journal, e)
	case step:
		m.journal, m.unpublish = append(m.journal, e), true
	case publish:
		m.journal, m.unpublish = append(m.journal, e), false
		m.gate.release()
	case save:
		m.saved, m.atSave = got.path, ""
		if !m.unpublish {
			m.atSave = m.Version()
		}
		// Gradients that no step has used are in no checkpoint.
		last := 0
		for i, done := range m.journal {
			if done.kind == step {
				last = i + 1
			}
		}
		m.journal = slices.DeleteFunc(slices.Clone(m.journal[last:]), func(e entry) bool { return e.kind == publish })
	}
}

// revert takes out of the journal what came after the last publish, and lets samples in
// that a step which failed kept out.
func (m *Model) revert() {
	keep := 0
	for i, e := range m.journal {
		if e.kind == publish {
			keep = i + 1
		}
	}
	m.journal, m.dirty, m.unpublish = m.journal[:keep:keep], true, false
	m.gate.release()
}

// restore makes the model that the journal tells of.
func (m *Model) restore(ctx context.Context) error {
	old := m.ID()
	if old != "" {
		m.srv.restored.Add(1)
		if !m.srv.alive(ctx, m.session) {
			m.srv.expire()
		} else {
			m.unload(old)
		}
		m.id.Store("")
	}
	if err := m.create(ctx); err != nil {
		return err
	}
	if m.saved != "" {
		if err := m.loadWeights(ctx); err != nil {
			return err
		}
	}
	last := -1 // the publish that holds
	for i, e := range m.journal {
		if e.kind == publish {
			last = i
		}
	}
	if last < 0 && m.atSave != "" {
		if _, err := m.apply(ctx, entry{kind: publish, name: m.atSave}); err != nil {
			return err
		}
	}
	for i, e := range m.journal {
		if e.kind == publish && i != last {
			continue
		}
		if _, err := m.apply(ctx, e); err != nil {
			return err
		}
	}
	m.dirty = false
	return nil
}

// alive asks for a session.
func (s *Server) alive(ctx context.Context, session string) bool {
	err := s.post(ctx, "keep the session", "/api/v1/session_heartbeat", map[string]string{"session_id": session, "type": "session_heartbeat"}, nil)
	return err == nil
}

// create makes a new model in a session that lives.
func (m *Model) create(ctx context.Context) error {
	session, err := m.srv.in(ctx)
	if err != nil {
		return err
	}
	m.srv.mu.Lock()
	number := m.srv.models
	m.srv.models++
	m.srv.mu.Unlock()
	b, err := json.Marshal(map[string]any{
		"session_id": session, "model_seq_id": number, "base_model": m.o.Base, "type": "create_model",
		"lora_config": map[string]any{"rank": m.o.Rank, "seed": m.o.Seed, "train_unembed": !m.o.noUnembed, "train_mlp": true, "train_attn": true},
	})
	if err != nil {
		return err
	}
	var got struct {
		ID string `json:"model_id"`
	}
	r := request{doing: "make a model", method: http.MethodPost, route: "/api/v1/create_model", kind: wire.JSON, body: b}
	err = m.srv.future(ctx, r, func(kind string, body []byte) error {
		if err := asJSON(&got)(kind, body); err != nil {
			return err
		}
		if got.ID == "" {
			return m.srv.fail(Wrong, r, 200, "it gives no model_id", nil)
		}
		return nil
	})
	if KindOf(err) == Missing {
		m.srv.expire()
		return m.srv.ofFuture(err)
	}
	if err != nil {
		return err
	}
	m.session, m.seq = session, 0
	m.id.Store(got.ID)
	return nil
}

func (m *Model) loadWeights(ctx context.Context) error {
	m.seq++
	body := map[string]any{"model_id": m.ID(), "path": m.saved, "optimizer": true, "seq_id": m.seq, "type": "load_weights"}
	err := m.submit(ctx, "load a checkpoint", "load_weights", body, false, asJSON(new(map[string]any)))
	var e *Error
	if errors.As(err, &e) && (e.Kind == Missing || e.Kind == lost || e.Kind == Invalid) {
		e.Kind, e.Reason, e.Next = Missing, fmt.Sprintf("the checkpoint %s cannot be loaded: %s", m.saved, e.Reason), "name one that the server has kept"
	}
	return err
}
