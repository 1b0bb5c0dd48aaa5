package engine_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

// TestAPinnedVersionIsSampledWhileTheModelLearnsOn: the same seed gives the same tokens and
// log-probabilities before and after steps, publications, a checkpoint that is gone back to,
// and sessions that were lost.
func TestAPinnedVersionIsSampledWhileTheModelLearnsOn(t *testing.T) {
	for name, quirks := range dialects {
		t.Run(name, func(t *testing.T) {
			s := start(t, enginetest.Options{Quirks: quirks})
			m := open(t, s, engine.Profile{OnceEach: true, OwnSamplers: true})
			pinned, err := m.Pinned()
			if err != nil {
				t.Fatal(err)
			}
			before, err := pinned.Sample(t.Context(), ask("x"))
			if err != nil {
				t.Fatal(err)
			}
			same := func(when string) {
				t.Helper()
				now, err := pinned.Sample(t.Context(), ask("x"))
				if err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				if d := cmp.Diff(before, now); d != "" || pinned.Version() != before.Version {
					t.Errorf("%s the pinned version is another:\n%s", when, d)
				}
			}
			saved, err := m.Save(t.Context(), "zero")
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := m.ForwardBackward(t.Context(), []engine.Datum{datum(before, 1)}, "ppo", nil); err != nil {
				t.Fatal(err)
			}
			if err := m.Step(t.Context(), 1e-1); err != nil {
				t.Fatal(err)
			}
			same("after a step")
			if err := m.Publish(t.Context(), "1"); err != nil {
				t.Fatal(err)
			}
			same("after a publication")
			if now, err := m.Sample(t.Context(), ask("x")); err != nil || now.Version != "1" || cmp.Equal(now.LogProbs, before.LogProbs) {
				t.Errorf("the model answers as before, as version %s: %v", now.Version, err)
			}
			if err := m.Load(t.Context(), saved); err != nil {
				t.Fatal(err)
			}
			if err := m.Publish(t.Context(), "0"); err != nil {
				t.Fatal(err)
			}
			same("after a checkpoint was loaded")
			s.Restart()
			same("after the server was started again")
		})
	}
}

func TestAServerWithOnePlaceForBothPinsNothing(t *testing.T) {
	m := open(t, start(t, enginetest.Options{Quirks: enginetest.Quirks{SlotTrap: true}}), engine.Profile{OnceEach: true})
	if _, err := m.Pinned(); !errors.Is(err, engine.ErrOneSlot) {
		t.Error(err)
	}
}
