package repair_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/policy/scripted"
	"breakfix/internal/repair"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
)

// projects are small trees that are red by bugs which no operator of the bank
// makes. repair is what a person would change, each replacement once.
var projects = []struct {
	name, file string
	repair     []string // old, new, old, new, …
	red        int
	solved     bool // by the hand-set prior within 64 steps
	quick      bool // in every run of the tests
}{
	{name: "spans", file: "spans.py", red: 1, solved: true, quick: true,
		repair: []string{"<= b[1] or b[0] < a[1]", "<= b[1] and b[0] <= a[1]"}},
	{name: "ledger", file: "ledger.py", red: 2, solved: true, quick: true,
		repair: []string{"amount >= 0", "amount <= 0", "total = self.accounts[name]", "total += self.accounts[name]"}},
	{name: "shop", file: "shop.py", red: 1, solved: true,
		repair: []string{" and item.price > 100", ""}},
	{name: "average", file: "stats.py", red: 1,
		repair: []string{"sum(values) / 2", "sum(values) / len(values)"}},
	{name: "merge", file: "merge.py", red: 2,
		repair: []string{"right[:j]", "right[j:]"}},
	{name: "labels", file: "labels.py", red: 2,
		repair: []string{"fill=None", "fill=\" \"", "max(len(name), len(name))", "max(len(name), width)"}},
	{name: "chunks", file: "chunks.py", red: 1,
		repair: []string{"start + size - 1", "start + size", "len(items) - 1", "len(items)"}},
}

func repaired(t *testing.T, dir, file string, pairs []string) (red, green string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	green = string(b)
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(green, pairs[i]) != 1 {
			t.Fatalf("%q occurs %d times in %s", pairs[i], strings.Count(green, pairs[i]), file)
		}
		green = strings.Replace(green, pairs[i], pairs[i+1], 1)
	}
	return string(b), green
}

func TestNoOperatorOfTheBankMakesTheBugsOfTheProjects(t *testing.T) {
	for _, p := range projects {
		red, green := repaired(t, filepath.Join("testdata", p.name), p.file, p.repair)
		l, _ := lang.ForPath(p.file)
		f, err := l.Parse([]byte(green))
		if err != nil {
			t.Fatal(err)
		}
		all := mutate.EnumerateWhere(l, p.file, f, mutate.Operators(), func(int, int) bool { return true })
		if len(all) < 10 {
			t.Errorf("%s: %d mutations, want some", p.name, len(all))
		}
		for _, m := range all {
			if out, err := mutate.ApplyTo([]byte(green), m); err == nil && string(out) == red {
				t.Errorf("%s: %s makes this bug", p.name, m.Operator)
			}
		}
	}
}

var oneBox = sync.OnceValues(func() (sandbox.Sandbox, error) { return sandbox.New(sandbox.Options{}) })

