package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"breakfix/internal/engine/wire"
)

// arrays are what a future may hold besides JSON.
type decoder func(kind string, body []byte) error

// asJSON decodes a result that is JSON whatever the dialect.
func asJSON(into any) decoder {
	return func(_ string, body []byte) error { return json.Unmarshal(body, into) }
}

// asSample and asPass decode results by their content type.
func asSample(into *wire.SampleResult) decoder {
	return func(kind string, body []byte) (err error) {
		if kind == wire.Protobuf {
			*into, err = wire.SampleResultFromProto(body)
			return err
		}
		*into = wire.SampleResult{}
		return json.Unmarshal(nullForNaN(body), into)
	}
}

func asPass(into *wire.PassResult) decoder {
	return func(kind string, body []byte) (err error) {
		if kind == wire.Protobuf {
			*into, err = wire.PassResultFromProto(body)
			return err
		}
		*into = wire.PassResult{}
		return json.Unmarshal(nullForNaN(body), into)
	}
}

var notNumbers = regexp.MustCompile(`([\[,:]\s*)(NaN|-?Infinity)`)

// nullForNaN lets Python's NaN through, which is no JSON, so that it is refused
// as what it is.
func nullForNaN(body []byte) []byte {
	if json.Valid(body) {
		return body
	}
	body = notNumbers.ReplaceAll(body, []byte("${1}null"))
	return notNumbers.ReplaceAll(body, []byte("${1}null")) // neighbours share a comma
}

// future submits a request and waits for its result. When the promise is gone
// (410) the same bytes are submitted again. decode also says whether the
// result can be used; one that cannot is asked for again a few times.
func (s *Server) future(ctx context.Context, r request, decode decoder) error {
	deadline := time.Now().Add(s.patience.Future)
	for try := 0; ; try++ {
		var promise struct {
			ID json.RawMessage `json:"request_id"`
		}
		got, err := s.send(ctx, r)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(got.body, &promise); err != nil || len(promise.ID) == 0 {
			if err == nil {
				err = fmt.Errorf("no request_id")
			}
			bad := s.unreadable(r, got, err)
			if r.once {
				bad.Kind = unsure
			}
			if r.once || try+1 >= triesWrong {
				return bad
			}
			s.retries.Add(1)
			if err := sleep(ctx, s.patience.First); err != nil {
				return err
			}
			continue
		}
		gone, err := s.await(ctx, r, promise.ID, deadline, decode)
		if !gone {
			return err
		}
		if r.once {
			return s.fail(unsure, r, http.StatusGone, "the promise of its result is gone", nil)
		}
		if try >= tries500 {
			return s.fail(Failed, r, http.StatusGone, "the promise of its result was gone every time", nil)
		}
		s.resubmitted.Add(1)
	}
}

// await looks at a future until it is done. gone is whether the request must
// be submitted anew.
func (s *Server) await(ctx context.Context, r request, id json.RawMessage, deadline time.Time, decode decoder) (gone bool, err error) {
	body, err := json.Marshal(map[string]json.RawMessage{"request_id": id})
	if err != nil {
		return false, err
	}
	look := request{doing: r.doing, method: http.MethodPost, route: "/api/v1/retrieve_future", kind: wire.JSON, body: body, pending: true}
	if s.Dialect() == DialectProtobuf {
		look.accept = wire.Protobuf + ", " + wire.JSON
	}
	pause, wrong := s.patience.Poll, 0
	for {
		got, err := s.send(ctx, look)
		if err != nil {
			return false, s.ofFuture(err)
		}
		if got.status == http.StatusGone {
			return true, nil
		}
		done, err := settled(got)
		if err != nil {
			return false, s.ofFuture(s.fail(Failed, r, got.status, err.Error(), nil))
		}
		if done {
			if err = decode(got.kind, got.body); err == nil {
				return false, nil
			}
			bad, ok := err.(*Error)
			if !ok {
				bad = s.unreadable(r, got, err)
			}
			if wrong++; wrong >= triesWrong {
				return false, bad
			}
			s.retries.Add(1)
		} else {
			s.polls.Add(1)
			if time.Now().After(deadline) {
				return false, s.fail(Slow, r, got.status, fmt.Sprintf("the result did not come within %s", s.patience.Future), nil)
			}
		}
		if err := sleep(ctx, pause); err != nil {
			return false, err
		}
		pause = min(pause*3/2, longestPoll)
	}
}

// settled tells a result from "try again", and from an error.
func settled(got reply) (bool, error) {
	if got.status == http.StatusRequestTimeout {
		return false, nil
	}
	if got.kind == wire.Protobuf || len(got.body) > 1<<16 {
		return true, nil
	}
	var state struct {
		Type     string `json:"type"`
		Error    string `json:"error"`
		Category string `json:"category"`
	}
	if json.Unmarshal(got.body, &state) != nil {
		return true, nil // what it is, decode says
	}
	switch {
	case state.Type == "try_again":
		return false, nil
	case state.Error != "":
		return false, fmt.Errorf("it failed (%s): %s", state.Category, excerpt([]byte(state.Error)))
	}
	return true, nil
}

// noModel is what servers say of a model that they had and lost.
var noModel = regexp.MustCompile(`(?i)\b(model|session|adapter|future)\b.*\b(not found|not loaded|unknown|expired|does not exist|no longer)`)

// ofFuture tells a model that is gone from other failures.
func (s *Server) ofFuture(err error) error {
	e, ok := err.(*Error)
	if ok && (e.Kind == Missing || noModel.MatchString(e.Reason)) {
		e.Kind = lost
	}
	return err
}
