package bench

import (
	"context"
	"maps"
	"slices"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// Counts is how often a way disagreed with the whole suite in a fresh process.
// What does not repeat in both and what depends on a deadline is counted apart:
// there time or chance decides.
type Counts struct {
	Mutants  int `json:"mutants"`   // noticed by one alone, or loaded by one alone
	Tests    int `json:"tests"`     // verdicts of tests
	Labels   int `json:"labels"`    // verdicts compared
	Unstable int `json:"unstable"`  // differences of either kind that did not repeat
	TimedOut int `json:"timed_out"` // differences where a test timed out or a run gave up
}

// Disagreements are those of the core, and the list of all.
type Disagreements struct {
	Counts
	List []Disagreement `json:"list"`
}

// Disagreement is one verdict that is not the truth. Without a Test it is that
// on the mutant: noticed, missed, or does not load.
type Disagreement struct {
	Way      Way    `json:"way"`
	Mutation string `json:"mutation"` // its id
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Operator string `json:"operator"`
	Variant  string `json:"variant"`
	Test     string `json:"test,omitempty"`
	Truth    string `json:"truth"`
	Verdict  string `json:"verdict"`
	Repeats  bool   `json:"repeats"` // both said the same when they were run again
}

// difference is a Disagreement before it is known whose it is. late tells that
// a deadline may have decided.
type difference struct {
	test, truth, verdict string
	late                 bool
}

// differences compares what a way said with the truth; with decide it did not
// say it of every test, so that the mutant alone is compared.
func differences(base outcome.Results, truth, other testrun.Report, decide bool) (found []difference, labels int) {
	if a, b := word(base, truth), word(base, other); a != b {
		late := truth.GaveUp || other.GaveUp || lateOnly(base, truth) || lateOnly(base, other)
		found = append(found, difference{"", a, b, late})
	}
	if decide {
		return found, 0
	}
	for _, id := range slices.Sorted(maps.Keys(base)) {
		labels++
		a, b := truth.Results.Get(id), other.Results.Get(id)
		if a == b {
			continue
		}
		late := a == outcome.TimedOut || b == outcome.TimedOut || truth.GaveUp && a == outcome.Absent || other.GaveUp && b == outcome.Absent
		found = append(found, difference{id, string(a), string(b), late})
	}
	return found, labels
}

// word is the verdict on a mutant.
func word(base outcome.Results, rep testrun.Report) string {
	switch {
	case !rep.Loaded:
		return "does not load"
	case len(outcome.Red(base, rep.Results)) > 0:
		return "noticed"
	}
	return "missed"
}

// lateOnly tells that nothing but deadlines noticed.
func lateOnly(base outcome.Results, rep testrun.Report) bool {
	red := outcome.Red(base, rep.Results)
	return len(red) > 0 && !slices.ContainsFunc(red, func(id string) bool { return rep.Results.Get(id) != outcome.TimedOut })
}

// whole completes a report of some tests with what the selection says of the others.
func whole(base outcome.Results, rep testrun.Report, asked []string) testrun.Report {
	all := maps.Clone(base)
	for _, id := range asked {
		all[id] = rep.Results.Get(id)
	}
	rep.Results = all
	return rep
}

// compare compares every way with the truth and runs again what differs, once:
// a suite may have tests that toss a coin.
func (r *runner) compare(ctx, drain context.Context, s *Summary) error {
	truth := map[int]testrun.Report{}
	for _, t := range r.ways[FreshSuite].shots {
		truth[t.mutant] = t.report
	}
	again := map[int]testrun.Report{}
	s.Disagree.List = []Disagreement{}
	for _, w := range Ways[1:] {
		f := s.Ways[w]
		for _, t := range r.ways[w].shots {
			first, known := truth[t.mutant]
			if !known {
				continue
			}
			m := r.mutants[t.mutant]
			found, labels := r.differences(w, m, first, t.report)
			f.Disagree.Labels += labels
			if len(found) == 0 {
				continue
			}
			repeats := func(difference) bool { return true } // as far as is known
			if drain.Err() == nil && slices.ContainsFunc(found, func(d difference) bool { return !d.late }) {
				if _, has := again[t.mutant]; !has {
					one, err := r.judge(ctx, FreshSuite, t.mutant)
					if err != nil {
						return err
					}
					again[t.mutant] = one.report
				}
				one, err := r.judge(ctx, w, t.mutant)
				if err != nil {
					return err
				}
				second, _ := r.differences(w, m, again[t.mutant], one.report)
				repeats = func(d difference) bool { return slices.Contains(second, d) }
			}
			for _, d := range found {
				same := repeats(d)
				switch {
				case d.late:
					f.Disagree.TimedOut++
				case !same:
					f.Disagree.Unstable++
				case d.test == "":
					f.Disagree.Mutants++
				default:
					f.Disagree.Tests++
				}
				s.Disagree.List = append(s.Disagree.List, Disagreement{Way: w, Mutation: m.ID, Path: m.Path, Line: m.Line, Operator: m.Operator,
					Variant: m.Variant, Test: d.test, Truth: d.truth, Verdict: d.verdict, Repeats: same && !d.late})
			}
		}
		s.Ways[w] = f
	}
	s.Core = s.Ways[Core]
	s.Disagree.Counts = s.Core.Disagree
	return nil
}

func (r *runner) differences(w Way, m mutant, truth, other testrun.Report) ([]difference, int) {
	if w == FreshCovering {
		other = whole(r.Base, other, m.tests)
	}
	return differences(r.Base, truth, other, w == CoreFirstRed)
}

// Wrong reports whether a verdict on a mutant is not the truth, in any way.
func (s Summary) Wrong() bool {
	for _, f := range s.Ways {
		if f.Disagree.Mutants > 0 {
			return true
		}
	}
	return false
}
