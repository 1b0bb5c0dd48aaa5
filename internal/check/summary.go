package check

import (
	"sort"
	"time"

	"breakfix/internal/mutate"
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
	// The lists are sorted by path and line.
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
	Diff     string `json:"diff,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Witness is a test that notices it, Unfound says why there is none.
	Witness *witness.Test `json:"witness,omitempty"`
	Unfound string        `json:"no_witness,omitempty"`
}

func listed(m mutate.Mutation) Listed {
	return Listed{ID: m.ID, Operator: m.Operator, Variant: m.Variant, Path: m.Path, Line: m.Line, Function: m.Function}
}

// Summarise counts results. The fields that tell of the target and of what was
// chosen are the caller's to fill.
func Summarise(results []Result, took time.Duration) Summary {
	s := Summary{Seconds: map[string]float64{"check": took.Seconds()}, Operators: map[string]Counts{}, Files: map[string]Counts{},
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
		l := listed(r.Mutation)
		l.Tests = r.Tests
		switch r.Outcome {
		case outcome.Unnoticed:
			l.Diff, l.Witness, l.Unfound = string(r.Diff), r.Witness, r.Unfound
			s.sought(r)
			s.MissedList = append(s.MissedList, l)
		case outcome.FlakyBreak, outcome.Rejected:
			l.Reason = r.Reason
			s.AsideList = append(s.AsideList, l)
		}
	}
	s.Score = s.Counts.Score()
	byPlace(s.MissedList)
	byPlace(s.AsideList)
	return s
}

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

// Ignore adds the mutations that the target has accepted, with their reasons by id.
func (s *Summary) Ignore(ms []mutate.Mutation, reasons map[string]string) {
	for _, m := range ms {
		l := listed(m)
		l.Reason = reasons[m.ID]
		s.IgnoredList = append(s.IgnoredList, l)
	}
	s.Ignored = len(s.IgnoredList)
	byPlace(s.IgnoredList)
}

func byPlace(ls []Listed) {
	sort.SliceStable(ls, func(i, k int) bool {
		a, b := ls[i], ls[k]
		switch {
		case a.Path != b.Path:
			return a.Path < b.Path
		case a.Line != b.Line:
			return a.Line < b.Line
		case a.Operator != b.Operator:
			return a.Operator < b.Operator
		}
		return a.ID < b.ID
	})
}
