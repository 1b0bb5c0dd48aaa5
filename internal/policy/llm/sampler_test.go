package llm

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"breakfix/internal/engine"
)

// script is a sampler that answers with what a model answered once. Its
// tokenizer gives every byte an id, its template is a line of marks.
type script struct {
	mu      sync.Mutex
	answers []engine.Message
	loop    bool // begin again after the last
	asks    []engine.Ask
	counts  int
	perByte float64 // tokens a byte that Count says; 0 means 1
}

func (s *script) Model() string   { return "recorded" }
func (s *script) Version() string { return "r1" }

// rendered is the conversation as the model reads it.
func rendered(ms []engine.Message) string {
	var b strings.Builder
	for _, m := range ms {
		b.WriteString("<" + m.Role + ">\n" + m.Content)
		for _, c := range m.Calls {
			b.WriteString("<call " + c.Name + " " + c.Arguments + ">")
		}
		b.WriteString("<end>\n")
	}
	return b.String()
}

func bytesAsIDs(s string) []int32 {
	ids := make([]int32, len(s))
	for i := range s {
		ids[i] = int32(s[i])
	}
	return ids
}

func (s *script) Sample(_ context.Context, a engine.Ask) (engine.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asks)
	if s.loop {
		n %= len(s.answers)
	}
	s.asks = append(s.asks, a)
	if n >= len(s.answers) {
		return engine.Answer{}, fmt.Errorf("the script of %d answers has ended", len(s.answers))
	}
	m := s.answers[n]
	m.Role = "assistant"
	prompt := rendered(a.Messages) + "<assistant>\n"
	text := strings.TrimPrefix(rendered([]engine.Message{m}), "<assistant>\n")
	out := engine.Answer{Message: m, Stopped: "stop", Prompt: bytesAsIDs(prompt), Tokens: bytesAsIDs(text), Read: len(prompt), Written: len(text), Cost: 0.001}
	for i := range out.Tokens {
		out.LogProbs = append(out.LogProbs, -float32(i%7)/8)
	}
	return out, nil
}

func (s *script) Count(_ context.Context, a engine.Ask) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts++
	n := float64(len(rendered(a.Messages)))
	if s.perByte > 0 {
		n *= s.perByte
	}
	return int(n), nil
}

// say is an answer in plain text, use one that calls a tool.
func say(text string) engine.Message { return engine.Message{Content: text} }

func use(name, arguments string) engine.Message {
	return engine.Message{Calls: []engine.Call{{ID: "c-" + name, Name: name, Arguments: arguments}}}
}

// ticking is a clock that goes on by a second each time it is read.
func ticking() func() time.Time {
	var mu sync.Mutex
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}
