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
func (a *neverGreen) Values(context.Context, []arena.Question, []string) ([][]arena.Answer, error) {
	return nil, nil
}
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

// further is an arena in which every step gets the red test further.
type further struct {
	neverGreen
	from   []int
	handed int
}

func (a *further) Submit(n int) error { a.handed = n; return nil }
func (a *further) Try(ctx context.Context, from int, path string, edits []tree.Edit, what string) (arena.Observation, error) {
	a.from = append(a.from, from)
	o, err := a.neverGreen.Try(ctx, from, path, edits, what)
	o.Failure.TestLine = 5 + o.Step
	return o, err
}

func search16(t *testing.T, p *Policy, seed uint64) *further {
	t.Helper()
	const text = "def f(a, b):\n    total = 0\n    for x in a:\n        if x > b:\n            total += x\n    return total\n"
	a := &further{neverGreen: neverGreen{trees: [][]byte{[]byte(text)}}}
	f := testrun.Failure{Kind: "AssertionError", TestLine: 5}
	a.task = arena.Task{Role: arena.Fixer, Seed: seed, Steps: 16, Failure: f, Contexts: []arena.Context{wholeView("f.py", []byte(text)).Context}}
	if _, err := p.Fix(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if len(a.from) != 16 {
		t.Fatalf("%d steps, want 16", len(a.from))
	}
	return a
}

// telling is an arena whose values speak for what the policy holds for unlikely.
type telling struct{ further }

func (a *telling) Values(_ context.Context, questions []arena.Question, _ []string) ([][]arena.Answer, error) {
	answers := make([][]arena.Answer, len(questions))
	for k, q := range questions {
		answers[k] = make([]arena.Answer, len(q.Others))
		for i := range q.Others[len(q.Others)/2:] {
			answers[k][len(q.Others)/2+i] = arena.Wanted
		}
	}
	return answers, nil
}

// TestWhatValuesSayOfOneBugIsNotSaidOfAnother: a tree on the way of one attempt is the broken
// tree of another, where values are asked; which of them came first may not matter.
func TestWhatValuesSayOfOneBugIsNotSaidOfAnother(t *testing.T) {
	alone := search16(t, New(), 1)
	step := 0
	for _, from := range alone.from {
		step = max(step, from)
	}
	f := alone.task.Failure
	f.TestLine = 5 + step
	views, err := viewsOf(alone.task, alone.ReadAt, step, f)
	if err != nil || step == 0 {
		t.Fatal(step, err)
	}
	other := &telling{further{neverGreen: neverGreen{trees: [][]byte{alone.trees[step]}}}}
	other.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 16, Failure: f, Contexts: []arena.Context{views[0].Context}}
	p := New()
	if _, err := p.Fix(context.Background(), other); err != nil {
		t.Fatal(err)
	}
	after := search16(t, p, 1)
	for i := range alone.trees {
		if string(alone.trees[i]) != string(after.trees[i]) {
			t.Fatalf("step %d is another one after an attempt at another bug:\n%s\nwas\n%s", i, after.trees[i], alone.trees[i])
		}
	}
}

func TestABlindSearchGoesOnFromNothingAndHandsInTheLikeliest(t *testing.T) {
	onwards := func(a *further) (n int) {
		for _, from := range a.from {
			if from > 0 {
				n++
			}
		}
		return n
	}
	sees, blind := New(), New()
	blind.Blind = true
	if n := onwards(search16(t, sees, 1)); n == 0 {
		t.Error("a search that sees how far the red test got goes on from no step")
	}
	a := search16(t, blind.Steady().(*Policy), 1)
	if n := onwards(a); n > 0 {
		t.Errorf("a blind search goes on from failed repairs %d times", n)
	}
	if a.handed != 1 {
		t.Errorf("step %d is handed in, want the first: the likeliest", a.handed)
	}
}

// TestTreeSearchGoesOnFromWhatGotFurtherAndStartsOver: neither alone, each text once, and the
// same again with the same seed.
func TestTreeSearchGoesOnFromWhatGotFurtherAndStartsOver(t *testing.T) {
	p := New()
	p.Tree = true
	a, again := search16(t, p, 1), search16(t, p, 1)
	seen, anew, onwards := map[string]bool{}, 0, 0
	for i, from := range a.from {
		text := string(a.trees[i+1])
		if seen[text] || text != string(again.trees[i+1]) {
			t.Errorf("step %d was tried before (%v), or is another the second time", i+1, seen[text])
		}
		seen[text] = true
		if from == 0 {
			anew++
		} else {
			onwards++
		}
	}
	if anew < 2 || onwards < 2 {
		t.Errorf("%d steps start over and %d go on", anew, onwards)
	}
}

// TestTreeSearchLeavesWhatLedNowhere: of two trees alike the one that was gone on from in vain waits.
func TestTreeSearchLeavesWhatLedNowhere(t *testing.T) {
	queue := []option{{score: 1}}
	root := &stand{open: true, queue: queue, value: 0.5, visits: 9}
	vain, fresh := &stand{open: true, queue: queue, value: 0.5, visits: 6, from: root}, &stand{open: true, queue: queue, value: 0.5, from: root}
	led := &stand{open: true, queue: queue, value: 0.5, visits: 6, worth: 5, from: root}
	s := &search{stands: []*stand{root, vain, led, fresh}}
	order, err := s.puct(context.Background())
	if err != nil || order[0] != fresh || order[1] != led || order[2] != vain || order[3] != root {
		t.Errorf("the order is %v: %v", order, err)
	}
}

func TestTheUniformPolicyLearnsNothingAndDrawsAnewWithEachSeed(t *testing.T) {
	p := Uniform(1)
	if p.Learns() {
		t.Error("it says that it learns")
	}
	if _, err := p.Learn(context.Background(), nil); err == nil {
		t.Error("it learns")
	}
	if v, err := p.Begin(context.Background(), nil, nil); v != VersionUniform || err != nil {
		t.Error(v, err)
	}
	order := func(seed uint64) string {
		var all string
		for _, x := range search16(t, Uniform(seed).Steady().(*Policy), 1).trees {
			all += string(x) + "\x00"
		}
		return all
	}
	if order(1) != order(1) {
		t.Error("the same seed draws in two orders")
	}
	if order(1) == order(2) {
		t.Error("another seed draws in the same order, also where it is judged")
	}
}
