package check

import (
	"slices"

	"breakfix/internal/outcome"
	"breakfix/internal/witness"
)

// Summary is what a check says at its end: the object of check --json
// (docs/cli.md names the keys).
type Summary struct {
	Source      string             `json:"source"`
	Snapshot    string             `json:"snapshot"`
	Environment string             `json:"environment"`
	Seed        uint64             `json:"seed"`
	Seconds     map[string]float64 `json:"seconds"` // total, prepare, check
	Ended       Ending             `json:"ended"`
	Mutations   int                `json:"mutations"` // of the code that was selected, ignored ones included
	Chosen      int                `json:"chosen"`    // of those: to be judged
	Judged      int                `json:"judged"`    // of those: have an outcome
	Counts
	Ignored        int               `json:"ignored"` // accepted in the target's own file
	Infrastructure int               `json:"infrastructure"`
	Score          *float64          `json:"score"` // 0 to 1; null when no test could notice anything
	Confirm        *Confirm          `json:"confirm,omitempty"`
	Witnesses      *Witnesses        `json:"witnesses,omitempty"`
	Operators      map[string]Counts `json:"operators"`
	Files          map[string]Counts `json:"files"`
	Shard          string            `json:"shard,omitempty"`  // "1/4"
	Kept           int               `json:"kept,omitempty"`   // of the judged ones: held since an earlier check
	Folder         string            `json:"folder,omitempty"` // the results folder
	// MissedList has what matters most first; the other lists are sorted by path and line.
	MissedList  []Listed `json:"missed_list"`
	AsideList   []Listed `json:"set_aside_list"`
	IgnoredList []Listed `json:"ignored_list"`
	// UnknownAccepted are ids of the target's file that no mutation has.
	UnknownAccepted []string `json:"unknown_accepted,omitempty"`
}

// Confirm counts the missed mutations that were judged again, and those of
// them that came out otherwise.
type Confirm struct {
	Run     int `json:"run"`
	Changed int `json:"changed"`
}

// Witnesses counts the missed mutations for which a test was looked for, and
// those for which one was found.
type Witnesses struct {
	Sought int `json:"sought"`
	Found  int `json:"found"`
}

// Listed is one mutation to look at.
type Listed struct {
	ID       string `json:"id"`
	Operator string `json:"operator"`
	Variant  string `json:"variant"`
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Function string `json:"function"`
	Tests    int    `json:"tests,omitempty"` // that run it
	Reach    int    `json:"reach,omitempty"` // functions that depend on it, its own included
	Diff     string `json:"diff,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Witness is a test that notices it, Unfound says why there is none.
	Witness *witness.Test `json:"witness,omitempty"`
	Unfound string        `json:"no_witness,omitempty"`
}

// Summary counts what the record holds.
func (r *Record) Summary() (Summary, error) {
	p := r.Plan
	s := summarise(r.Results)
	s.Source, s.Snapshot, s.Environment, s.Seed, s.Ended = p.Source, p.Snapshot, p.Environment, p.Seed, r.Ended
	s.Mutations, s.Chosen, s.UnknownAccepted, s.Shard = p.Mutations, p.Chosen, p.Unknown, p.Choice.Shard.String()
	for _, seconds := range []map[string]float64{p.Seconds, r.Seconds} {
		for k, v := range seconds {
			if k != "baseline" { // a part of prepare
				s.Seconds[k] = v
			}
		}
	}
	var missed, aside []Result
	for _, one := range r.Results {
		switch {
		case one.Err != nil:
		case one.Outcome == outcome.Unnoticed:
			missed = append(missed, one)
		case Word(one.Outcome) == "set_aside":
			aside = append(aside, one)
		}
	}
	p.ByImportance(missed)
	slices.SortStableFunc(aside, place)
	for _, one := range missed {
		diff, err := p.Diff(one.Mutation)
		if err != nil {
			return s, err
		}
		l := p.listed(one)
		l.Diff = string(diff)
		s.MissedList = append(s.MissedList, l)
	}
	for _, one := range aside {
		s.AsideList = append(s.AsideList, p.listed(one))
	}
	for _, i := range p.Ignored {
		l := p.listed(Result{Mutation: i.Mutation, Reason: i.Reason})
		s.IgnoredList = append(s.IgnoredList, l)
	}
	s.Ignored = len(s.IgnoredList)
	return s, nil
}

func (p Plan) listed(r Result) Listed {
	m := r.Mutation
	return Listed{ID: m.ID, Operator: m.Operator, Variant: m.Variant, Path: m.Path, Line: m.Line, Function: m.Function,
		Tests: r.Tests, Reach: p.Depending(m), Reason: r.Reason,
		Witness: r.Witness, Unfound: r.Unfound}
}

// summarise counts results.
func summarise(results []Result) Summary {
	s := Summary{Seconds: map[string]float64{}, Operators: map[string]Counts{}, Files: map[string]Counts{},
		MissedList: []Listed{}, AsideList: []Listed{}, IgnoredList: []Listed{}}
	for _, r := range results {
		if r.Confirmed {
			if s.Confirm == nil {
				s.Confirm = &Confirm{}
			}
			s.Confirm.Run++
			if r.Changed {
				s.Confirm.Changed++
			}
		}
		if r.Err != nil {
			s.Infrastructure++
			continue
		}
		s.Judged++
		s.Add(r.Outcome)
		for key, by := range map[string]map[string]Counts{r.Mutation.Operator: s.Operators, r.Mutation.Path: s.Files} {
			c := by[key]
			c.Add(r.Outcome)
			by[key] = c
		}
		s.sought(r)
	}
	s.Score = s.Counts.Score()
	return s
}

// sought counts a mutation for which a test was looked for.
func (s *Summary) sought(r Result) {
	if r.Witness == nil && r.Unfound == "" {
		return
	}
	if s.Witnesses == nil {
		s.Witnesses = &Witnesses{}
	}
	s.Witnesses.Sought++
	if r.Witness != nil {
		s.Witnesses.Found++
	}
}
