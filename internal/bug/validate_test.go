package bug_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

func validate(t *testing.T, target bug.Target, cand bug.Candidate, known *bug.Known) bug.Result {
	t.Helper()
	if cand.Order == 0 {
		cand.Order = 1
	}
	res, err := bug.Validate(context.Background(), target, cand, known)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// wantRejected asserts which check objects and what it says.
func wantRejected(t *testing.T, res bug.Result, as outcome.Break, check outcome.Check, says string) {
	t.Helper()
	if res.Outcome != as || res.Check != check || !strings.Contains(res.Reason, says) {
		t.Errorf("got %s, check %s: %s; want %s, check %s: …%s…", res.Outcome, res.Check, res.Reason, as, check, says)
	}
	if res.Bug != nil {
		t.Error("a rejected candidate became a bug")
	}
}

func with(t *testing.T, target bug.Target, files map[string]*tree.File) *tree.Tree {
	t.Helper()
	tr, err := target.Snapshot.Tree.With(files)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// shared is the parametrised suite, measured once, and a bug of it with two
// red tests. A test that changes the bug changes a copy.
var shared struct {
	sync.Once
	target bug.Target
	bug    *bug.Bug
}

func sharedBug(t *testing.T) (bug.Target, *bug.Bug) {
	t.Helper()
	shared.Do(func() {
		shared.target = bugtest.Prepare(t, parametrised)
		shared.bug = valid(t, shared.target)
	})
	if shared.bug == nil {
		t.Fatal("there is no bug to look at")
	}
	return shared.target, shared.bug
}

func valid(t *testing.T, target bug.Target) *bug.Bug {
	t.Helper()
	res := validate(t, target, bug.Candidate{Tree: edit(t, target, "num.py", "n > 2", "n > 3"), Strategy: "operator"}, nil)
	if res.Outcome != outcome.Valid {
		t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
	return res.Bug
}

func TestABreakThatTestsNoticeIsABug(t *testing.T) {
	target, b := sharedBug(t)
	if got, want := strings.Join(b.Red, " "), "test_num.py::test_all_big test_num.py::test_big[3-True]"; got != want {
		t.Errorf("red set %q, want %q", got, want)
	}
	for _, c := range outcome.Checks {
		if v, ok := b.Checks[c]; !ok || (v != outcome.GatePassed && !strings.HasPrefix(v, "not applicable: ")) {
			t.Errorf("check %s: %q", c, v)
		}
	}
	if len(b.Hidden) != 1 || b.Hidden[0] == b.RedTest.From {
		t.Errorf("of %v, %v is held back; the minimised test is from %s", b.Red, b.Hidden, b.RedTest.From)
	}
	if b.Weight != 0.2 || b.Difficulty.Minutes <= 0 || b.Order != 1 {
		t.Errorf("weight %v, difficulty %v, order %d", b.Weight, b.Difficulty, b.Order)
	}
	again := valid(t, target)
	if again.ID != b.ID || again.RedTest.Code != b.RedTest.Code || string(again.Weaken) != string(b.Weaken) {
		t.Error("validating the same break again gives another bug")
	}
}

func TestChecksThatOnlyReadReject(t *testing.T) {
	target, _ := sharedBug(t)
	for _, c := range []struct {
		name  string
		tree  *tree.Tree
		check outcome.Check
		says  string
	}{
		{"nothing changed", target.Snapshot.Tree, outcome.CheckFiles, "changes nothing"},
		{"a comment", edit(t, target, "num.py", "return n > 2", "return (n > 2)  # more"), outcome.CheckFiles, "nothing that runs"},
		{"a new file", with(t, target, map[string]*tree.File{"new.py": tree.Text("x = 1\n")}), outcome.CheckFiles, "new.py does not exist in the base"},
		{"a file removed", with(t, target, map[string]*tree.File{"num.py": nil}), outcome.CheckFiles, "is removed"},
		{"no text", with(t, target, map[string]*tree.File{"num.py": tree.Text("x = 1\x00\n")}), outcome.CheckApplies, "NUL"},
		{"a mode", with(t, target, map[string]*tree.File{"num.py": {Kind: tree.Executable, Data: []byte(parametrised["num.py"])}}), outcome.CheckApplies, "mode"},
		{"a test", edit(t, target, "test_num.py", "small(1)", "small(0)"), outcome.CheckCodeOnly, "test_num.py is a test"},
		{"the clock", edit(t, target, "num.py", "return n > 2", "import time; return n > time.time()"), outcome.CheckHermetic, "the clock"},
		{"the hash seed", edit(t, target, "num.py", "return n > 2", "return n > hash('a') % 5"), outcome.CheckHermetic, "hash"},
		{"the environment", edit(t, target, "num.py", "return n > 2", "import os; return n > len(os.environ)"), outcome.CheckHermetic, "the environment"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantRejected(t, validate(t, target, bug.Candidate{Tree: c.tree}, nil), outcome.Rejected, c.check, c.says)
		})
	}
}

func TestRunnerConfigurationIsNoCode(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{"num.py": "x = 1\n", "conftest.py": "y = 1\n", "test_x.py": "def test_x():\n    assert True\n"})
	cand := bug.Candidate{Tree: edit(t, target, "conftest.py", "y = 1", "y = 2")}
	wantRejected(t, validate(t, target, cand, nil), outcome.Rejected, outcome.CheckCodeOnly, "conftest.py")
}

func TestASuiteWithoutGreenTestsProvesNothing(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{"num.py": "def f():\n    return 1\n", "test_x.py": "from num import f\n\n\ndef test_x():\n    assert f() == 2\n"})
	cand := bug.Candidate{Tree: edit(t, target, "num.py", "return 1", "return 3")}
	wantRejected(t, validate(t, target, cand, nil), outcome.Rejected, outcome.CheckBaseGreen, "no test passes")
}

