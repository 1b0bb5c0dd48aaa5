package llm

import (
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/outcome"
)

// Play is one game of a model in one role: the whole conversation, and what of
// it the model sampled.
type Play struct {
	Role     arena.Role       `json:"role"`
	Protocol Protocol         `json:"protocol"`
	Model    string           `json:"model"`
	Strategy string           `json:"strategy,omitempty"` // of the breaker
	Ended    Ending           `json:"ended"`
	Form     outcome.Form     `json:"-"`
	Messages []engine.Message `json:"messages"`
	Turns    []*Turn          `json:"turns"`
}

// Turn is one answer of the model.
type Turn struct {
	Message     int       `json:"message"` // index of the answer in Messages
	Version     string    `json:"version"` // that chose it
	Stopped     string    `json:"stopped"`
	Read        int       `json:"read"`    // tokens
	Written     int       `json:"written"` // tokens
	Cost        float64   `json:"cost,omitempty"`
	Started     time.Time `json:"started"`
	Seconds     float64   `json:"seconds"`                // of sampling
	ToolSeconds float64   `json:"tool_seconds,omitempty"` // of what the tools did

	// The prompt begins with the first Same tokens of the turn before (its prompt,
	// then its answer) and goes on with New: kept so, a game of 64 turns takes no
	// more than its last prompt. Empty where the server tells no token ids.
	Same     int       `json:"same,omitempty"`
	New      []int32   `json:"-"`
	Tokens   []int32   `json:"-"` // of the answer
	LogProbs []float32 `json:"-"` // of Tokens, as they were sampled
}

// add takes in an answer.
func (p *Play) add(a engine.Answer, version string, began, ended time.Time) *Turn {
	before := p.sequence()
	same := 0
	for same < len(before) && same < len(a.Prompt) && before[same] == a.Prompt[same] {
		same++
	}
	t := &Turn{Message: len(p.Messages), Version: version, Stopped: a.Stopped, Read: a.Read, Written: a.Written, Cost: a.Cost,
		Started: began.UTC(), Seconds: ended.Sub(began).Seconds(), Same: same,
		New: append([]int32(nil), a.Prompt[same:]...), Tokens: append([]int32(nil), a.Tokens...), LogProbs: append([]float32(nil), a.LogProbs...)}
	m := a.Message
	m.Tokens = nil // they are the turn's
	p.Messages = append(p.Messages, m)
	p.Turns = append(p.Turns, t)
	return t
}

// sequence is prompt and answer of the last turn.
func (p *Play) sequence() []int32 {
	var seq []int32
	for _, t := range p.Turns {
		seq = append(append(seq[:min(t.Same, len(seq))], t.New...), t.Tokens...)
	}
	return seq
}

// Prompt is the prompt of turn i, token for token.
func (p *Play) Prompt(i int) []int32 {
	var seq []int32
	for k, t := range p.Turns[:i+1] {
		seq = append(seq[:min(t.Same, len(seq))], t.New...)
		if k < i {
			seq = append(seq, t.Tokens...)
		}
	}
	return seq
}

// Totals are what a play took.
type Totals struct {
	Ended       Ending  `json:"ended"`
	Turns       int     `json:"turns"`
	Read        int     `json:"read"`    // tokens
	Written     int     `json:"written"` // tokens
	Cost        float64 `json:"cost"`    // US dollars, 0 where prices are not known
	Seconds     float64 `json:"seconds"` // of sampling
	ToolSeconds float64 `json:"tool_seconds"`
}

// Totals adds up the turns.
func (p *Play) Totals() Totals {
	t := Totals{Ended: p.Ended, Turns: len(p.Turns)}
	for _, u := range p.Turns {
		t.Read, t.Written, t.Cost = t.Read+u.Read, t.Written+u.Written, t.Cost+u.Cost
		t.Seconds, t.ToolSeconds = t.Seconds+u.Seconds, t.ToolSeconds+u.ToolSeconds
	}
	return t
}
