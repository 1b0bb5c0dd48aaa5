package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

// Difference is one thing that is stored and does not follow from the rest of
// what is stored.
type Difference struct {
	Episode    int    `json:"episode"`           // 0: the run as a whole
	Attempt    int    `json:"attempt,omitempty"` // 0: the break
	What       string `json:"what"`              // "evidence", "red set", "outcome", "gate suite", "reward of the fixer" …
	Stored     string `json:"stored"`
	Recomputed string `json:"recomputed"`
}

// String gives the difference in one line.
func (d Difference) String() string {
	where := "run"
	if d.Episode != 0 {
		where = fmt.Sprintf("episode %d", d.Episode)
		if d.Attempt != 0 {
			where += fmt.Sprintf(", attempt %d", d.Attempt)
		}
	}
	return fmt.Sprintf("%s: %s: stored %s, recomputed %s", where, d.What, oneLine(d.Stored), oneLine(d.Recomputed))
}

// Replay computes again, from the verdict rows and without a test or a policy,
// the red set of every break, the test gates of every graded repair, every
// outcome that follows from gates, every reward of both roles, and every
// evidence digest, and returns what differs from what is stored, in order of
// episodes. The error says that the run could not be read.
func Replay(ctx context.Context, s *store.Store) ([]Difference, error) {
	r := &replay{ctx: ctx, s: s, base: map[int]outcome.Results{}, red: map[string][]string{}}
	if err := r.baselines(); err != nil {
		return nil, err
	}
	numbers, err := s.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if err := r.episode(n); err != nil {
			return nil, err
		}
	}
	r.at = Difference{}
	if err := r.state(); err != nil {
		return nil, err
	}
	stray, err := s.Stray(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range stray {
		r.found = append(r.found, Difference{row.Episode, row.Attempt, "rows in table " + row.Table, "some", "none: nothing that was played has them"})
	}
	sort.SliceStable(r.found, func(i, j int) bool {
		a, b := r.found[i], r.found[j]
		return a.Episode < b.Episode || a.Episode == b.Episode && a.Attempt < b.Attempt
	})
	return r.found, nil
}

type replay struct {
	ctx   context.Context
	s     *store.Store
	base  map[int]outcome.Results // by source
	red   map[string][]string     // red sets of bugs met so far
	found []Difference
	at    Difference // the episode and attempt being looked at
}

func (r *replay) differ(what, stored, recomputed string) {
	if stored != recomputed {
		r.found = append(r.found, Difference{r.at.Episode, r.at.Attempt, what, stored, recomputed})
	}
}

func (r *replay) baselines() error {
	sources, err := r.s.BaselineSources(r.ctx)
	if err != nil {
		return err
	}
	for _, source := range sources {
		results, evidence, err := r.s.Baseline(r.ctx, source)
		if err != nil {
			return err
		}
		r.base[source] = results
		r.differ(fmt.Sprintf("evidence of the baseline of source %d", source), orNone(evidence), store.BaselineEvidence(results))
	}
	return nil
}

// state looks at what the curriculum would go on from.
func (r *replay) state() error {
	state, err := r.s.State(r.ctx)
	if err != nil {
		return err
	}
	evidence, err := r.s.StoredStateEvidence(r.ctx)
	if err != nil {
		return err
	}
	r.differ("evidence of the curriculum's state", orNone(evidence), orNone(store.StateEvidence(state)))
	return nil
}

func (r *replay) episode(number int) error {
	r.at = Difference{Episode: number}
	e, err := r.s.Episode(r.ctx, number)
	if errors.Is(err, store.ErrDamaged) {
		r.differ("record", err.Error(), "a readable episode")
		return nil
	}
	if err != nil {
		return err
	}
	base, ok := r.base[e.Source]
	if !ok {
		r.differ("baseline", "none", fmt.Sprintf("that of source %d", e.Source))
	}
	r.differ("evidence of the break", orNone(e.Break.Evidence), store.BreakEvidence(e))
	r.judgeBreak(e, base)
	for _, a := range e.Attempts {
		r.at.Attempt = a.Number
		r.differ("evidence of the attempt", orNone(a.Evidence), store.AttemptEvidence(e.Number, a))
		r.judgeAttempt(e, a, base)
	}
	r.at.Attempt = 0
	return r.rewards(e)
}