func TestTheSameBreakTwiceIsADuplicate(t *testing.T) {
	target, b := sharedBug(t)
	known := &bug.Known{}
	known.Add(b)
	cand := bug.Candidate{Tree: edit(t, target, "num.py", "n > 2", "n > 3")}
	wantRejected(t, validate(t, target, cand, known), outcome.Rejected, outcome.CheckDuplicate, b.ID)
	spaced := bug.Candidate{Tree: edit(t, target, "num.py", "return n > 2", "return  n > 3")}
	wantRejected(t, validate(t, target, spaced, known), outcome.Rejected, outcome.CheckDuplicate, b.ID)
}

func TestATreeThatDoesNotLoadIsBroken(t *testing.T) {
	target, _ := sharedBug(t)
	cand := bug.Candidate{Tree: edit(t, target, "num.py", "def small(n)", "def smaller(n)")}
	wantRejected(t, validate(t, target, cand, nil), outcome.Broken, outcome.CheckLoads, "small")
}

func TestABreakThatNoTestNoticesIsUnnoticedOrUncovered(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"num.py":      "def big(n):\n    if n > 100:\n        return n\n    return n + 0\n",
		"test_num.py": "from num import big\n\n\ndef test_big():\n    assert big(3) == 3\n",
	})
	wantRejected(t, validate(t, target, bug.Candidate{Tree: edit(t, target, "num.py", "n + 0", "n - 0")}, nil), outcome.Unnoticed, outcome.CheckRed, "no test goes red")
	wantRejected(t, validate(t, target, bug.Candidate{Tree: edit(t, target, "num.py", "return n\n", "return 0\n")}, nil), outcome.Uncovered, outcome.CheckLoads, "no test runs")
}

func TestARunThatGivesUpIsTimedOut(t *testing.T) {
	slow(t)
	target := bugtest.Prepare(t, map[string]string{
		"loop.py":      "def count(n):\n    i = 0\n    while i < n:\n        i += 1\n    return i\n",
		"test_loop.py": "import pytest\n\nfrom loop import count\n\n\n@pytest.mark.parametrize('n', [1, 2, 3, 4])\ndef test_count(n):\n    assert count(n) == n\n",
	})
	cand := bug.Candidate{Tree: edit(t, target, "loop.py", "i += 1", "i += 0")}
	wantRejected(t, validate(t, target, cand, nil), outcome.TimedOutBreak, outcome.CheckRed, "gave up")
}

// asked notes which tests are said to have hung, of each repeat.
type asked struct {
	bug.Judge
	mu   sync.Mutex
	hung []string
}

func (a *asked) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	if req.Fresh && !req.FilesOnly {
		a.mu.Lock()
		a.hung = append(a.hung, strings.Join(req.Hung, " "))
		a.mu.Unlock()
	}
	return a.Judge.Run(ctx, req)
}

func TestATestThatHungIsRepeatedOnceInFullThenShorter(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"loop.py":      "def count(n):\n    i = 0\n    while i < n:\n        i += 1\n    return i\n",
		"test_loop.py": "from loop import count\n\n\ndef test_count():\n    assert count(3) == 3\n\n\ndef test_none():\n    assert count(0) == 0\n",
	})
	spy := &asked{Judge: target.Judge}
	target.Judge = spy
	res := validate(t, target, bug.Candidate{Tree: edit(t, target, "loop.py", "i += 1", "i += 0")}, nil)
	if res.Bug == nil || !slices.Equal(res.Bug.Red, []string{"test_loop.py::test_count"}) {
		t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
	slices.Sort(spy.hung)
	again := "test_loop.py::test_count"
	if want := []string{"", again, again, again}; !slices.Equal(spy.hung, want) {
		t.Errorf("repeats were told that these hung: %q, want %q", spy.hung, want)
	}
}

