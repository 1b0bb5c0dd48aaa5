// Package arena is what a player may see and do in one role. The host keeps the
// trees, counts the steps and computes the patch; a player reaches nothing but
// the two interfaces Fix and Break.
package arena

import (
	"context"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Role is one side of the game.
type Role string

// The two roles. One policy plays both.
const (
	Breaker Role = "breaker"
	Fixer   Role = "fixer"
)

// Task is what a player is told at the start.
type Task struct {
	Role  Role
	Seed  uint64 // all randomness of the player comes from here
	Steps int    // how many steps it has

	// For the fixer: the minimised red test, how it fails, and the context of
	// the change as it is in the broken tree. Never the removed lines.
	RedTest  string          // source of the minimised red test
	RedPath  string          // where it is laid
	Failure  testrun.Failure // how it fails on the broken tree
	Contexts []Context
	// Suspects weighs lines of the contexts, the most suspicious first, where
	// nothing but the tests tells the place; empty for a bug that was made.
	Suspects []Suspect
}

// Suspect is a line and how far what ran it speaks against it, in (0, 1]: 1 for
// a line that every red test and no other runs.
type Suspect struct {
	Path  string
	Line  int
	Score float64
}

// Context is one place of the change, in the broken tree. Where the place of
// the change is not known it is a function to look at, without a window.
type Context struct {
	Path                    string
	Function                string // qualified name of the enclosing function or class, "" at module level
	FirstLine, LastLine     int    // of the enclosing function, 1-based inclusive; of the window at module level
	WindowFirst, WindowLast int    // three lines either side of the change, as a diff shows it; 0: not known
}

// Observation is what one step of the fixer showed.
type Observation struct {
	Step    int             // 1-based
	Applied bool            // false: the edit did not apply or does not parse; the step counts all the same
	Why     string          // why not
	Verdict outcome.Verdict // of the minimised red test; of several red tests passed only when all do
	Green   int             // of several red tests: how many are known to pass now
	Failure testrun.Failure // when red
	Cached  bool
	Left    int // steps left
}

// Fix is the fixer's side: it counts steps, and the patch is the diff that the
// host computes between the broken tree and Tree.
type Fix interface {
	Task() Task
	// Read returns a file of the fixer's current tree. Only code files and the
	// red test are there to be read: no history, no caches, no hidden tests.
	Read(path string) ([]byte, error)
	// ReadAt returns a file of the tree after step n (0: the broken tree).
	ReadAt(n int, path string) ([]byte, error)
	// Paths lists what Read returns.
	Paths() []string
	// Try makes edits (offsets into the current file at path) on the tree
	// given by from (0: the broken tree, n: the tree after step n), and runs
	// the red test. It costs one step. ErrOutOfSteps when none is left.
	Try(ctx context.Context, from int, path string, edits []tree.Edit, what string) (Observation, error)
	// Values tells what other expressions in the place of some would have been
	// while the red test ran on the broken tree. It costs no step. wanted are
	// literals that the red test wants; nil: nothing can be told.
	Values(ctx context.Context, questions []Question, wanted []string) ([][]Answer, error)
	// Submit hands in the tree after step n (0: gives up).
	Submit(n int) error
}

// Break is the breaker's side.
type Break interface {
	Task() Task
	// Sites lists the mutations that may be made: in code to break, on lines
	// that some test runs, not made before in this run. Sorted, same on every call.
	Sites() []mutate.Mutation
	// Read returns a file of the base.
	Read(path string) ([]byte, error)
	// Choose hands in the break.
	Choose(m ...mutate.Mutation) error
	// Tried tells how many breaks of this run used an operator so far.
	Tried() map[string]int
	// Known tells what came of the breaks of earlier rounds, by operator.
	Known() map[string]Yield
	// Tests tells how many tests of the baseline run the lines of a site.
	Tests(m mutate.Mutation) int
}

// Toolkit is Fix for a player with tools: it looks around, which takes steps as
// editing does, and may make mutations of the bank by name.
type Toolkit interface {
	Fix
	// Look makes a step that changes nothing. ErrOutOfSteps when none is left.
	Look(what string) error
	// Mutations lists what the bank can make at the places of the change in the
	// tree after step n, ways back included. Sorted, same on every call.
	Mutations(n int) ([]mutate.Mutation, error)
	// Mutate is Try for one of Mutations(from). A tree that nothing else made is
	// of our own making and may be judged in the fast tiers.
	Mutate(ctx context.Context, from int, id string) (Observation, error)
}

// Draft is Break for a player that writes its edits itself. Trees are numbered
// by step as the fixer's are, 0 the base.
type Draft interface {
	Break
	Look(what string) error
	// Paths lists what ReadDraft returns, sorted: the code, and the tests.
	Paths() []string
	ReadDraft(n int, path string) ([]byte, error)
	// Edit makes edits in code that may be broken, or in a test, which is the
	// weakening; why says what kept it from being made. It costs one step.
	Edit(from int, path string, edits []tree.Edit, what string) (step int, why string, err error)
	// Run runs tests (nil: the suite) on the tree after step n, as feedback.
	Run(ctx context.Context, n int, tests []string) (testrun.Report, error)
	// Past is a past fix undone in today's code, as a diff, with its commit; ok is
	// false where there is none.
	Past(ctx context.Context) (diff []byte, origin string, ok bool, err error)
	// Diff is what the tree after step n changes: code, and tests.
	Diff(n int) (code, tests []byte, err error)
	// HandIn names the tree after step n as the break. why says what is missing
	// or wrong; then nothing was handed in.
	HandIn(n int, h HandIn) (why string, err error)
}

// HandIn is what a breaker says of a tree that it hands in.
type HandIn struct {
	Strategy string   // operator, removal, history or free
	Origin   string   // of history: the commit
	Tests    []string // files of the tests that notice the break
}
