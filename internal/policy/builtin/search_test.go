package builtin

import (
	"context"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// neverGreen is an arena in which nothing repairs.
type neverGreen struct {
	task  arena.Task
	trees [][]byte
}

func (a *neverGreen) Task() arena.Task                       { return a.task }
func (a *neverGreen) Read(string) ([]byte, error)            { return a.trees[0], nil }
func (a *neverGreen) ReadAt(n int, _ string) ([]byte, error) { return a.trees[n], nil }
func (a *neverGreen) Paths() []string                        { return []string{"f.py"} }
func (a *neverGreen) Submit(int) error                       { return nil }
func (a *neverGreen) Try(_ context.Context, from int, _ string, edits []tree.Edit, _ string) (arena.Observation, error) {
	out, err := tree.ApplyEdits(a.trees[from], edits)
	a.trees = append(a.trees, out)
	return arena.Observation{Step: len(a.trees) - 1, Applied: true, Verdict: outcome.Failed, Failure: testrun.Failure{Kind: "AssertionError"}}, err
}

func TestRolloutsBeginAsOneSearchAndNeverTryTwice(t *testing.T) {
	const text = "def f(a, b):\n    total = 0\n    for x in a:\n        if x > b:\n            total += x\n    return total\n"
	try := func(steps, rollouts int) [][]byte {
		a := &neverGreen{trees: [][]byte{[]byte(text)}}
		a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: steps, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{wholeView("f.py", []byte(text)).Context}}
		p := New()
		p.Temperature, p.Rollouts = 0, rollouts
		if _, err := p.Fix(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		return a.trees[1:]
	}
	one, four := try(16, 1), try(64, 4)
	if len(one) != 16 || len(four) != 64 {
		t.Fatalf("%d and %d steps, want 16 and 64", len(one), len(four))
	}
	for i := range one {
		if string(one[i]) != string(four[i]) {
			t.Fatalf("step %d of four roll-outs is another than of one", i+1)
		}
	}
	seen, order := map[string]bool{}, try(64, 1)
	same := true
	for i, x := range four {
		if seen[string(x)] {
			t.Errorf("step %d was tried before", i+1)
		}
		seen[string(x)] = true
		same = same && string(x) == string(order[i])
	}
	if same {
		t.Error("four roll-outs try what one long search tries, in its order")
	}
}