func TestARedSetThatDiffersBetweenRunsIsFlaky(t *testing.T) {
	// The code reads a file outside the tree that each process makes longer:
	// red in every other run once the break looks at it.
	state := t.TempDir() + "/count"
	target := bugtest.Prepare(t, map[string]string{
		"num.py":      "def runs():\n    with open(" + quote(state) + ", 'a+') as f:\n        f.write('x')\n        f.seek(0)\n        return len(f.read())\n\n\ndef big(n):\n    return n > runs() * 0\n",
		"test_num.py": "from num import big\n\n\ndef test_big():\n    assert big(1)\n",
	})
	cand := bug.Candidate{Tree: edit(t, target, "num.py", "runs() * 0", "runs() % 2")}
	res := validate(t, target, cand, nil)
	if res.Outcome == outcome.Unnoticed { // the parity of the first run decides
		res = validate(t, target, cand, nil)
	}
	wantRejected(t, res, outcome.FlakyBreak, outcome.CheckRepeats, "the red set differs")
}

func TestARedSetThatDependsOnTheHashSeedIsNotHermetic(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"num.py":      "def first(words):\n    return sorted(words)[0]\n",
		"test_num.py": "from num import first\n\n\ndef test_first():\n    assert first({'a', 'b'}) == 'a'\n",
	})
	cand := bug.Candidate{Tree: edit(t, target, "num.py", "sorted(words)[0]", "list(words)[0]")}
	res := validate(t, target, cand, nil)
	// With one of the two seeds the set's order happens to be the sorted one.
	if res.Outcome != outcome.Unnoticed {
		wantRejected(t, res, outcome.Rejected, outcome.CheckHermetic, "hash seed")
	}
}

func TestARedSetThatDependsOnTheOrderOfTestsIsNotHermetic(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"num.py":      "SEEN = []\n\n\ndef new(x):\n    SEEN.append(x)\n    return len(SEEN) > 0\n",
		"test_num.py": "from num import new\n\n\ndef test_a():\n    assert new(1)\n\n\ndef test_b():\n    assert new(2)\n\n\ndef test_c():\n    assert new(3)\n",
	})
	cand := bug.Candidate{Tree: edit(t, target, "num.py", "> 0", "< 3")} // the last one goes red, whichever that is
	wantRejected(t, validate(t, target, cand, nil), outcome.FlakyBreak, outcome.CheckRepeats, "test_c is not red")
	cand = bug.Candidate{Tree: edit(t, target, "num.py", "len(SEEN) > 0", "SEEN[0] == 9")}
	if res := validate(t, target, cand, nil); res.Outcome != outcome.Valid {
		t.Errorf("red in any order: %s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
	cand = bug.Candidate{Tree: edit(t, target, "num.py", "len(SEEN) > 0", "SEEN[0] not in (1, 2)")}
	wantRejected(t, validate(t, target, cand, nil), outcome.Rejected, outcome.CheckHermetic, "in reverse order")
}

func TestABreakThatShowsTheSameFromTheSameLinesIsADuplicate(t *testing.T) {
	target, b := sharedBug(t) // n > 3
	known := &bug.Known{}
	known.Add(b)
	cand := bug.Candidate{Tree: edit(t, target, "num.py", "n > 2", "n >= 4")}
	wantRejected(t, validate(t, target, cand, known), outcome.Rejected, outcome.CheckDuplicate, "shows the same as bug "+b.ID)
	for _, other := range []string{"n < 2", "n > 9", "None > n"} {
		cand := bug.Candidate{Tree: edit(t, target, "num.py", "n > 2", other)}
		if res := validate(t, target, cand, known); res.Check == outcome.CheckDuplicate {
			t.Errorf("%s: %s", other, res.Reason)
		}
	}
}

func quote(s string) string { return "'" + s + "'" }

func TestAFileThatChangesNothingRedIsNotNeeded(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"a.py":      "def a():\n    return 1\n",
		"b.py":      "def b():\n    return 1 + 0\n",
		"test_a.py": "from a import a\nfrom b import b\n\n\ndef test_a():\n    assert a() == 1\n\n\ndef test_b():\n    assert b() == 1\n",
	})
	tr := editTree(t, edit(t, target, "a.py", "return 1", "return 2"), "b.py", "1 + 0", "1 - 0")
	wantRejected(t, validate(t, target, bug.Candidate{Tree: tr}, nil), outcome.Rejected, outcome.CheckFileNeeded, "b.py restored alone")
}

