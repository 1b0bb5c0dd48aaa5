package source

import (
	"breakfix/internal/tree"
)

// Options select what of a source is taken.
type Options struct {
	At      string   // "HEAD" (default), "random", or a revision; git sources only
	Seed    uint64   // draws the commit when At is "random"
	Only    []string // globs of code to break, relative to the tree; empty means all
	Exclude []string // globs of code to leave alone
	Tests   []string // further arguments for the test runner
	Python  string   // an interpreter whose environment exists already; "" builds one
	Env     []string // names of variables of the host that tests may see
	Cache   string   // breakfix's cache folder; "" means the user's
}

// Snapshot is an immutable tree without version-control data, and where it
// came from.
type Snapshot struct {
	Source   string      `json:"source"`   // as the user named it; a folder as its absolute path
	Name     string      `json:"name"`     // short name for folders of runs: "cachetools"
	Revision string      `json:"revision"` // commit, or version; "" for a plain folder
	Local    bool        `json:"local"`    // cannot be fetched again by others: embed it
	Version  string      `json:"version"`  // version told to build back ends (SETUPTOOLS_SCM_PRETEND_VERSION)
	Tree     *tree.Tree  `json:"-"`        // rests on a read-only folder in the cache
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
}

// Environment is what is installed so that the snapshot's tests run.
type Environment struct {
	Digest  tree.Digest `json:"digest"` // of the recipe and the lock
	Recipe  Recipe      `json:"recipe"`
	Lock    []string    `json:"lock"` // name==version of everything installed, sorted
	Dir     string      `json:"-"`    // host folder of the virtual environment, bound read-only at EnvAt
	Base    string      `json:"-"`    // prefix of the base interpreter, bound read-only at the same path
	Built   string      `json:"-"`    // host folder of files that the build wrote into the tree; "" when none
	Reused  bool        `json:"-"`    // found in the cache
	Seconds float64     `json:"-"`    // time spent making it, 0 when reused
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

// UsageError says that the user named something that is not there (exit 2).
type UsageError struct{ Reason, Next string }
