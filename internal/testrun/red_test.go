package testrun

import (
	"context"
	"errors"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// redFiles are a tree of which no test is green, and one hangs.
func redFiles() map[string]string {
	return map[string]string{
		"loop.py": "def steps(n):\n    done = 0\n    while n > 0:\n        done += 1\n    return done\n\n\ndef wrong(n):\n    return n - 1\n",
		"test_loop.py": "from loop import steps, wrong\n\n\ndef test_steps():\n    assert steps(2) == 2\n\n\n" +
			"def test_wrong():\n    assert wrong(1) == 2\n",
	}
}

func TestARedTreeIsPreparedForWhoRepairsItAndForNobodyElse(t *testing.T) {
	snap, err := source.Open(context.Background(), writtenTo(t, unseen(redFiles())), source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Box: testBox(t), Snapshot: snap, LazyFindings: true, Uncalibrated: true, Deadline: 2 * time.Second, Red: true}
	w, err := Prepare(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := w.Base.Results; got["test_loop.py::test_steps"] != outcome.TimedOut || got["test_loop.py::test_wrong"] != outcome.Failed {
		t.Errorf("the baseline is %v", got)
	}
	if got := w.LinesOf("test_loop.py::test_wrong")["loop.py"]; len(got) == 0 {
		t.Error("of a red test no line is known")
	}
	// Which lines a test ran that hung is not known: it is run after every change.
	fixed, err := snap.Tree.With(map[string]*tree.File{"loop.py": tree.Text("def steps(n):\n    done = 0\n    while n > done:\n        done += 1\n    return done\n\n\ndef wrong(n):\n    return n - 1\n")})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := w.Run(context.Background(), Request{Tree: fixed, Tests: []string{"test_loop.py::test_steps", "test_loop.py::test_wrong"}, Tier: CodeSwap})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Results["test_loop.py::test_steps"] != outcome.Passed || rep.Results["test_loop.py::test_wrong"] != outcome.Failed || rep.Assumed != 1 || rep.Tier != CodeSwap {
		t.Errorf("after the repair of one: %v, %d assumed, in %s", rep.Results, rep.Assumed, rep.Tier)
	}
	// What was kept for a repair is no baseline for others.
	c.Red = false
	var refused *source.TargetError
	if _, err := Prepare(context.Background(), c); !errors.As(err, &refused) {
		t.Errorf("got %v, want a refusal: nothing is green", err)
	}
}
