package selfplay

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/policy/scripted"
	"breakfix/internal/source"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// boardOf is a board of one file of n methods, of which nothing can be run.
func boardOf(t *testing.T, n int, body string) *Board {
	t.Helper()
	var code strings.Builder
	code.WriteString("LIMIT = 3\n\n\nclass C:\n")
	for i := range n {
		fmt.Fprintf(&code, "    def f%d(self, a, b):\n        if a < b:\n            return %s\n        return b - 1\n\n", i, body)
	}
	base, err := tree.FromFiles(map[string]*tree.File{"pkg/m.py": tree.Text(code.String())})
	if err != nil {
		t.Fatal(err)
	}
	return &Board{Bank: arena.NewBank(base, nil, nil), Work: &testrun.Workspace{Snapshot: &source.Snapshot{Tree: base}}}
}

func TestOneFunctionInFiveIsHeldOutAndStaysOutWhenItIsEdited(t *testing.T) {
	names := func(h *heldOut) (learned string) {
		for _, x := range h.texts {
			for i, line := range strings.Split(string(x.Source), "\n") {
				held := slices.ContainsFunc(x.HeldOut, func(s [2]int) bool { return s[0] <= i+1 && i+1 <= s[1] })
				if name, ok := strings.CutPrefix(line, "    def "); ok && !held {
					learned += strings.Split(name, "(")[0] + " "
				}
			}
		}
		return learned
	}
	b := boardOf(t, 10, "a + 1")
	h, err := holdOut(b)
	if err != nil {
		t.Fatal(err)
	}
	if n := builtin.NewCorruptor(h.texts, 1).Functions(); len(h.spans["pkg/m.py"]) != 2 || n != 8 {
		t.Fatalf("of 10 methods %d are held out and %d learned from", len(h.spans["pkg/m.py"]), n)
	}
	edited, err := holdOut(boardOf(t, 10, "a * 2"))
	if err != nil {
		t.Fatal(err)
	}
	if names(h) != names(edited) {
		t.Errorf("after an edit other functions are learned from: %s, then %s", names(h), names(edited))
	}
	a, err := arena.NewBreak(b.Bank, arena.BreakOptions{Except: h.has})
	if err != nil {
		t.Fatal(err)
	}
	all, err := b.Bank.Sites()
	if err != nil {
		t.Fatal(err)
	}
	offered, functions := a.Sites(), map[string]bool{}
	for _, m := range offered {
		functions[m.Function] = true
	}
	if len(offered) == 0 || len(offered) >= len(all) {
		t.Errorf("%d of %d sites are offered", len(offered), len(all))
	}
	for _, m := range all {
		if h.has(m) && functions[m.Function] {
			t.Errorf("%s is held out and offered", m.Function)
		}
	}
}

func TestABreakOfHeldOutCodeIsNotLearnedFromWhoeverWroteIt(t *testing.T) {
	b := boardOf(t, 10, "a + 1")
	h, err := holdOut(b)
	if err != nil {
		t.Fatal(err)
	}
	src, err := b.Work.Snapshot.Tree.Read("pkg/m.py")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(src), "\n")
	held := 0
	for i, line := range lines {
		if !strings.Contains(line, "return a + 1") {
			continue
		}
		edited := append([]string{}, lines...)
		edited[i] = strings.Replace(line, "a + 1", "a + 2", 1)
		broken, err := tree.FromFiles(map[string]*tree.File{"pkg/m.py": tree.Text(strings.Join(edited, "\n"))})
		if err != nil {
			t.Fatal(err)
		}
		diff, err := tree.Diff(b.Work.Snapshot.Tree, broken)
		if err != nil {
			t.Fatal(err)
		}
		written := &store.Episode{Break: store.Break{Diff: string(diff)}}
		chosen := &store.Episode{Break: store.Break{Path: "pkg/m.py", Line: i + 1}}
		want := h.hasLines("pkg/m.py", i+1, i+1)
		if h.broken(written) != want || h.broken(chosen) != want {
			t.Errorf("line %d is held out: %v, and a written break of it: %v", i+1, want, h.broken(written))
		}
		if want {
			held++
		}
	}
	if held != 2 {
		t.Errorf("%d functions are held out", held)
	}
}

func TestOfOneFunctionNoneIsHeldOut(t *testing.T) {
	h, err := holdOut(boardOf(t, 1, "a"))
	if err != nil || len(h.spans) != 0 || len(h.texts) != 1 || h.texts[0].HeldOut != nil {
		t.Errorf("%d files have code held out of %d to learn from, %v", len(h.spans), len(h.texts), err)
	}
}

func TestABreakerThatDrawsIsKeptOffHeldOutCodeWhileAnythingIsLearned(t *testing.T) {
	b := boardOf(t, 10, "a + 1")
	h, err := holdOut(b)
	if err != nil {
		t.Fatal(err)
	}
	learner := builtin.With(builtin.Scratch(1))
	for _, c := range []struct {
		breaker policy.Policy
		learns  bool
		kept    bool
	}{{learner, true, true}, {builtin.New(), true, true}, {&scripted.Policy{}, true, false}, {builtin.New(), false, false}} {
		g := &Game{Boards: []*Board{b}, Breaker: c.breaker, Learner: learner}
		if c.learns {
			g.learning = &learning{held: []*heldOut{h}}
		}
		if kept := g.except(0) != nil; kept != c.kept {
			t.Errorf("%T, learning %v: kept off is %v", c.breaker, c.learns, kept)
		}
	}
}

func TestTheBreaksOfARefusedVersionWaitForTheNext(t *testing.T) {
	games := []pending{{Episode: 1, Fresh: true, Made: 3, Tries: true}, {Episode: 2, Tries: true}, {Episode: 3, Fresh: true}}
	kept := breaksOf(games)
	if len(kept) != 2 || kept[0].Episode != 1 || kept[0].Made != 3 || kept[0].Tries || kept[1].Episode != 3 || !games[0].Tries {
		t.Errorf("of %+v wait %+v", games, kept)
	}
	var many []pending
	for i := range mostBreaks + 10 {
		many = append(many, pending{Episode: i, Fresh: true})
	}
	if kept := breaksOf(many); len(kept) != mostBreaks || kept[mostBreaks-1].Episode != mostBreaks+9 {
		t.Errorf("of %d breaks %d wait", len(many), len(kept))
	}
}

// TestAMatchHasNoMoreStepsThanAnAttempt: the first step counts whole however many there
// are, and one that there is no more (of a run that had more) nothing.
func TestAMatchHasNoMoreStepsThanAnAttempt(t *testing.T) {
	for steps, want := range map[int]int{1: 1, 3: 3, 8: 8, 64: 8} {
		g := &Game{Config: Config{Steps: steps}}
		if got := g.matchSteps(); got != want {
			t.Errorf("%d steps an attempt: %d in a match, want %d", steps, got, want)
		}
	}
	for steps, want := range map[int][]float64{1: {1, 0, 0}, 4: {1, 1 / 3.0, 0}, 8: {1, 0.5, 0.25}} {
		got := scores([]int{1, 4, 8}, steps)
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-9 {
				t.Errorf("of %d steps: %v, want %v", steps, got, want)
			}
		}
	}
}
