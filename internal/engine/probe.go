package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
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

// agrees compares sampler and trainer, and learns how samples end.
func (p *prober) agrees(ctx context.Context, m *Model) (err error) {
	t := m.Tokens()
	a := Ask{Messages: []Message{{Role: "user", Content: "Name a fruit, then a colour."}}}
	if p.prompt, err = t.Render(ctx, a); err != nil {
		return err
	}
	p.said, _, err = m.SampleTokens(ctx, TokenAsk{Prompt: p.prompt, N: probeBatch, MaxTokens: 16, Temperature: 1, Seed: 11, Stops: t.Stops()})
	if err != nil {
		return err
	}
	once, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	twice, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	p.noise, _ = apart(once, twice)
	p.note("dialect", "%s", map[string]string{DialectJSON: "all JSON", DialectProtobuf: "JSON with protobuf arrays"}[p.srv.Dialect()])
	var sampled []float64
	for _, s := range p.said {
		for _, q := range s.LogProbs {
			sampled = append(sampled, float64(q))
		}
	}
	most, mean := apart(sampled, once)
	if mean > mostApart {
		p.bad("log-probabilities", "those of the sampler and of the trainer are %.3g apart in the mean, %.3g at most", mean, most)
	} else {
		p.note("log-probabilities", "those of the sampler and of the trainer are at most %.2g apart (mean %.2g)", most, mean)
	}
	return p.stops(ctx, m)
}

// stops asks for a sample that ends with a certain token.
func (p *prober) stops(ctx context.Context, m *Model) error {
	all := p.said[0].Tokens
	if len(all) < 2 {
		p.note("stop tokens", "not known: the sample was too short")
		return nil
	}
	got, _, err := m.SampleTokens(ctx, TokenAsk{Prompt: p.prompt, N: probeBatch, MaxTokens: 16, Temperature: 1, Seed: 11, Stops: []int32{all[1]}})
	if err != nil {
		return err
	}
	at := slices.Index(all, all[1])
	switch ids := got[0].Tokens; {
	case !slices.Equal(ids[:min(len(ids), at)], all[:at]):
		p.note("stop tokens", "not known: the same seed gave another sample")
	case len(ids) == at+1:
		p.note("stop tokens", "a sample ends with its stop token")
	case len(ids) == at:
		p.note("stop tokens", "a sample ends before its stop token, so that ending is not learned")
	default:
		p.bad("stop tokens", "a sample goes on after its stop token")
	}
	return nil
}

// rests looks whether a step on advantages of zero leaves the weights alone.
func (p *prober) rests(ctx context.Context, m *Model) error {
	before, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	var missing []string
	for _, loss := range []string{"importance_sampling", "ppo", "cispo"} {
		_, _, err := m.ForwardBackward(ctx, p.data(func(int) float32 { return 0 }), loss, nil)
		switch k := KindOf(err); {
		case k == Invalid || k == Failed:
			missing = append(missing, loss)
		case err != nil:
			return err
		}
	}
	if err := m.Step(ctx, probeRate); err != nil {
		return err
	}
	after, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	if slices.Contains(missing, "importance_sampling") {
		p.bad("losses", "there is no importance_sampling")
	} else if missing != nil {
		p.note("losses", "there is no %s", strings.Join(missing, " and no "))
	} else {
		p.note("losses", "cross_entropy, importance_sampling, ppo, cispo")
	}
	if most, _ := apart(before, after); most > p.tolerance() {
		p.bad("zero advantage", "a step on advantages of zero moves log-probabilities by %.3g", most)
	} else {
		p.note("zero advantage", "a step on advantages of zero changes nothing")
	}
	return nil
}

func (p *prober) tolerance() float64 { return math.Max(leastChange, 4*p.noise) }

