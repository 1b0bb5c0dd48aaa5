// Package repair repairs a tree that was red when it came: nobody broke it on
// purpose, so no diff tells where to look. What the red and the green tests run
// tells (spectra); red tests that it separates are failures of their own, and
// are searched one after another, each on the tree with the former repairs. The
// invariants: a repair edits code alone; nothing is called a repair that a fresh
// process has not seen green; what passed on the tree as it was given passes.
package repair

import (
	"context"
	"fmt"
	"slices"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Config is what one repair needs.
type Config struct {
	// Work is the prepared tree, red as it may be; its red tests are to turn green.
	Work *testrun.Workspace
	// Guard, when Work was prepared with some of the tests only, is the same tree
	// with all of them: what passes there must pass too. May be nil.
	Guard  *testrun.Workspace
	Code   func(path string) bool // which code may be edited
	Player policy.Policy
	Seed   uint64
	Steps  int           // for each failure
	Limit  time.Duration // of the search; 0: none
	// Progress is told what goes on; may be nil.
	Progress func(Progress)
}

// Progress is how far the search has come.
type Progress struct {
	Failure, Of int // the one that is looked at, and how many are known
	Step, Steps int
	Elapsed     time.Duration
}

// Ending says why the search ended.
type Ending string

// The ways to end.
const (
	Done        Ending = "done"
	TimeIsUp    Ending = "time is up"
	Interrupted Ending = "interrupted"
)

// Result is what came of it.
type Result struct {
	Found    bool
	Steps    int
	Diff     []byte     // against the tree as it was given; of a repair that a gate objects to as well
	Tree     *tree.Tree // with the diff
	Red      []string   // tests that were to turn green, in the suite's order
	Green    []string   // of those
	Flaky    []string   // red in every run of the baseline, and green when they were looked at
	Gates    map[outcome.Gate]string
	Failures []Failure
	Ended    Ending
}

// Failure is one group of red tests, taken to have one cause.
type Failure struct {
	Tests    []string `json:"tests"`
	Message  string   `json:"message"`   // how the first one failed
	LookedAt []string `json:"looked_at"` // functions, the most suspicious first
	Steps    int      `json:"steps"`
	Outcome  string   `json:"outcome"` // one of those below
	Tried    []string `json:"-"`       // each step's edit and what it showed
}

// Outcomes of a failure.
const (
	Repaired    = "repaired"
	Partly      = "partly repaired"
	GatedRepair = "gated"
	NotRepaired = "not repaired"
	NotLookedAt = "not looked at"
)

// Run looks for a repair of every red test. Once drain is done or the limit has
// passed it finishes its step and returns what it has.
func Run(ctx, drain context.Context, c Config) (Result, error) {
	r := &run{Config: c, drain: drain, began: time.Now(), base: c.Work.Snapshot.Tree, gates: map[tree.Digest]judged{}}
	r.tree = r.base
	for _, id := range c.Work.Base.Order {
		if c.Work.Base.Results.Get(id).Red() {
			r.red = append(r.red, id)
		}
	}
	if len(r.red) == 0 {
		return Result{Tree: r.base, Ended: Done}, nil
	}
	var err error
	if r.spectra, err = newSpectra(r.base, c.Work.Base, c.Code); err != nil {
		return Result{}, fmt.Errorf("read what the tests run: %w", err)
	}
	still, failures, err := r.look(ctx, r.base, r.red)
	if err != nil {
		return Result{}, err
	}
	var flaky []string
	for _, id := range r.red {
		if !slices.Contains(still, id) {
			flaky = append(flaky, id)
		}
	}
	if r.red = still; len(still) == 0 {
		return Result{Tree: r.base, Flaky: flaky, Ended: Done}, nil
	}
	raised := map[string]testrun.Frame{}
	for id, f := range failures {
		for _, frame := range f.Frames { // the innermost in code that may be edited
			if c.Code(frame.Path) {
				raised[id] = frame
			}
		}
	}
	r.waiting = r.spectra.groups(r.red, raised)
	for len(r.waiting) > 0 {
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		if r.stopped() {
			r.failures = append(r.failures, Failure{Tests: next, Outcome: NotLookedAt})
			continue
		}
		if err := r.repair(ctx, next); err != nil {
			return Result{}, err
		}
	}
	res, err := r.result(ctx)
	res.Flaky = flaky
	return res, err
}

// run is one repair under way.
type run struct {
	Config
	drain    context.Context
	began    time.Time
	base     *tree.Tree // as it was given
	tree     *tree.Tree // with the repairs so far
	red      []string   // tests of base that are to turn green
	green    []string   // of those, after the repairs so far
	spectra  *spectra
	waiting  [][]string
	failures []Failure
	steps    int
	gates    map[tree.Digest]judged
	gated    *tree.Tree // a repair that a gate objects to, of the latest failure that had none better
	gatedFor []string
}

func (r *run) timeIsUp() bool { return r.Limit > 0 && time.Since(r.began) >= r.Limit }

func (r *run) stopped() bool { return r.drain.Err() != nil || r.timeIsUp() }

// result judges what the search left as a whole.
func (r *run) result(ctx context.Context) (Result, error) {
	t, green := r.tree, r.green
	if t.Digest() == r.base.Digest() && r.gated != nil {
		t, green = r.gated, r.gatedFor
	}
	res := Result{Steps: r.steps, Tree: t, Red: r.red, Green: []string{}, Gates: map[outcome.Gate]string{}, Failures: r.failures, Ended: Done}
	switch {
	case r.drain.Err() != nil:
		res.Ended = Interrupted
	case r.timeIsUp() && len(green) < len(r.red):
		res.Ended = TimeIsUp
	}
	if t.Digest() == r.base.Digest() {
		return res, nil
	}
	j, err := r.judge(ctx, t, green)
	if err != nil {
		return Result{}, err
	}
	res.Gates = j.gates
	at := map[string]bool{}
	for _, id := range green {
		at[id] = j.results.Get(id) == outcome.Passed
	}
	left := ""
	for _, id := range r.red {
		if at[id] {
			res.Green = append(res.Green, id)
		} else if left == "" {
			left = id
		}
	}
	if left != "" {
		res.Gates[outcome.GateRed] = fmt.Sprintf("%d of %d red tests are still red: %s", len(r.red)-len(res.Green), len(r.red), left)
	}
	if res.Diff, err = tree.Diff(r.base, t); err != nil {
		return Result{}, fmt.Errorf("diff of the repair: %w", err)
	}
	res.Found = outcome.Judge(res.Gates) == outcome.Fixed
	return res, nil
}
