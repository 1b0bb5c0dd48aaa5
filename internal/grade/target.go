package grade

import (
	"context"

	"breakfix/internal/bug"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Judge is what grading needs of a prepared workspace.
type Judge interface {
	testrun.Runner
	// Lint and Types return the findings on a tree.
	Lint(ctx context.Context, t *tree.Tree) (testrun.Findings, error)
	Types(ctx context.Context, t *tree.Tree) (testrun.Findings, error)
	// Smoke runs the package; "" or what crashed or hung. fresh wants processes
	// that have loaded nothing before.
	Smoke(ctx context.Context, t *tree.Tree, fresh bool) (string, error)
}

// Target is a prepared snapshot with everything that grading asks about it.
type Target struct {
	Judge Judge
	Paths bug.Paths
	Base  *testrun.Baseline
	Tree  *tree.Tree // the snapshot
}

// Options select how a repair is graded.
type Options struct {
	// FreeForm is for patches that no arena made: anything may stand in them.
	// It adds the differential run.
	FreeForm bool
	// Tier is the fastest tier that may judge the repair; zero is a fresh process,
	// as for every patch that is free-form.
	Tier testrun.Tier
	// Cache keeps gradings by bug and tree; nil keeps none.
	Cache *Cache
}
