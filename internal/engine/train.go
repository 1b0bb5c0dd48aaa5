package engine

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"breakfix/internal/engine/wire"
)

// What can be asked of the goroutine that trains.
const (
	restoring = iota // nothing but that the model is there
	forward
	backward
	step
	publish
	save
	load
	revert
)

// entry is one thing to do, as the journal keeps it.
type entry struct {
	kind   int
	data   []Datum
	loss   string
	config map[string]float64
	rate   float64
	name   string // version or checkpoint
}

type result struct {
	logProbs [][]float32
	metrics  map[string]float64
	path     string
}

type job struct {
	ctx  context.Context
	do   entry
	done chan<- outcome
}

type outcome struct {
	result
	err error
}

const restores = 4 // of the model, before an error is believed

// do hands an entry to the goroutine that trains and waits for it.
func (m *Model) do(ctx context.Context, e entry) (result, error) {
	done := make(chan outcome, 1)
	select {
	case m.jobs <- job{ctx, e, done}:
	case <-m.quit:
		return result{}, errors.New("the model was closed")
	case <-ctx.Done():
		return result{}, ctx.Err()
	}
	out := <-done // the job itself ends with its context
	return out.result, out.err
}

// train executes what is asked, one after the other: the requests of a model
// reach the server in the order of their seq_id.
func (m *Model) train() {
	defer close(m.done)
	for {
		select {
		case j := <-m.jobs:
			got, err := m.execute(j.ctx, j.do)
			j.done <- outcome{got, err}
		case <-m.quit:
			if id := m.ID(); id != "" {
				m.unload(id)
			}
			return
		}
	}
}

// execute does one thing so that it is done exactly once. When the server lost
// the model, or it is not known whether it took a request, the model is made
// anew as it was before, and the thing done on that.
func (m *Model) execute(ctx context.Context, e entry) (result, error) {
	if e.kind == load {
		m.saved, m.journal, m.dirty, m.atSave, m.unpublish = e.name, nil, true, "", true
		e = entry{kind: restoring}
	}
	if e.kind == revert {
		m.revert()
		return result{}, nil
	}
	if e.kind == restoring && e.name != "" {
		m.reopenSampler(ctx, e.name)
	}
	if e.kind == step || e.kind == publish {
		if err := m.exclude(ctx); err != nil {
			return result{}, err
		}
	}
	for try := 1; ; try++ {
		got, err := m.attempt(ctx, e)
		kind := KindOf(err)
		switch {
		case err == nil:
			m.keep(e, got)
			return got, nil
		case (kind == lost || kind == unsure) && try < restores && ctx.Err() == nil:
			m.srv.log.Info("the model is restored", "because", err)
			m.dirty = true
			continue
		case kind != Invalid && kind != Refused: // it may have been taken
			m.dirty = m.dirty || e.kind != forward
		}
		return result{}, outward(err)
	}
}

func (m *Model) attempt(ctx context.Context, e entry) (result, error) {
	if m.dirty {
		if err := m.restore(ctx); err != nil {
			return result{}, err
		}
	}
	return m.apply(ctx, e)
}

// outward names the inner kinds as the outer ones.
func outward(err error) error {
	var e *Error
	if errors.As(err, &e) {
		switch e.Kind {
		case lost:
			e.Kind, e.Next = Missing, next(Missing)
		case unsure:
			e.Kind, e.Next = Failed, next(Failed)
		}
	}
	return err
}

// exclude keeps samples away from now until the next Publish, where they would
// see, or disturb, weights that were not published.
func (m *Model) exclude(ctx context.Context) error {
	if m.srv.profile.OwnSamplers {
		return nil
	}
	if err := m.gate.shut(ctx); err != nil {
		if !m.unpublish {
			m.gate.release()
		}
		return err
	}
	return nil
}

// apply sends one thing to the server.
func (m *Model) apply(ctx context.Context, e entry) (result, error) {
	switch e.kind {
	case forward, backward:
		return m.pass(ctx, e)
	case step:
		m.seq++
		body := map[string]any{"model_id": m.ID(), "seq_id": m.seq, "type": "optim_step", "adam_params": map[string]any{
			"learning_rate": e.rate, "beta1": m.o.Beta1, "beta2": m.o.Beta2, "eps": m.o.Epsilon, "weight_decay": m.o.Decay,
		}}
		return result{}, m.submit(ctx, "step", "optim_step", body, !m.srv.onceEach(), asJSON(new(map[string]any)))
	case publish:
		return m.publishWeights(ctx, e.name)
	case save:
		return m.saveWeights(ctx, e.name)
	}
	return result{}, nil
}

// onceEach reports whether a training request may be sent twice.
func (s *Server) onceEach() bool { return s.profile.OnceEach }

// submit sends a JSON training request and waits for its result.
func (m *Model) submit(ctx context.Context, doing, route string, body any, once bool, decode decoder) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r := request{doing: doing, method: http.MethodPost, route: "/api/v1/" + route, kind: wire.JSON, body: b, once: once}
	return m.ofModel(m.srv.future(ctx, r, decode))
}

// ofModel: a model's own route that knows nothing of it has lost it.
func (m *Model) ofModel(err error) error {
	if KindOf(err) == Missing {
		return m.srv.ofFuture(err)
	}
	return err
}
