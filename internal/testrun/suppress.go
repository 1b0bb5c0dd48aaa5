package testrun

import (
	"bytes"
	"regexp"

	"breakfix/internal/tree"
)

// Comments and decorators by which code tells a linter to be silent about it.
// A new one counts as a finding: it may hide one.
var (
	silencesPylint = regexp.MustCompile(`#.*?\bpylint:\s*(skip-file|disable(-next|-msg|-all)?\b).*`)
	silencesMypy   = regexp.MustCompile(`#\s*type:\s*ignore.*|#\s*mypy:.*|@\s*(\w+\.)*no_type_check\b`)
)

// silenced returns what t tells a linter to be silent about and base does not,
// as findings of the rule "suppressed". Only changed code is looked at.
func silenced(base, t *tree.Tree, by *regexp.Regexp) (Findings, error) {
	found := Findings{}
	for _, p := range changedCode(base, t) {
		count := func(t *tree.Tree, n int) error {
			src, err := t.Read(p)
			if err != nil {
				return err
			}
			for _, line := range bytes.Split(src, []byte("\n")) {
				if said := by.Find(line); said != nil {
					found[Finding{File: p, Rule: "suppressed", Message: maskDigits(clip(string(bytes.TrimSpace(said)), 200))}] += n
				}
			}
			return nil
		}
		if err := count(t, 1); err != nil {
			return nil, err
		}
		if base.Has(p) {
			if err := count(base, -1); err != nil {
				return nil, err
			}
		}
	}
	for f, n := range found {
		if n <= 0 {
			delete(found, f)
		}
	}
	return found, nil
}

// and adds findings to a copy of fs.
func (fs Findings) and(more Findings) Findings {
	if len(more) == 0 {
		return fs
	}
	sum := make(Findings, len(fs)+len(more))
	for f, n := range fs {
		sum[f] += n
	}
	for f, n := range more {
		sum[f] += n
	}
	return sum
}
