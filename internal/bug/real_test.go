package bug_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/lang"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
)

// slow skips a test that waits for deadlines or plays a real package, unless
// BREAKFIX_SLOW is set.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("BREAKFIX_SLOW") == "" {
		t.Skip("set BREAKFIX_SLOW=1 to run it")
	}
}

// TestBugsOfARealPackageAreWrittenAndVerified breaks the default target in 12
// places and prints what comes out, with times.
func TestBugsOfARealPackageAreWrittenAndVerified(t *testing.T) {
	slow(t)
	spec := os.Getenv("BREAKFIX_SOURCE")
	if spec == "" {
		spec = "pypi:cachetools==8.0.1"
	}
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := source.Open(t.Context(), spec, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w, err := testrun.Prepare(t.Context(), testrun.Config{Box: box, Snapshot: snap})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("prepared in %.1f s: %d tests", time.Since(began).Seconds(), len(w.Base.Results))
	python, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	var sites []mutate.Mutation
	for _, p := range snap.Tree.Paths() {
		if !strings.HasSuffix(p, ".py") || !python.IsCode(p) {
			continue
		}
		src, err := snap.Tree.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		f, err := python.Parse(src)
		if err != nil || f.HasError {
			continue
		}
		for _, m := range mutate.Enumerate(python, p, f, mutate.Operators()) {
			if len(w.Covering(m.Path, m.Line, m.LastLine)) > 0 {
				sites = append(sites, m)
			}
		}
	}
	r := rand.New(rand.NewPCG(7, 7))
	target := bug.TargetOf(w, python, bug.Options{})
	known := &bug.Known{}
	verified := false
	for i := 0; i < 12 && len(sites) > 0; i++ {
		m := sites[r.IntN(len(sites))]
		broken, err := mutate.Apply(snap.Tree, m)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		res := validate(t, target, bug.Candidate{Tree: broken, Mutations: []mutate.Mutation{m}, Strategy: "operator"}, known)
		t.Logf("%v, %d processes so far", res.Seconds, w.Stats().Processes)
		t.Logf("%.1f s: %s %s:%d (%s): %s %s %s", time.Since(began).Seconds(), m.Operator, m.Path, m.Line, m.Variant, res.Outcome, res.Check, res.Reason)
		if res.Bug == nil {
			continue
		}
		b := res.Bug
		known.Add(b)
		t.Logf("%d red, %d held back, %.0f min; %s: %d → %d statements\n%s\n%s", len(b.Red), len(b.Hidden), b.Difficulty.Minutes, b.RedTest.From, b.RedTest.Before, b.RedTest.Statements, b.Inject, b.RedTest.Code)
		if verified {
			continue
		}
		verified = true
		dir := filepath.Join(t.TempDir(), b.ID)
		if err := b.Write(dir); err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		v, err := bug.Verify(t.Context(), dir, bug.VerifyConfig{Box: box, Paths: python})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("verified in %.1f s: %+v", time.Since(began).Seconds(), v)
		if !v.Valid {
			t.Errorf("check %s: %s", v.Check, v.Reason)
		}
	}
	if !verified {
		t.Errorf("no break was %s", outcome.Valid)
	}
}
