package testrun

import (
	"maps"
	"time"
)

// Stats counts what a workspace has done since Prepare.
type Stats struct {
	Run       int                `json:"run"`       // verdicts that were run
	Cached    int                `json:"cached"`    // verdicts that came from the cache
	Assumed   int                `json:"assumed"`   // verdicts of the base, of tests that a change cannot affect
	Tiers     map[string]int     `json:"tiers"`     // verdicts that were run, by tier
	Audited   int                `json:"audited"`   // trees of which a fresh process said again what a fast tier had said
	Mismatch  int                `json:"mismatch"`  // and said something else
	Lost      int                `json:"lost"`      // warm processes that were lost; what they were asked for was run again
	Processes int                `json:"processes"` // boxes started for tests
	Seconds   map[string]float64 `json:"seconds"`   // wall time by phase: tests, lint, types, smoke
	Peak      int64              `json:"peak"`      // bytes, the largest box, or warm process with its children
}

// Stats returns a copy of the counts.
func (w *Workspace) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Tiers = maps.Clone(w.stats.Tiers)
	s.Peak = max(s.Peak, w.Heat().Peak)
	if w.warm != nil {
		s.Lost = w.warm.losses()
	}
	s.Seconds = map[string]float64{}
	for k, v := range w.stats.Seconds {
		s.Seconds[k] = v
	}
	return s
}

func (w *Workspace) spent(phase string, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stats.Seconds == nil {
		w.stats.Seconds = map[string]float64{}
	}
	w.stats.Seconds[phase] += time.Since(began).Seconds()
}
