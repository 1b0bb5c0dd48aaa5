package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"breakfix/internal/engine/wire"
)

// Price is what a hosted model costs, in US dollars per million tokens.
type Price struct{ Read, Written float64 }

// ChatOptions of a connection to an OpenAI-compatible server.
type ChatOptions struct {
	Key      Key
	Patience Patience
	Model    string // empty: the only one that the server lists
	Version  string // of the weights, which the server does not tell; "frozen"
	Price    Price  // zero: costs are not known
	Parallel int    // requests at the same time; 64
}

// Totals is what a Chat used so far.
type Totals struct {
	Requests int64   `json:"requests"`
	Read     int64   `json:"read"`
	Written  int64   `json:"written"`
	Cost     float64 `json:"cost,omitempty"`
}

// Chat samples from an OpenAI-compatible server: vLLM, SGLang, llama.cpp or a
// hosted one. What a server does not take (return_token_ids, logprobs, seed) is
// left out once it was refused.
type Chat struct {
	*transport
	o     ChatOptions
	room  chan struct{} // one place a request
	mu    sync.Mutex
	plain map[string]bool // fields that the server refused

	total struct {
		requests, read, written atomic.Int64
	}
}

// NewChat connects to a server: address is with or without /v1 at its end. It
// asks which models there are.
func NewChat(ctx context.Context, address string, o ChatOptions) (*Chat, error) {
	address = strings.TrimSuffix(strings.TrimRight(address, "/"), "/v1")
	root, err := newTransport(address, o.Key, "Authorization", o.Patience)
	if err != nil {
		return nil, err
	}
	if o.Parallel == 0 {
		o.Parallel = 64
	}
	if o.Version == "" {
		o.Version = "frozen"
	}
	c := &Chat{transport: root, o: o, room: make(chan struct{}, o.Parallel), plain: map[string]bool{}}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	hello := request{doing: "ask for its models", method: http.MethodGet, route: "/v1/models", limit: min(root.patience.Request, 10*root.patience.First)}
	if err := c.call(ctx, hello, &list); err != nil {
		if e, ok := err.(*Error); ok && e.Kind == Missing {
			e.Kind, e.Reason, e.Next = Foreign, "it has no route of an OpenAI-compatible server ("+e.Reason+")", "see that the address is that of a chat server"
		}
		return nil, err
	}
	var names []string
	for _, m := range list.Data {
		names = append(names, m.ID)
		if m.ID == o.Model {
			return c, nil
		}
	}
	switch {
	case o.Model == "" && len(names) == 1:
		c.o.Model = names[0]
		return c, nil
	case len(names) == 0 && o.Model != "":
		return c, nil
	}
	reason := fmt.Sprintf("it has no model %q", o.Model)
	if o.Model == "" {
		reason = fmt.Sprintf("it has %d models and none was named", len(names))
	}
	e := c.fail(Missing, hello, 200, reason, nil)
	e.Next = "it serves " + excerpt([]byte(strings.Join(names, ", ")))
	return nil, e
}

// Model is the model's name.
func (c *Chat) Model() string { return c.o.Model }

// Version names the weights.
func (c *Chat) Version() string { return c.o.Version }

// Totals is what was used so far.
func (c *Chat) Totals() Totals {
	t := Totals{Requests: c.total.requests.Load(), Read: c.total.read.Load(), Written: c.total.written.Load()}
	t.Cost = c.o.Price.cost(int(t.Read), int(t.Written))
	return t
}

// Counts is what the client did.
func (c *Chat) Counts() Counts { return c.counters.read() }

func (p Price) cost(read, written int) float64 {
	return (p.Read*float64(read) + p.Written*float64(written)) / 1e6
}

