package arena_test

import (
	"context"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/arena/arenatest"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// lying runs tests as they are and says something else of what is called without pytest.
type lying struct {
	*arenatest.Runner
	direct int
	say    func(*testrun.Report)
}

func (l *lying) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	rep, err := l.Runner.Run(ctx, req)
	if req.Direct {
		l.direct++
		l.say(&rep)
	}
	return rep, err
}

func TestStepsLeavePytestOutOnlyWhereThatSaysTheSame(t *testing.T) {
	const id = "test_red.py::test_red"
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, files(), "pkg/mod.py", "return high", "return low", strings.Replace(redTest, "== 3", `== 3, "<thing at 0x7[75 chars]01>"`, 1))
	base, err := broken.With(map[string]*tree.File{"pkg/mod.py": tree.Text(code)})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		want bool
		say  func(*testrun.Report)
	}{
		"the same":     {true, func(*testrun.Report) {}},
		"always green": {false, func(rep *testrun.Report) { rep.Results[id] = outcome.Passed }},
		"always red":   {false, func(rep *testrun.Report) { rep.Results[id], rep.Failures[id] = outcome.Failed, b.RedTest.Failure }},
		"another line": {false, func(rep *testrun.Report) {
			f := rep.Failures[id]
			f.TestLine++
			rep.Failures[id] = f
		}},
		"another address": {true, func(rep *testrun.Report) {
			f := rep.Failures[id]
			f.Message = strings.Replace(f.Message, "0x7[75 chars]01", "0x7[75 chars]a3", 1)
			rep.Failures[id] = f
		}},
		"another message": {false, func(rep *testrun.Report) {
			f := rep.Failures[id]
			f.Message += "!"
			rep.Failures[id] = f
		}},
	} {
		l := &lying{Runner: r, say: c.say}
		if got, err := arena.Direct(t.Context(), l, b, base, broken); err != nil || got != c.want || l.direct == 0 {
			t.Errorf("%s: %v, %v after %d runs", name, got, err, l.direct)
		}
	}
	fixture := *b
	fixture.RedTest.Code = "def test_red(tmp_path):\n    assert 0\n"
	if got, err := arena.Direct(t.Context(), &lying{Runner: r}, &fixture, base, broken); err != nil || got {
		t.Errorf("a test with a fixture: %v, %v", got, err)
	}
}

func TestAPassIsPytestsWordAndAttemptsShareWhatEditsMake(t *testing.T) {
	const id = "test_red.py::test_red"
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, files(), "pkg/mod.py", "return high", "return low", redTest)
	l := &lying{Runner: r, say: func(rep *testrun.Report) { rep.Results[id] = outcome.Passed; delete(rep.Failures, id) }}
	memo := new(arena.Memo)
	var made []*tree.Tree
	for range 2 {
		a, err := arena.NewFix(l, b, broken, arena.FixOptions{Seed: 1, Steps: 4, Direct: true, Memo: memo})
		if err != nil {
			t.Fatal(err)
		}
		src, err := a.Read("pkg/mod.py")
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := a.Try(t.Context(), 0, "pkg/mod.py", edit(src, "value > high", "value >= high"), "wrong")
		if err != nil || wrong.Verdict != outcome.Failed {
			t.Errorf("a step that passes without pytest alone: %+v, %v", wrong, err)
		}
		none, err := a.Try(t.Context(), 0, "pkg/mod.py", edit(src, "value > high", "value > high"), "nothing")
		if err != nil || none.Applied || none.Why == "" {
			t.Errorf("an edit that changes nothing: %+v, %v", none, err)
		}
		right, err := a.Try(t.Context(), 0, "pkg/mod.py", []tree.Edit{{Start: 0, End: len(src), New: code}}, "right")
		if err != nil || right.Verdict != outcome.Passed {
			t.Errorf("a repair: %+v, %v", right, err)
		}
		if err := a.Submit(right.Step); err != nil {
			t.Fatal(err)
		}
		left, err := a.Result()
		if err != nil || left.Records[0].Diff == "" || left.Records[1].Diff != "" || len(left.Patch) == 0 {
			t.Errorf("%+v, %v", left, err)
		}
		made = append(made, left.Tree)
	}
	if made[0] != made[1] {
		t.Error("the same edit was made twice")
	}
	if l.direct != 4 {
		t.Errorf("%d of 4 steps that ran began without pytest", l.direct)
	}
}
