package export

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// shownAs is what the red test is called where a solver reads it: under its own
// name it comes only with the tests that grade.
const shownAs = "test_reproduce.py"

// statement tells a solver of the failure and of nothing else: the minimised
// test and what it says on the bug. Of several wordings the fullest is taken
// that holds nothing which must not be seen.
func statement(it *item) (string, error) {
	f := it.bug.RedTest.Failure
	head := fmt.Sprintf("%s: a test that should pass fails with %s\n\n", it.title(), f.Kind)
	tail := "\nFind the cause in the code and repair it there. The test is right; so are the other tests, which pass and must go on passing.\n"
	code := "This test passes when the code is right:\n\n```python\n" + strings.TrimRight(it.bug.RedTest.Code, "\n") + "\n```\n"
	hide := secrets(it)
	said := strings.ReplaceAll(strings.TrimRight(f.Text, "\n"), it.bug.RedTest.Path, shownAs)
	short := strings.TrimRight(f.Kind+": "+strings.ReplaceAll(f.Message, it.bug.RedTest.Path, shownAs), ": \n")
	for _, text := range []string{
		head + code + "\nWith the code as it is:\n\n```\n" + said + "\n```\n" + tail,
		head + code + "\nWith the code as it is:\n\n```\n" + short + "\n```\n" + tail,
		head + code + tail,
		head + masked(code, hide) + tail,
		head + tail,
	} {
		if said == "" && strings.Contains(text, "```\n\n```") {
			continue
		}
		if leak(text, hide) == "" {
			return text, nil
		}
	}
	return "", cannot("no problem statement can be written that does not show the repair")
}

// secret is what a solver must not read.
type secret struct {
	lines []string // that the bug removed, without their indentation
	words []string // its operators, its tests that are held back
}

// secrets lists what must not be seen of a bug. A removed line that the broken
// file still has somewhere tells nothing, nor does one without a letter or a digit.
func secrets(it *item) secret {
	var s secret
	hunks, err := tree.Hunks(it.bug.Inject)
	if err != nil {
		return s // it was applied before
	}
	for _, h := range hunks {
		have := map[string]bool{}
		if src, err := it.broken.Read(h.Path); err == nil {
			for l := range strings.Lines(string(src)) {
				have[strings.TrimSpace(l)] = true
			}
		}
		for _, l := range h.Body() {
			text := strings.TrimSpace(strings.TrimPrefix(l, "-"))
			if strings.HasPrefix(l, "-") && word.MatchString(text) && !have[text] && !slices.Contains(s.lines, text) {
				s.lines = append(s.lines, text)
			}
		}
	}
	s.words = append(append(s.words, it.bug.Hidden...), it.bug.Operators...)
	return s
}

var (
	word   = regexp.MustCompile(`[\pL\pN]`)
	marker = regexp.MustCompile(`^(?:[E>]\s+)?\s*`) // before a line of pytest's report
)

// within is the length from which a removed line must not stand inside another
// line either: shorter ones ("return x") are parts of many.
const within = 12

// leak returns the first thing of text that must not be seen, "" for none.
func leak(text string, s secret) string {
	for l := range strings.Lines(text) {
		if hit := leakOf(l, s); hit != "" {
			return hit
		}
	}
	for _, w := range s.words {
		if strings.Contains(text, w) {
			return w
		}
	}
	return ""
}

func leakOf(line string, s secret) string {
	bare := strings.TrimSpace(marker.ReplaceAllString(line, ""))
	for _, removed := range s.lines {
		if bare == removed || strings.TrimSpace(line) == removed || len(removed) >= within && strings.Contains(line, removed) {
			return removed
		}
	}
	return ""
}

// masked leaves out of code the lines that must not be seen.
func masked(code string, s secret) string {
	var b strings.Builder
	for l := range strings.Lines(code) {
		if leakOf(l, s) != "" {
			l = l[:len(l)-len(strings.TrimLeft(l, " \t"))] + "...  # left out\n"
		}
		b.WriteString(l)
	}
	return b.String()
}
