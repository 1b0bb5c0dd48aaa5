package bugset

import (
	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

// Summary is summary.json: what came of the candidates. Keys that show --json
// has too mean the same.
type Summary struct {
	Set         string             `json:"set"`
	Source      string             `json:"source"` // several are joined by ", "
	Snapshot    string             `json:"snapshot"`
	Environment string             `json:"environment"`
	Seed        uint64             `json:"seed"`
	Seconds     map[string]float64 `json:"seconds"` // total, prepare, baseline, validate; first_bug of the first sitting, preparing apart
	Ended       Ending             `json:"ended,omitempty"`

	Command   string         `json:"command"` // makes the set again
	Asked     int            `json:"asked"`
	Proposals int            `json:"proposals"`
	Screened  map[string]int `json:"screened"` // by screen
	Breaks    Breaks         `json:"breaks"`   // of what was validated
	Yield     Yield          `json:"yield"`

	Checks        map[outcome.Check]CheckTime `json:"checks"`
	BugsPerMinute *float64                    `json:"bugs_per_minute,omitempty"` // of validating
	Orders        map[int]Order               `json:"orders"`
	Operators     map[string]Tried            `json:"operators"`
	Strategies    map[string]Proposed         `json:"strategies"`
	Difficulty    Difficulty                  `json:"difficulty"`
	Verdicts      *store.VerdictCounts        `json:"verdicts,omitempty"`
	Bugs          Bugs                        `json:"bugs"`
	Sources       []SourceCounts              `json:"sources"`
	PeakMemory    int64                       `json:"peak_memory_bytes,omitempty"` // of breakfix itself
}

// Breaks counts outcomes.
type Breaks struct {
	Valid          int            `json:"valid"`
	Unnoticed      int            `json:"unnoticed"`
	Uncovered      int            `json:"uncovered"`
	Broken         int            `json:"broken"`
	Flaky          int            `json:"flaky"`
	TimedOut       int            `json:"timed_out"`
	Rejected       map[string]int `json:"rejected"`                 // by check
	Infrastructure int            `json:"infrastructure,omitempty"` // faults of ours; no outcome
}

// Judged is how many have an outcome at a site that a test runs.
func (b Breaks) Judged() int {
	n := b.Valid + b.Unnoticed + b.Broken + b.Flaky + b.TimedOut
	for _, r := range b.Rejected {
		n += r
	}
	return n
}

// Yield is the share of valid bugs among the candidates that were validated
// and that a test runs, and among everything that a strategy proposed.
type Yield struct {
	Validated *float64 `json:"validated,omitempty"`
	Proposals *float64 `json:"proposals,omitempty"`
}

// CheckTime is the wall time of one check.
type CheckTime struct {
	Candidates int     `json:"candidates"`
	Seconds    float64 `json:"seconds"` // all together
}

// Order counts the bugs of one order.
type Order struct {
	Bugs int `json:"bugs"`
}

// Tried says how the validated candidates of one operator did.
type Tried struct {
	Tried int `json:"tried"`
	Valid int `json:"valid"`
}

// Proposed says how one strategy did.
type Proposed struct {
	Proposed int `json:"proposed"`
	Screened int `json:"screened"`
	Valid    int `json:"valid"`
}

// Difficulty is the median estimate.
type Difficulty struct {
	Unit   string   `json:"unit"`
	Median *float64 `json:"median,omitempty"`
}

// Bugs describes the artifacts.
type Bugs struct {
	MinimalStatementsMedian  *float64 `json:"minimal_statements_median,omitempty"`
	OriginalStatementsMedian *float64 `json:"original_statements_median,omitempty"`
	HiddenTestsMedian        *float64 `json:"hidden_tests_median,omitempty"`
	RedTestsMedian           *float64 `json:"red_tests_median,omitempty"`
}

// SourceCounts says how one source did.
type SourceCounts struct {
	HeadSource
	Repository string `json:"repository"` // what splits go by
	Split      string `json:"split"`
	Proposals  int    `json:"proposals"`
	Validated  int    `json:"validated"`
	Bugs       int    `json:"bugs"`
}