// rises looks whether positive advantages raise, and negative ones lower.
func (p *prober) rises(ctx context.Context, m *Model) error {
	before, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	half := func(i int) float32 { return float32(1 - 2*(i%2)) } // every other sample is bad
	if _, _, err := m.ForwardBackward(ctx, p.data(half), "importance_sampling", nil); err != nil {
		return err
	}
	if err := m.Step(ctx, probeRate); err != nil {
		return err
	}
	after, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	gain, at := 0.0, 0
	for i, s := range p.said {
		for range s.Tokens {
			gain += float64(half(i)) * (after[at] - before[at])
			at++
		}
	}
	most, _ := apart(before, after)
	switch {
	case most <= p.tolerance():
		p.bad("positive advantage", "a step on advantages changes nothing")
	case gain <= 0:
		p.bad("positive advantage", "a step makes likelier what had a negative advantage, and unlikelier what had a positive one")
	default:
		p.note("positive advantage", "a step raises what had a positive advantage and lowers the rest (by %.2g nats together)", gain)
	}
	return nil
}

// disturbs looks whether samplers and training are kept apart.
func (p *prober) disturbs(ctx context.Context, m *Model) error {
	old := m.current.Load()
	greedy := TokenAsk{Prompt: p.prompt, N: probeBatch, MaxTokens: 16, Temperature: 0, Seed: 11, Stops: m.Tokens().Stops()}
	first, err := m.sampleFrom(ctx, old, greedy)
	if err != nil {
		return err
	}
	if err := p.step(ctx, m); err != nil {
		return err
	}
	unpublished, err := m.sampleFrom(ctx, old, greedy)
	if err != nil {
		return err
	}
	sees := !sameSample(first[0], unpublished[0], p.tolerance())
	if err := p.step(ctx, m); err != nil {
		return err
	}
	if err := m.Publish(ctx, "1"); err != nil {
		return err
	}
	if _, err := m.sampleFrom(ctx, m.current.Load(), greedy); err != nil { // some load a checkpoint only when another was the last
		return err
	}
	before, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	if _, err := m.sampleFrom(ctx, old, greedy); err != nil {
		return err
	}
	after, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	most, _ := apart(before, after)
	trap := most > p.tolerance()
	p.Profile.OwnSamplers = !sees && !trap
	switch {
	case trap:
		p.note("old checkpoints", "sampling one puts its weights under training (moved by %.2g): while there is training, breakfix samples the newest only", most)
	case sees:
		p.note("old checkpoints", "a published one shows steps that were not published: while there is training, breakfix samples after Publish only")
	default:
		p.note("old checkpoints", "they can be sampled while others train")
	}
	return nil
}

// step trains once, hard.
func (p *prober) step(ctx context.Context, m *Model) error {
	if _, _, err := m.ForwardBackward(ctx, p.data(func(i int) float32 { return float32(1 - 2*(i%2)) }), "importance_sampling", nil); err != nil {
		return err
	}
	return m.Step(ctx, 10*probeRate)
}

func sameSample(a, b wire.Sequence, tolerance float64) bool {
	if !slices.Equal(a.Tokens, b.Tokens) {
		return false
	}
	for i := range a.LogProbs {
		if math.Abs(float64(a.LogProbs[i]-b.LogProbs[i])) > tolerance {
			return false
		}
	}
	return true
}

// repeats sends a step twice, byte for byte.
func (p *prober) repeats(ctx context.Context, m *Model) error {
	if err := p.step(ctx, m); err != nil {
		return err
	}
	if _, _, err := m.ForwardBackward(ctx, p.data(func(i int) float32 { return 1 }), "importance_sampling", nil); err != nil {
		return err
	}
	m.seq++ // the goroutine that trains is idle: every call has been answered
	b, err := json.Marshal(map[string]any{"model_id": m.ID(), "seq_id": m.seq, "type": "optim_step", "adam_params": map[string]any{
		"learning_rate": probeRate, "beta1": m.o.Beta1, "beta2": m.o.Beta2, "eps": m.o.Epsilon, "weight_decay": 0.0,
	}})
	if err != nil {
		return err
	}
	r := request{doing: "step", method: http.MethodPost, route: "/api/v1/optim_step", kind: wire.JSON, body: b}
	if err := p.srv.future(ctx, r, asJSON(new(map[string]any))); err != nil {
		return err
	}
	before, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	err = p.srv.future(ctx, r, asJSON(new(map[string]any)))
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusConflict {
		p.note("retries", "a step that comes twice is refused (409)")
		return nil
	}
	if err != nil {
		return err
	}
	after, err := p.answered(ctx, m)
	if err != nil {
		return err
	}
	if most, _ := apart(before, after); most > p.tolerance() {
		p.note("retries", "a step that comes twice steps twice (moved by %.2g): where it is not known whether one was taken, breakfix restores the model", most)
	} else {
		p.Profile.OnceEach = true
		p.note("retries", "a step that comes twice steps once")
	}
	return nil
}

