package builtin

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/arena"
	"breakfix/internal/arena/arenatest"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

const stack = `class Stack:
    def __init__(self, limit):
        self.limit = limit
        self.items = []

    def push(self, item):
        if len(self.items) >= self.limit:
            raise OverflowError("full")
        self.items.append(item)
        return len(self.items)

    def top(self, default=None):
        if not self.items:
            return default
        return self.items[-1]
`

func attempt(t *testing.T, seed uint64, steps int, old, now, red string) (arena.FixResult, []byte) {
	t.Helper()
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, map[string]string{"pkg/__init__.py": "", "pkg/stack.py": stack}, "pkg/stack.py", old, now, red)
	a, err := arena.NewFix(r, b, broken, arena.FixOptions{Seed: seed, Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	trajectory, err := New().Fix(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	if trajectory.Steps != len(got.Records) {
		t.Errorf("the trajectory has %d steps, the arena %d", trajectory.Steps, len(got.Records))
	}
	return got, trajectory.Data
}

const pushTest = "from pkg.stack import Stack\n\n\ndef test_red():\n    s = Stack(1)\n    assert s.push('a') == 1\n    assert s.top() == 'a'\n"

func TestABoundaryThatWasMovedIsRepaired(t *testing.T) {
	got, _ := attempt(t, 3, 24, ">= self.limit", "> self.limit - 1 - 1", pushTest)
	if got.Ending != arena.Submitted {
		t.Fatalf("the attempt ended as %s after %d steps", got.Ending, len(got.Records))
	}
	got, _ = attempt(t, 3, 24, "self.items[-1]", "self.items[1]", pushTest)
	if got.Ending != arena.Submitted || !strings.Contains(string(got.Patch), "+        return self.items[") {
		t.Errorf("the attempt ended as %s with\n%s", got.Ending, got.Patch)
	}
}

func TestAStatementThatWasTakenOutIsPutBack(t *testing.T) {
	got, _ := attempt(t, 3, 40, "        self.limit = limit\n", "", pushTest)
	if got.Ending != arena.Submitted || !strings.Contains(string(got.Patch), "+        self.limit = limit") {
		t.Errorf("the attempt ended as %s with\n%s", got.Ending, got.Patch)
	}
}

func TestTheSameSeedGivesTheSameAttemptAndAnotherSeedAnotherOrder(t *testing.T) {
	const old, now = "if not self.items:", "if self.items:"
	hard := strings.Replace(pushTest, "== 'a'", "== 'b'", 1) // cannot be made to pass within the steps
	one, data := attempt(t, 1, 5, old, now, hard)
	two, again := attempt(t, 1, 5, old, now, hard)
	if d := cmp.Diff(one.Records, two.Records); d != "" {
		t.Error(d)
	}
	if string(data) != string(again) || !json.Valid(data) {
		t.Errorf("trajectories differ:\n%s\n%s", data, again)
	}
	other, _ := attempt(t, 2, 5, old, now, hard)
	if cmp.Equal(one.Records, other.Records) {
		t.Error("another seed gives the same steps: attempts of a group would not differ")
	}
}

func TestWithoutARepairTheEditThatChangedTheFailureIsLeftForAHarderBug(t *testing.T) {
	hard := "from pkg.stack import Stack\n\n\ndef test_red():\n    s = Stack(1)\n    s.push('a')\n    assert s.top() == 'b'\n"
	got, _ := attempt(t, 1, 6, "return self.items[-1]", "return self.items[-2]", hard)
	if got.Ending != arena.OutOfSteps || len(got.Patch) == 0 {
		t.Errorf("the attempt ended as %s with %d bytes of patch, want out_of_steps with some", got.Ending, len(got.Patch))
	}
}

func TestCandidatesAreTheSameOnEveryCallAndLeadToDifferentTexts(t *testing.T) {
	v := View{Path: "pkg/stack.py", Source: []byte(stack), Context: arena.Context{Path: "pkg/stack.py", FirstLine: 6, LastLine: 10, WindowFirst: 4, WindowLast: 10},
		Failure: testrun.Failure{Kind: "AttributeError", Message: "no attribute 'limit'"}, RedTest: pushTest}
	cs := Candidates(v)
	if d := cmp.Diff(cs, Candidates(v), cmp.AllowUnexported(Candidate{}, turned{})); d != "" {
		t.Error(d)
	}
	seen := map[string]string{}
	for _, c := range cs {
		out, err := tree.ApplyEdits(v.Source, c.Edits)
		if err != nil {
			t.Fatalf("%s: %v", c.What(), err)
		}
		if string(out) == stack {
			t.Errorf("%s changes nothing", c.What())
		}
		if w, ok := seen[string(out)]; ok && len(c.Edits) == 1 {
			t.Logf("%q and %q come to the same text", w, c.What())
		}
		seen[string(out)] = c.What()
	}
	if len(cs) < 100 {
		t.Errorf("%d candidates, want hundreds", len(cs))
	}
}

func TestAFileThatDoesNotParseHasNoCandidates(t *testing.T) {
	if cs := Candidates(View{Path: "pkg/x.py", Source: []byte("def f(:\n"), Context: arena.Context{WindowFirst: 1, WindowLast: 1}}); len(cs) != 0 {
		t.Errorf("%d candidates, want none", len(cs))
	}
}

func TestTheBreakerPicksTheSameSiteForASeedAndOperatorsThatWereDrawnLessOften(t *testing.T) {
	base, err := tree.FromFiles(map[string]*tree.File{"pkg/stack.py": tree.Text(stack)})
	if err != nil {
		t.Fatal(err)
	}
	bank := arena.NewBank(base, nil, nil)
	tried, made := map[string]int{}, map[string]bool{}
	for seed := range uint64(24) {
		var picks []string
		for range 2 {
			a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: seed, Tried: tried, Made: made})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := New().Break(context.Background(), a); err != nil {
				t.Fatal(err)
			}
			_, ms, err := a.Result()
			if err != nil || len(ms) != 1 {
				t.Fatalf("chose %v, %v", ms, err)
			}
			picks = append(picks, ms[0].ID+" "+ms[0].Operator)
		}
		if picks[0] != picks[1] {
			t.Errorf("seed %d picks %s, then %s", seed, picks[0], picks[1])
		}
		id, op, _ := strings.Cut(picks[0], " ")
		made[id] = true
		tried[op]++
	}
	if len(tried) < 9 {
		t.Errorf("24 breaks used %d operators: %v", len(tried), tried)
	}
}

