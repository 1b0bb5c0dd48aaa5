package engine

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"

	"breakfix/internal/engine/wire"
)

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
