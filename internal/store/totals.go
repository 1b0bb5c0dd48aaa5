package store

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/sys/unix"
)

// The meta keys that the report reads. Whoever drives the run keeps them up to
// date; what is not there is not shown.
const (
	MetaTotals   = "totals"   // Totals
	MetaVersions = "versions" // []Version
	MetaConfig   = "config"   // the configuration since a resumption changed it
)

// FirstBug is the key of Totals.Seconds for the time from the start of the run
// to its first valid bug, the installation of the environment left out. It is
// no phase: the phases contain it.
const FirstBug = "first_bug"

// Totals are measured over the whole run, resumed parts included.
type Totals struct {
	Seconds    map[string]float64 `json:"seconds"` // total, prepare, baseline, tests, policy, learn, other; wall seconds
	Verdicts   *VerdictCounts     `json:"verdicts,omitempty"`
	PeakMemory int64              `json:"peak_memory_bytes,omitempty"` // of breakfix itself
}

// VerdictCounts says where verdicts came from.
type VerdictCounts struct {
	Run      int            `json:"run"`
	Cached   int            `json:"cached"`
	Assumed  int            `json:"assumed"`         // of the base: tests that a change cannot affect, in the fast tiers
	Tiers    map[string]int `json:"tiers,omitempty"` // of Run, by tier
	Audited  int            `json:"audited"`         // trees that a fresh process judged again with the whole suite
	Lost     int            `json:"lost"`            // warm processes that were lost; what they were asked for was run again
	Mismatch int            `json:"mismatch"`        // of those: it said something else than the fast tier
}

// Version is one state of the policy's weights and how it did at the gate.
// What was not measured is nil.
type Version struct {
	Version   string   `json:"version"`
	Episode   int      `json:"episode"` // the first that it played
	Accepted  *bool    `json:"accepted,omitempty"`
	Gate      string   `json:"gate,omitempty"` // what the gate said
	SolveRate *float64 `json:"solve_rate,omitempty"`
	Low       *float64 `json:"low,omitempty"` // Wilson 95 %
	High      *float64 `json:"high,omitempty"`
}

// PutTotals keeps the totals.
func (s *Store) PutTotals(ctx context.Context, t Totals) error {
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("store the totals: %w", err)
	}
	return s.PutMeta(ctx, MetaTotals, b)
}

// Totals returns what PutTotals kept; false when nothing was yet.
func (s *Store) Totals(ctx context.Context) (Totals, bool, error) {
	var t Totals
	b, err := s.Meta(ctx, MetaTotals)
	if err != nil || b == nil {
		return t, false, err
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return t, false, &RunError{Kind: ErrDamaged, Reason: "the totals in " + s.path(dbFile) + " are damaged", Err: err}
	}
	return t, true, nil
}

// Config returns the run's configuration as it is now: that of run.json, or
// what a resumption changed it to.
func (s *Store) Config(ctx context.Context) (json.RawMessage, error) {
	changed, err := s.Meta(ctx, MetaConfig)
	if err != nil || changed != nil {
		return changed, err
	}
	return s.run.Config, nil
}

// PeakMemory is the most memory that breakfix itself has had resident, in
// bytes, the parsers' included.
func PeakMemory() int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss << 10 // Linux counts in KiB
}
