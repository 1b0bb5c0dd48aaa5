package store_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/outcome"
	"breakfix/internal/store"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// episode makes an episode in which every field holds something.
func episode(n int) store.Episode {
	e := store.Episode{
		Number: n, Kind: store.KindFresh, Seed: 1<<63 + uint64(n), Group: 3, Schema: "shared",
		Break: store.Break{
			Outcome: outcome.Valid, Checks: map[outcome.Check]string{outcome.CheckRed: "passed", outcome.CheckWeakened: "not applicable: no tests"},
			Version: "0", Operators: []string{"relational_boundary"}, Variant: "< → <=", Path: "src/a.py", Function: "A.f", Line: 7,
			Diff: "--- a/src/a.py\n+++ b/src/a.py\n@@ -7 +7 @@\n-    if a < b:\n+    if a <= b:\n", Bug: "0123456789ab", Order: 1, Parents: []string{"ba9876543210"},
			Weight: 0.2, Minutes: 3.5, Red: []string{"t.py::a", "t.py::b"}, Hidden: []string{"t.py::b"}, MinimalTest: "test_breakfix_0.py::test_a",
			Statements: 3, StatementsBefore: 9, Original: strings.Repeat("a", 64),
			Runs: []store.Verdicts{{"t.py::a": outcome.Failed, "t.py::b": outcome.TimedOut}, {"t.py::a": outcome.Failed, "t.py::b": outcome.TimedOut}},
			Data: json.RawMessage(`{"sites":12}`),
		},
		Attempts: []store.Attempt{
			{Number: 1, Version: "0", Outcome: outcome.Fixed, Patch: "diff", Tree: "cafe", Judged: true,
				Gates:    map[outcome.Gate]string{outcome.GateRed: "passed", outcome.GateSuite: "passed", outcome.GateLint: "passed", outcome.GateTypes: "passed", outcome.GateRun: "passed"},
				Verdicts: store.Verdicts{"t.py::a": outcome.Passed, "t.py::b": outcome.Passed, "test_breakfix_0.py::test_a": outcome.Passed},
				Steps: []store.Step{{Number: 1, What: "relational_boundary: <= → <", Diff: "d", Applied: true, Verdict: outcome.Passed, Version: "0"},
					{Number: 2, From: 1, What: "x", Verdict: outcome.Failed, Failure: "AssertionError: 3 \x1b[31m== 4", Cached: true, Version: "0"}}},
			{Number: 2, Version: "0", Outcome: outcome.GaveUp, Suspicious: []string{"edits_runner_configuration"}, Data: json.RawMessage(`[1]`)},
			{Number: 3, Version: "0", Outcome: outcome.Infrastructure},
		},
		Seconds: map[string]float64{"tests": 1.25, "policy": 0.5}, Notices: []string{"order 1 reached"},
	}
	if err := store.Score(&e); err != nil {
		panic(err)
	}
	return e
}

