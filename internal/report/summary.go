package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/stat"
	"breakfix/internal/store"
)

// Summary is the object of show --json. Absent is not zero: what was not
// measured is nil and left out.
type Summary struct {
	Run         string               `json:"run"`
	Source      string               `json:"source"`      // several are joined by ", "
	Snapshot    string               `json:"snapshot"`    // content digest
	Environment string               `json:"environment"` // digest
	Seed        uint64               `json:"seed"`
	Policy      string               `json:"policy"`
	Reward      string               `json:"reward"`
	Config      json.RawMessage      `json:"config,omitempty"`
	Seconds     map[string]float64   `json:"seconds,omitempty"` // by phase
	Episodes    int                  `json:"episodes"`
	Steps       int                  `json:"steps"`
	Breaks      Breaks               `json:"breaks"`
	Attempts    Attempts             `json:"attempts"`
	Orders      map[string]Order     `json:"orders"`
	Operators   map[string]Operator  `json:"operators"`
	Spurious    Spurious             `json:"spurious"`
	Suspicious  map[string]int       `json:"suspicious"`
	Difficulty  Difficulty           `json:"difficulty"`
	Versions    []store.Version      `json:"versions"`
	Verdicts    *store.VerdictCounts `json:"verdicts,omitempty"`
	Bugs        Bugs                 `json:"bugs"`
	PeakMemory  int64                `json:"peak_memory_bytes,omitempty"`
}

// Breaks counts breaks by outcome. A bug that was played again is no break.
type Breaks struct {
	Valid     int                   `json:"valid"`
	Unnoticed int                   `json:"unnoticed"`
	Uncovered int                   `json:"uncovered,omitempty"` // the breaker is offered covered lines only
	Broken    int                   `json:"broken"`
	Flaky     int                   `json:"flaky"`
	TimedOut  int                   `json:"timed_out"`
	Rejected  map[outcome.Check]int `json:"rejected"` // by check
}

// Attempts counts attempts by outcome, and how often each gate objected.
type Attempts struct {
	Fixed          int                  `json:"fixed"`
	Wrong          int                  `json:"wrong"`
	Gated          int                  `json:"gated"`
	GaveUp         int                  `json:"gave_up"`
	OutOfSteps     int                  `json:"out_of_steps"`
	Infrastructure int                  `json:"infrastructure"`
	Gates          map[outcome.Gate]int `json:"gates"`
}

// Order sums up the bugs of one order. Attempts that failed for reasons of
// ours are not counted.
type Order struct {
	Bugs      int      `json:"bugs"`
	Attempts  int      `json:"attempts"`
	Fixed     int      `json:"fixed"`                // attempts
	SolveRate *float64 `json:"solve_rate,omitempty"` // fixed of attempts
}

// Operator says how the breaks that one operator made in correct code did.
type Operator struct {
	Tried int `json:"tried"`
	Valid int `json:"valid"`
	Fixed int `json:"fixed"` // bugs that at least one attempt fixed
}

// Spurious is how often a repair that passed everything the fixer could see
// failed held-back tests, with the 95 % interval of Wilson.
type Spurious struct {
	Judged   int      `json:"judged"`
	Spurious int      `json:"spurious"`
	Rate     *float64 `json:"rate,omitempty"`
	Low      *float64 `json:"low,omitempty"`
	High     *float64 `json:"high,omitempty"`
}

// Difficulty is the curve of the bugs' difficulty: the median of all bugs so
// far, for each episode that made one.
type Difficulty struct {
	Unit    string   `json:"unit"`
	Median  *float64 `json:"median,omitempty"`
	Series  []Point  `json:"series"`
	Plateau *int     `json:"plateau"` // episode, null while it rises or is not looked for
}

// Point is one point of a series; in JSON [episode, value].
type Point struct {
	Episode int
	Value   float64
}

// MarshalJSON writes [episode, value].
func (p Point) MarshalJSON() ([]byte, error) { return json.Marshal([]any{p.Episode, p.Value}) }

// UnmarshalJSON reads [episode, value].
func (p *Point) UnmarshalJSON(b []byte) error {
	var pair [2]float64
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	p.Episode, p.Value = int(pair[0]), pair[1]
	return nil
}

