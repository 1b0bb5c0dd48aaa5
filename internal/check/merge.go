package check

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
)

// Merge joins checks of shards of one check. They must be of the same code, in
// the same environment and of the same choice but for the shard; a mutation
// that two of them judged must have come out alike. The error is a *FolderError.
func Merge(records []*Record, names []string) (*Record, error) {
	out := &Record{Plan: records[0].Plan, Ended: Done, Seconds: map[string]float64{}}
	p := &out.Plan
	p.Mutations, p.Chosen, p.Ignored, p.Unknown = 0, 0, nil, nil
	p.Choice.Shard = Shard{}
	p.Files, p.Suite, p.Seconds = map[string]string{}, map[string]string{}, map[string]float64{}
	numbers := map[string]int32{}
	p.Tests = nil
	from := map[string]int{} // the record that judged a mutation, by its id
	shards := map[Shard]string{}
	for i, r := range records {
		if err := alike(records[0].Plan, r.Plan, names[0], names[i]); err != nil {
			return nil, err
		}
		if other, ok := shards[r.Plan.Choice.Shard]; ok {
			return nil, &FolderError{fmt.Sprintf("%s and %s are the same shard", other, names[i]), "name each shard once"}
		}
		shards[r.Plan.Choice.Shard] = names[i]
		q := r.Plan
		p.Mutations += q.Mutations
		p.Chosen += q.Chosen
		p.Ignored = append(p.Ignored, q.Ignored...)
		p.Unknown = append(p.Unknown, q.Unknown...)
		for path, text := range q.Files {
			p.Files[path] = text
		}
		for path, text := range q.Suite {
			p.Suite[path] = text
		}
		for _, both := range []struct{ to, from map[string]float64 }{{p.Seconds, q.Seconds}, {out.Seconds, r.Seconds}} {
			for k, v := range both.from {
				both.to[k] += v
			}
		}
		for _, t := range q.Tests {
			if _, ok := numbers[t.ID]; !ok {
				numbers[t.ID] = int32(len(p.Tests))
				p.Tests = append(p.Tests, t)
			}
		}
		if r.Ended != Done {
			out.Ended = r.Ended
		}
		for _, one := range r.Results {
			var covering []int32
			for _, id := range q.Names(one.Covering) {
				covering = append(covering, numbers[id])
			}
			one.Covering = NewTestSet(covering...)
			if k, ok := from[one.Mutation.ID]; ok {
				if was := out.Results[k]; was.Outcome != one.Outcome {
					return nil, &FolderError{fmt.Sprintf("mutation %s is %s in one of the folders and %s in %s", one.Mutation.ID, Word(was.Outcome), Word(one.Outcome), names[i]), "name each shard once"}
				}
				continue
			}
			from[one.Mutation.ID] = len(out.Results)
			out.Results = append(out.Results, one)
		}
	}
	sort.Strings(p.Unknown)
	p.Unknown = slices.Compact(p.Unknown)
	slices.SortStableFunc(p.Ignored, func(a, b Ignored) int { return place(Result{Mutation: a.Mutation}, Result{Mutation: b.Mutation}) })
	return out, nil
}

// alike reports what keeps two checks from being parts of one.
func alike(a, b Plan, nameA, nameB string) error {
	ca, cb := a.Choice, b.Choice
	ca.Shard, cb.Shard = Shard{}, Shard{}
	what := ""
	switch {
	case a.Snapshot != b.Snapshot:
		what = "other code"
	case a.Environment != b.Environment:
		what = "another environment"
	case !reflect.DeepEqual(ca, cb):
		what = "another choice of mutations"
	case a.Choice.Shard.N != b.Choice.Shard.N:
		what = fmt.Sprintf("one of %d shards, not %d", b.Choice.Shard.N, a.Choice.Shard.N)
	}
	if what == "" {
		return nil
	}
	return &FolderError{fmt.Sprintf("%s and %s are no shards of one check: the second is of %s", nameA, nameB, what), "name the folders of all shards of one check"}
}

// Missing lists the shards that are not among the records, as "2/4".
func Missing(records []*Record) []string {
	n := records[0].Plan.Choice.Shard.N
	var missing []string
	for k := 1; k <= n; k++ {
		s := Shard{k, n}
		if !slices.ContainsFunc(records, func(r *Record) bool { return r.Plan.Choice.Shard == s }) {
			missing = append(missing, s.String())
		}
	}
	return missing
}
