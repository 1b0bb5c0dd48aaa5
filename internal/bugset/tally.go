package bugset

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
)

// tally keeps the counts up to date. It holds a few numbers a bug.
type tally struct {
	Summary
	ids                             []string
	minimal, original, hidden, reds []float64
	minutes                         []float64
	began                           []testrun.Stats
	stats                           []func() testrun.Stats
	before                          Summary // of earlier sittings
}

// empty is the summary of a set without a candidate.
func empty(h Head) Summary {
	s := Summary{
		Seed: h.Seed, Seconds: map[string]float64{}, Screened: map[string]int{}, Breaks: Breaks{Rejected: map[string]int{}}, Checks: map[outcome.Check]CheckTime{},
		Orders: map[int]Order{}, Operators: map[string]Tried{}, Strategies: map[string]Proposed{}, Difficulty: Difficulty{Unit: "minutes"},
	}
	var sources, snapshots, environments []string
	for _, src := range h.Sources {
		sources, snapshots, environments = append(sources, src.Source), append(snapshots, string(src.Snapshot)), append(environments, string(src.Environment))
		s.Sources = append(s.Sources, SourceCounts{HeadSource: src, Repository: repository(src), Split: splitOf(repository(src))})
	}
	s.Source, s.Snapshot, s.Environment = strings.Join(sources, ", "), strings.Join(snapshots, ", "), strings.Join(environments, ", ")
	return s
}

func newTally(set *Set, c Config) *tally {
	t := &tally{Summary: empty(set.head)}
	t.before, _ = set.Summary() // a damaged one costs what earlier sittings took, nothing else
	t.Set, t.Asked, t.Command = filepath.Base(set.dir), c.Bugs, c.Command
	if t.before.Asked > c.Bugs { // the set is as large as the largest number that it was asked for
		t.Asked, t.Command = t.before.Asked, t.before.Command
	}
	return t
}

// watch notes what a source's tests had cost when the sitting began.
func (t *tally) watch(s Source) {
	if s.Stats != nil {
		t.stats, t.began = append(t.stats, s.Stats), append(t.began, s.Stats())
	}
}

func (t *tally) valid() int { return t.Breaks.Valid }

func (t *tally) screened() int {
	n := 0
	for _, k := range t.Screened {
		n += k
	}
	return n
}

// add counts a candidate, and its bug when there is one.
func (t *tally) add(c Candidate, b *bug.Bug) {
	t.Proposals++
	src := &t.Sources[c.Origin]
	src.Proposals++
	way := t.Strategies[c.Strategy]
	way.Proposed++
	defer func() { t.Strategies[c.Strategy] = way }()
	if c.Outcome == Screened {
		t.Screened[c.Check]++
		way.Screened++
		return
	}
	src.Validated++
	t.Breaks.count(c)
	for check, s := range c.Seconds {
		k := t.Checks[check]
		t.Checks[check] = CheckTime{k.Candidates + 1, k.Seconds + s}
	}
	for _, name := range c.operators() {
		op := t.Operators[name]
		op.Tried++
		if b != nil {
			op.Valid++
		}
		t.Operators[name] = op
	}
	if b == nil {
		return
	}
	way.Valid++
	src.Bugs++
	t.ids = append(t.ids, b.ID)
	t.Orders[b.Order] = Order{t.Orders[b.Order].Bugs + 1}
	t.minimal, t.original = append(t.minimal, float64(b.RedTest.Statements)), append(t.original, float64(b.RedTest.Before))
	t.hidden, t.reds = append(t.hidden, float64(len(b.Hidden))), append(t.reds, float64(len(b.Red)))
	t.minutes = append(t.minutes, b.Difficulty.Minutes)
}

func (b *Breaks) count(c Candidate) {
	switch outcome.Break(c.Outcome) {
	case outcome.Valid:
		b.Valid++
	case outcome.Unnoticed:
		b.Unnoticed++
	case outcome.Uncovered:
		b.Uncovered++
	case outcome.Broken:
		b.Broken++
	case outcome.FlakyBreak:
		b.Flaky++
	case outcome.TimedOutBreak:
		b.TimedOut++
	case outcome.Rejected:
		b.Rejected[c.Check]++
	default:
		b.Infrastructure++
	}
}

// summary is what is known now, earlier sittings included.
func (t *tally) summary(m *Maker, ending Ending) Summary {
	s := t.Summary
	s.Ended = ending
	s.Yield = Yield{share(s.Breaks.Valid, s.Breaks.Judged()), share(s.Breaks.Valid, s.Proposals)}
	s.Bugs = Bugs{median(t.minimal), median(t.original), median(t.hidden), median(t.reds)}
	s.Difficulty.Median = median(t.minutes)
	s.Seconds = maps.Clone(t.before.Seconds)
	if s.Seconds == nil {
		s.Seconds = map[string]float64{}
	}
	for phase, v := range m.c.Prepared {
		s.Seconds[phase] += v
		s.Seconds["total"] += v
	}
	took := time.Since(m.began).Seconds()
	s.Seconds["validate"] += took
	s.Seconds["total"] += took
	if _, known := s.Seconds[store.FirstBug]; !known && m.first > 0 {
		s.Seconds[store.FirstBug] = m.first.Seconds()
	}
	if v := s.Seconds["validate"]; v > 0 && s.Breaks.Valid > 0 {
		perMinute := float64(s.Breaks.Valid) / v * 60
		s.BugsPerMinute = &perMinute
	}
	s.Verdicts = t.verdicts()
	s.PeakMemory = max(t.before.PeakMemory, store.PeakMemory())
	return s
}

// verdicts says where verdicts came from.
func (t *tally) verdicts() *store.VerdictCounts {
	if len(t.stats) == 0 {
		return t.before.Verdicts
	}
	v := store.VerdictCounts{Tiers: map[string]int{}}
	if b := t.before.Verdicts; b != nil {
		v = *b
		v.Tiers = maps.Clone(b.Tiers)
		if v.Tiers == nil {
			v.Tiers = map[string]int{}
		}
	}
	for i, stats := range t.stats {
		now, then := stats(), t.began[i]
		v.Run += now.Run - then.Run
		v.Cached += now.Cached - then.Cached
		v.Assumed += now.Assumed - then.Assumed
		v.Audited += now.Audited - then.Audited
		v.Lost += now.Lost - then.Lost
		v.Mismatch += now.Mismatch - then.Mismatch
		for tier, n := range now.Tiers {
			v.Tiers[tier] += n - then.Tiers[tier]
		}
	}
	return &v
}

func share(n, of int) *float64 {
	if of == 0 {
		return nil
	}
	v := float64(n) / float64(of)
	return &v
}

func median(v []float64) *float64 {
	if len(v) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(v))
	m := s[len(s)/2]
	if len(s)%2 == 0 {
		m = (s[len(s)/2-1] + m) / 2
	}
	return &m
}