// reduces trains two models of the same seed on the same data, once with the
// weights of every other sequence tripled. Adam's first step knows directions and
// no scale: the models are the same if and only if each sequence's loss is
// divided by its weights.
func (p *prober) reduces(ctx context.Context) error {
	var after [2][]float64
	for i, weight := range []float32{1, 3} {
		err := p.with(ctx, ModelOptions{Base: p.base, Seed: 2}, func(ctx context.Context, m *Model) (err error) {
			data := p.data(func(int) float32 { return 0 })
			for n := range data {
				for j := range data[n].Weights {
					if n%2 == 1 {
						data[n].Weights[j] *= weight
					}
				}
			}
			if _, _, err = m.ForwardBackward(ctx, data, "cross_entropy", nil); err != nil {
				return err
			}
			if err = m.Step(ctx, 10*probeRate); err != nil {
				return err
			}
			after[i], err = p.answered(ctx, m)
			return err
		})
		if err != nil {
			return err
		}
	}
	if most, _ := apart(after[0], after[1]); most > p.tolerance() {
		p.Profile.Reduction = "sum"
		p.note("reduction", "losses are summed over tokens")
	} else {
		p.Profile.Reduction = "mean"
		p.note("reduction", "each sequence's loss is divided by the sum of its weights: long answers count less a token")
	}
	return nil
}

// unembeds trains two models of the same seed, one without the output layer.
func (p *prober) unembeds(ctx context.Context) error {
	var after [2][]float64
	for i := range after {
		err := p.with(ctx, ModelOptions{Base: p.base, Seed: 3, noUnembed: i == 1}, func(ctx context.Context, m *Model) (err error) {
			for range 2 { // adapters begin with a factor of zero: the other one learns from the second step
				if err = p.step(ctx, m); err != nil {
					return err
				}
			}
			after[i], err = p.answered(ctx, m)
			return err
		})
		if err != nil {
			return err
		}
	}
	most, _ := apart(after[0], after[1])
	p.Profile.Unembed = most > p.tolerance()
	if p.Profile.Unembed {
		p.note("output layer", "it is trained when train_unembed asks for it")
	} else {
		p.note("output layer", "train_unembed changes nothing: mostly, that it is never trained")
	}
	return nil
}

// takesAnyBase asks for a model that cannot be there.
func (p *prober) takesAnyBase(ctx context.Context) error {
	const wrong = "breakfix/no-such-model"
	real := p.srv.Models
	p.srv.Models = []string{wrong}
	m, err := p.srv.New(ctx, ModelOptions{Base: wrong, Seed: 1})
	p.srv.Models = real
	if err != nil {
		if k := KindOf(err); k == Absent || k == Slow || ctx.Err() != nil {
			return err
		}
		p.note("wrong base model", "it is refused")
		return nil
	}
	p.note("wrong base model", "it is accepted without a word: breakfix compares the name with what the server says that it serves")
	return m.Close()
}

// apart is the largest and the mean difference of two lists.
func apart(a, b []float64) (most, mean float64) {
	for i := range a {
		d := math.Abs(a[i] - b[i])
		most, mean = math.Max(most, d), mean+d/float64(len(a))
	}
	return most, mean
}