// Bugs describes the artifacts of the run.
type Bugs struct {
	MinimalStatementsMedian *float64 `json:"minimal_statements_median,omitempty"`
	HiddenTestsMedian       *float64 `json:"hidden_tests_median,omitempty"`
}

// Summarise sums up a run, also while it goes on. Two runs with the same seed
// differ only in name, times, memory and cache hits.
func Summarise(ctx context.Context, s *store.Store) (Summary, error) {
	run := s.Run()
	t := tally{
		Summary: Summary{
			Run: run.Name, Source: strings.Join(run.Sources, ", "), Snapshot: strings.Join(run.Snapshots, ", "), Environment: strings.Join(run.Environment, ", "),
			Seed: run.Seed, Policy: run.Policy, Reward: run.Reward,
			Breaks: Breaks{Rejected: map[outcome.Check]int{}}, Attempts: Attempts{Gates: map[outcome.Gate]int{}},
			Orders: map[string]Order{}, Operators: map[string]Operator{}, Suspicious: map[string]int{}, Versions: []store.Version{},
			Difficulty: Difficulty{Unit: "minutes", Series: []Point{}},
		},
		made: map[string]*made{}, versions: map[string]*played{}, seconds: map[string]float64{},
	}
	config, err := s.Config(ctx)
	if err != nil {
		return Summary{}, err
	}
	t.Config = config
	if string(t.Config) == "null" {
		t.Config = nil
	}
	for e, err := range s.Episodes(ctx) {
		if err != nil {
			return Summary{}, err
		}
		t.add(e)
	}
	t.finish()
	totals, ok, err := s.Totals(ctx)
	if err != nil {
		return Summary{}, err
	}
	if ok {
		t.Seconds, t.Verdicts, t.PeakMemory = totals.Seconds, totals.Verdicts, totals.PeakMemory
	} else if len(t.seconds) > 0 {
		t.Seconds = t.seconds // of the episodes only: the run has not told more yet
	}
	told, err := s.Meta(ctx, store.MetaVersions)
	if err == nil && told != nil {
		err = json.Unmarshal(told, &t.Versions)
	}
	if err != nil {
		return Summary{}, fmt.Errorf("read the versions of run %s: %w", run.Name, err)
	}
	return t.Summary, nil
}

// made is a bug that the run made.
type made struct {
	order     int
	operators []string // empty for one of higher order
	fixed     bool
}

// played is what a version of the policy did as the fixer.
type played struct{ first, attempts, fixed int }

type tally struct {
	Summary
	made       map[string]*made
	versions   map[string]*played
	seconds    map[string]float64
	minutes    []float64 // sorted
	statements []float64
	hidden     []float64
}

func (t *tally) add(e store.Episode) {
	t.Episodes++
	for phase, s := range e.Seconds {
		t.seconds[phase] += s
	}
	b := e.Break
	if e.Kind != store.KindReplay {
		t.addBreak(e)
	}
	order := t.Orders[strconv.Itoa(b.Order)]
	for _, a := range e.Attempts {
		t.addAttempt(e.Number, a)
		if a.Outcome == outcome.Infrastructure {
			continue
		}
		order.Attempts++
		if a.Outcome == outcome.Fixed {
			order.Fixed++
			if m := t.made[b.Bug]; m != nil {
				m.fixed = true
			}
		}
	}
	if b.Outcome == outcome.Valid && e.Kind != store.KindReplay {
		order.Bugs++
	}
	if order != (Order{}) {
		t.Orders[strconv.Itoa(b.Order)] = order
	}
}