func create(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Create(dir, store.Run{Sources: []string{"pypi:cachetools==8.0.1"}, Seed: 1<<64 - 1, Reward: "shared", Config: json.RawMessage(`{"group":3}`), Versions: map[string]string{"go": "1.26"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAnEpisodeComesBackAsItWasStored(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "runs", "x-1"))
	empty := store.Episode{Number: 2, Kind: store.KindFresh, Schema: "adversarial", Break: store.Break{Outcome: outcome.Unnoticed, Runs: []store.Verdicts{{}, {}}, Reward: -1}}
	if err := s.PutRound(t.Context(), []store.Episode{episode(1), empty}, json.RawMessage(`{"waiting":[]}`)); err != nil {
		t.Fatal(err)
	}
	var got []store.Episode
	for e, err := range s.Episodes(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []store.Episode{episode(1), empty}
	evidence := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Evidence" }, cmp.Ignore())
	if d := cmp.Diff(want, got, evidence, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	for _, e := range got {
		if e.Break.Evidence != store.BreakEvidence(e) {
			t.Errorf("episode %d: the break's evidence is not that of what was read", e.Number)
		}
		for _, a := range e.Attempts {
			if a.Evidence != store.AttemptEvidence(e.Number, a) {
				t.Errorf("episode %d, attempt %d: the evidence is not that of what was read", e.Number, a.Number)
			}
		}
	}
	if got[1].Break.Hidden != nil {
		t.Error("hidden tests that were not recorded came back as recorded and none")
	}
	state, err := s.State(t.Context())
	if err != nil || string(state) != `{"waiting":[]}` {
		t.Errorf("state %s, %v", state, err)
	}
}

func TestAnEpisodeIsRecordedExactlyOnce(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "x"))
	if err := s.PutEpisode(t.Context(), episode(1)); err != nil {
		t.Fatal(err)
	}
	err := s.PutRound(t.Context(), []store.Episode{episode(2), episode(1)}, json.RawMessage(`{"round":2}`))
	if !errors.Is(err, store.ErrTwice) || !strings.Contains(err.Error(), "episode 1 is recorded already") {
		t.Errorf("got %v", err)
	}
	if n, _ := s.Numbers(t.Context()); !cmp.Equal(n, []int{1}) {
		t.Errorf("a refused round left episodes %v", n)
	}
	if state, _ := s.State(t.Context()); state != nil {
		t.Errorf("a refused round left the state %s", state)
	}
	if _, err := s.Episode(t.Context(), 2); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("episode 2: %v", err)
	}
}

func TestRewardsHaveRowsOnlyForWhatIsScored(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "x"))
	higher := episode(2)
	higher.Kind = store.KindHigherOrder
	lost := episode(3)
	for i := range lost.Attempts {
		lost.Attempts[i].Outcome = outcome.Infrastructure
	}
	if err := s.PutRound(t.Context(), []store.Episode{episode(1), higher, lost}, nil); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int][]store.Reward{
		1: {{Attempt: 0, Role: store.Breaker, Value: 0.2}, {Attempt: 1, Role: store.Fixer, Value: 0.2}, {Attempt: 2, Role: store.Fixer, Value: 0}},
		2: {{Attempt: 1, Role: store.Fixer, Value: 0.2}, {Attempt: 2, Role: store.Fixer, Value: 0}},
		3: nil,
	} {
		got, err := s.Rewards(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("episode %d: %s", n, d)
		}
	}
}

func TestARunIsReadWhileItIsWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	w := create(t, dir)
	r, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := 1; n <= 3; n++ {
		if err := w.PutEpisode(t.Context(), episode(n)); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Numbers(t.Context()); err != nil || len(got) != n {
			t.Fatalf("after episode %d the reader sees %v, %v", n, got, err)
		}
	}
	if err := r.PutEpisode(t.Context(), episode(4)); err == nil {
		t.Error("a store opened for reading wrote")
	}
}

