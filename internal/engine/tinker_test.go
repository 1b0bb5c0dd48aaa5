package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

// hasty is how tests wait.
var hasty = engine.Patience{Request: 3 * time.Second, Future: 3 * time.Second, First: time.Millisecond, Poll: time.Millisecond, Beat: 50 * time.Millisecond}

func start(t *testing.T, o enginetest.Options) *enginetest.Started {
	t.Helper()
	s, err := enginetest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, s *enginetest.Started, p engine.Profile) *engine.Model {
	t.Helper()
	m, err := engine.OpenTrainer(t.Context(), s.URL, engine.Options{Patience: hasty, Profile: p, Log: slog.New(slog.DiscardHandler)}, engine.ModelOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// dialects are the two forms of the protocol, each as a server that says so.
var dialects = map[string]enginetest.Quirks{"json": {}, "protobuf": {Protobuf: true}}

func ask(text string) engine.Ask {
	return engine.Ask{Messages: []engine.Message{{Role: "system", Content: "You repair code. Answer with one call."}, {Role: "user", Content: text}}, MaxTokens: 24, Temperature: 1}
}

// datum is what is trained on of an answer: prompt and answer, shifted by one,
// with the advantage at the answer's tokens.
func datum(a engine.Answer, advantage float32) engine.Datum {
	all := append(append([]int32{}, a.Prompt...), a.Tokens...)
	n := len(all) - 1
	d := engine.Datum{Tokens: all[:n], Targets: all[1:], LogProbs: make([]float32, n), Advantages: make([]float32, n), Weights: make([]float32, n)}
	for i, p := range a.LogProbs {
		at := len(a.Prompt) - 1 + i
		d.LogProbs[at], d.Advantages[at], d.Weights[at] = p, advantage, 1
	}
	return d
}

func TestSamplerAndTrainerAgreeTokenForToken(t *testing.T) {
	for name, quirks := range dialects {
		t.Run(name, func(t *testing.T) {
			s := start(t, enginetest.Options{Quirks: quirks})
			m := open(t, s, engine.Profile{})
			got, err := m.Sample(t.Context(), ask("The test test_sum fails. Sites: 2 add, 6 sum."))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Tokens) == 0 || len(got.Tokens) != len(got.LogProbs) || got.Version != "0" || got.Read != len(got.Prompt) || got.Written != len(got.Tokens) {
				t.Fatalf("answer %+v", got)
			}
			p, err := m.Forward(t.Context(), []engine.Datum{datum(got, 0)})
			if err != nil {
				t.Fatal(err)
			}
			for i, q := range got.LogProbs {
				if at := p[0][len(got.Prompt)-1+i]; math.Abs(float64(at-q)) > 1e-5 {
					t.Errorf("token %d: sampler %v, trainer %v", i, q, at)
				}
			}
		})
	}
}

// game is the smallest task: a well-formed call that names a site of the prompt.
type game struct{ sites [2]int }

func newGame(seed int) game {
	two := rand.New(rand.NewPCG(uint64(seed), 7)).Perm(9)
	return game{[2]int{two[0] + 1, two[1] + 1}}
}

func (g game) ask() engine.Ask {
	return ask(fmt.Sprintf("The test test_sum fails. Sites: %d add, %d sum.", g.sites[0], g.sites[1]))
}

func (g game) reward(text string) float64 {
	var n int
	if _, err := fmt.Sscanf(text, "<call>edit %d</call>", &n); err != nil || text != fmt.Sprintf("<call>edit %d</call>", n) {
		return 0
	}
	if n == g.sites[0] || n == g.sites[1] {
		return 1
	}
	return 0
}

// train plays and learns, and returns the mean reward of each update.
func train(t *testing.T, m *engine.Model, from, to int, loss string) (curve []float64) {
	t.Helper()
	ctx := context.Background()
	for update := from; update < to; update++ {
		const group = 12
		var data []engine.Datum
		total := 0.0
		for g := range 2 {
			g := newGame(2*update + g)
			prompt, err := m.Tokens().Render(ctx, g.ask())
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := m.SampleTokens(ctx, engine.TokenAsk{Prompt: prompt, N: group, MaxTokens: 12, Temperature: 1, Seed: uint64(update), Stops: m.Tokens().Stops()})
			if err != nil {
				t.Fatal(err)
			}
			mean, rewards := 0.0, make([]float64, group)
			for i, s := range got {
				text, _ := m.Tokens().Decode(ctx, s.Tokens)
				rewards[i] = g.reward(text)
				mean += rewards[i] / group
			}
			total += mean / 2
			for i, s := range got {
				if a := float32(rewards[i] - mean); a != 0 {
					data = append(data, datum(engine.Answer{Prompt: prompt, Tokens: s.Tokens, LogProbs: s.LogProbs}, a))
				}
			}
		}
		curve = append(curve, total)
		if len(data) > 0 {
			if _, _, err := m.ForwardBackward(ctx, data, loss, nil); err != nil {
				t.Fatal(err)
			}
			if err := m.Step(ctx, 2e-2); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Publish(ctx, fmt.Sprint(update+1)); err != nil {
			t.Fatal(err)
		}
	}
	return curve
}

// kendall is the z of the Mann-Kendall test of trend (Mann 1945), without ties
// in the variance, which makes it smaller than it is.
func kendall(x []float64) float64 {
	s, n := 0.0, float64(len(x))
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			switch {
			case x[j] > x[i]:
				s++
			case x[j] < x[i]:
				s--
			}
		}
	}
	return s / math.Sqrt(n*(n-1)*(2*n+5)/18)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// TestRewardRisesOverUpdates learns the smallest task from its reward alone,
// with each loss that takes advantages.
func TestRewardRisesOverUpdates(t *testing.T) {
	for _, c := range []struct {
		loss   string
		quirks enginetest.Quirks
	}{{"importance_sampling", enginetest.Quirks{}}, {"ppo", enginetest.Quirks{Protobuf: true}}, {"cispo", enginetest.Quirks{Mean: true}}} {
		t.Run(c.loss, func(t *testing.T) {
			m := open(t, start(t, enginetest.Options{Quirks: c.quirks}), engine.Profile{})
			curve := train(t, m, 0, 50, c.loss)
			first, last, z := mean(curve[:5]), mean(curve[45:]), kendall(curve)
			t.Logf("reward %.2f -> %.2f, z = %.1f: %.2f", first, last, z, curve)
			if z < 3.09 { // one-sided, p < 0.001
				t.Errorf("no trend: z = %.2f", z)
			}
			if first > 0.4 || last < 0.8 {
				t.Errorf("reward from %.2f to %.2f", first, last)
			}
		})
	}
}
