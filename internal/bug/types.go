// Package bug holds the artifact and its validation: an ordered table of named
// checks that makes a bug of a candidate or rejects it with a reason; the
// minimising of its red test; its folder, its one-line form, and verifying both
// again. Whoever makes candidates calls Validate; whoever judges repairs uses
// package grade. The invariants that its tests check: a Bug exists only after
// every check passed; an artifact of which any byte was touched is not loaded
// or not verified; the same break in the same workspace gives the same bug.
package bug

import (
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// Candidate is a break before validation.
type Candidate struct {
	Tree      *tree.Tree        // the broken tree
	Mutations []mutate.Mutation // what made it, when operators did
	// Tier is the fastest tier that may judge it; zero is a fresh process. Only
	// edits of our own making may be judged in another.
	Tier     testrun.Tier
	Strategy string // "operator", "composed", "removal", "history", "free", "higher_order"
	Origin   string // the commit that a candidate of history undoes
	Seed     uint64
	Order    int
	Parents  []string // ids; for a higher-order candidate the bug that was not repaired
	Parent   *Bug     // of a higher-order candidate
	Repair   []byte   // the failed repair, a diff against the parent's broken tree
	// What a breaker that writes its own edits hands in beside the tree: files of tests,
	// of which some test must go red, and the change of tests that hides the break. Without
	// them the host makes the weakening.
	Tests  []string
	Weaken []byte
}

// RedTest is the minimised test: a file of its own that fails on the bug and
// passes on the base.
type RedTest struct {
	Path       string          `json:"path"`       // where it is laid in the tree, "test_breakfix_<id>.py"
	Code       string          `json:"-"`          // written as red_test.py
	Test       string          `json:"test"`       // its test id
	From       string          `json:"from"`       // the id of the test that it was made from
	Statements int             `json:"statements"` // after minimising
	Before     int             `json:"before"`     // statements of the test that it came from, with its file's support code
	Original   string          `json:"-"`          // the source of the test that it came from
	Failure    testrun.Failure `json:"failure"`    // on the bug
}

// Bug is the artifact. It exists only after validation.
type Bug struct {
	ID         string                   `json:"id"` // first 12 digits of the digest of base, inject and weaken
	Base       tree.Digest              `json:"base"`
	Broken     tree.Digest              `json:"broken"`
	Source     source.Snapshot          `json:"source"`
	Recipe     source.Recipe            `json:"recipe"`
	Lock       []string                 `json:"lock"`
	Options    Options                  `json:"options"`
	Order      int                      `json:"order"`
	Parents    []string                 `json:"parents"`
	Strategy   string                   `json:"strategy"`
	Operators  []string                 `json:"operators"`
	Seed       uint64                   `json:"seed"`
	Origin     string                   `json:"origin,omitempty"` // the commit that it undoes, of history; its text is nowhere
	Red        []string                 `json:"-"`                // red.txt
	Hidden     []string                 `json:"-"`                // hidden.txt: red tests that the fixer never sees; of the suite, or HiddenTest's alone
	Unrun      []string                 `json:"unrun,omitempty"`  // tests that passed on the base and are skipped or absent on the bug: neither red nor passing
	RedTest    RedTest                  `json:"red_test"`
	Witness    bool                     `json:"witness,omitempty"`     // no test of the suite is red: the red test is a witness
	HiddenTest *witness.Test            `json:"hidden_test,omitempty"` // a witness that is held back, where no red test of the suite can be
	Inject     []byte                   `json:"-"`                     // inject.diff
	Weaken     []byte                   `json:"-"`                     // weaken.diff
	Checks     map[outcome.Check]string `json:"checks"`                // "passed" or "not applicable: …"
	Look       tree.Digest              `json:"look,omitempty"`        // of what it shows and from where; two bugs of first order never share it
	Difficulty Difficulty               `json:"difficulty"`
	Weight     float64                  `json:"weight"`
	Files      map[string]tree.Digest   `json:"files"` // digest of every other file of the folder
}

// Options are those of the source that judging the bug again needs.
type Options struct {
	Tests []string `json:"tests,omitempty"`
	Env   []string `json:"env,omitempty"`
}

// Difficulty is an estimate in minutes of an expert's fix time, with its terms.
type Difficulty struct {
	Minutes float64            `json:"minutes"`
	Terms   map[string]float64 `json:"terms"`
}

// Result is the outcome of validation: the bug when Outcome is Valid, else the
// check that stopped it and why.
type Result struct {
	Outcome outcome.Break
	Check   outcome.Check // the check that objected, "" when valid
	Reason  string
	Bug     *Bug
	Checks  map[outcome.Check]string
	Seconds map[outcome.Check]float64 // wall time of each check
	Runs    []outcome.Results         // verdicts of each run on the broken tree, for the store
	Tiers   []testrun.Tier            // of each of Runs
}
