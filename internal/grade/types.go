package grade

import (
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// Result is the verdict on a repair.
type Result struct {
	Outcome    outcome.Attempt          `json:"outcome"`
	Gates      map[outcome.Gate]string  `json:"gates"`      // "passed", or why not; gates after a failed test gate are absent
	Red        []string                 `json:"red"`        // red tests that did not pass
	Regressed  []string                 `json:"regressed"`  // other tests that passed on the base and do not now
	Hidden     []string                 `json:"hidden"`     // of the above: those that the fixer could not see
	Spurious   bool                     `json:"spurious"`   // everything visible passed, a held-back test did not
	Suspicious []string                 `json:"suspicious"` // reasons, e.g. "edits_runner_configuration"; such a grading leaves the update
	Results    outcome.Results          `json:"-"`
	Tree       string                   `json:"tree"` // digest of the graded tree
	Tier       testrun.Tier             `json:"-"`    // the slowest tier that ran some test; 0 when none was run
	Seconds    map[outcome.Gate]float64 `json:"-"`    // wall time of each gate that ran; nil for a grading that was known
}