// body is the request, without what the server refused before.
func (c *Chat) body(a Ask) map[string]any {
	b := map[string]any{"model": c.o.Model, "messages": conversation(a.Messages), "max_tokens": a.MaxTokens, "temperature": a.Temperature, "seed": a.Seed & 0x7fffffff, "logprobs": true, "return_token_ids": true}
	if len(a.Tools) > 0 {
		b["tools"] = toolList(a.Tools)
	}
	if len(a.Stop) > 0 {
		b["stop"] = a.Stop
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.plain {
		if name == "max_tokens" {
			b["max_completion_tokens"] = a.MaxTokens
		}
		delete(b, name)
	}
	return b
}

// optional are fields that some servers refuse, the rarest first.
var optional = []string{"return_token_ids", "logprobs", "seed", "max_tokens", "temperature"}

// leaveOut notes a field that the server refused by name, and reports whether
// there was one.
func (c *Chat) leaveOut(err error, sent map[string]any) bool {
	var e *Error
	if !errors.As(err, &e) || e.Kind != Invalid || e.Status != http.StatusBadRequest && e.Status != http.StatusUnprocessableEntity {
		return false
	}
	for _, name := range optional {
		if _, was := sent[name]; was && strings.Contains(e.Reason, name) {
			c.mu.Lock()
			c.plain[name] = true
			c.mu.Unlock()
			return true
		}
	}
	return false
}

// Sample asks for one answer. A rate limit (429) is waited for.
func (c *Chat) Sample(ctx context.Context, a Ask) (Answer, error) {
	select {
	case c.room <- struct{}{}:
		defer func() { <-c.room }()
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	for {
		sent := c.body(a)
		var got chatAnswer
		err := c.complete(ctx, sent, &got)
		if err != nil {
			if c.leaveOut(err, sent) {
				continue
			}
			return Answer{}, err
		}
		return c.answer(a, got), nil
	}
}

// complete sends one request, again when the answer cannot be used.
func (c *Chat) complete(ctx context.Context, sent map[string]any, got *chatAnswer) error {
	b, err := json.Marshal(sent)
	if err != nil {
		return err
	}
	r := request{doing: "sample", method: http.MethodPost, route: "/v1/chat/completions", kind: wire.JSON, body: b}
	for try := 1; ; try++ {
		*got = chatAnswer{}
		if err := c.call(ctx, r, got); err != nil {
			return err
		}
		why := got.wrong()
		if why == "" {
			return nil
		}
		if try == triesWrong {
			return c.fail(Wrong, r, 200, why, nil)
		}
		c.retries.Add(1)
		if err := sleep(ctx, c.patience.First); err != nil {
			return err
		}
	}
}

// Count asks the server's tokenizer (vLLM's and SGLang's /tokenize) where it has
// one, and estimates otherwise.
func (c *Chat) Count(ctx context.Context, a Ask) (int, error) {
	c.mu.Lock()
	none := c.plain["/tokenize"]
	c.mu.Unlock()
	if !none {
		body := map[string]any{"model": c.o.Model, "messages": conversation(a.Messages)}
		if len(a.Tools) > 0 {
			body["tools"] = toolList(a.Tools)
		}
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		var got struct {
			Count *int `json:"count"`
		}
		err = c.call(ctx, request{doing: "count tokens", method: http.MethodPost, route: "/tokenize", kind: wire.JSON, body: b, quick: true}, &got)
		if err == nil && got.Count != nil {
			return *got.Count, nil
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		c.mu.Lock()
		c.plain["/tokenize"] = true
		c.mu.Unlock()
	}
	n := 4
	for _, m := range a.Messages {
		n += 4 + estimate(m.Content)
		for _, call := range m.Calls {
			n += 8 + estimate(call.Name) + estimate(call.Arguments)
		}
	}
	for _, t := range a.Tools {
		n += 8 + estimate(t.Description) + estimate(string(t.Parameters))
	}
	return n, nil
}

// estimate is tokens of a text: one for three characters, which is more than
// tokenizers of today make of English and of code, so that a budget holds.
func estimate(text string) int { return (utf8.RuneCountInString(text) + 2) / 3 }

// Close gives connections back.
func (c *Chat) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Hosted reports whether an address is that of the vendor whose variable for keys
// is OPENAI_API_KEY; other servers are not sent that key.
func Hosted(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == "api.openai.com" || strings.HasSuffix(u.Hostname(), ".openai.com"))
}