// twoPlaces has two functions far enough apart for two hunks.
var twoPlaces = map[string]string{
	"a.py":      "def a():\n    return 1\n\n\n# one\n# two\n# three\n# four\n# five\n# six\n# seven\n# eight\n\n\ndef b():\n    return 1 + 0\n",
	"test_a.py": "from a import a, b\n\n\ndef test_a():\n    assert a() == 1\n\n\ndef test_either():\n    assert a() == 1 or b() == 1\n\n\ndef test_b():\n    assert b() < 9\n",
}

func TestAHunkThatChangesNothingRedIsNotNeeded(t *testing.T) {
	target := bugtest.Prepare(t, twoPlaces)
	tr := editTree(t, edit(t, target, "a.py", "return 1\n", "return 2\n"), "a.py", "1 + 0", "1 - 0")
	wantRejected(t, validate(t, target, bug.Candidate{Tree: tr}, nil), outcome.Rejected, outcome.CheckHunkNeeded, "hunk 2 of 2")
}

func TestHunksThatOnlyTogetherMatterAreNeeded(t *testing.T) {
	files := map[string]string{"a.py": twoPlaces["a.py"], "test_a.py": "from a import a, b\n\n\ndef test_either():\n    assert a() == 1 or b() == 1\n"}
	target := bugtest.Prepare(t, files)
	tr := editTree(t, edit(t, target, "a.py", "return 1\n", "return 2\n"), "a.py", "1 + 0", "1 + 1")
	if res := validate(t, target, bug.Candidate{Tree: tr}, nil); res.Outcome != outcome.Valid {
		t.Errorf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
	}
}

func TestASuiteThatStaysRedWithoutItsRedTestsIsNotWeakened(t *testing.T) {
	// The last test of the file goes red only when the one before it is gone,
	// because that one repairs what the break leaves behind.
	target := bugtest.Prepare(t, map[string]string{
		"a.py":      "state = []\n\n\ndef a():\n    return 1\n",
		"test_a.py": "import a\n\n\ndef test_a():\n    a.state.append(1)\n    assert a.a() == 1\n\n\ndef test_left():\n    assert a.state\n",
	})
	cand := bug.Candidate{Tree: edit(t, target, "a.py", "return 1", "return 2")}
	wantRejected(t, validate(t, target, cand, nil), outcome.Rejected, outcome.CheckWeakened, "test_left is failed")
}

func TestATestThatTheBugTurnsIntoAnExpectedFailureIsHiddenAlready(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"a.py": "def a():\n    return 1\n",
		"test_a.py": "import pytest\nfrom a import a\n\n\ndef test_a():\n    assert a() == 1\n\n\n" +
			"@pytest.mark.xfail(reason='mended since')\ndef test_old():\n    assert a() == 1\n",
	})
	res := validate(t, target, bug.Candidate{Tree: edit(t, target, "a.py", "return 1", "return 2")}, nil)
	if res.Outcome != outcome.Valid || strings.Join(res.Bug.Red, " ") != "test_a.py::test_a" || strings.Join(res.Bug.Unrun, " ") != "test_a.py::test_old" {
		t.Errorf("%s, check %s: %s: %+v", res.Outcome, res.Check, res.Reason, res.Bug)
	}
}

func TestATestThatTheWeakeningTakesAwayWithARedOneIsNotHidden(t *testing.T) {
	target := bugtest.Prepare(t, map[string]string{
		"a.py":      "def a(n):\n    return n\n",
		"test_a.py": "from a import a\n\n\nclass TestOne:\n    n = 1\n\n    def test_a(self):\n        assert a(self.n) == self.n\n\n\nclass TestTwo(TestOne):\n    n = 2\n",
	})
	res := validate(t, target, bug.Candidate{Tree: edit(t, target, "a.py", "return n", "return 2")}, nil)
	wantRejected(t, res, outcome.Rejected, outcome.CheckWeakened, "TestTwo::test_a is absent")
}

func TestATestThatIsRedOnlyAmongOthersHasNoMinimisedForm(t *testing.T) {
	// The test reads its own file, so no other file holds it.
	target := bugtest.Prepare(t, map[string]string{
		"a.py":      "def a():\n    return 1\n",
		"test_a.py": "from a import a\n\n\ndef test_a():\n    if not __file__.endswith('test_a.py'):\n        raise KeyError\n    assert a() == 1\n",
	})
	cand := bug.Candidate{Tree: edit(t, target, "a.py", "return 1", "return 2")}
	res := validate(t, target, cand, nil)
	if res.Outcome == outcome.Valid {
		// Delta debugging took the condition out, which is as good.
		if strings.Contains(res.Bug.RedTest.Code, "__file__") {
			t.Errorf("the condition is left:\n%s", res.Bug.RedTest.Code)
		}
		return
	}
	wantRejected(t, res, outcome.Rejected, outcome.CheckMinimal, "no red test could be minimised")
}
