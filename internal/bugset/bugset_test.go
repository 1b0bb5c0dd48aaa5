package bugset

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/store"
	"breakfix/internal/tree"
)

func TestBugsAreSharedEvenlyAndOthersMakeWhatOneCannot(t *testing.T) {
	o := func(valid int, exhausted bool) *origin { return &origin{valid: valid, exhausted: exhausted} }
	for name, c := range map[string]struct {
		n       int
		origins []*origin
		want    []int
	}{
		"evenly":                  {6, []*origin{o(0, false), o(0, false), o(0, false)}, []int{2, 2, 2}},
		"the first have more":     {5, []*origin{o(0, false), o(0, false), o(0, false)}, []int{2, 2, 1}},
		"fewer than sources":      {1, []*origin{o(0, false), o(0, false)}, []int{1, 0}},
		"one has nothing left":    {6, []*origin{o(1, true), o(2, false), o(2, false)}, []int{1, 3, 2}},
		"nobody has":              {6, []*origin{o(1, true), o(0, true)}, []int{1, 0}},
		"one has all that it can": {4, []*origin{o(2, true), o(0, false)}, []int{2, 2}},
	} {
		if d := cmp.Diff(c.want, shares(c.n, c.origins)); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

func TestAMixIsNamesWithWeights(t *testing.T) {
	mix, err := ParseMix([]string{"operator=2", " composed = 0.5", "removal=0", "history"})
	if d := cmp.Diff([]Share{{"operator", 2}, {"composed", 0.5}, {"removal", 0}, {"history", 1}}, mix); d != "" || err != nil {
		t.Fatalf("%v\n%s", err, d)
	}
	for words, says := range map[string]string{
		"operater":            `did you mean "operator"`,
		"operator=-1":         "not a weight",
		"operator=NaN":        "not a weight",
		"operator=0":          "every weight is 0",
		"operator,operator=2": "named twice",
	} {
		if _, err := ParseMix(strings.Split(words, ",")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want …%s…", words, err, says)
		}
	}
}

func TestARepositoryIsInOneSplitWhateverTheSetAndTheRelease(t *testing.T) {
	where := map[string]int{}
	for i := range 1000 {
		where[splitOf(fmt.Sprintf("project-%d", i))]++
	}
	if n := where["train"]; n < 750 || n > 850 {
		t.Errorf("%d of 1000 repositories are in train", n)
	}
	if where["validation"] < 60 || where["test"] < 60 || len(where) != 3 {
		t.Errorf("the splits are uneven: %v", where)
	}
	if d := cmp.Diff("typing-extensions", repository(HeadSource{Name: "Typing_Extensions"})); d != "" {
		t.Error(d)
	}
	h := Head{Seed: 1, Sources: []HeadSource{{Source: "pypi:a==1", Name: "a"}, {Source: "pypi:a==2", Name: "a"}}}
	for name, s := range splitsOf(empty(h)).Splits {
		if n := len(s.Sources); n != 0 && (n != 2 || len(s.Repositories) != 1) {
			t.Errorf("split %s has %d of the sources and the repositories %v", name, n, s.Repositories)
		}
	}
}

// entry is a whole artifact that nothing was run for, as small as a real one.
func entry(t testing.TB, i int) *bug.Bug {
	t.Helper()
	base := tree.DigestOf([]byte("base"))
	inject := []byte(fmt.Sprintf("diff --git a/pkg/m%d.py b/pkg/m%d.py\n--- a/pkg/m%d.py\n+++ b/pkg/m%d.py\n@@ -1,1 +1,1 @@\n-x = 1\n+x = 2\n", i, i, i, i))
	red := fmt.Sprintf("tests/test_m.py::test_%d", i)
	b := &bug.Bug{
		Base: base, Broken: tree.DigestOf(inject), Order: 1, Strategy: "operator", Operators: []string{"numeric_literal_change"}, Weight: bug.WeightOf(1), Inject: inject,
		Weaken: []byte{}, Red: []string{red}, Hidden: []string{}, Parents: []string{}, Checks: map[outcome.Check]string{},
		RedTest: bug.RedTest{Path: "tests/test_breakfix_x.py", Test: "tests/test_breakfix_x.py::test_x", From: red, Code: strings.Repeat("# a line of code\n", 40), Statements: 3, Before: 9},
		Source:  source.Snapshot{Source: "pypi:made==1", Name: "made", Digest: base}, Lock: strings.Fields(strings.Repeat("package==1.0 ", 40)),
	}
	for _, c := range outcome.Checks {
		b.Checks[c] = outcome.GatePassed
	}
	b.Difficulty = bug.Estimate(bug.Size{Lines: 1, Hunks: 1, Files: 1, Red: 1, Order: 1})
	b.ID = tree.DigestOf([]byte(string(base) + "\n" + string(tree.DigestOf(inject)) + "\n" + string(tree.DigestOf(nil)))).Short()
	return b
}

func candidate(i int, b *bug.Bug) Candidate {
	return Candidate{
		Number: i, Source: "pypi:made==1", Strategy: "operator", Outcome: string(outcome.Valid), Bug: b.ID, Broken: b.Broken, Diff: string(b.Inject),
		Seconds: map[outcome.Check]float64{outcome.CheckRed: 0.1}, Mutations: []Place{{ID: "0123456789ab", Operator: "numeric_literal_change", Path: "pkg/m.py", Line: 1}},
	}
}

// made makes a set of n entries and a rejected candidate.
func made(t testing.TB, n int) *Set {
	t.Helper()
	s, err := Create(filepath.Join(t.TempDir(), "set"), Head{Seed: 7, Breakfix: "test", Sources: []HeadSource{{Source: "pypi:made==1", Name: "made", Licence: "MIT"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	fill(t, s, n)
	return s
}

func fill(t testing.TB, s *Set, n int) *Maker {
	t.Helper()
	m := &Maker{c: Config{Bugs: n, Command: "breakfix bugs -n " + fmt.Sprint(n)}, set: s, known: &bug.Known{}, origins: []*origin{{judged: map[string]int{}}}}
	m.tally = newTally(s, m.c)
	for i := range n {
		b := entry(t, i)
		c := candidate(i+1, b)
		if err := s.put(c, b); err != nil {
			t.Fatal(err)
		}
		m.known.Add(b)
		m.tally.add(c, b)
		if i%roundSize == roundSize-1 {
			if err := m.save(""); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := Candidate{Number: n + 1, Source: "pypi:made==1", Strategy: "operator", Outcome: string(outcome.Rejected), Check: "hermetic", Reason: "it reads the clock", Broken: "0"}
	if err := s.put(c, nil); err != nil {
		t.Fatal(err)
	}
	m.tally.add(c, nil)
	if err := m.save(Done); err != nil {
		t.Fatal(err)
	}
	return m
}

// takenUp opens a set again and takes in what it has.
func takenUp(t testing.TB, dir string) *Maker {
	t.Helper()
	s, err := Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	m := &Maker{c: Config{Bugs: 100}, set: s, known: &bug.Known{}, origins: []*origin{{judged: map[string]int{}}}}
	if err := m.takeUp(); err != nil {
		t.Fatal(err)
	}
	return m
}

func ids(t testing.TB, s *Set) (ids []string) {
	t.Helper()
	for b, err := range s.Bugs() {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.ID)
	}
	return ids
}

func TestASetThatWasCutOffAnywhereIsWholeAgain(t *testing.T) {
	for name, cut := range map[string]func(s *Set) error{
		"nothing": func(*Set) error { return nil },
		"half a line of a candidate": func(s *Set) error {
			_, err := s.judged.WriteString(`{"number":5,"outco`)
			return err
		},
		"a bug without its candidate": func(s *Set) error {
			return entry(t, 99).Write(s.BugDir(entry(t, 99).ID))
		},
		"a bug and its line without the candidate": func(s *Set) error {
			b := entry(t, 99)
			line, err := b.MarshalLine()
			if err != nil {
				return err
			}
			if _, err := s.bugs.Write(append(line, '\n')); err != nil {
				return err
			}
			return b.Write(s.BugDir(b.ID))
		},
		"half a line of a look":         func(s *Set) error { _, err := s.looked.WriteString(`{"origin":0,"mut`); return err },
		"half a line of a bug":          func(s *Set) error { _, err := s.bugs.WriteString(`{"bug":{"id":"`); return err },
		"a folder that is half written": func(s *Set) error { return os.Mkdir(filepath.Join(s.dir, bugsDir, ".bug-1"), 0o755) },
		"lines that never reached the disk": func(s *Set) error {
			return s.bugs.Truncate(3000)
		},
		"a summary that is no summary": func(s *Set) error { return os.WriteFile(s.path(summaryFile), []byte("{"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			s := made(t, 3)
			want := ids(t, s)
			if err := cut(s); err != nil {
				t.Fatal(err)
			}
			s.Close()
			m := takenUp(t, s.dir)
			if d := cmp.Diff(want, ids(t, m.set)); d != "" || len(want) != 3 {
				t.Errorf("bugs.jsonl:\n%s", d)
			}
			entries, err := os.ReadDir(m.set.path(bugsDir))
			if err != nil || len(entries) != 3 {
				t.Errorf("%v in bugs/ (%v)", entries, err)
			}
			if m.tally.valid() != 3 || m.tally.Proposals != 4 || m.origins[0].valid != 3 || m.tally.Breaks.Rejected["hermetic"] != 1 {
				t.Errorf("counted %+v", m.tally.Breaks)
			}
			if why := m.known.Again(entry(t, 1)); !strings.Contains(why, entry(t, 1).ID) {
				t.Errorf("a bug of an earlier sitting is not known")
			}
			if n := m.origins[0].judged[candidate(2, entry(t, 1)).key()]; n != 1 {
				t.Errorf("a candidate that was judged would be judged again")
			}
		})
	}
}

func TestASetThatSomebodyTouchedIsNotGoneOnWith(t *testing.T) {
	for name, touch := range map[string]func(s *Set) error{
		"a candidate": func(s *Set) error { return os.WriteFile(s.path(candidatesFile), []byte("{}\n"), 0o644) },
		"no line":     func(s *Set) error { return os.WriteFile(s.path(candidatesFile), []byte("word\n"), 0o644) },
		"a look":      func(s *Set) error { return os.WriteFile(s.path(looksFile), []byte("{\"origin\":3}\n"), 0o644) },
		"a bug":       func(s *Set) error { return os.Remove(filepath.Join(s.BugDir(entry(t, 1).ID), "inject.diff")) },
		"its head":    func(s *Set) error { return os.WriteFile(s.path(setFile), []byte(`{"format":1}`), 0o644) },
		"newer":       func(s *Set) error { return os.WriteFile(s.path(setFile), []byte(`{"format":9,"sources":[{}]}`), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			s := made(t, 2)
			s.Close()
			if err := touch(s); err != nil {
				t.Fatal(err)
			}
			again, err := Resume(s.dir)
			if err == nil {
				defer again.Close()
				m := &Maker{c: Config{Bugs: 100}, set: again, known: &bug.Known{}, origins: []*origin{{judged: map[string]int{}}}}
				err = m.takeUp()
			}
			if _, ok := err.(*SetError); !ok {
				t.Errorf("got %v, want a SetError", err)
			}
		})
	}
	s := made(t, 1)
	if _, err := Resume(s.dir); err == nil || !strings.Contains(err.Error(), "another breakfix works on") {
		t.Errorf("a set that is open: %v", err)
	}
	if _, err := Create(s.dir, s.head); err == nil {
		t.Error("a set was overwritten")
	}
}

func TestTheCardSaysWhatIsInTheSet(t *testing.T) {
	s := made(t, 2)
	b, err := os.ReadFile(s.path(cardFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{
		"---\npretty_name: \"set\"\nlicense:\n- mit\nsize_categories:\n- n<1K\n", "bugs: 2\n", "| `pypi:made==1` |", "| MIT | made |", "breakfix bugs -n 2\n", "seed 7",
		"| rejected by the check hermetic | 1 |", "| numeric_literal_change | replace a constant", "67 % (2 of 3)", "with one repository",
	} {
		if !strings.Contains(string(b), says) {
			t.Errorf("it does not say %q:\n%s", says, b)
		}
	}
	two := Head{Sources: []HeadSource{{Source: "a", Name: "a", Licence: "MIT"}, {Source: "/b", Name: "b", Embedded: true}}}
	for _, says := range []string{"license:\n- mit\n- unknown\n", "| unknown | b |", "ask\nbefore you publish", "base.tar.gz"} {
		if text := string(card(two, empty(two))); !strings.Contains(text, says) {
			t.Errorf("it does not say %q:\n%s", says, text)
		}
	}
}

// Ten thousand bugs in one set: what is kept of each in memory is a few hundred
// bytes. BREAKFIX_SLOW=1 makes all of them; without it the growth of fewer is measured.
func TestTenThousandBugsTakeLittleMemory(t *testing.T) {
	n := 600
	if os.Getenv("BREAKFIX_SLOW") != "" {
		n = 10_000
	}
	s, err := Create(filepath.Join(t.TempDir(), "set"), Head{Seed: 7, Sources: []HeadSource{{Source: "pypi:made==1", Name: "made"}}})
	if err != nil {
		t.Fatal(err)
	}
	before := heap()
	m := fill(t, s, n)
	grown := heap() - before
	runtime.KeepAlive(m)
	s.Close()
	before = heap()
	again := takenUp(t, s.dir)
	taken := heap() - before
	if again.tally.valid() != n {
		t.Fatalf("%d bugs came back", again.tally.valid())
	}
	runtime.KeepAlive(again)
	peak := store.PeakMemory()
	t.Logf("%d bugs: %d bytes a bug while they are made, %d when they are taken up again, %d MB resident at most", n, grown/int64(n), taken/int64(n), peak>>20)
	for _, each := range []int64{grown / int64(n), taken / int64(n)} {
		if each > 4_000 {
			t.Errorf("%d bytes of each bug stay in memory: 10,000 would take %d MB", each, each*10_000>>20)
		}
	}
	if n == 10_000 && peak > 500<<20 {
		t.Errorf("%d MB", peak>>20)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestALineOverTheLimitIsRefusedAndNotHeld(t *testing.T) {
	defer func(was int) { maxLine = was }(maxLine)
	maxLine = 1 << 20
	name := filepath.Join(t.TempDir(), "bugs.jsonl")
	if err := os.WriteFile(name, []byte("{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 1<<30); err != nil { // zeros, and no newline among them
		t.Fatal(err)
	}
	var said []string
	for a, err := range Artifacts(name) {
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Load()
		said = append(said, fmt.Sprint(err))
	}
	if len(said) != 2 || !strings.Contains(said[1], "over the limit") {
		t.Errorf("%q", said)
	}
}

func TestArtifactsAreFoundFromEachFolderThatHoldsThem(t *testing.T) {
	set := t.TempDir()
	var want []string
	for _, id := range []string{"0123456789ab", "123456789abc"} {
		dir := filepath.Join(set, bugsDir, id)
		want = append(want, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, bugJSON), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(set, bugsDir, ".bug-1"), 0o755); err != nil { // being written
		t.Fatal(err)
	}
	for path, want := range map[string][]string{set: want, filepath.Join(set, bugsDir): want, want[0]: want[:1]} {
		var found []string
		for a, err := range Artifacts(path) {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, a.Name)
		}
		if strings.Join(found, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %q", path, found)
		}
	}
}
