package arena

import (
	"context"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Direct reports whether steps at a bug may call its red test without pytest, which takes
// longer than most tests: it passes so on the base, and fails on the broken tree as pytest
// says, in whichever process a step may run.
func Direct(ctx context.Context, runner testrun.Runner, b *bug.Bug, base, broken *tree.Tree) (bool, error) {
	if !b.RedTest.Callable() || b.RedTest.Failure.Kind == testrun.KindTimedOut {
		return false, nil
	}
	for _, c := range []struct {
		tree *tree.Tree
		tier testrun.Tier
	}{{base, testrun.CodeSwap}, {broken, testrun.CodeSwap}, {broken, testrun.LazyImport}} {
		req := stepOf(b, FixOptions{Deadline: DefaultDeadline, Direct: true})
		req.Tree, req.Tier = c.tree, c.tier
		s, err := runOne(ctx, runner, req)
		if err != nil {
			return false, err
		}
		if c.tree == base && s.verdict != outcome.Passed || c.tree == broken && (!s.verdict.Red() || !alike(s.failure, cloneFailure(b.RedTest.Failure))) {
			return false, nil
		}
	}
	return true, nil
}

// alike reports whether a test failed with the same exception, at the same line, and said the
// same; both are free of addresses.
func alike(a, b testrun.Failure) bool {
	return a.Kind == b.Kind && a.Message == b.Message && a.Path == b.Path && a.Line == b.Line && a.TestLine == b.TestLine
}
