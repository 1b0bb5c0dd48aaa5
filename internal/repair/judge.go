package repair

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"breakfix/internal/grade"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// judged is what all gates say of a tree, next to the tree as it was given.
type judged struct {
	gates   map[outcome.Gate]string
	results outcome.Results
	failure testrun.Failure // of the first test that is not green; of a gate that objects otherwise
}

func (j judged) clone() judged {
	j.gates = maps.Clone(j.gates)
	return j
}

// judge asks every gate about a tree in which reds are to be green, in the order
// of outcome.Gates; a test gate that objects ends it. Tests are run in fresh
// processes, the tests that passed and the reds together.
func (r *run) judge(ctx context.Context, t *tree.Tree, reds []string) (judged, error) {
	if j, ok := r.gates[t.Digest()]; ok && !slices.ContainsFunc(reds, func(id string) bool { _, ran := j.results[id]; return !ran }) {
		return j.clone(), nil
	}
	j := judged{gates: map[outcome.Gate]string{}, results: outcome.Results{}}
	if err := r.ask(ctx, t, reds, &j); err != nil {
		return j, err
	}
	r.gates[t.Digest()] = j
	return j.clone(), nil
}

func (r *run) ask(ctx context.Context, t *tree.Tree, reds []string, j *judged) error {
	passed := r.Work.Base.Results.Passed()
	rep, err := r.Work.Run(ctx, testrun.Request{Tree: t, Tests: slices.Concat(passed, reds), Fresh: true})
	if err != nil {
		return fmt.Errorf("judge the repair: %w", err)
	}
	maps.Copy(j.results, rep.Results)
	if j.gates[outcome.GateRed] = j.first(reds, rep); j.gates[outcome.GateRed] != outcome.GatePassed {
		return nil
	}
	if j.gates[outcome.GateSuite] = j.first(passed, rep); j.gates[outcome.GateSuite] != outcome.GatePassed {
		return nil
	}
	if r.Guard != nil {
		all := r.Guard.Base.Results.Passed()
		if rep, err = r.Guard.Run(ctx, testrun.Request{Tree: t, Tests: all, Fresh: true}); err != nil {
			return fmt.Errorf("judge the repair by the whole suite: %w", err)
		}
		if j.gates[outcome.GateSuite] = j.first(all, rep); j.gates[outcome.GateSuite] != outcome.GatePassed {
			return nil
		}
	}
	for _, gate := range []struct {
		name outcome.Gate
		run  func() (string, error)
	}{
		{outcome.GateLint, func() (string, error) {
			now, err := r.Work.Lint(ctx, t)
			return grade.News(r.Work.Base.Lint, now), err
		}},
		{outcome.GateTypes, func() (string, error) {
			now, err := r.Work.Types(ctx, t)
			return grade.News(r.Work.Base.Types, now), err
		}},
		{outcome.GateRun, func() (string, error) { return r.Work.Smoke(ctx, t, true) }},
	} {
		why, err := gate.run()
		if err != nil {
			return fmt.Errorf("gate %s: %w", gate.name, err)
		}
		if why == "" {
			why = outcome.GatePassed
		} else if j.failure.Kind == "" {
			j.failure = testrun.Failure{Kind: "Gate", Message: why}
		}
		j.gates[gate.name] = why
	}
	return nil
}

// first says which of the tests did not pass, or that all did.
func (j *judged) first(ids []string, rep testrun.Report) string {
	var not []string
	for _, id := range ids {
		if rep.Results.Get(id) != outcome.Passed {
			not = append(not, id)
		}
	}
	if len(not) == 0 {
		return outcome.GatePassed
	}
	// One that ran says more than one that the run did not come to.
	if i := slices.IndexFunc(not, func(id string) bool { return rep.Results.Get(id).Red() }); i > 0 {
		not[0], not[i] = not[i], not[0]
	}
	j.failure = rep.Failures[not[0]]
	if j.failure.Kind == "" {
		j.failure.Kind = string(rep.Results.Get(not[0]))
	}
	if !rep.Loaded {
		return "the repaired tree does not load: " + rep.LoadError
	}
	why := fmt.Sprintf("%s is %s", not[0], rep.Results.Get(not[0]))
	if len(not) > 1 {
		why += fmt.Sprintf(", and %d more", len(not)-1)
	}
	return why
}
