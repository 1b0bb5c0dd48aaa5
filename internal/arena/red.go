package arena

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Red is a tree that is red of itself: nobody broke it, so no diff tells where.
type Red struct {
	Tree     *tree.Tree
	Tests    []string        // red tests that are to turn green; the first one is run first in every step
	Failure  testrun.Failure // of the first one
	Contexts []Context       // functions to look at, without windows
	Suspects []Suspect
	// Judge is asked about a tree on which all of Tests pass: false when it
	// objects, with what a player may know of why. nil never objects.
	Judge func(ctx context.Context, t *tree.Tree) (why testrun.Failure, ok bool, err error)
	// Deadline of a test in one step; nil means the runner's own rule.
	Deadline func(id string) time.Duration
	// Brief leaves the text of failures out, for players that do without it.
	Brief bool
	// Stop is asked before each step whether none is to be made any more; may be nil.
	Stop func() bool
}

// NewRed opens an attempt at a red tree. A step runs the first red test; when
// it passes the others, up to the first that does not; when all pass, Judge.
// Only code can be edited, as in every attempt.
func NewRed(runner testrun.Runner, r Red, o FixOptions) (*FixArena, error) {
	if len(r.Tests) == 0 {
		return nil, errors.New("a red tree has a red test at least")
	}
	if len(r.Contexts) == 0 {
		return nil, errors.New("there is no code to look at")
	}
	if o.Steps <= 0 {
		o.Steps = DefaultSteps
	}
	path, code, err := testSource(r.Tree, r.Tests)
	if err != nil {
		return nil, fmt.Errorf("read the red test: %w", err)
	}
	return &FixArena{
		task: Task{Role: Fixer, Seed: o.Seed, Steps: o.Steps, RedTest: code, RedPath: path, Failure: cloneFailure(r.Failure),
			Contexts: slices.Clone(r.Contexts), Suspects: slices.Clone(r.Suspects)},
		run:    func(ctx context.Context, t *tree.Tree) (seen, error) { return r.run(ctx, runner, t) },
		runner: runner, looking: func(code string) (testrun.Request, string) {
			file := beside(r.Tests[0])
			return testrun.Request{Tests: r.Tests[:1], Tier: testrun.CodeSwap, Deadline: r.Deadline, Files: map[string]string{file: code}}, file
		},
		stop:  r.Stop,
		trees: []*tree.Tree{r.Tree}, passed: []bool{false}, own: []bool{true},
	}, nil
}

// run is one step's look at a tree.
func (r Red) run(ctx context.Context, runner testrun.Runner, t *tree.Tree) (seen, error) {
	// What a step shows is feedback: the judge has the last word.
	req := testrun.Request{Tree: t, Tests: r.Tests[:1], Tier: testrun.CodeSwap, Unaudited: true, Brief: r.Brief, Deadline: r.Deadline}
	s, err := runOne(ctx, runner, req)
	if err != nil || s.verdict != outcome.Passed {
		if s.failure.Kind == "" && s.verdict.Red() { // nothing ran: the edit cannot affect it
			s.failure = cloneFailure(r.Failure)
		}
		return s, err
	}
	s.green = 1
	if rest := r.Tests[1:]; len(rest) > 0 {
		req.Tests, req.Decide = rest, true
		report, err := runner.Run(ctx, req)
		if err != nil {
			return seen{}, fmt.Errorf("run the red tests: %w", err)
		}
		red := ""
		for _, id := range rest {
			switch v := report.Results.Get(id); {
			case v == outcome.Passed:
				s.green++
			case red == "" || !report.Results.Get(red).Red() && v.Red(): // one that ran, rather than one it did not come to
				red = id
			}
		}
		s.cached = s.cached && report.Ran == 0
		if red != "" {
			s.verdict, s.failure = report.Results.Get(red), cloneFailure(report.Failures[red])
			if s.failure.Kind == "" {
				s.failure.Kind = string(s.verdict)
			}
			return s, nil
		}
	}
	if r.Judge == nil {
		return s, nil
	}
	why, ok, err := r.Judge(ctx, t)
	if err != nil {
		return seen{}, fmt.Errorf("judge the repair: %w", err)
	}
	if !ok {
		s.verdict, s.failure = outcome.Failed, cloneFailure(why)
	}
	return s, nil
}
