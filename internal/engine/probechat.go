package engine

import (
	"context"
	"encoding/json"
	"math"
	"time"
)

// ProbeChat finds out what an OpenAI-compatible server tells about its answers.
// Such a server plays and does not learn.
func ProbeChat(ctx context.Context, address string, o ChatOptions) (*Probed, error) {
	began := time.Now()
	c, err := NewChat(ctx, address, o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	p := &Probed{Server: c.base.String(), Models: []string{c.Model()}, Model: c.Model(), Protocol: "chat"}
	a := Ask{Messages: []Message{{Role: "user", Content: "Call the tool read with the path a.py."}}, MaxTokens: 64, Seed: 11}
	got, err := c.Sample(ctx, a)
	if err != nil {
		return p, err
	}
	switch {
	case len(got.Tokens) > 0 && len(got.Tokens) == len(got.LogProbs):
		p.note("answers", "with token ids and log-probabilities")
	case len(got.LogProbs) > 0:
		p.note("answers", "with log-probabilities and no token ids: they can be looked at and not trained on")
	default:
		p.note("answers", "with text alone")
	}
	a.Tools = []Tool{{Name: "read", Description: "Show a file.", Parameters: json.RawMessage(`{"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}`)}}
	called, err := c.Sample(ctx, a)
	switch {
	case err != nil && KindOf(err) == Invalid:
		p.note("tools", "requests with tools are refused: play with the plain-text protocol")
	case err != nil:
		return p, err
	case len(called.Message.Calls) > 0:
		p.note("tools", "the model calls them")
	default:
		p.note("tools", "they are accepted; asked to, the model called none")
	}
	n, err := c.Count(ctx, a)
	if err != nil {
		return p, err
	}
	c.mu.Lock()
	estimated := c.plain["/tokenize"]
	c.mu.Unlock()
	if estimated {
		p.note("tokens", "there is no /tokenize: prompts are estimated (%d for one that the server counts as %d)", n, called.Read)
	} else {
		p.note("tokens", "counted by the server's own tokenizer")
	}
	p.note("training", "none: it can play, and a training server is needed to learn")
	p.Counts, p.Seconds = c.Counts(), math.Round(time.Since(began).Seconds()*10)/10
	return p, nil
}
