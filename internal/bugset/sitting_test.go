package bugset

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/strategy"
	"breakfix/internal/testrun"
)

// remembering runs nothing twice, so that the second set of a test costs nothing.
type remembering struct {
	bug.Judge
	mu   sync.Mutex
	said map[string]testrun.Report
}

func (j *remembering) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	key := fmt.Sprint(req.Tree.Digest(), req.Tests, req.Files, req.FilesOnly, req.Deadline != nil, req.GiveUp, req.Decide, req.Reverse, req.HashSeed)
	j.mu.Lock()
	rep, ok := j.said[key]
	j.mu.Unlock()
	if !ok {
		var err error
		if rep, err = j.Judge.Run(ctx, req); err != nil {
			return rep, err
		}
		j.mu.Lock()
		j.said[key] = rep
		j.mu.Unlock()
	}
	rep.Results, rep.Failures, rep.Seconds = maps.Clone(rep.Results), maps.Clone(rep.Failures), maps.Clone(rep.Seconds)
	return rep, nil
}

// counting counts the runs of screens.
type counting struct {
	bug.Judge
	runs atomic.Int64
}

func (j *counting) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	rep, err := j.Judge.Run(ctx, req)
	if err == nil {
		j.runs.Add(1)
	}
	return rep, err
}

// sit makes a set, or goes on with it, and returns how many runs its screens made.
func sit(t *testing.T, from strategy.Source, dir string, n, workers int) int {
	t.Helper()
	judge := from.Target.Judge
	screens := &counting{Judge: judge}
	from.Target.Judge = screens
	sources := []Source{{Source: from}}
	m, err := New(sources, Config{Bugs: n, Seed: 5, Workers: workers, Mix: []Share{{"operator", 1}, {"composed", 3}, {"removal", 1}}})
	if err != nil {
		t.Fatal(err)
	}
	m.origins[0].Target.Judge = judge // of validation
	open := func() (*Set, error) { return Create(dir, Head{Seed: 5, Sources: []HeadSource{HeadOf(sources[0])}}) }
	if !Vacant(dir) {
		open = func() (*Set, error) { return Resume(dir) }
	}
	set, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if ending, err := m.Make(t.Context(), t.Context(), set); err != nil || ending != Done {
		t.Fatalf("%s, %v", ending, err)
	}
	return int(screens.runs.Load())
}

func read[T any](t *testing.T, dir, name string) []T {
	t.Helper()
	var all []T
	for v, err := range lines[T](filepath.Join(dir, name)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func TestASetIsTheSameWithAnyNumberOfWorkersAndAfterACutAndNoScreenRunsTwice(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"basket.py", "rates.py", "test_basket.py"} {
		text, err := os.ReadFile(filepath.Join("..", "strategy", "testdata", "basket", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	target := bugtest.Prepare(t, files)
	target.Judge = &remembering{Judge: target.Judge, said: map[string]testrun.Report{}}
	from := strategy.Source{Target: target, Bank: arena.NewBank(target.Snapshot.Tree, target.Paths.IsCode, func(p string, first, last int) int {
		return len(target.Judge.Covering(p, first, last))
	})}
	dir := func() string { return filepath.Join(t.TempDir(), "set") }
	const n = 4

	one := dir()
	if runs := sit(t, from, one, n, 1); runs < 10 {
		t.Fatalf("screens made %d runs: too few to tell anything", runs)
	}
	want := read[Candidate](t, one, candidatesFile)
	same := func(name, dir string) {
		t.Helper()
		if d := cmp.Diff(want, read[Candidate](t, dir, candidatesFile), cmpopts.IgnoreFields(Candidate{}, "Seconds")); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	three := dir()
	sit(t, from, three, n, 3)
	same("three workers", three)

	cut := dir()
	runs := sit(t, from, cut, 2, 2)
	first := len(read[look](t, cut, looksFile))
	more := sit(t, from, cut, n, 2)
	same("cut off", cut)
	seen := map[string]bool{}
	for _, l := range read[look](t, cut, looksFile) {
		seen[strings.Join(l.Mutations, " ")] = true
	}
	if first == 0 || runs != first || runs+more != len(seen) {
		t.Errorf("screens made %d runs and then %d, for %d looks and then %d", runs, more, first, len(seen)-first)
	}

	// A set of before looks were kept is gone on with all the same.
	old := dir()
	sit(t, from, old, 2, 2)
	if err := os.Remove(filepath.Join(old, looksFile)); err != nil {
		t.Fatal(err)
	}
	sit(t, from, old, n, 2)
	same("without looks", old)
}
