package selfplay

import (
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

// Watcher is told what happens while a run goes on. Calls come from one
// goroutine at a time.
type Watcher interface {
	// Stage names what is being prepared: "environment", "baseline" …
	Stage(stage, detail string)
	// Episode is told after an episode was stored.
	Episode(ep store.Episode, now Progress)
	// Notice is one line worth knowing: a new order reached, a suspicious
	// grading, a plateau.
	Notice(line string)
}

// Progress is what the status block shows.
type Progress struct {
	Episodes, Of int           // Of is 0 when the run has no fixed length
	Elapsed      time.Duration // of this sitting
	Left         time.Duration // estimate, 0 when unknown
	Breaks       map[outcome.Break]int
	Attempts     map[outcome.Attempt]int
	Recent       map[int]Rate // solve rate of the last 50 attempts, by order
	Version      string
	TestsPerSec  float64
	CachedShare  float64
	Waiting      map[int]int // bugs that wait, by order
}

// Rate is n of m.
type Rate struct{ Solved, Attempts int }

// recentWindow is how many attempts the recent solve rate looks back on.
const recentWindow = 50

// tally keeps Progress up to date from episodes.
type tally struct {
	now    Progress
	recent []recentAttempt
}

type recentAttempt struct {
	order int
	fixed bool
}

func newTally(of int) *tally {
	return &tally{now: Progress{Of: of, Breaks: map[outcome.Break]int{}, Attempts: map[outcome.Attempt]int{}}}
}

func (t *tally) add(ep store.Episode) {
	t.now.Episodes++
	if ep.Kind != store.KindReplay {
		t.now.Breaks[ep.Break.Outcome]++
	}
	for _, a := range ep.Attempts {
		t.now.Attempts[a.Outcome]++
		if a.Outcome == outcome.Infrastructure {
			continue
		}
		t.recent = append(t.recent, recentAttempt{ep.Break.Order, a.Outcome == outcome.Fixed})
	}
	if n := len(t.recent); n > recentWindow {
		t.recent = t.recent[n-recentWindow:]
	}
	t.now.Recent = map[int]Rate{}
	for _, r := range t.recent {
		rate := t.now.Recent[r.order]
		rate.Attempts++
		if r.fixed {
			rate.Solved++
		}
		t.now.Recent[r.order] = rate
	}
}
