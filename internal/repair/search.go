package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Bounds of one failure.
const (
	lookMost = 200 // red tests whose failures are looked at
	// What a test that was past its deadline on the tree as it was given has in a
	// step: so many times the slowest test that ended, between the floor and the most.
	hungSlack = 3
	hungMost  = 10 * time.Second
)

// repair searches for a repair of one failure on the tree with the repairs so
// far, and keeps it; a part of it leaves the other tests waiting.
func (r *run) repair(ctx context.Context, tests []string) error {
	still, failures, err := r.look(ctx, r.tree, tests)
	if err != nil {
		return err
	}
	for _, id := range tests { // those that a repair before this one turned green
		if !slices.Contains(still, id) {
			r.green = append(r.green, id)
		}
	}
	if len(still) == 0 {
		r.failures = append(r.failures, Failure{Tests: tests, Outcome: Repaired})
		return nil
	}
	f, res, err := r.search(ctx, still, failures[still[0]])
	if err != nil {
		return err
	}
	reds := slices.Concat(r.green, still)
	switch {
	case res.solved:
		f.Outcome = Repaired
		r.tree, r.green = res.Tree, reds
	case res.gated != nil && r.tree.Digest() == r.base.Digest():
		f.Outcome = GatedRepair
		r.gated, r.gatedFor = res.gated, reds
	default:
		f.Outcome = NotRepaired
		part, left, err := r.partly(ctx, res.Tree, still)
		if err != nil {
			return err
		}
		if len(part) > 0 {
			f.Outcome = Partly
			r.tree, r.green = res.Tree, slices.Concat(r.green, part)
			r.waiting = append([][]string{left}, r.waiting...)
		}
	}
	r.failures = append(r.failures, f)
	return nil
}

// look returns the tests that are red on a tree, and how they fail. What was past
// its deadline on the tree as it was given is not run there again.
func (r *run) look(ctx context.Context, t *tree.Tree, tests []string) (red []string, how map[string]testrun.Failure, err error) {
	how = map[string]testrun.Failure{}
	var run []string
	for _, id := range tests {
		if r.Work.Base.Results.Get(id) == outcome.TimedOut && t.Digest() == r.base.Digest() {
			how[id] = testrun.Failure{Kind: testrun.KindTimedOut, Path: fileOf(id), Message: "the test did not end"}
		} else if len(run) < lookMost {
			run = append(run, id)
		}
	}
	results := outcome.Results{}
	if len(run) > 0 {
		rep, err := r.Work.Run(ctx, testrun.Request{Tree: t, Tests: run, Fresh: true, Deadline: r.deadline})
		if err != nil {
			return nil, nil, fmt.Errorf("run the red tests: %w", err)
		}
		results = rep.Results
		for id, f := range rep.Failures {
			how[id] = f
		}
	}
	for _, id := range tests {
		if v, ran := results[id]; !ran || v != outcome.Passed {
			red = append(red, id)
		}
	}
	return red, how, nil
}

// deadline is what a red test has in one step.
func (r *run) deadline(id string) time.Duration {
	if r.Work.Base.Results.Get(id) == outcome.TimedOut {
		slowest := 0.0
		for other, s := range r.Work.Base.Seconds {
			if r.Work.Base.Results.Get(other) != outcome.TimedOut {
				slowest = max(slowest, s)
			}
		}
		return min(max(testrun.Floor, time.Duration(hungSlack*slowest*float64(time.Second))), hungMost)
	}
	return r.Work.Deadline(id)
}

// searched is what a search left.
type searched struct {
	arena.FixResult
	solved bool
	gated  *tree.Tree // passed every test, and a gate objects
}

