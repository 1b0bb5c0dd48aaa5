package bug

import (
	"context"
	"slices"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/witness"
)

// A bug that no test of the suite notices has a witness instead: one test, of
// its own file, which is its red set and its minimised test in one. It is laid
// beside the tree whenever it is run.

// InSuite are the red tests that stand in the suite: none where the bug has a witness.
func (b *Bug) InSuite() []string {
	if b.Witness {
		return []string{}
	}
	return b.Red
}

// laid runs a witness where its id is asked for.
type laid struct {
	Judge
	red RedTest
}

// Run implements testrun.Runner.
func (j laid) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	if slices.Equal(req.Tests, []string{j.red.Test}) && len(req.Files) == 0 {
		req.Files, req.FilesOnly = map[string]string{j.red.Path: j.red.Code}, true
	}
	return j.Judge.Run(ctx, req)
}

// lay makes a witness the red test of a trial.
func (t *trial) lay(red RedTest) {
	t.witness, t.redTest = true, red
	t.t.Judge = laid{t.t.Judge, red}
}

func redTestOf(w *witness.Test) RedTest {
	n := countStatements([]byte(w.Code))
	return RedTest{Path: w.Path, Code: w.Code, Test: w.Test, From: w.Test, Statements: n, Before: n, Original: w.Code, Failure: w.Failure}
}

// witnessed looks for a witness of what no test of the suite notices: that of
// the artifact, that of the bug which was not repaired, or a new one.
func (t *trial) witnessed(ctx context.Context) (objection, error) {
	switch {
	case t.given != nil && !t.given.Witness, t.given == nil && t.cand.Parent != nil && !t.cand.Parent.Witness:
		return objectAs(outcome.Unnoticed, "no test goes red")
	case t.given != nil: // laid already
	case t.cand.Parent != nil:
		t.lay(t.cand.Parent.RedTest)
	case t.t.Witness == nil:
		return objectAs(outcome.Unnoticed, "no test goes red")
	default:
		w, reason, err := t.t.Witness.Find(ctx, t.broken)
		if err != nil {
			return objection{}, err
		}
		if w == nil {
			return objectAs(outcome.Unnoticed, "no test goes red, and no witness was found: %s", reason)
		}
		t.lay(redTestOf(w))
	}
	rep, err := t.t.run(ctx, testrun.Request{Tree: t.broken, Tests: []string{t.redTest.Test}, Fresh: true})
	if err != nil {
		return objection{}, err
	}
	if v := rep.Results.Get(t.redTest.Test); !v.Red() {
		return objectAs(outcome.Unnoticed, "no test goes red, and the witness is %s", v)
	}
	t.red = []string{t.redTest.Test}
	t.whole.Failures = map[string]testrun.Failure{t.redTest.Test: rep.Failures[t.redTest.Test]}
	return objection{}, nil
}