func (t *tally) addBreak(e store.Episode) {
	b := e.Break
	for _, op := range operatorsOf(e) {
		o := t.Operators[op]
		o.Tried++
		if b.Outcome == outcome.Valid {
			o.Valid++
		}
		t.Operators[op] = o
	}
	switch b.Outcome {
	case outcome.Unnoticed:
		t.Breaks.Unnoticed++
	case outcome.Uncovered:
		t.Breaks.Uncovered++
	case outcome.Broken:
		t.Breaks.Broken++
	case outcome.FlakyBreak:
		t.Breaks.Flaky++
	case outcome.TimedOutBreak:
		t.Breaks.TimedOut++
	case outcome.Rejected:
		t.Breaks.Rejected[b.Check]++
	case outcome.Valid:
		t.Breaks.Valid++
		t.made[b.Bug] = &made{order: b.Order, operators: operatorsOf(e)}
		at, _ := slices.BinarySearch(t.minutes, b.Minutes)
		t.minutes = slices.Insert(t.minutes, at, b.Minutes)
		t.Difficulty.Series = append(t.Difficulty.Series, Point{e.Number, *median(t.minutes)})
		if b.Statements > 0 {
			t.statements = append(t.statements, float64(b.Statements))
		}
		if b.Hidden != nil {
			t.hidden = append(t.hidden, float64(len(b.Hidden)))
		}
	}
}

// operatorsOf returns the operators that made a break in correct code, each
// once. A bug of higher order is a failed repair: no operator made it.
func operatorsOf(e store.Episode) []string {
	if e.Kind != store.KindFresh {
		return nil
	}
	ops := slices.Clone(e.Break.Operators)
	sort.Strings(ops)
	return slices.Compact(ops)
}

func (t *tally) addAttempt(episode int, a store.Attempt) {
	t.Steps += len(a.Steps)
	switch a.Outcome {
	case outcome.Fixed:
		t.Attempts.Fixed++
	case outcome.Wrong:
		t.Attempts.Wrong++
	case outcome.Gated:
		t.Attempts.Gated++
	case outcome.GaveUp:
		t.Attempts.GaveUp++
	case outcome.OutOfSteps:
		t.Attempts.OutOfSteps++
	case outcome.Infrastructure:
		t.Attempts.Infrastructure++
	}
	for g, v := range a.Gates {
		if v != outcome.GatePassed {
			t.Attempts.Gates[g]++
		}
	}
	if a.Judged {
		t.Spurious.Judged++
		if a.Spurious {
			t.Spurious.Spurious++
		}
	}
	for _, why := range a.Suspicious {
		t.Suspicious[why]++
	}
	v := t.versions[a.Version]
	if v == nil {
		v = &played{first: episode}
		t.versions[a.Version] = v
	}
	if a.Outcome != outcome.Infrastructure {
		v.attempts++
		if a.Outcome == outcome.Fixed {
			v.fixed++
		}
	}
}

func (t *tally) finish() {
	for name, o := range t.Orders {
		if o.Attempts > 0 {
			o.SolveRate = ratio(o.Fixed, o.Attempts)
			t.Orders[name] = o
		}
	}
	for _, m := range t.made {
		for _, op := range m.operators {
			if m.fixed {
				o := t.Operators[op]
				o.Fixed++
				t.Operators[op] = o
			}
		}
	}
	if s := &t.Spurious; s.Judged > 0 {
		s.Rate = ratio(s.Spurious, s.Judged)
		s.Low, s.High = wilson(s.Spurious, s.Judged)
	}
	t.Difficulty.Median = median(t.minutes)
	sort.Float64s(t.statements)
	sort.Float64s(t.hidden)
	t.Bugs = Bugs{median(t.statements), median(t.hidden)}
	for name, p := range t.versions {
		v := store.Version{Version: name, Episode: p.first}
		if p.attempts > 0 {
			v.SolveRate = ratio(p.fixed, p.attempts)
			v.Low, v.High = wilson(p.fixed, p.attempts)
		}
		t.Versions = append(t.Versions, v)
	}
	sort.Slice(t.Versions, func(i, j int) bool {
		a, b := t.Versions[i], t.Versions[j]
		return a.Episode < b.Episode || a.Episode == b.Episode && a.Version < b.Version
	})
}

// median returns the median of sorted values, nil of none.
func median(sorted []float64) *float64 {
	n := len(sorted)
	if n == 0 {
		return nil
	}
	m := (sorted[(n-1)/2] + sorted[n/2]) / 2
	return &m
}

func ratio(k, n int) *float64 {
	r := float64(k) / float64(n)
	return &r
}

// wilson is the 95 % interval of k of n, n > 0.
func wilson(k, n int) (low, high *float64) {
	l, h := stat.Wilson(k, n)
	return &l, &h
}
