package engine

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"breakfix/internal/engine/wire"
)

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
