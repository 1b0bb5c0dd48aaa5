// Package source fetches the code that is played (a folder, a git repository,
// a source distribution), keeps it as an immutable snapshot in the cache, and
// makes the environment in which the snapshot's tests run. It never writes to
// the original, and foreign code runs only in a box: while an environment is
// made, with the network but without home and credentials.
//
// Open gives a Snapshot, Detect its Recipe, Build the Environment; Tools and
// CoverageDir bring the linters and coverage.py. Everything lies in the cache
// folder, content-addressed, and is made once under a lock.
package source

import (
	"strings"

	"breakfix/internal/tree"
)

// Options select what of a source is taken.
type Options struct {
	At      string   // "HEAD", "random", or a revision; git sources only. "" is HEAD, and of a folder the working tree as it is
	Seed    uint64   // draws the commit when At is "random"
	Only    []string // globs of code to break, relative to the tree; empty means all
	Exclude []string // globs of code to leave alone
	Tests   []string // further arguments for the test runner
	Python  string   // an interpreter whose environment exists already; "" builds one
	Env     []string // names of variables of the host that tests may see
	Cache   string   // breakfix's cache folder; "" means the user's
	Reading bool     // the code is only read: a source without tests will do
}

// Snapshot is an immutable tree without version-control data, and where it
// came from.
type Snapshot struct {
	Source   string      `json:"source"`            // as the user named it; a folder as its absolute path
	Name     string      `json:"name"`              // short name for folders of runs: "cachetools"
	Revision string      `json:"revision"`          // commit, or version; "" for a plain folder
	Local    bool        `json:"local"`             // cannot be fetched again by others: embed it
	Version  string      `json:"version"`           // version told to build back ends (SETUPTOOLS_SCM_PRETEND_VERSION)
	Licence  string      `json:"licence,omitempty"` // SPDX expression where known; "" when nothing says
	Tree     *tree.Tree  `json:"-"`                 // rests on a read-only folder in the cache
	Digest   tree.Digest `json:"digest"`
}

// Recipe says how an environment is made; equal recipes share an environment.
type Recipe struct {
	Python       string      `json:"python"`       // base interpreter on the host, absolute
	Version      string      `json:"version"`      // "3.11.7"
	Existing     string      `json:"existing"`     // --python: prefix of an environment to use as it is
	Extras       []string    `json:"extras"`       // extras of the package that hold test dependencies
	Groups       []string    `json:"groups"`       // dependency groups (PEP 735)
	Files        []string    `json:"files"`        // requirements files in the tree
	Requirements []string    `json:"requirements"` // further requirements: pytest, from tox, what collection reported missing
	Build        tree.Digest `json:"build"`        // digest of the files that the build reads
	// Install tells that the tree is a package, installed editable.
	Install bool `json:"install"`
	// Path lists folders of the tree ("." is its root) that go on the module
	// search path, because the tree itself is not installed.
	Path []string `json:"path"`
	// Settings are what the build is told besides: index, version.
	Settings []string `json:"settings"`

	Base  string   `json:"-"` // prefix of the base interpreter
	Notes []string `json:"-"` // what was left out and why, for people
}

// Environment is what is installed so that the snapshot's tests run.
type Environment struct {
	Digest  tree.Digest `json:"digest"` // of the recipe and the lock
	Recipe  Recipe      `json:"recipe"`
	Lock    []string    `json:"lock"`    // name==version of everything installed, sorted
	Dir     string      `json:"-"`       // host folder of the virtual environment, bound read-only at EnvAt
	Base    string      `json:"-"`       // prefix of the base interpreter, bound read-only at the same path
	Built   string      `json:"-"`       // host folder of files that the build wrote into the tree; "" when none
	Dropped []string    `json:"dropped"` // sources of test dependencies that did not install, and why
	Log     string      `json:"-"`       // what the installation printed; "" when the environment existed
	Reused  bool        `json:"-"`       // found in the cache
	Seconds float64     `json:"-"`       // time spent making it, 0 when reused
}

// EnvAt is where an environment lies in every box.
const EnvAt = "/env"

// TargetError says that a target cannot be played (exit code 3): the reason,
// the first error, and where the whole log is.
type TargetError struct {
	Reason string // one sentence, lower case
	First  string // the first error that the target printed, may be empty
	Log    string // path of the log, may be empty
	Next   string // what to do next
}

// Error gives the reason, the first error, the next step and the log.
func (e *TargetError) Error() string {
	s := e.Reason
	if e.First != "" {
		s += ": " + e.First
	}
	if e.Next != "" {
		s += "; " + e.Next
	}
	if e.Log != "" {
		s += " (the whole log: " + e.Log + ")"
	}
	return s
}

// UsageError says that the user named something that is not there (exit 2).
type UsageError struct {
	Reason string // one sentence, lower case
	Next   string // what to type or do instead
}

// Error gives the reason and the next step.
func (e *UsageError) Error() string {
	if e.Next == "" {
		return e.Reason
	}
	return e.Reason + "; " + strings.TrimSuffix(e.Next, ".")
}
