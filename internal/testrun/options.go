package testrun

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// blockedPlugins would run lint or type checks as tests (they would "catch"
// bugs by formatting) or shuffle the order.
var blockedPlugins = []string{"randomly", "random_order", "mypy", "mypy_plugins", "ruff", "flake8", "black", "pylint", "isort",
	"pycodestyle", "pydocstyle", "codestyle", "docstyle", "pytest_mypy"}

// dropped are options that make a run stop early, run in parallel, write
// reports, fail by a threshold or turn linters into tests. The value is the
// number of arguments after the option that go with it; -1 is one that is
// optional.
var dropped = map[string]int{
	"-x": 0, "--exitfirst": 0, "--maxfail": 1, "-n": 1, "--numprocesses": 1, "--dist": 1, "--tx": 1, "--maxprocesses": 1,
	"--max-worker-restart": 1, "-d": 0, "-f": 0, "--looponfail": 0,
	"--cov": -1, "--cov-report": 1, "--cov-config": 1, "--cov-fail-under": 1, "--cov-context": 1, "--cov-precision": 1, "--fail-under": 1,
	"--no-cov": 0, "--no-cov-on-fail": 0, "--cov-branch": 0, "--cov-append": 0, "--cov-reset": 0,
	"--mypy": 0, "--ruff": 0, "--ruff-format": 0, "--flake8": 0, "--black": 0, "--pylint": 0, "--isort": 0, "--pycodestyle": 0,
	"--pydocstyle": 0, "--codestyle": 0, "--docstyle": 0, "--mypy-ini-file": 1, "--mypy-config-file": 1, "--mypy-only-local-stub": 0,
	"--junitxml": 1, "--junit-xml": 1, "--junit-prefix": 1, "--html": 1, "--css": 1, "--self-contained-html": 0,
	"--report-log": 1, "--json-report": 0, "--json-report-file": 1, "--log-file": 1, "--basetemp": 1, "--pastebin": 1, "--md": 1,
	"--reruns": 1, "--reruns-delay": 1, "--only-rerun": 1, "--rerun-except": 1, "--timeout": 1, "--timeout-method": 1,
	"--durations": 1, "--durations-min": 1, "--lf": 0, "--last-failed": 0, "--ff": 0, "--failed-first": 0, "--nf": 0, "--new-first": 0,
	"--sw": 0, "--stepwise": 0, "--sw-skip": 0, "--stepwise-skip": 0, "--cache-clear": 0, "--pdb": 0, "--trace": 0, "--pdbcls": 1,
	// A doctest stands in the code that is broken and repaired: it cannot be
	// held back from the fixer, restored before grading or cut from the suite.
	"--doctest-modules": 0, "--doctest-continue-on-failure": 0,
	"--rootdir": 1, "-c": 1, "--config-file": 1, "--confcutdir": 1, "--collect-only": 0, "--co": 0, "--randomly-seed": 1,
	"--randomly-dont-reorganize": 0, "--random-order": 0, "--random-order-bucket": 1, "--random-order-seed": 1,
}

// withValue are options that are kept with the argument after them.
var withValue = []string{"-p", "-o", "-W", "-r", "--override-ini", "--ignore", "--ignore-glob", "--import-mode", "--tb", "--doctest-glob",
	"--doctest-report", "--color", "--capture", "--log-level", "--asyncio-mode", "--hypothesis-profile", "--hypothesis-seed",
	"--verbosity", "--show-capture", "--pythonwarnings", "--durations-min", "--code-highlight", "--log-cli-level"}

// selecting are options that choose among collected tests. They are used when
// the suite is collected; later runs name their tests, and must not lose a
// test file of ours to a -k.
var selecting = []string{"-k", "-m", "--deselect"}

var bundledFlags = regexp.MustCompile(`^-[xvqsl]{2,}$`)

// options are arguments for pytest, sorted by what they are for.
type options struct {
	keep, selecting, paths []string
}

// sortOptions splits arguments for pytest, leaving out those that would spoil
// a run. t tells paths from values.
func sortOptions(t *tree.Tree, args []string) options {
	var o options
	for i := 0; i < len(args); i++ {
		a := args[i]
		next := func() (string, bool) {
			if i+1 < len(args) {
				return args[i+1], true
			}
			return "", false
		}
		name, _, inline := strings.Cut(a, "=")
		short := len(a) > 2 && a[0] == '-' && a[1] != '-' // -n2, -kfoo
		if n, drop := dropped[name]; drop {
			if v, ok := next(); !inline && ok && (n == 1 || n == -1 && !strings.HasPrefix(v, "-")) {
				i++
			}
			continue
		}
		if strings.HasPrefix(name, "--cov-") || strings.HasPrefix(name, "--randomly-") || short && strings.HasPrefix(a, "-n") {
			continue
		}
		if bundledFlags.MatchString(a) {
			if a = "-" + strings.ReplaceAll(a[1:], "x", ""); a != "-" {
				o.keep = append(o.keep, a)
			}
			continue
		}
		into := &o.keep
		if slices.Contains(selecting, name) || short && slices.Contains(selecting, a[:2]) {
			into = &o.selecting
		}
		if !inline && (slices.Contains(withValue, a) || slices.Contains(selecting, a)) {
			*into = append(*into, a)
			if v, ok := next(); ok {
				*into = append(*into, v)
				i++
			}
			continue
		}
		if !strings.HasPrefix(a, "-") && hasPath(t, fileOf(a)) {
			o.paths = append(o.paths, a)
			continue
		}
		*into = append(*into, a)
	}
	return o
}

// hasPath reports whether t has a file or a folder at p.
func hasPath(t *tree.Tree, p string) bool {
	p = path.Clean(strings.TrimSuffix(p, "/"))
	if p == "." || t.Has(p) {
		return true
	}
	for _, q := range t.Paths() {
		if strings.HasPrefix(q, p+"/") {
			return true
		}
	}
	return false
}