// judgeBreak compares outcome and red set with the runs on the broken tree. A
// run may have held part of the suite only (the tests that cover the change,
// or the red ones again), so it is some run, not every, that shows the red set.
func (r *replay) judgeBreak(e store.Episode, base outcome.Results) {
	b := e.Break
	if (b.Outcome == outcome.Valid) != (b.Check == "") {
		r.differ("check of the break", orNone(string(b.Check)), "one exactly when the break is not valid")
	}
	if !slices.Contains(outcome.Breaks, b.Outcome) {
		r.differ("outcome of the break", string(b.Outcome), "a known outcome")
	}
	var sets [][]string
	for _, run := range b.Runs {
		sets = append(sets, outcome.Red(base, overlay(base, run)))
	}
	switch {
	case b.Outcome == outcome.Valid && e.Kind == store.KindReplay && len(sets) == 0:
		if red, ok := r.red[b.Bug]; ok {
			r.differ("red set", set(b.Red), set(red))
		}
	case b.Outcome == outcome.Valid:
		// Shown beside a difference: the largest set that a run had.
		var largest []string
		shown := false
		for _, red := range sets {
			shown = shown || slices.Equal(red, sorted(b.Red))
			if len(red) > len(largest) {
				largest = red
			}
		}
		if !shown {
			r.differ("red set", set(b.Red), set(largest))
		}
		if len(largest) == 0 {
			r.differ("outcome of the break", string(b.Outcome), string(outcome.Unnoticed))
		}
		r.red[b.Bug] = b.Red
	case b.Outcome == outcome.Unnoticed && len(sets) > 0 && len(sets[len(sets)-1]) > 0:
		r.differ("outcome of the break", string(b.Outcome), "not unnoticed: "+set(sets[len(sets)-1])+" is red")
	case b.Outcome == outcome.FlakyBreak:
		same := true
		for _, red := range sets {
			same = same && slices.Equal(red, sets[0])
		}
		if same {
			r.differ("outcome of the break", string(b.Outcome), "not flaky: every run has the same red set")
		}
	case b.Outcome == outcome.Uncovered && len(sets) > 0:
		r.differ("outcome of the break", string(b.Outcome), "not uncovered: tests were run on it")
	}
}

// judgeAttempt computes the two test gates from the verdict rows, and the
// outcome from the gates. A test gate may object for another reason than a
// verdict (a forged one), so only "passed" must follow from the verdicts; that
// the gate's text is the one that was stored is what the evidence shows.
func (r *replay) judgeAttempt(e store.Episode, a store.Attempt, base outcome.Results) {
	if len(a.Gates) == 0 {
		switch a.Outcome {
		case outcome.GaveUp, outcome.OutOfSteps, outcome.Infrastructure:
		default:
			r.differ("outcome of the attempt", string(a.Outcome), "not graded: it has no gates")
		}
		return
	}
	r.differ("outcome of the attempt", string(a.Outcome), string(outcome.Judge(a.Gates)))
	now := overlay(base, a.Verdicts)
	red := map[string]bool{}
	var open []string
	must := e.Break.Red
	if e.Break.MinimalTest != "" {
		must = append(slices.Clone(must), e.Break.MinimalTest)
	}
	for _, test := range must {
		red[test] = true
		if a.Verdicts[test] != outcome.Passed { // a row of its own, never taken from the base
			open = append(open, test)
		}
	}
	if len(open) > 0 && a.Gates[outcome.GateRed] == outcome.GatePassed {
		r.differ("gate "+string(outcome.GateRed), outcome.GatePassed, set(open)+" did not pass")
	}
	var regressed []string
	for _, test := range outcome.Regressions(base, now) {
		if !red[test] {
			regressed = append(regressed, test)
		}
	}
	if len(regressed) > 0 && a.Gates[outcome.GateSuite] == outcome.GatePassed {
		r.differ("gate "+string(outcome.GateSuite), outcome.GatePassed, set(regressed)+" passed on the base and does not now")
	}
}

func (r *replay) rewards(e store.Episode) error {
	want, err := store.Rewards(e)
	if err != nil {
		r.differ("reward schema", e.Schema, err.Error())
		return nil
	}
	have, err := r.s.Rewards(r.ctx, e.Number)
	if err != nil {
		return err
	}
	type key struct {
		attempt int
		role    string
	}
	stored, computed := map[key]string{}, map[key]string{}
	keys := map[key]bool{}
	for _, w := range want {
		k := key{w.Attempt, w.Role}
		computed[k], keys[k] = number(w.Value), true
	}
	for _, h := range have {
		k := key{h.Attempt, h.Role}
		stored[k], keys[k] = number(h.Value), true
	}
	order := make([]key, 0, len(keys))
	for k := range keys {
		order = append(order, k)
	}
	sort.Slice(order, func(i, j int) bool {
		return order[i].attempt < order[j].attempt || order[i].attempt == order[j].attempt && order[i].role < order[j].role
	})
	for _, k := range order {
		r.at.Attempt = k.attempt
		r.differ("reward of the "+k.role, orNone(stored[k]), orNone(computed[k]))
	}
	return nil
}

// overlay returns the whole run: what a row does not name is as on the base.
func overlay(base outcome.Results, rows store.Verdicts) outcome.Results {
	now := make(outcome.Results, len(base)+len(rows))
	for test, v := range base {
		now[test] = v
	}
	for test, v := range rows {
		now[test] = v
	}
	return now
}

// number renders a reward so that different rewards read differently.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func sorted(ss []string) []string {
	ss = slices.Clone(ss)
	sort.Strings(ss)
	return ss
}

// set names the first three of a set of tests.
func set(ss []string) string {
	ss = sorted(ss)
	if len(ss) == 0 {
		return "none"
	}
	more := ""
	if len(ss) > 3 {
		more = fmt.Sprintf(" and %d more", len(ss)-3)
		ss = ss[:3]
	}
	return strings.Join(ss, ", ") + more
}