func TestTheBreakerDrawsAnOperatorLessOftenAfterBreaksThatNoTestNoticed(t *testing.T) {
	base, err := tree.FromFiles(map[string]*tree.File{"pkg/stack.py": tree.Text(stack)})
	if err != nil {
		t.Fatal(err)
	}
	bank := arena.NewBank(base, nil, nil)
	operators, err := bank.Sites()
	if err != nil {
		t.Fatal(err)
	}
	barren := operators[0].Operator
	draws := func(known map[string]arena.Yield) (n int) {
		for seed := range uint64(400) {
			a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: seed, Known: known})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := New().Break(context.Background(), a); err != nil {
				t.Fatal(err)
			}
			_, ms, err := a.Result()
			if err != nil {
				t.Fatal(err)
			}
			if ms[0].Operator == barren {
				n++
			}
		}
		return n
	}
	before := draws(nil)
	after := draws(map[string]arena.Yield{barren: {Made: 20, Valid: 0}})
	if before == 0 || after*2 > before {
		t.Errorf("%s was drawn %d times in 400 untried and %d times after 20 breaks without a bug", barren, before, after)
	}
}

func TestASiteThatManyTestsRunIsDrawnMoreOftenThanOneThatFewDo(t *testing.T) {
	src := "def f(a, b):\n    x = a + b\n    y = a + b\n    return x, y\n"
	base, err := tree.FromFiles(map[string]*tree.File{"pkg/m.py": tree.Text(src)})
	if err != nil {
		t.Fatal(err)
	}
	bank := arena.NewBank(base, nil, func(_ string, first, last int) int {
		switch {
		case first == 2 && last == 2:
			return 1
		case first == 3 && last == 3:
			return 40
		}
		return 0
	})
	byLine := map[int]int{}
	for seed := range uint64(300) {
		a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New().Break(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		_, ms, err := a.Result()
		if err != nil {
			t.Fatal(err)
		}
		byLine[ms[0].Line]++
	}
	if byLine[2] == 0 || byLine[3] < 2*byLine[2] || len(byLine) != 2 {
		t.Errorf("draws by line: %v; line 2 is run by 1 test, line 3 by 40, the others by none", byLine)
	}
}

func TestNoStatementIsInsertedWhereItDoesNotCompile(t *testing.T) {
	src := "class C:\n    limit = 3\n\n    def f(self, xs):\n        n = 0\n        for x in xs:\n            if x:\n                continue\n            n += x\n        return n\n"
	view := func(line int) View {
		return View{Path: "pkg/m.py", Source: []byte(src), Context: arena.Context{Path: "pkg/m.py", FirstLine: 1, LastLine: 10, WindowFirst: max(1, line-3), WindowLast: min(10, line+3)}}
	}
	loops := 0
	for _, line := range []int{2, 5, 9} {
		for _, c := range Candidates(view(line)) {
			after, err := tree.ApplyEdits([]byte(src), c.Edits)
			if err != nil {
				t.Fatal(err)
			}
			depth := map[int]string{} // indentation → the block that it is in
			for _, l := range strings.Split(string(after), "\n") {
				text := strings.TrimLeft(l, " ")
				in := len(l) - len(text)
				for d := range depth {
					if d >= in && text != "" {
						delete(depth, d)
					}
				}
				word, _, _ := strings.Cut(strings.TrimPrefix(text, "async "), " ")
				has := func(want string) bool {
					for _, b := range depth {
						if b == want {
							return true
						}
					}
					return false
				}
				switch word {
				case "def", "for", "while":
					depth[in] = word
				case "return":
					if !has("def") {
						t.Errorf("line %d, %s: a return outside a function:\n%s", line, c.What(), after)
					}
				case "continue", "break":
					loops++
					if !has("for") && !has("while") {
						t.Errorf("line %d, %s: %s outside a loop:\n%s", line, c.What(), word, after)
					}
				}
			}
		}
	}
	if loops == 0 {
		t.Error("no candidate was looked at")
	}
}
