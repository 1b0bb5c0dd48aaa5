package bug

import (
	"context"
	"path"
	"slices"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
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

// hiddenTest: where all red tests are of the function that the minimised test
// was made of, none can be held back, and a witness that makes other calls is
// looked for instead. A bug for which there is none has no hidden test.
func hiddenTest(ctx context.Context, t *trial) (objection, error) {
	if t.given != nil {
		if w := t.given.HiddenTest; w != nil {
			_, o, err := t.tells(ctx, "hidden", w.Path, w.Code, w.Test)
			return o, err
		}
		return objection{}, nil
	}
	if t.witness || t.t.Witness == nil || len(heldBack("", t.red, t.redTest.From)) > 0 {
		return objection{}, nil
	}
	w, _, err := t.t.Witness.Beside(ctx, t.broken, t.redTest.Code, t.red)
	if err != nil || w == nil || w.Path == t.redTest.Path {
		return objection{}, err
	}
	t.hiddenTest = &witness.Test{Path: w.Path, Code: w.Code, Test: w.Test, Statements: w.Statements, Like: w.Like}
	return objection{}, nil
}

// hiddenTest checks what an artifact says of its hidden test.
func (b *Bug) hiddenTest() error {
	w := b.HiddenTest
	switch {
	case w == nil:
		return nil
	case b.Witness || len(heldBack(b.ID, b.Red, b.RedTest.From)) > 0:
		return notArtifact("%s: a hidden test of its own goes only where a red test of the suite is seen and none can be held back", bugFile)
	case tree.CheckPath(w.Path) != nil || !strings.HasPrefix(path.Base(w.Path), "test_breakfix_") || w.Path == b.RedTest.Path:
		return notArtifact("%s: %q is no place for the hidden test", bugFile, w.Path)
	case !strings.HasPrefix(w.Test, w.Path+"::"):
		return notArtifact("%s: %q is no test of the hidden test's file", bugFile, w.Test)
	}
	return nil
}
