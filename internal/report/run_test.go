package report_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

// synthetic writes a small run in which every kind of episode, outcome and gate
// occurs, through the store as a driver would, and closes it.
func synthetic(t interface {
	Helper()
	Fatal(...any)
}, dir string, seed uint64, episodes int) {
	t.Helper()
	s, err := store.Create(dir, store.Run{Name: "sample-1", Sources: []string{"pypi:sample==1.0"}, Snapshots: []string{"5c1e" + fmt.Sprint(seed)}, Environment: []string{"e17a"},
		Seed: seed, Policy: "builtin", Reward: "adversarial", Config: json.RawMessage(`{"group":4,"steps":24}`), Created: "2025-01-02T03:04:05Z"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	base := outcome.Results{"tests/test_a.py::test_skip": outcome.Skipped, "tests/test_a.py::test_known": outcome.Failed}
	for i := range 12 {
		base[fmt.Sprintf("tests/test_a.py::test_%02d", i)] = outcome.Passed
	}
	ctx := tctx()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.PutBaseline(ctx, 0, base))
	original, err := s.PutBlob([]byte("def test_00():\n    cache = make()\n    for i in range(9):\n        cache[i] = i\n    assert len(cache) == 9\n"))
	must(err)
	r := rand.New(rand.NewPCG(seed, 1))
	var round []store.Episode
	for n := 1; n <= episodes; n++ {
		e := makeEpisode(n, r, round, original)
		must(store.Score(&e))
		round = append(round, e)
		if e.Break.Bug != "" && e.Kind == store.KindFresh {
			must(os.MkdirAll(s.BugDir(e.Break.Bug), 0o755))
			must(os.WriteFile(filepath.Join(s.BugDir(e.Break.Bug), "red_test.py"), []byte("def test_00():\n    assert len(make()) == 9\n"), 0o644))
		}
	}
	must(s.PutRound(ctx, round, json.RawMessage(`{"waiting":[3]}`)))
	must(s.PutTotals(ctx, store.Totals{Seconds: map[string]float64{"total": 61.5, "prepare": 2, "baseline": 4.5, "tests": 40, "policy": 5, "learn": 0, "other": 10},
		Verdicts: &store.VerdictCounts{Run: 1200, Cached: 800}, PeakMemory: 91 << 20}))
}

var operators = []string{"relational_boundary", "off_by_one_shift", "type_confusion", "condition_negate"}

// makeEpisode makes the n-th episode; earlier ones are there to be replayed.
func makeEpisode(n int, r *rand.Rand, earlier []store.Episode, original string) store.Episode {
	outcomes := []outcome.Break{outcome.Valid, outcome.Unnoticed, outcome.Valid, outcome.Rejected, outcome.Valid, outcome.Broken, outcome.Valid, outcome.FlakyBreak, outcome.Valid, outcome.TimedOutBreak}
	e := store.Episode{Number: n, Kind: store.KindFresh, Seed: r.Uint64(), Group: 4, Schema: "adversarial", Seconds: map[string]float64{"tests": 2, "policy": 0.5}}
	b := &e.Break
	b.Outcome = outcomes[(n-1)%len(outcomes)]
	op := operators[n%len(operators)]
	b.Version, b.Operators, b.Variant, b.Path, b.Function, b.Line, b.Order = "0", []string{op}, "< → <=", "src/sample/core.py", "Cache.get", 10+n, 1
	b.Diff = "--- a/src/sample/core.py\n+++ b/src/sample/core.py\n@@ -10,3 +10,3 @@\n def get(self, key):\n-    if key < self.last:\n+    if key <= self.last:\n         return None\n"
	b.Checks = map[outcome.Check]string{outcome.CheckApplies: "passed", outcome.CheckLoads: "passed"}
	red := []string{fmt.Sprintf("tests/test_a.py::test_%02d", n%12), fmt.Sprintf("tests/test_a.py::test_%02d", (n+5)%12)}
	if red[0] > red[1] {
		red[0], red[1] = red[1], red[0]
	}
	whole := store.Verdicts{red[0]: outcome.Failed, red[1]: outcome.Errored}
	switch b.Outcome {
	case outcome.Valid:
		b.Runs = []store.Verdicts{{red[0]: outcome.Failed}, whole, whole, whole}
	case outcome.Unnoticed:
		b.Runs, b.Check, b.Reason = []store.Verdicts{{}}, outcome.CheckRed, "no test goes red"
		return e
	case outcome.FlakyBreak:
		b.Runs, b.Check, b.Reason = []store.Verdicts{whole, {red[1]: outcome.Failed}}, outcome.CheckRepeats, red[0]+" is not red in repeat 2"
		return e
	case outcome.Broken:
		b.Check, b.Reason = outcome.CheckLoads, "the broken tree does not load: SyntaxError \x1b[2Jcleared"
		return e
	case outcome.TimedOutBreak:
		b.Runs, b.Check, b.Reason = []store.Verdicts{{red[0]: outcome.TimedOut}}, outcome.CheckRed, "the run gave up"
		return e
	default:
		b.Runs, b.Check, b.Reason = []store.Verdicts{whole}, outcome.CheckDuplicate, "the same as 0123456789ab"
		return e
	}
	b.Bug, b.Red, b.Hidden, b.Weight, b.Minutes = fmt.Sprintf("b%011d", n), red, red[1:], 0.2, 2+float64(n%5)
	b.MinimalTest, b.Statements, b.StatementsBefore, b.Original = "tests/test_breakfix_b.py::test_00", 2, 11, original
	b.Data = json.RawMessage(`{"score":0.5}`)
	if n%10 == 7 && len(earlier) > 0 {
		e.Kind, b.Order, b.Parents, b.Weight = store.KindHigherOrder, 2, []string{earlier[0].Break.Bug}, 0.4
		e.Notices = []string{"order 2 reached"}
	}
	if n%10 == 9 && len(earlier) > 0 {
		known := earlier[0].Break
		e.Kind, b.Bug, b.Red, b.Hidden, b.Runs = store.KindReplay, known.Bug, known.Red, known.Hidden, nil
		red = known.Red
	}
	for i := 1; i <= 4; i++ {
		e.Attempts = append(e.Attempts, makeAttempt(i, r.IntN(7), red, b.MinimalTest))
	}
	return e
}

func makeAttempt(n, kind int, red []string, minimal string) store.Attempt {
	const pass = outcome.GatePassed
	a := store.Attempt{Number: n, Version: "0", Patch: "--- a/src/sample/core.py\n+++ b/src/sample/core.py\n@@ -11,1 +11,1 @@\n-    if key <= self.last:\n+    if key < self.last:\n", Tree: "7ree",
		Steps: []store.Step{{Number: 1, What: "condition_negate: negate", Applied: true, Verdict: outcome.Failed, Failure: "AssertionError: assert 8 == 9", Version: "0"},
			{Number: 2, From: 1, What: "relational_boundary: <= → <", Applied: true, Verdict: outcome.Passed, Cached: true, Version: "0"}}}
	a.Verdicts = store.Verdicts{minimal: outcome.Passed, red[0]: outcome.Passed, red[1]: outcome.Passed}
	a.Judged = true
	switch kind {
	case 0:
		a.Gates = map[outcome.Gate]string{outcome.GateRed: pass, outcome.GateSuite: pass, outcome.GateLint: pass, outcome.GateTypes: "core.py: arg-type: bad \x1b]0;owned\x07", outcome.GateRun: pass}
	case 1:
		a.Verdicts[red[1]], a.Spurious = outcome.Failed, true
		a.Gates = map[outcome.Gate]string{outcome.GateRed: red[1] + " is failed"}
	case 2:
		a.Verdicts["tests/test_a.py::test_03"], a.Verdicts["tests/test_a.py::test_04"] = outcome.Absent, outcome.Skipped
		if red[0] == "tests/test_a.py::test_03" || red[1] == "tests/test_a.py::test_03" || red[0] == "tests/test_a.py::test_04" || red[1] == "tests/test_a.py::test_04" {
			a.Gates = map[outcome.Gate]string{outcome.GateRed: "a red test did not pass"}
		} else {
			a.Gates = map[outcome.Gate]string{outcome.GateRed: pass, outcome.GateSuite: "tests/test_a.py::test_03 is absent and 1 more"}
		}
		a.Suspicious = []string{"edits_runner_configuration"}
	case 3:
		return store.Attempt{Number: n, Version: "0", Outcome: outcome.GaveUp, Steps: a.Steps[:1]}
	case 4:
		return store.Attempt{Number: n, Version: "0", Outcome: []outcome.Attempt{outcome.OutOfSteps, outcome.Infrastructure}[n%2], Steps: a.Steps[:1]}
	default:
		a.Gates = map[outcome.Gate]string{outcome.GateRed: pass, outcome.GateSuite: pass, outcome.GateLint: pass, outcome.GateTypes: pass, outcome.GateRun: pass}
	}
	a.Outcome = outcome.Judge(a.Gates)
	return a
}

// openSynthetic makes a run and opens it for reading.
func openSynthetic(t *testing.T, episodes int) *store.Store {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sample-1")
	synthetic(t, dir, 7, episodes)
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
