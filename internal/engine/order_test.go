package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

// TestRequestsOfManyGoroutinesKeepTheirOrder: the server executes seq_id 1, 2, 3, …
// and holds what comes early for ever; samples go on beside.
func TestRequestsOfManyGoroutinesKeepTheirOrder(t *testing.T) {
	for name, quirks := range dialects {
		t.Run(name, func(t *testing.T) {
			m := open(t, start(t, enginetest.Options{Quirks: quirks}), engine.Profile{OnceEach: true, OwnSamplers: true})
			got, err := m.Sample(t.Context(), ask("x"))
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			errs := make(chan error, 100)
			for i := range 8 {
				wg.Go(func() {
					_, _, err := m.ForwardBackward(t.Context(), []engine.Datum{datum(got, 1)}, "ppo", nil)
					errs <- err
					errs <- m.Step(t.Context(), 1e-4)
					errs <- m.Publish(t.Context(), fmt.Sprint("of ", i))
				})
				wg.Go(func() {
					_, err := m.Sample(t.Context(), ask("x"))
					errs <- err
				})
			}
			wg.Wait()
			close(errs)
			for err := range errs {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestNothingIsSampledBetweenAStepAndItsPublication, unless the profile says that
// the server keeps samplers apart.
func TestNothingIsSampledBetweenAStepAndItsPublication(t *testing.T) {
	m := open(t, start(t, enginetest.Options{Quirks: enginetest.Quirks{SlotTrap: true}}), engine.Profile{})
	got, err := m.Sample(t.Context(), ask("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.ForwardBackward(t.Context(), []engine.Datum{datum(got, 1)}, "cispo", nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Step(t.Context(), 1e-2); err != nil {
		t.Fatal(err)
	}
	cut, stop := context.WithCancel(t.Context())
	stop()
	if _, err := m.Sample(cut, ask("x")); err == nil {
		t.Error("a sample was taken of weights that were not published")
	}
	versions := make(chan string)
	go func() {
		a, _ := m.Sample(t.Context(), ask("x"))
		versions <- a.Version
	}()
	if err := m.Publish(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if v := <-versions; v != "1" {
		t.Errorf("sampled from version %q", v)
	}
}

// TestWrongArraysAreNotSent: a real server trains on them without a word.
func TestWrongArraysAreNotSent(t *testing.T) {
	s := start(t, enginetest.Options{})
	m := open(t, s, engine.Profile{})
	got, err := m.Sample(t.Context(), ask("x"))
	if err != nil {
		t.Fatal(err)
	}
	nan := float32(0)
	nan /= nan
	before := len(s.Log())
	for name, spoil := range map[string]func(*engine.Datum){
		"no tokens":       func(d *engine.Datum) { d.Tokens = nil },
		"few targets":     func(d *engine.Datum) { d.Targets = d.Targets[1:] },
		"few advantages":  func(d *engine.Datum) { d.Advantages = d.Advantages[1:] },
		"no logprobs":     func(d *engine.Datum) { d.LogProbs = nil },
		"NaN advantage":   func(d *engine.Datum) { d.Advantages[0] = nan },
		"positive":        func(d *engine.Datum) { d.LogProbs[0] = 1 },
		"over vocabulary": func(d *engine.Datum) { d.Tokens = append([]int32{1 << 20}, d.Tokens[1:]...) },
		"negative target": func(d *engine.Datum) { d.Targets = append([]int32{-1}, d.Targets[1:]...) },
	} {
		d := datum(got, 1)
		spoil(&d)
		if _, _, err := m.ForwardBackward(t.Context(), []engine.Datum{d}, "importance_sampling", nil); err == nil {
			t.Errorf("%s was sent", name)
		}
	}
	if _, _, err := m.ForwardBackward(t.Context(), nil, "importance_sampling", nil); err == nil {
		t.Error("nothing was sent")
	}
	if _, _, err := m.ForwardBackward(t.Context(), []engine.Datum{datum(got, 1)}, "dro", nil); err == nil {
		t.Error("an unknown loss was sent")
	}
	for _, r := range s.Log()[before:] {
		if r.Route == "forward_backward" {
			t.Error("a request was sent")
		}
	}
}
