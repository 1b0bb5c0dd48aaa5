package engine_test

import (
	"context"
	"testing"
	"time"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

// TestRevertTakesBackWhatWasNotPublished: gradients, and steps that samples wait for.
func TestRevertTakesBackWhatWasNotPublished(t *testing.T) {
	for name, quirks := range dialects {
		t.Run(name, func(t *testing.T) {
			s := start(t, enginetest.Options{Quirks: quirks})
			m, other := open(t, s, engine.Profile{}), open(t, s, engine.Profile{})
			got, err := m.Sample(t.Context(), ask("x"))
			if err != nil {
				t.Fatal(err)
			}
			pass := func(m *engine.Model, advantage float32) {
				t.Helper()
				if _, _, err := m.ForwardBackward(t.Context(), []engine.Datum{datum(got, advantage)}, "ppo", nil); err != nil {
					t.Fatal(err)
				}
			}
			step := func(m *engine.Model) {
				t.Helper()
				if err := m.Step(t.Context(), 1e-2); err != nil {
					t.Fatal(err)
				}
			}
			sampled := func(m *engine.Model, version string) {
				t.Helper()
				ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
				defer stop()
				a, err := m.Sample(ctx, ask("x"))
				if err != nil || a.Version != version {
					t.Fatalf("version %q answers, want %q: %v", a.Version, version, err)
				}
			}
			for _, m := range []*engine.Model{m, other} {
				pass(m, 1)
				step(m)
				if err := m.Publish(t.Context(), "1"); err != nil {
					t.Fatal(err)
				}
			}
			pass(m, -3)
			if err := m.Revert(t.Context()); err != nil {
				t.Fatal(err)
			}
			sampled(m, "1")
			pass(m, -2)
			step(m)
			if err := m.Revert(t.Context()); err != nil {
				t.Fatal(err)
			}
			sampled(m, "1")
			for _, m := range []*engine.Model{m, other} {
				pass(m, 2)
				step(m)
			}
			if a, b := s.Digest(m.ID()), s.Digest(other.ID()); a != b || a == "" {
				t.Errorf("the weights are %q, and of a model that was never taken back %q", a, b)
			}
		})
	}
}
