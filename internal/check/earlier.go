package check

import (
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
)

// Earlier is what an earlier check of the same source knows that holds still.
type Earlier struct {
	// Kept are the results that need not be judged again, by mutation.
	Kept map[string]Result
	// Spared reports that a test is known to stay green on a mutation.
	Spared func(m mutate.Mutation, test string) bool
}

// Since compares an earlier check with the plan of the next one. Where nothing
// changed all results hold. Else what was caught holds when the test that
// caught it and everything that it rests on are as they were; what was missed
// is judged again by the tests that are new or changed; all others are judged
// again.
func Since(old *Record, now Plan) Earlier {
	e := Earlier{Kept: map[string]Result{}}
	if old.Plan.Environment != now.Environment {
		return e
	}
	next := map[string]int32{}
	for i, t := range now.Tests {
		next[t.ID] = int32(i)
	}
	numbers := make([]int32, len(old.Plan.Tests)) // of the old tests in the new plan
	for i, t := range old.Plan.Tests {
		numbers[i] = -1
		if n, ok := next[t.ID]; ok {
			numbers[i] = n
		}
	}
	same := old.Plan.Snapshot == now.Snapshot
	holds := func(n int32) bool { // the old test of that number
		return int(n) < len(numbers) && numbers[n] >= 0 && old.Plan.Tests[n].Needs != "" && old.Plan.Tests[n].Needs == now.Tests[numbers[n]].Needs
	}
	known := map[string]int32{}
	for i, t := range old.Plan.Tests {
		known[t.ID] = int32(i)
	}
	green := map[string]TestSet{} // by mutation: new numbers of tests that were green on it
	for _, r := range old.Results {
		if r.Err != nil || !same && old.Plan.Files[r.Mutation.Path] != now.Files[r.Mutation.Path] {
			continue
		}
		var still []int32
		for _, n := range r.Covering {
			if same || holds(n) {
				still = append(still, numbers[n])
			}
		}
		noticed, named := known[r.Test]
		switch {
		case same, r.Outcome == outcome.Valid && named && holds(noticed):
			kept := r
			kept.Covering = NewTestSet(still...)
			e.Kept[r.Mutation.ID] = kept
		case r.Outcome == outcome.Unnoticed:
			green[r.Mutation.ID] = NewTestSet(still...)
		}
	}
	if len(green) > 0 {
		e.Spared = func(m mutate.Mutation, test string) bool {
			n, ok := next[test]
			return ok && green[m.ID].Has(n)
		}
	}
	return e
}

// Of are the kept results of the mutations, each with its mutation as it is
// enumerated now. With confirm, what was missed and never confirmed is not kept;
// with witness, what was missed and nobody looked for a test of.
func (e Earlier) Of(ms []mutate.Mutation, confirm, witness bool) map[string]Result {
	kept := map[string]Result{}
	for _, m := range ms {
		r, ok := e.Kept[m.ID]
		missed := r.Outcome == outcome.Unnoticed
		if !ok || missed && (confirm && !r.Confirmed || witness && r.Witness == nil && r.Unfound == "") {
			continue
		}
		r.Mutation = m
		kept[m.ID] = r
	}
	return kept
}
