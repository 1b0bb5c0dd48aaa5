package engine_test

import (
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

func dialectOptions(name string) enginetest.Options {
	return enginetest.Options{Quirks: dialects[name]}
}

func worstApart(a, b []float32) (worst float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	for i := range a {
		worst = math.Max(worst, math.Abs(float64(a[i]-b[i])))
	}
	return worst
}

// TestARealEngineLosesNothing trains on the server that BREAKFIX_TEST_ENGINE names
// (make engine), once as it is and once with the answers of a pass, a step, a save
// and a publish lost on the way: the log-probabilities at the end are the same.
func TestARealEngineLosesNothing(t *testing.T) {
	address := os.Getenv("BREAKFIX_TEST_ENGINE")
	if address == "" {
		t.Skip("set BREAKFIX_TEST_ENGINE to the address of a training server")
	}
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	profile := engine.SkyRL040
	if os.Getenv("BREAKFIX_TEST_ENGINE_JSON") != "" {
		profile = engine.SkyRL030
	}
	run := func(lose string) ([]float32, engine.Counts) {
		proxy := httputil.NewSingleHostReverseProxy(to)
		var seen atomic.Int32
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lose == "" || !strings.HasSuffix(r.URL.Path, "/"+lose) || seen.Add(1) != 2 {
				proxy.ServeHTTP(w, r)
				return
			}
			proxy.ServeHTTP(httptest.NewRecorder(), r) // taken, and not answered
			panic(http.ErrAbortHandler)
		}))
		front.Config.ErrorLog = nil
		defer front.Close()
		m, err := engine.OpenTrainer(t.Context(), front.URL, engine.Options{Profile: profile, Log: slog.New(slog.DiscardHandler)}, engine.ModelOptions{Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		prompt, err := m.Tokens().Render(t.Context(), ask("x"))
		if err != nil {
			t.Fatal(err)
		}
		var data []engine.Datum
		for update := range 3 {
			got, _, err := m.SampleTokens(t.Context(), engine.TokenAsk{Prompt: prompt, N: 8, MaxTokens: 16, Temperature: 1, Seed: uint64(update), Stops: m.Tokens().Stops()})
			if err != nil {
				t.Fatal(err)
			}
			data = nil
			for i, s := range got {
				data = append(data, datum(engine.Answer{Prompt: prompt, Tokens: s.Tokens, LogProbs: s.LogProbs}, float32(1-2*(i%2))))
			}
			p, _, err := m.ForwardBackward(t.Context(), data, "importance_sampling", nil)
			if err != nil {
				t.Fatal(err)
			}
			if worst := worstApart(data[0].LogProbs[len(prompt)-1:], p[0][len(prompt)-1:]); worst > 1e-3 {
				t.Errorf("update %d: sampler and trainer are %v apart", update, worst)
			}
			if err := m.Step(t.Context(), 1e-3); err != nil {
				t.Fatal(err)
			}
			if err := m.Publish(t.Context(), string(rune('1'+update))); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Save(t.Context(), "kept"); err != nil {
				t.Fatal(err)
			}
		}
		p, err := m.Forward(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		return p[0], m.Counts()
	}
	want, _ := run("")
	for _, lose := range []string{"forward_backward", "optim_step", "save_weights", "save_weights_for_sampler", "asample"} {
		got, counts := run(lose)
		if worst := worstApart(want, got); worst > 1e-4 {
			t.Errorf("%s lost: %v apart from the training without a fault", lose, worst)
		}
		t.Logf("%s lost: %+v", lose, counts)
	}
}
