package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"

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
	for j := range m.jobs {
		got, err := m.execute(j.ctx, j.do)
		j.done <- outcome{got, err}
	}
	if id := m.ID(); id != "" {
		m.unload(id)
	}
}

// unload gives a model back; one that cannot be is deleted with its session.
func (m *Model) unload(id string) {
	ctx, stop := context.WithTimeout(context.Background(), m.srv.patience.First*8)
	defer stop()
	b, _ := json.Marshal(map[string]string{"model_id": id, "type": "unload_model"})
	if _, err := m.srv.send(ctx, request{doing: "unload the model", method: http.MethodPost, route: "/api/v1/unload_model", kind: wire.JSON, body: b, quick: true}); err != nil {
		m.srv.log.Debug("unload", "error", err)
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

// A pass is cut as the published client cuts it.
const (
	mostData  = 1024
	mostBytes = 4_500_000
)

// cut gives the ends of the requests of a pass.
func cut(data []Datum) (ends []int) {
	size, from := 0, 0
	for i, d := range data {
		n := 10 * len(d.Tokens) * 4 // about, in JSON
		if i > from && (i-from >= mostData || size+n > mostBytes) {
			ends, from, size = append(ends, i), i, 0
		}
		size += n
	}
	return append(ends, len(data))
}

// pass runs the model over data, forward or both ways.
func (m *Model) pass(ctx context.Context, e entry) (all result, err error) {
	from := 0
	for _, to := range cut(e.data) {
		one, err := m.passOnce(ctx, e, e.data[from:to])
		if err != nil {
			return result{}, err
		}
		all.logProbs, all.metrics, from = append(all.logProbs, one.logProbs...), one.metrics, to
	}
	return all, nil
}

func (m *Model) passOnce(ctx context.Context, e entry, data []Datum) (result, error) {
	m.seq++
	body := wire.Pass{Model: m.ID(), Seq: m.seq, Data: m.dataOnWire(data, e.loss), Loss: e.loss, Config: e.config, ForwardOnly: e.kind == forward}
	for {
		r := request{doing: "train", method: http.MethodPost, route: "/api/v1/forward_backward", once: e.kind == backward && !m.srv.onceEach()}
		dialect := m.srv.Dialect()
		if dialect == DialectProtobuf {
			r.kind, r.body = wire.Protobuf, body.Proto()
		} else {
			b, err := json.Marshal(body)
			if err != nil {
				return result{}, err
			}
			r.kind, r.body = wire.JSON, b
			if e.kind == forward {
				r.route = "/api/v1/forward"
			}
		}
		var got wire.PassResult
		var out result
		err := m.ofModel(m.srv.future(ctx, r, func(kind string, b []byte) error {
			if err := asPass(&got)(kind, b); err != nil {
				return err
			}
			all, why := checkPass(got, data)
			if why != "" {
				return m.srv.fail(Wrong, r, 200, why, nil)
			}
			out = result{logProbs: all, metrics: got.Metrics}
			return nil
		}))
		if dialect == DialectJSON && m.srv.wantsProtobuf(err, e.kind == forward) {
			m.srv.dialect.Store(DialectProtobuf)
			continue
		}
		return out, err
	}
}

// wantsProtobuf reports whether a server refused JSON: it says so, or has no
// route for forward any more.
func (s *Server) wantsProtobuf(err error, forward bool) bool {
	var e *Error
	if !errors.As(err, &e) || s.profile.Dialect != "" {
		return false
	}
	return e.Status == http.StatusUnsupportedMediaType || forward && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed) && !noModel.MatchString(e.Reason)
}

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