func TestOneProcessWritesAndTheLockSaysWhich(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	w := create(t, dir)
	_, err := store.Resume(dir)
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), "is locked by process ") {
		t.Errorf("got %v", err)
	}
	w.Close()
	again, err := store.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestBaselineMetaAndTotalsComeBack(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "x"))
	base := outcome.Results{"a": outcome.Passed, "b": outcome.Skipped}
	if err := s.PutBaseline(t.Context(), 0, base); err != nil {
		t.Fatal(err)
	}
	if err := s.PutBaseline(t.Context(), 0, base); !errors.Is(err, store.ErrTwice) {
		t.Errorf("a second baseline: %v", err)
	}
	got, evidence, err := s.Baseline(t.Context(), 0)
	if err != nil || evidence != store.BaselineEvidence(got) {
		t.Errorf("evidence %q, %v", evidence, err)
	}
	if d := cmp.Diff(base, got); d != "" {
		t.Error(d)
	}
	if _, _, err := s.Baseline(t.Context(), 1); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("a baseline that is not there: %v", err)
	}
	if _, ok, err := s.Totals(t.Context()); ok || err != nil {
		t.Errorf("totals before any: %v, %v", ok, err)
	}
	want := store.Totals{Seconds: map[string]float64{"total": 2}, Verdicts: &store.VerdictCounts{Run: 3, Cached: 1}, PeakMemory: 9}
	for range 2 { // the second replaces the first
		if err := s.PutTotals(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	totals, _, err := s.Totals(t.Context())
	if d := cmp.Diff(want, totals); d != "" || err != nil {
		t.Error(d, err)
	}
	if err := s.PutMeta(t.Context(), "format", json.RawMessage(`2`)); err == nil {
		t.Error("the format could be overwritten")
	}
}

func TestBlobsAreKeptByDigestAndChecked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	s := create(t, dir)
	d, err := s.PutBlob([]byte("def test(): pass\n"))
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.PutBlob([]byte("def test(): pass\n")); again != d {
		t.Errorf("the same content has digests %s and %s", d, again)
	}
	b, err := s.Blob(d)
	if err != nil || string(b) != "def test(): pass\n" {
		t.Errorf("got %q, %v", b, err)
	}
	for _, bad := range []string{"", "../../run.json", strings.Repeat("0", 64)} {
		if _, err := s.Blob(bad); !errors.Is(err, store.ErrAbsent) {
			t.Errorf("blob %q: %v", bad, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "blobs", d[:2], d), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Blob(d); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a changed blob: %v", err)
	}
}

func TestLogLinesAreJSONInTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	s := create(t, dir)
	log := slog.New(s.Log(slog.LevelInfo))
	log.Info("episode stored", "episode", 3)
	log.Debug("not kept")
	b, err := os.ReadFile(filepath.Join(dir, "log.jsonl"))
	if err != nil || bytes.Count(b, []byte("\n")) != 1 {
		t.Fatalf("log %q, %v", b, err)
	}
	var line struct {
		Msg     string `json:"msg"`
		Episode int    `json:"episode"`
	}
	if err := json.Unmarshal(b, &line); err != nil || line.Msg != "episode stored" || line.Episode != 3 {
		t.Errorf("line %s: %v", b, err)
	}
}

func TestSizeGrowsWithWhatIsKept(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "x"))
	before, err := s.Size()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutBlob(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	if after, _ := s.Size(); after-before != 100_000 {
		t.Errorf("100000 bytes more made the folder grow by %d", after-before)
	}
}

func TestNextNameIsOneAboveTheHighest(t *testing.T) {
	root := t.TempDir()
	for _, d := range []string{"cachetools-2", "cachetools-10", "cachetools-x", "other-77"} {
		if err := os.Mkdir(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"cachetools": "cachetools-11", "new": "new-1", "../evil": "run.._evil-1", "": "run-1"} {
		got, err := store.NextName(root, name)
		if err != nil || got != filepath.Join(root, want) {
			t.Errorf("%q: got %s, %v, want %s", name, got, err, want)
		}
	}
	if got, err := store.NextName(filepath.Join(root, "absent"), "a"); err != nil || filepath.Base(got) != "a-1" {
		t.Errorf("without a root: %s, %v", got, err)
	}
}

func TestAPersonCanQueryTheBugs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	s := create(t, dir)
	if err := s.PutEpisode(t.Context(), episode(1)); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "run.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var id string
	var red, hidden, attempts, fixed int
	err = db.QueryRow(`SELECT id, red_tests, hidden_tests, attempts, fixed FROM bugs`).Scan(&id, &red, &hidden, &attempts, &fixed)
	if err != nil || id != "0123456789ab" || red != 2 || hidden != 1 || attempts != 2 || fixed != 1 {
		t.Errorf("got %s, %d red, %d hidden, %d attempts, %d fixed, %v", id, red, hidden, attempts, fixed, err)
	}
}

func TestRowsHoldWhatDiffersAndWhatMustBeThere(t *testing.T) {
	base := outcome.Results{"same": outcome.Passed, "red": outcome.Passed, "gone": outcome.Passed, "skip": outcome.Skipped}
	now := outcome.Results{"same": outcome.Passed, "red": outcome.Passed, "gone": outcome.Absent, "skip": outcome.Skipped, "mini": outcome.Passed}
	want := store.Verdicts{"red": outcome.Passed, "gone": outcome.Absent, "mini": outcome.Passed}
	if d := cmp.Diff(want, store.Rows(base, now, "red", "mini", "not asked for")); d != "" {
		t.Error(d)
	}
}
