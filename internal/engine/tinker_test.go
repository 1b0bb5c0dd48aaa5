package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
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

// rewardOf is the share of samples that begin with a call that names a site of
// the prompt.
func rewardOf(text string) float64 {
	var n int
	if _, err := fmt.Sscanf(text, "<call>break %d</call>", &n); err == nil && (n == 2 || n == 6) {
		return 1
	}
	return 0
}

func TestRewardRisesOverUpdates(t *testing.T) {
	s := start(t, enginetest.Options{})
	m := open(t, s, engine.Profile{})
	began := time.Now()
	rises(t, m, 45)
	t.Log(time.Since(began))
}

func rises(t *testing.T, m *engine.Model, updates int) []float64 {
	t.Helper()
	ctx := context.Background()
	prompt, err := m.Tokens().Render(ctx, ask("The test test_sum fails. Sites: 2 add, 6 sum."))
	if err != nil {
		t.Fatal(err)
	}
	var curve []float64
	for update := range updates {
		const group = 16
		got, _, err := m.SampleTokens(ctx, engine.TokenAsk{Prompt: prompt, N: group, MaxTokens: 12, Temperature: 1, Seed: uint64(update), Stops: m.Tokens().Stops()})
		if err != nil {
			t.Fatal(err)
		}
		var rewards []float64
		mean := 0.0
		for _, g := range got {
			text, _ := m.Tokens().Decode(ctx, g.Tokens)
			rewards = append(rewards, rewardOf(text))
			mean += rewards[len(rewards)-1] / group
		}
		curve = append(curve, mean)
		var data []engine.Datum
		for i, g := range got {
			if a := float32(rewards[i] - mean); a != 0 {
				data = append(data, datum(engine.Answer{Prompt: prompt, Tokens: g.Tokens, LogProbs: g.LogProbs}, a))
			}
		}
		if len(data) > 0 {
			if _, _, err := m.ForwardBackward(ctx, data, "importance_sampling", nil); err != nil {
				t.Fatal(err)
			}
			if err := m.Step(ctx, 1e-2); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Publish(ctx, fmt.Sprint(update+1)); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(curve)
	return curve
}
