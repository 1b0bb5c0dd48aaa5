package strategy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// meeting is a judge whose runs wait until as many as are expected have begun.
type meeting struct {
	bug.Judge
	begun sync.WaitGroup
}

func (j *meeting) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	j.begun.Done()
	met := make(chan struct{})
	go func() { j.begun.Wait(); close(met) }()
	select {
	case <-met:
		return testrun.Report{Loaded: true, Results: outcome.Results{"test_m.py::test": outcome.Failed}}, nil
	case <-ctx.Done():
		return testrun.Report{}, ctx.Err()
	}
}

// hanging is a judge whose tests all time out, and which has not given up.
type hanging struct{ bug.Judge }

func (hanging) Run(context.Context, testrun.Request) (testrun.Report, error) {
	return testrun.Report{Loaded: true, Results: outcome.Results{"a": outcome.TimedOut, "b": outcome.TimedOut, "c": outcome.TimedOut}}, nil
}

func TestALookWhoseTimeoutsCameFromTheCacheGivesUpLikeTheRunThatMadeThem(t *testing.T) {
	base, err := tree.FromFiles(map[string]*tree.File{"m.py": tree.Text("a = 1\n")})
	if err != nil {
		t.Fatal(err)
	}
	passed := outcome.Results{"a": outcome.Passed, "b": outcome.Passed, "c": outcome.Passed}
	j := newJudging(Source{Target: bug.Target{Judge: hanging{}, Snapshot: &source.Snapshot{Tree: base}, Base: &testrun.Baseline{Results: passed}}})
	l, err := j.at(t.Context(), mutate.Mutation{ID: "a", Path: "m.py", Edits: []tree.Edit{edit(4, 5, "0")}})
	if err != nil || l.Trouble != GaveUp {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestLooksAreMadeAtTheSameTimeAndEachOnce(t *testing.T) {
	base, err := tree.FromFiles(map[string]*tree.File{"m.py": tree.Text("a = 1\nb = 2\nc = 3\n")})
	if err != nil {
		t.Fatal(err)
	}
	judge := &meeting{}
	judge.begun.Add(3)
	var kept []string
	j := newJudging(Source{
		Target: bug.Target{Judge: judge, Snapshot: &source.Snapshot{Tree: base}, Base: &testrun.Baseline{Results: outcome.Results{"test_m.py::test": outcome.Passed}}},
		Looks: NewLooks(3, func(l Look) error {
			kept = append(kept, fmt.Sprint(l.Mutations, l.Red))
			return nil
		}),
	})
	at := func(id string, start int) mutate.Mutation {
		return mutate.Mutation{ID: id, Path: "m.py", Edits: []tree.Edit{edit(start, start+1, "0")}}
	}
	a, b, c := at("a", 4), at("b", 10), at("c", 16)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	j.looks.Remember(Look{Mutations: []string{"c"}, Trouble: DoesNotLoad})
	sets := [][]mutate.Mutation{{a}, {b}, {c}, {b, a}}
	for range 2 { // the second time everything is known
		if err := j.ahead(ctx, sets...); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(kept)
	if want := []string{"[a b] [test_m.py::test]", "[a] [test_m.py::test]", "[b] [test_m.py::test]"}; !slices.Equal(kept, want) {
		t.Errorf("kept %q, want %q", kept, want)
	}
	if l, err := j.at(ctx, c); err != nil || l.Trouble != DoesNotLoad {
		t.Errorf("%+v, %v", l, err)
	}
}
