package bugset

import (
	"time"

	"breakfix/internal/strategy"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Source is one prepared source.
type Source struct {
	strategy.Source
	Environment tree.Digest
	Stats       func() testrun.Stats // nil: not known
}

// Config says what is made.
type Config struct {
	Bugs    int // of the whole set, those of earlier sittings too
	Seed    uint64
	Workers int           // candidates validated at the same time, at least 1
	Limit   time.Duration // no candidate is drawn after this time; 0 means no limit
	Mix     []Share
	Options strategy.Options
	Command string // makes the set again; for its card

	Prepared map[string]float64 // seconds that preparing took, by phase
	Made     func(Made)         // told after each bug; may be nil
	Progress func(Progress)     // told after each candidate; may be nil
}

// Made is one bug as it is made.
type Made struct {
	Bug        string   `json:"bug"`
	Source     string   `json:"source"`
	Licence    string   `json:"licence"`
	Strategy   string   `json:"strategy"`
	Operators  []string `json:"operators"`
	Order      int      `json:"order"`
	Red        int      `json:"red"`
	Hidden     int      `json:"hidden"`
	Statements int      `json:"statements"` // of the minimised test
	Minutes    float64  `json:"minutes"`    // difficulty
	Path       string   `json:"path"`
}

// Progress is what is known while it goes on.
type Progress struct {
	Bugs, Of int
	Elapsed  time.Duration // of this sitting
	Left     time.Duration // estimate; 0 when unknown
	Counts   Breaks
	Screened int
}

// Ending says why making ended.
type Ending string

// The ways to end.
const (
	Done        Ending = "every bug was made"
	TimeIsUp    Ending = "time is up"
	Interrupted Ending = "interrupted"
	Exhausted   Ending = "nothing is left to propose"
)
