package strategy_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/lang/python"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/strategy"
	"breakfix/internal/testrun"
)

// TestCandidatesOfARealPackage counts what comes of the candidates of one
// strategy on a package, and wants the share of valid bugs that composed
// candidates are to have. BREAKFIX_SOURCE, BREAKFIX_STRATEGY, BREAKFIX_PARTS and
// BREAKFIX_N (candidates to validate) choose.
func TestCandidatesOfARealPackage(t *testing.T) {
	if os.Getenv("BREAKFIX_SLOW") == "" {
		t.Skip("set BREAKFIX_SLOW=1 to run it")
	}
	or := func(name, otherwise string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	parts, err := strconv.Atoi(or("BREAKFIX_PARTS", "0"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(or("BREAKFIX_N", "10"))
	if err != nil {
		t.Fatal(err)
	}
	name := or("BREAKFIX_STRATEGY", "composed")
	from := prepared(t, or("BREAKFIX_SOURCE", "pypi:cachetools==8.0.1"))
	s, err := strategy.New(name, from, strategy.Options{Parts: parts})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	screened, others := map[string]int{}, map[string]int{}
	known := &bug.Known{}
	proposals, validated, valid := 0, 0, 0
	r := seeded(1)
	for validated < n && proposals < 20*n && time.Since(began) < 8*time.Minute {
		p, err := s.Propose(t.Context(), r)
		if errors.Is(err, strategy.ErrExhausted) {
			t.Log("nothing is left")
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		proposals++
		if p.Screened != "" {
			screened[p.Screened]++
			t.Logf("screened: %s: %s", p.Screened, p.Reason)
			continue
		}
		res, err := bug.Validate(t.Context(), from.Target, p.Candidate, known)
		if err != nil {
			t.Fatal(err)
		}
		validated++
		if res.Bug == nil {
			others[strings.Trim(string(res.Outcome)+"/"+string(res.Check), "/")]++
			t.Logf("%s %s: %s", res.Outcome, res.Check, res.Reason)
			continue
		}
		valid++
		known.Add(res.Bug)
		t.Logf("%s: %d red, %v %s\n%s", res.Bug.ID, len(res.Bug.Red), res.Bug.Operators, res.Bug.Origin, res.Bug.Inject)
	}
	t.Logf("%s, %d parts: %d proposals, screened %v; %d validated, %d valid, others %v", name, parts, proposals, screened, validated, valid, others)
	if name == "composed" && validated >= 5 && float64(valid) < 0.6*float64(validated) {
		t.Errorf("%d of %d composed candidates that passed are bugs", valid, validated)
	}
}

func prepared(t *testing.T, spec string) strategy.Source {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := source.Open(t.Context(), spec, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := testrun.Prepare(t.Context(), testrun.Config{Box: box, Snapshot: snap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	bank := arena.NewBank(snap.Tree, python.Python.IsCode, func(p string, first, last int) int {
		n := len(w.Covering(p, first, last))
		if w.Imported(p, first, last) {
			n++
		}
		return n
	})
	return strategy.Source{Target: bug.TargetOf(w, python.Python, bug.Options{}), Bank: bank}
}
