package engine_test

import (
	"log/slog"
	"strings"
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

func probe(t *testing.T, q enginetest.Quirks) *engine.Probed {
	t.Helper()
	s := start(t, enginetest.Options{Quirks: q})
	p, err := engine.Probe(t.Context(), s.URL, engine.Options{Patience: hasty, Log: slog.New(slog.DiscardHandler)}, "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProbeFindsEachQuirk: every way in which the conformance server can differ is
// found, and those that make training wrong are refused.
func TestProbeFindsEachQuirk(t *testing.T) {
	whole := engine.Profile{Dialect: "json", OnceEach: true, OwnSamplers: true, Reduction: "sum", Unembed: true}
	for _, c := range []struct {
		name    string
		quirks  enginetest.Quirks
		profile func(*engine.Profile)
		finds   string
		refused bool
	}{
		{"none", enginetest.Quirks{}, func(*engine.Profile) {}, "it is refused", false},
		{"protobuf", enginetest.Quirks{Protobuf: true}, func(p *engine.Profile) { p.Dialect = "protobuf" }, "protobuf arrays", false},
		{"runs again", enginetest.Quirks{RunsAgain: true}, func(p *engine.Profile) { p.OnceEach = false }, "steps twice", false},
		{"mean", enginetest.Quirks{Mean: true}, func(p *engine.Profile) { p.Reduction = "mean" }, "divided by", false},
		{"slot trap", enginetest.Quirks{SlotTrap: true}, func(p *engine.Profile) { p.OwnSamplers = false }, "under training", false},
		{"no unembed", enginetest.Quirks{NoUnembed: true}, func(p *engine.Profile) { p.Unembed = false }, "changes nothing: mostly", false},
		{"any base", enginetest.Quirks{AnyBase: true}, func(*engine.Profile) {}, "without a word", false},
		{"mismatch", enginetest.Quirks{Mismatch: true}, func(*engine.Profile) {}, "apart in the mean", true},
		{"flipped", enginetest.Quirks{Flipped: true}, func(*engine.Profile) {}, "negative advantage", true},
		{"restless", enginetest.Quirks{Restless: true}, func(*engine.Profile) {}, "advantages of zero moves", true},
		{"like SkyRL 0.3.0", enginetest.Quirks{RunsAgain: true, Mean: true, SlotTrap: true, NoUnembed: true, AnyBase: true}, func(p *engine.Profile) {
			*p = engine.Profile{Dialect: "json", Reduction: "mean"}
		}, "without a word", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := whole
			c.profile(&want)
			got := probe(t, c.quirks)
			if c.name != "restless" && got.Profile != want { // which moves all else, too
				t.Errorf("profile %+v, want %+v", got.Profile, want)
			}
			var all strings.Builder
			for _, f := range got.Findings {
				all.WriteString(f.Name + ": " + f.Detail + "\n")
			}
			if !strings.Contains(all.String(), c.finds) {
				t.Errorf("nothing says %q:\n%s", c.finds, all.String())
			}
			if refused := len(got.Refused()) > 0; refused != c.refused {
				t.Errorf("refused for %q", got.Refused())
			}
		})
	}
}
