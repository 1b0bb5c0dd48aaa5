package testrun

import (
	"context"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// Tier is a way of running tests, from the fastest to the one that is the truth.
// A Request names the fastest that it allows; what cannot be run there (the
// edit does not fit, the target is not fit for it, no box of this kind can be
// made) is run in a later one, and the report says in which.
type Tier int

// The tiers. Only edits of our own making may be judged in the first two: what a
// model or a person wrote as free text is judged in a fresh process, and may
// use the others for feedback alone.
const (
	// CodeSwap forks a process that has collected the suite and run nothing,
	// and puts the changed code into its live functions.
	CodeSwap Tier = 1
	// LazyImport forks a process that has loaded pytest and nothing of the
	// target, and imports the changed tree.
	LazyImport Tier = 2
	// FreshProcess starts an interpreter in a box of its own: the truth.
	FreshProcess Tier = 3
)

// String returns the tier's name as docs/cli.md has it.
func (t Tier) String() string {
	switch t {
	case CodeSwap:
		return "code_swap"
	case LazyImport:
		return "lazy_import"
	case FreshProcess:
		return "fresh_process"
	}
	return "none"
}

// Request asks for verdicts of tests on one tree.
type Request struct {
	Tree  *tree.Tree
	Tests []string // ids as the baseline names them; nil means the whole suite
	// Files are test files of our own (path relative to the tree → content),
	// collected in addition and reported under that path. They shadow nothing:
	// a path that the tree has is an error.
	Files map[string]string
	// FilesOnly runs nothing but Files; Tests, when given, then names tests in
	// them. Without Tests every test that they hold is run and reported.
	FilesOnly bool
	// Deadline is the wall time of each test; nil means the baseline's rule,
	// max(Floor, 6 × its own time).
	Deadline func(id string) time.Duration
	// GiveUp ends the run after this many tests that timed out; 0 means 3.
	GiveUp int
	// Hung names tests that were past their deadline on this very tree before.
	// Under the baseline's rule they have the shorter one that tests have after one
	// that hung, so it goes with Fresh.
	Hung []string
	// Fresh neither reads nor writes the verdict cache.
	Fresh bool
	// Tier is the fastest tier that may run it; zero means FreshProcess.
	Tier Tier
	// Unaudited says that the caller holds it against fresh processes himself.
	Unaudited bool
	// Brief leaves out what a failure looks like as text, which takes longer than
	// most tests: for callers that ask how a test failed and show it to nobody.
	// Only the fast tiers heed it.
	Brief bool
	// Direct calls the tests, functions and methods without parameters in Files, without pytest:
	// no fixture, mark or hook has a say. It is for callers that have many to tell
	// apart and run what they choose without it. Failures have no text, and
	// assertions tell what they do in pytest unless it is to be brief. Only the fast
	// tiers heed it. What it says is kept apart from what pytest says, and not at
	// all where it is brief: such files are asked about once.
	Direct bool
	// Decide ends the run at the first red test, the rest Absent: for callers
	// that ask whether some test goes red and not which. Tests are then run in
	// the order in which they are likely to tell: what runs the code nearest to
	// the change first, of these the fastest.
	Decide bool
	// Reverse runs the tests in the reverse of the suite's order: for callers
	// that ask whether a verdict depends on it, so it goes with Fresh.
	Reverse bool
	// HashSeed is PYTHONHASHSEED; 0 is the default of every run.
	HashSeed int
}

// Failure tells how a test failed, for the fixer and for "the same failure".
type Failure struct {
	Kind     string  `json:"kind"`      // exception type, "AssertionError"
	Message  string  `json:"message"`   // first lines of its text, bounded
	Path     string  `json:"path"`      // file of the innermost frame inside the tree, relative
	Line     int     `json:"line"`      // its line, 1-based
	TestLine int     `json:"test_line"` // line of the innermost frame in the test's own file
	Frames   []Frame `json:"frames"`    // frames inside the tree, outermost first
	Text     string  `json:"text"`      // the rendered report, bounded to 8 KiB
}

// KindTimedOut is the Kind of a test that was past its deadline.
const KindTimedOut = "TimedOut"

// Frame is one place of a traceback, relative to the tree.
type Frame struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	Func string `json:"func"`
}

// Report is what a run of tests said.
type Report struct {
	Results   outcome.Results    // one entry for every test asked for, Absent included
	Failures  map[string]Failure // for the red ones
	Seconds   map[string]float64 // wall time of each test
	Loaded    bool               // collection went through: no file that collected on the base failed to
	LoadError string             // the first collection error
	// Uncollected holds, for each file asked for that did not collect, why;
	// Files that did not collect are here too. Their tests are Absent.
	Uncollected map[string]Failure
	GaveUp      bool // stopped after GiveUp timeouts; the rest is Absent
	Waited      bool // the last test that timed out used next to no CPU time: it waited for something
	Complete    bool // the completion mark arrived (false: the process died)
	Cached      int  // verdicts that came from the cache
	Ran         int  // verdicts that were run
	Assumed     int  // verdicts of the base: in a fast tier, of tests that the change cannot affect
	Tier        Tier // the slowest tier that ran some of it; 0 when all came from the cache
	Wall, CPU   time.Duration
	PeakMemory  int64
	// Suspicious counts lines on the report descriptor that were not the
	// reporter's own (forged, repeated, unknown); cached runs add none.
	Suspicious int
}

// Lines maps a file of the tree to the sorted 1-based lines that ran.
type Lines map[string][]int

// Runner gives verdicts. Infrastructure failure is an error; everything that
// the code under test did is in the report. Safe for concurrent use.
type Runner interface {
	Run(ctx context.Context, req Request) (Report, error)
}

// Flaky is a test that was set aside, and what it did in each run.
type Flaky struct {
	Test     string            `json:"test"`
	Verdicts []outcome.Verdict `json:"verdicts"`
}

// Baseline is the measured truth about a suite.
type Baseline struct {
	Results outcome.Results    `json:"results"` // tests on which all runs agreed
	Order   []string           `json:"order"`   // every test, in the suite's own order
	Flaky   []Flaky            `json:"flaky"`   // set aside: excluded from every verdict
	Ordered []string           `json:"ordered"` // tests that depend on tests before them, where these are many: no fast tier then
	Seconds map[string]float64 `json:"seconds"` // median wall time of each test
	Cover   *Cover             `json:"cover"`   // which test runs which line
	Spawns  []string           `json:"spawns"`  // tests that start processes, or whose lines could not be taken: what they run is not in Cover
	Trace   Trace              `json:"trace"`   // what else decides which tests a change can affect
	Modules []string           `json:"modules"` // loaded with the suite and not of the tree, in order; empty where no warm process could say
	Lint    Findings           `json:"lint"`
	Types   Findings           `json:"types"`
	Broken  map[string]string  `json:"broken"`   // test files that do not collect on the base → error
	RunLeft []string           `json:"run_left"` // smoke-run steps that fail on the base and are left out
	Wall    float64            `json:"wall"`     // seconds of one whole run
	Load    float64            `json:"load"`     // seconds until its first test
}

// Finding is one linter message without its line, so that moved code is not new.
type Finding struct {
	File    string `json:"file"`
	Rule    string `json:"rule"`
	Object  string `json:"object"`
	Message string `json:"message"` // digits masked
}
