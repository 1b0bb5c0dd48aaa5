package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"breakfix/internal/engine/wire"
)

// Finding is one thing that Probe found out.
type Finding struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
	// Bad says that training would be wrong.
	Bad bool `json:"bad,omitempty"`
}

// Probed is what a server can do.
type Probed struct {
	Server   string    `json:"server"`
	Models   []string  `json:"models"`
	Model    string    `json:"model"`
	Protocol string    `json:"protocol"` // tinker or chat
	Profile  Profile   `json:"profile"`
	Findings []Finding `json:"findings"`
	Seconds  float64   `json:"seconds"`
	Counts   Counts    `json:"counts"`
}

// Refused are the reasons not to train with the server.
func (p Probed) Refused() (why []string) {
	for _, f := range p.Findings {
		if f.Bad {
			why = append(why, f.Name+": "+f.Detail)
		}
	}
	return why
}

func (p *Probed) note(name, format string, args ...any) {
	p.Findings = append(p.Findings, Finding{Name: name, Detail: fmt.Sprintf(format, args...)})
}

func (p *Probed) bad(name, format string, args ...any) {
	p.Findings = append(p.Findings, Finding{name, fmt.Sprintf(format, args...), true})
}

// Bounds of what is accepted. Log-probabilities of sampler and trainer differ by
// 4e-5 in float32 and by some hundredths where both compute in 16 bits.
const (
	mostApart   = 0.1  // nats, the mean over tokens
	leastChange = 1e-5 // nats, of a token: less is rounding
	probeRate   = 3e-3 // of the optimiser's steps
	probeBatch  = 8    // data of a pass, so that servers that compile shapes compile one
)

// Probe trains scratch models on a server to find out what it does: each is
// made from the same seed and given back. An error is one of the connection; a
// server that trains wrongly is a finding.
func Probe(ctx context.Context, address string, o Options, base string) (*Probed, error) {
	began := time.Now()
	o.Profile = Profile{} // nothing is known
	s, err := Dial(ctx, address, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	p := &prober{srv: s, base: base, Probed: &Probed{Server: s.transport.base.String(), Models: s.Models, Protocol: "tinker"}}
	err = p.all(ctx)
	p.Profile.Dialect, p.Counts, p.Seconds = s.Dialect(), s.Counts(), math.Round(time.Since(began).Seconds()*10)/10
	return p.Probed, err
}

// prober is one probing.
type prober struct {
	*Probed
	srv    *Server
	base   string
	prompt []int32
	said   []wire.Sequence // by the model that nobody trained
	noise  float64         // between two passes over the same weights
}

// all asks one question after the other. Those that need a model make one.
func (p *prober) all(ctx context.Context) error {
	for _, question := range []func(context.Context, *Model) error{p.agrees, p.rests, p.rises, p.disturbs, p.repeats} {
		if err := p.with(ctx, ModelOptions{Base: p.base, Seed: 1}, question); err != nil {
			return err
		}
	}
	for _, question := range []func(context.Context) error{p.reduces, p.unembeds, p.takesAnyBase} {
		if err := question(ctx); err != nil {
			return err
		}
	}
	return nil
}

// with makes a scratch model for a question.
func (p *prober) with(ctx context.Context, o ModelOptions, ask func(context.Context, *Model) error) error {
	m, err := p.srv.New(ctx, o)
	if err != nil {
		return err
	}
	p.Model = m.Model()
	return errors.Join(ask(ctx, m), m.Close())
}

// data are the samples as what is trained on, with an advantage for each.
func (p *prober) data(advantage func(i int) float32) []Datum {
	var all []Datum
	for i, s := range p.said {
		ids := append(slices.Clone(p.prompt), s.Tokens...)
		n := len(ids) - 1
		d := Datum{Tokens: ids[:n], Targets: ids[1:], LogProbs: make([]float32, n), Advantages: make([]float32, n), Weights: make([]float32, n)}
		for j, q := range s.LogProbs {
			at := len(p.prompt) - 1 + j
			d.LogProbs[at], d.Advantages[at], d.Weights[at] = min(q, 0), advantage(i), 1
		}
		all = append(all, d)
	}
	return all
}

// answered are a pass's log-probabilities at the tokens that were sampled.
func (p *prober) answered(ctx context.Context, m *Model) ([]float64, error) {
	got, err := m.Forward(ctx, p.data(func(int) float32 { return 0 }))
	var all []float64
	for _, one := range got {
		for _, q := range one[len(p.prompt)-1:] {
			all = append(all, float64(q))
		}
	}
	return all, err
}

// apart is the largest and the mean difference of two lists.
func apart(a, b []float64) (most, mean float64) {
	for i := range a {
		d := math.Abs(a[i] - b[i])
		most, mean = math.Max(most, d), mean+d/float64(len(a))
	}
	return most, mean
}