// prepared copies a project out of this repository and prepares it.
func prepared(t *testing.T, name string) (dir string, w *testrun.Workspace) {
	t.Helper()
	box, err := oneBox()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	snap, err := source.Open(context.Background(), dir, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err = testrun.Prepare(context.Background(), testrun.Config{Box: box, Snapshot: snap, Red: true, LazyFindings: true, Uncalibrated: true, Deadline: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return dir, w
}

func config(w *testrun.Workspace) repair.Config {
	p := builtin.New()
	p.Temperature = 0
	return repair.Config{Work: w, Code: python.Python.IsCode, Player: p, Seed: 1, Steps: 64}
}

func TestProjectsThatNoOperatorMakesAreRepaired(t *testing.T) {
	for _, p := range projects {
		t.Run(p.name, func(t *testing.T) {
			if !p.quick && os.Getenv("BREAKFIX_SLOW") == "" {
				t.Skip("set BREAKFIX_SLOW=1 to run it")
			}
			dir, w := prepared(t, p.name)
			res, err := repair.Run(context.Background(), context.Background(), config(w))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("found %v in %d steps\n%s", res.Found, res.Steps, res.Diff)
			if len(res.Red) != p.red {
				t.Fatalf("red are %v, want %d", res.Red, p.red)
			}
			if !res.Found {
				if p.solved {
					t.Fatalf("found no repair: %+v", res.Failures)
				}
				// This policy does not find it: then it says so, after all steps, and claims nothing.
				for _, f := range res.Failures {
					if f.Outcome == repair.Repaired || f.Outcome == repair.NotRepaired && f.Steps != 64 {
						t.Errorf("%v is %s after %d steps", f.Tests, f.Outcome, f.Steps)
					}
				}
				if len(res.Green) == len(res.Red) && len(res.Gates) == 0 {
					t.Errorf("all is green and no gate says why it is no repair")
				}
				return
			}
			// What is printed applies with git, and pytest outside of every box agrees.
			apply := exec.Command("git", "apply", "-p1")
			apply.Dir, apply.Stdin = dir, strings.NewReader(string(res.Diff))
			if out, err := apply.CombinedOutput(); err != nil {
				t.Fatalf("git apply: %v\n%s", err, out)
			}
			want, err := res.Tree.Read(p.file)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(dir, p.file)); err != nil || string(got) != string(want) {
				t.Errorf("the diff leads to\n%s\nwant\n%s", got, want)
			}
			if len(res.Green) != p.red || outcome.Judge(res.Gates) != outcome.Fixed {
				t.Errorf("green %v, gates %v", res.Green, res.Gates)
			}
		})
	}
}

func scriptOf(t *testing.T, text string) *scripted.Policy {
	t.Helper()
	p, err := scripted.Parse("moves", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const halfOfLedger = `fixes:
  - path: ledger.py
    old: "amount >= 0"
    new: "amount <= 0"
  - path: ledger.py
    old: "total = self.accounts[name]"
    new: "total = 0 + self.accounts[name]"
    from: 0
`

func TestFailuresAreSeparatedAndAPartOfARepairIsShownAsOne(t *testing.T) {
	_, w := prepared(t, "ledger")
	c := config(w)
	c.Player = scriptOf(t, halfOfLedger)
	res, err := repair.Run(context.Background(), context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Failures) != 2 || len(res.Failures[0].Tests) != 1 || len(res.Failures[1].Tests) != 1 {
		t.Fatalf("the failures are %+v, want two of one test each", res.Failures)
	}
	if res.Found || len(res.Green) != 1 || res.Green[0] != "tests/test_ledger.py::test_deposit" {
		t.Errorf("found %v, green %v, want a part", res.Found, res.Green)
	}
	if got := res.Gates[outcome.GateRed]; !strings.HasPrefix(got, "1 of 2 red tests are still red: tests/test_ledger.py::test_total") {
		t.Errorf("the gate of red tests says %q", got)
	}
	if diff := string(res.Diff); !strings.Contains(diff, "+        if amount <= 0:") || strings.Contains(diff, "0 + self") {
		t.Errorf("the diff holds more or less than the part that is a repair:\n%s", diff)
	}

	// A repair of one test that turns another one red is none.
	c.Player = scriptOf(t, strings.Replace(halfOfLedger, `new: "amount <= 0"`, `new: "False"`, 1))
	if res, err = repair.Run(context.Background(), context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if len(res.Green) != 0 || len(res.Diff) != 0 {
		t.Errorf("an edit that turns test_deposit_of_nothing red counts: green %v\n%s", res.Green, res.Diff)
	}

	// Nor is what takes a function out.
	c.Player = scriptOf(t, "fixes:\n  - path: ledger.py\n    old: \"    def total(self):\\n        total = 0\\n        for name in self.accounts:\\n            total = self.accounts[name]\\n        return total\\n\"\n    new: \"    total = lambda self: sum(self.accounts.values())\\n\"\n")
	if res, err = repair.Run(context.Background(), context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if len(res.Green) != 0 || len(res.Diff) != 0 {
		t.Errorf("an edit that takes total out counts: green %v\n%s", res.Green, res.Diff)
	}

	// Told to stop it says what it did not look at.
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if res, err = repair.Run(context.Background(), stopped, c); err != nil {
		t.Fatal(err)
	}
	if res.Ended != repair.Interrupted || res.Steps != 0 || res.Failures[0].Outcome != repair.NotLookedAt {
		t.Errorf("interrupted it says %+v", res)
	}
}
