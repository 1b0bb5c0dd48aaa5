package store

import (
	"encoding/json"

	"breakfix/internal/outcome"
)

// Run is run.json: the configuration and the versions of everything. It is
// written before work starts and is enough to resume.
type Run struct {
	Format      int               `json:"format"` // of the folder; a newer one is refused
	Name        string            `json:"run"`
	Breakfix    string            `json:"breakfix"` // version of the program
	Sources     []string          `json:"sources"`
	Snapshots   []string          `json:"snapshots"`    // digests, in the order of Sources
	Environment []string          `json:"environments"` // digests
	Seed        uint64            `json:"seed"`
	Policy      string            `json:"policy"`
	Reward      string            `json:"reward"`
	Config      json.RawMessage   `json:"config"`   // the resolved configuration of cmd
	Versions    map[string]string `json:"versions"` // go, python, pytest, pylint, mypy, bwrap …
	Created     string            `json:"created"`  // RFC 3339
}

// Kind of an episode: what the curriculum drew.
const (
	KindFresh       = "fresh"        // break a span, validate, fix
	KindHigherOrder = "higher_order" // validate a failed repair as a bug, fix it
	KindReplay      = "replay"       // fix a known bug again
)

// Episode is one break, its validation, its attempts, its rewards. It is
// recorded exactly once, in one transaction.
type Episode struct {
	Number   int                `json:"episode"` // 1-based
	Kind     string             `json:"kind"`
	Source   int                `json:"source"` // index into Run.Sources
	Seed     uint64             `json:"seed"`
	Group    int                `json:"group"`
	Schema   string             `json:"schema"`
	Break    Break              `json:"break"`
	Attempts []Attempt          `json:"attempts"`
	Seconds  map[string]float64 `json:"seconds"` // by phase: tests, policy, other
	Notices  []string           `json:"notices"` // lines shown to the person: "order 2 reached"
}

// Break is the breaker's half of an episode.
type Break struct {
	Outcome          outcome.Break            `json:"outcome"`
	Check            outcome.Check            `json:"check,omitempty"`
	Reason           string                   `json:"reason,omitempty"`
	Checks           map[outcome.Check]string `json:"checks"`
	Version          string                   `json:"version"`
	Operators        []string                 `json:"operators"`
	Variant          string                   `json:"variant"`
	Path             string                   `json:"path"`
	Function         string                   `json:"function"`
	Line             int                      `json:"line"`
	Diff             string                   `json:"diff"`          // inject.diff (for a higher-order bug against the base)
	Bug              string                   `json:"bug,omitempty"` // id, when valid (or replayed)
	Order            int                      `json:"order"`
	Parents          []string                 `json:"parents,omitempty"`
	Weight           float64                  `json:"weight"`
	Minutes          float64                  `json:"minutes"`                // difficulty
	Red              []string                 `json:"red"`                    // red set, as derived from Runs
	Hidden           []string                 `json:"hidden"`                 // of the red set: held back from the fixer; nil when not recorded
	MinimalTest      string                   `json:"minimal_test,omitempty"` // id of the minimised test
	Statements       int                      `json:"statements,omitempty"`
	StatementsBefore int                      `json:"statements_before,omitempty"`
	Original         string                   `json:"original,omitempty"` // digest of the blob that holds the source of the test that the minimised one was made from
	Runs             []Verdicts               `json:"-"`                  // one for each run on the broken tree; table verdicts
	Tiers            []string                 `json:"tiers,omitempty"`    // of each of Runs: the slowest tier that ran some of it
	Evidence         string                   `json:"evidence"`           // digest over what the outcome rests on; set by the store, see Evidence
	Reward           float64                  `json:"reward"`
	Data             json.RawMessage          `json:"data,omitempty"` // the policy's own
}

// Attempt is one go of the fixer.
type Attempt struct {
	Number     int                     `json:"attempt"` // 1-based
	Version    string                  `json:"version"`
	Outcome    outcome.Attempt         `json:"outcome"`
	Gates      map[outcome.Gate]string `json:"gates,omitempty"`
	Patch      string                  `json:"patch,omitempty"` // diff against the broken tree
	Tree       string                  `json:"tree,omitempty"`  // digest of the graded tree
	Spurious   bool                    `json:"spurious"`
	Judged     bool                    `json:"judged"` // spurious was looked at: everything visible passed
	Suspicious []string                `json:"suspicious,omitempty"`
	Steps      []Step                  `json:"steps"`          // table steps
	Verdicts   Verdicts                `json:"-"`              // of grading; table verdicts
	Tier       string                  `json:"tier,omitempty"` // the slowest tier that ran some of the grading
	Evidence   string                  `json:"evidence"`       // digest over what the outcome rests on; set by the store
	Reward     float64                 `json:"reward"`
	Data       json.RawMessage         `json:"data,omitempty"`
}

// Step is one move of the fixer.
type Step struct {
	Number  int             `json:"step"`
	From    int             `json:"from"` // the step whose tree it edited, 0 the broken tree
	What    string          `json:"what"` // "relational_boundary: < → <="
	Diff    string          `json:"diff"` // against the tree it edited
	Applied bool            `json:"applied"`
	Verdict outcome.Verdict `json:"verdict"`
	Failure string          `json:"failure"` // "AssertionError: assert 3 == 4", one line
	Cached  bool            `json:"cached"`
	Version string          `json:"version"`
}

// Verdicts are the tests of one run whose verdict differs from the baseline's,
// plus every red test and the minimised one. What is missing is as on the base.
type Verdicts map[string]outcome.Verdict
