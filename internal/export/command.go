package export

import (
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/outcome"
)

// testbed is where the code lies in every image: SWE-bench's harness and
// SWE-smith's look for it there.
const testbed = "/testbed"

// variables of every run of tests; the baseline was measured with the same.
var variables = []string{"PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1", "TZ=UTC", "LANG=C.UTF-8"}

// pytest is the command line that runs files of tests, for a shell. report says
// in which form each test's outcome is printed.
func (it *item) pytest(report []string, files []string) string {
	words := slices.Concat(variables, it.suite.Env)
	line := "env"
	for _, w := range slices.Concat(words, []string{"python", "-m", "pytest"}, it.suite.Args, report, files) {
		line += " " + quote(w)
	}
	return line
}

// inSummary and inProgress print a line a test, with its whole id: those that
// SWE-bench's parser reads, and those that SWE-smith's reads.
var (
	inSummary  = []string{"--color=no", "--tb=no", "-q", "-rfEsxXp"}
	inProgress = []string{"--disable-warnings", "--color=no", "--tb=no", "--verbose"}
)

var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quote writes a word for a shell.
func quote(w string) string {
	if plain.MatchString(w) {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// filesOf lists the files of tests, sorted.
func filesOf(tests ...[]string) []string {
	var files []string
	for _, ids := range tests {
		for _, id := range ids {
			f, _, _ := strings.Cut(id, "::")
			files = append(files, f)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// oneWord keeps the ids that parsers of pytest's output can read: they take an
// id to end at the first space.
func oneWord(ids []string) []string {
	out := []string{}
	for _, id := range ids {
		if !strings.ContainsAny(id, " \t\n\r\v\f") {
			out = append(out, id)
		}
	}
	return out
}

// The words that pytest prints before (summary) or after (progress) an id.
var said = map[string]outcome.Verdict{"PASSED": outcome.Passed, "FAILED": outcome.Failed, "ERROR": outcome.Errored,
	"SKIPPED": outcome.Skipped, "XFAIL": outcome.Skipped, "XPASS": outcome.Passed}

// readSummary reads pytest's short summary ("FAILED id - why") as parsers do.
func readSummary(text string) outcome.Results {
	r := outcome.Results{}
	for l := range strings.Lines(text) {
		w := strings.Fields(l)
		if len(w) < 2 {
			continue
		}
		if v, ok := said[w[0]]; ok && strings.HasPrefix(l, w[0]) {
			r[w[1]] = v
		}
	}
	return r
}

// readProgress reads what pytest prints with --verbose ("id FAILED  [ 3%]").
func readProgress(text string) outcome.Results {
	r := outcome.Results{}
	for l := range strings.Lines(text) {
		w := strings.Fields(l)
		if len(w) < 2 || !strings.HasPrefix(l, w[0]) || !strings.Contains(w[0], "::") {
			continue
		}
		if v, ok := said[w[1]]; ok {
			r[w[0]] = v
		}
	}
	return r
}
