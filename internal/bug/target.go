package bug

import (
	"context"

	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// Judge is what validation needs of a prepared workspace.
type Judge interface {
	testrun.Runner
	// Covering returns the tests that run one of the lines, fastest first.
	Covering(path string, firstLine, lastLine int) []string
	// Imported tells whether one of the lines runs while modules are imported:
	// then no list of covering tests is complete.
	Imported(path string, firstLine, lastLine int) bool
}

// Paths tells what the files of a tree are for; a language provides it.
type Paths interface {
	IsCode(path string) bool
	IsTest(path string) bool
	IsRunnerConfig(path string) bool
}

// Target is a prepared snapshot: everything that validation asks about it.
type Target struct {
	Judge    Judge
	Paths    Paths
	Snapshot *source.Snapshot
	Recipe   source.Recipe
	Lock     []string
	Options  Options
	Base     *testrun.Baseline
	// Witness, when set, looks for a test where no test goes red: a candidate for
	// which it finds one is a bug, and that test its red set. Where no red test can be
	// held back it looks for one that can.
	Witness Witness
}

// Witness finds a test that passes on the base and is red on a broken tree, or
// says why it found none.
type Witness interface {
	Find(ctx context.Context, broken *tree.Tree) (*witness.Test, string, error)
	// Beside finds one that makes other calls than a test's code and the tests do.
	Beside(ctx context.Context, broken *tree.Tree, code string, tests []string) (*witness.Test, string, error)
}

// within returns a target that judges in the given tier where a request names none.
func (t Target) within(tier testrun.Tier) Target {
	if tier != 0 {
		t.Judge = tiered{t.Judge, tier}
	}
	return t
}

type tiered struct {
	Judge
	tier testrun.Tier
}

// Run implements testrun.Runner.
func (j tiered) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	if req.Tier == 0 {
		req.Tier = j.tier
	}
	// What a failure looks like is shown of the minimised test alone, which is
	// confirmed under its own name.
	req.Brief = !req.FilesOnly || !req.Fresh
	return j.Judge.Run(ctx, req)
}

func (t Target) run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	return t.Judge.Run(ctx, req)
}
