package engine_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

func newChat(t *testing.T, url string, o engine.ChatOptions) *engine.Chat {
	t.Helper()
	o.Patience = hasty
	c, err := engine.NewChat(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestChatTellsTokensLogProbsAndCost(t *testing.T) {
	s := start(t, enginetest.Options{})
	c := newChat(t, s.URL+"/v1/", engine.ChatOptions{Price: engine.Price{Read: 2, Written: 10}})
	if c.Model() != "breakfix/sim" {
		t.Errorf("model %q", c.Model())
	}
	a := ask("The test test_sum fails. Sites: 2 add, 6 sum.")
	got, err := c.Sample(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := s.Tokens().Render(t.Context(), a)
	if fmt.Sprint(got.Prompt) != fmt.Sprint(want) || len(got.Tokens) == 0 || len(got.LogProbs) != len(got.Tokens) {
		t.Errorf("answer %+v", got)
	}
	if text, _ := s.Tokens().Decode(t.Context(), got.Tokens); text != got.Message.Content {
		t.Errorf("content %q, tokens %q", got.Message.Content, text)
	}
	if got.Read != len(want) || got.Written != len(got.Tokens) || got.Cost != float64(2*got.Read+10*got.Written)/1e6 {
		t.Errorf("read %d, written %d, cost %v", got.Read, got.Written, got.Cost)
	}
	n, err := c.Count(t.Context(), a)
	if err != nil || n != len(want) {
		t.Errorf("count %d %v, want %d", n, err, len(want))
	}
	again, err := c.Sample(t.Context(), a)
	if err != nil || again.Message.Content != got.Message.Content {
		t.Errorf("the same seed says %q and %q (%v)", got.Message.Content, again.Message.Content, err)
	}
	if total := c.Totals(); total.Requests != 2 || total.Read != int64(2*got.Read) || total.Cost != got.Cost+again.Cost {
		t.Errorf("totals %+v", total)
	}
}

func TestChatSurvivesFaults(t *testing.T) {
	for _, what := range []string{"408", "429", "500", "502", "503", "500+reset", enginetest.Reset, enginetest.Truncated, enginetest.HTML} {
		t.Run(what, func(t *testing.T) {
			s := start(t, enginetest.Options{})
			c := newChat(t, s.URL, engine.ChatOptions{})
			s.Inject(enginetest.Fault{Route: "completions", What: what})
			if _, err := c.Sample(t.Context(), ask("x")); err != nil {
				t.Error(err)
			}
			if c.Counts().Retries == 0 {
				t.Error("nothing was retried")
			}
			sameBytes(t, s)
		})
	}
}

// TestChatLeavesOutWhatAServerRefuses stands in for servers that know less:
// llama.cpp's refuses return_token_ids with no word in common, hosted ones name
// the field.
func TestChatLeavesOutWhatAServerRefuses(t *testing.T) {
	var bodies []map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			io.WriteString(w, `{"data": [{"id": "small"}]}`)
			return
		}
		if r.URL.Path != "/v1/chat/completions" {
			http.NotFound(w, r)
			return
		}
		var b map[string]any
		json.NewDecoder(r.Body).Decode(&b)
		bodies = append(bodies, b)
		for _, field := range []string{"return_token_ids", "max_tokens"} {
			if _, ok := b[field]; ok {
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"error": {"message": "Unsupported parameter: '%s' is not supported with this model."}}`, field)
				return
			}
		}
		io.WriteString(w, `{"choices": [{"message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{\"path\": 1}"}}]}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}`)
	}))
	defer s.Close()
	c := newChat(t, s.URL, engine.ChatOptions{})
	a := ask("x")
	a.Tools = []engine.Tool{{Name: "read", Parameters: json.RawMessage(`{}`)}}
	for range 2 {
		got, err := c.Sample(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if got.Stopped != "calls" || len(got.Message.Calls) != 1 || got.Message.Calls[0] != (engine.Call{ID: "c1", Name: "read", Arguments: `{"path": 1}`}) || got.Written != 7 {
			t.Errorf("answer %+v", got)
		}
	}
	if len(bodies) != 4 { // two refusals, then two answers
		t.Errorf("%d requests", len(bodies))
	}
	if last := bodies[len(bodies)-1]; last["max_completion_tokens"] != float64(24) || last["tools"] == nil {
		t.Errorf("sent %v", last)
	}
	if n, err := c.Count(t.Context(), a); err != nil || n < 10 {
		t.Errorf("count %d %v", n, err)
	}
}

func TestChatWaitsAsLongAsARateLimitSays(t *testing.T) {
	var calls atomic.Int32
	var first time.Time
	var waited time.Duration
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			io.WriteString(w, `{"data": [{"id": "a"}, {"id": "b"}]}`)
			return
		}
		if calls.Add(1) == 1 {
			first = time.Now()
			w.Header().Set("Retry-After", "0.2")
			w.WriteHeader(429)
			return
		}
		waited = time.Since(first)
		io.WriteString(w, `{"choices": [{"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}`)
	}))
	defer s.Close()
	c := newChat(t, s.URL, engine.ChatOptions{Model: "b"})
	if _, err := c.Sample(t.Context(), ask("x")); err != nil {
		t.Fatal(err)
	}
	if waited < 200*time.Millisecond || c.Counts().Limited != 1 {
		t.Errorf("waited %s, %+v", waited, c.Counts())
	}
	_, err := engine.NewChat(t.Context(), s.URL, engine.ChatOptions{Model: "c", Patience: hasty})
	if engine.KindOf(err) != engine.Missing || !strings.Contains(err.Error(), "it serves a, b") {
		t.Errorf("a model that is not there: %v", err)
	}
}