// search lets the player look for a repair of red tests.
func (r *run) search(ctx context.Context, tests []string, how testrun.Failure) (Failure, searched, error) {
	f := Failure{Tests: tests, Message: arena.FailureLine(outcome.Failed, how)}
	to, err := shift(r.base, r.tree)
	if err != nil {
		return f, searched{}, err
	}
	named, err := namesIn(r.tree, tests[0])
	if err != nil {
		return f, searched{}, err
	}
	back := how.Frames
	if r.tree.Digest() != r.base.Digest() {
		back = nil // its lines are of another tree
	}
	places, lines := r.spectra.suspects(tests, back, named)
	moved(places, lines, to)
	if len(places) == 0 {
		f.Outcome = NotRepaired
		return f, searched{FixResult: arena.FixResult{Tree: r.tree}}, nil
	}
	for _, p := range places {
		name := p.Function
		if name == "" {
			name = "the module"
		}
		f.LookedAt = append(f.LookedAt, fmt.Sprintf("%s:%d %s", p.Path, p.FirstLine, name))
	}
	var s searched
	step := 0
	a, err := arena.NewRed(r.Work, arena.Red{Tree: r.tree, Tests: tests, Failure: how, Contexts: places, Suspects: lines, Deadline: r.deadline,
		Judge: func(ctx context.Context, t *tree.Tree) (testrun.Failure, bool, error) {
			j, ok, err := r.passes(ctx, t, slices.Concat(r.green, tests))
			if err == nil && !ok && s.gated == nil && j.gates[outcome.GateSuite] == outcome.GatePassed {
				s.gated = t
			}
			return j.failure, ok, err
		},
		Stop: func() bool {
			if r.stopped() {
				return true
			}
			if step++; r.Progress != nil {
				r.Progress(Progress{Failure: len(r.failures) + 1, Of: len(r.failures) + 1 + len(r.waiting), Step: step, Steps: r.Steps, Elapsed: time.Since(r.began)})
			}
			return false
		}}, arena.FixOptions{Seed: r.Seed, Steps: r.Steps})
	if err != nil {
		return f, s, err
	}
	if _, err := r.Player.Fix(ctx, a); err != nil && !errors.Is(err, arena.ErrOutOfSteps) { // it was told to stop
		return f, s, err
	}
	if s.FixResult, err = a.Result(); err != nil {
		return f, s, err
	}
	f.Steps = len(s.Records)
	r.steps += f.Steps
	for _, rec := range s.Records {
		said := string(rec.Verdict)
		if !rec.Applied {
			said = rec.Why
		} else if rec.Failure != "" {
			said += ": " + rec.Failure
		}
		f.Tried = append(f.Tried, rec.What+"  "+said)
	}
	if s.Step > 0 && s.Records[s.Step-1].Verdict == outcome.Passed {
		s.solved = true
	}
	return f, s, nil
}

// passes judges a tree on which the red tests of a step pass: first what else
// the change can affect, quickly, then everything.
func (r *run) passes(ctx context.Context, t *tree.Tree, reds []string) (judged, bool, error) {
	if gone, err := takenOut(r.base, t); err != nil || gone != "" {
		return judged{failure: testrun.Failure{Kind: "Gate", Message: "it takes out " + gone}}, false, err
	}
	if passed := r.Work.Base.Results.Passed(); len(passed) > 0 {
		rep, err := r.Work.Run(ctx, testrun.Request{Tree: t, Tests: passed, Tier: testrun.CodeSwap, Decide: true, Unaudited: true})
		if err != nil {
			return judged{}, false, fmt.Errorf("run the other tests: %w", err)
		}
		for _, id := range passed {
			if rep.Results.Get(id).Red() {
				j := judged{failure: rep.Failures[id]}
				return j, false, nil
			}
		}
	}
	j, err := r.judge(ctx, t, reds)
	return j, err == nil && outcome.Judge(j.gates) == outcome.Fixed, err
}

// partly returns the tests that a tree which is no whole repair turned green,
// and the others; none when something else objects to it.
func (r *run) partly(ctx context.Context, t *tree.Tree, tests []string) (part, left []string, err error) {
	if len(tests) < 2 || t.Digest() == r.tree.Digest() || r.drain.Err() != nil {
		return nil, nil, nil
	}
	if gone, err := takenOut(r.base, t); err != nil || gone != "" {
		return nil, nil, err
	}
	left, _, err = r.look(ctx, t, tests)
	if err != nil || len(left) == len(tests) {
		return nil, nil, err
	}
	for _, id := range tests {
		if !slices.Contains(left, id) {
			part = append(part, id)
		}
	}
	j, err := r.judge(ctx, t, slices.Concat(r.green, part))
	if err != nil || outcome.Judge(j.gates) != outcome.Fixed {
		return nil, nil, err
	}
	return part, left, nil
}
