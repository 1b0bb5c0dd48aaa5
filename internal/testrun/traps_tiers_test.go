package testrun

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"github.com/google/go-cmp/cmp"
)

// allTiers is every way of running tests, the truth first.
var allTiers = []Tier{FreshProcess, LazyImport, CodeSwap}

// trap is testdata/traps/NAME/trap.json: what a tree is for, and what edits of
// it do to its tests.
type trap struct {
	What  string     `json:"what"`
	Quick bool       `json:"quick"` // also without BREAKFIX_SLOW
	Edits []trapEdit `json:"edits"`
}

type trapEdit struct {
	Path     string   `json:"path"`
	Old      string   `json:"old"` // stands in the file once
	New      string   `json:"new"`
	Red      []string `json:"red"`      // exactly these go red
	Unloaded bool     `json:"unloaded"` // or nothing is collected
	// Missed are the tests of Red that Affected is known not to name
	// (docs/limitations.md): what they depend on, no covered line tells.
	Missed []string `json:"missed"`
	Tier   Tier     `json:"tier"` // the fastest that can be right; nothing is asserted of it
	Seed   int      `json:"seed"` // the request's HashSeed
	Wait   int      `json:"wait"` // seconds before the edit is run: what a warm process ages
}

func readTrap(t *testing.T, dir string) (trap, map[string]string) {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(name)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var tr trap
	if err := json.Unmarshal([]byte(files["trap.json"]), &tr); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	delete(files, "trap.json")
	return tr, files
}

func trapNames(t *testing.T) []string {
	t.Helper()
	dirs, err := os.ReadDir("testdata/traps")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range dirs {
		names = append(names, d.Name())
	}
	return names
}

func TestEveryTrapIsWellFormed(t *testing.T) {
	for _, name := range trapNames(t) {
		tr, files := readTrap(t, filepath.Join("testdata/traps", name))
		unnoticed := false
		for i, e := range tr.Edits {
			unnoticed = unnoticed || len(e.Red) == 0 && !e.Unloaded
			if n := strings.Count(files[e.Path], e.Old); n != 1 || e.Old == e.New {
				t.Errorf("%s, edit %d: %q stands %d times in %s", name, i, e.Old, n, e.Path)
			}
			if !slices.IsSorted(e.Red) || e.Unloaded && len(e.Red) > 0 || e.Tier < CodeSwap || e.Tier > FreshProcess {
				t.Errorf("%s, edit %d: %+v", name, i, e)
			}
		}
		if tr.What == "" || len(tr.Edits) > 4 || !unnoticed {
			t.Errorf("%s: it wants a sentence, at most 4 edits, and one that goes unnoticed", name)
		}
	}
}

// TestTrapsHaveTheSameVerdictsInEveryTier runs whole suites of small trees, each
// made to lead one way of running tests fast astray, with edits of which it is
// known what they do. About a quarter of the trees is in every run of the tests.
func TestTrapsHaveTheSameVerdictsInEveryTier(t *testing.T) {
	for _, name := range trapNames(t) {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata/traps", name)
			tr, files := readTrap(t, dir)
			if !tr.Quick && os.Getenv("BREAKFIX_SLOW") == "" {
				t.Skip("set BREAKFIX_SLOW=1: it is not among those that every run has")
			}
			t.Parallel()
			began := time.Now()
			w, err := preparedLazily(t, "", files)
			if err != nil {
				t.Fatal(err)
			}
			if len(w.Base.Flaky) > 0 || len(w.Base.Broken) > 0 {
				t.Fatalf("flaky %v, broken %v", w.Base.Flaky, w.Base.Broken)
			}
			for id, v := range w.Base.Results {
				if v != outcome.Passed && v != outcome.Skipped {
					t.Errorf("%s is %s on the base", id, v)
				}
			}
			prepared := time.Since(began)
			for i, e := range tr.Edits {
				runTrap(t, w, i, e)
			}
			// A run must not change what the next one says of the base.
			for _, tier := range allTiers {
				rep := mustReport(t, w, Request{Tree: w.Snapshot.Tree, Fresh: true, Tier: tier})
				if diff := cmp.Diff(w.Base.Results, rep.Results); diff != "" || rep.Suspicious != 0 {
					t.Errorf("the base, in %s: suspicious %d\n%s", tier, rep.Suspicious, diff)
				}
			}
			t.Logf("prepared in %.1f s, all in %.1f s", prepared.Seconds(), time.Since(began).Seconds())
		})
	}
}

func runTrap(t *testing.T, w *Workspace, i int, e trapEdit) {
	t.Helper()
	time.Sleep(time.Duration(e.Wait) * time.Second)
	broken := changed(t, w, e.Path, e.Old, e.New)
	if affected, err := w.Affected(broken); err != nil {
		t.Error(err)
	} else if e.Seed == 0 {
		for _, id := range e.Red {
			named, missed := slices.Contains(affected, id), slices.Contains(e.Missed, id)
			if _, known := w.Base.Results[id]; !named && !missed && known {
				t.Errorf("edit %d: selection does not name %s", i, id)
			}
			if named && missed {
				t.Logf("edit %d: selection names %s, which it is known to miss: trap.json may drop it", i, id)
			}
		}
	}
	var truth Report
	for _, tier := range allTiers {
		rep := mustReport(t, w, Request{Tree: broken, Fresh: true, Unaudited: true, Tier: tier, HashSeed: e.Seed})
		t.Logf("edit %d, asked for %s: ran in %s in %.2f s", i, tier, rep.Tier, rep.Wall.Seconds())
		if rep.Tier < tier && rep.Ran > 0 {
			t.Errorf("edit %d: asked for %s, and it ran in %s", i, tier, rep.Tier)
		}
		red := outcome.Red(w.Base.Results, rep.Results)
		want := e.Red
		if e.Unloaded {
			want = nil
		}
		if rep.Loaded == e.Unloaded {
			t.Errorf("edit %d in %s: loaded %v: %s", i, tier, rep.Loaded, rep.LoadError)
		}
		// What is set aside has no verdict; what selection is known to miss has
		// the base's in a fast tier.
		missed := func(id string) bool { return tier < FreshProcess && slices.Contains(e.Missed, id) }
		known := func(id string) bool { _, ok := w.Base.Results[id]; return ok }
		want = slices.DeleteFunc(slices.Clone(want), func(id string) bool { return !known(id) || missed(id) && !slices.Contains(red, id) })
		slices.Sort(red)
		if !slices.Equal(red, want) {
			t.Errorf("edit %d (%q → %q) in %s: red\n\t%q, want\n\t%q", i, e.Old, e.New, tier, red, want)
			for _, id := range red {
				t.Logf("%s: %s: %s", id, rep.Failures[id].Kind, rep.Failures[id].Message)
			}
		}
		if rep.Suspicious != 0 || rep.GaveUp || !rep.Complete && !e.Unloaded {
			t.Errorf("edit %d in %s: suspicious %d, gave up %v, complete %v", i, tier, rep.Suspicious, rep.GaveUp, rep.Complete)
		}
		if tier == FreshProcess {
			truth = rep
			continue
		}
		now := maps.Clone(rep.Results)
		for id := range now {
			if missed(id) {
				now[id] = truth.Results.Get(id)
			}
		}
		if diff := cmp.Diff(truth.Results, now); diff != "" {
			t.Errorf("edit %d: %s says (+) other than a fresh process (-):\n%s", i, tier, diff)
		}
		if truth.Loaded != rep.Loaded {
			t.Errorf("edit %d: loaded is %v in a fresh process and %v in %s", i, truth.Loaded, rep.Loaded, tier)
		}
	}
}
