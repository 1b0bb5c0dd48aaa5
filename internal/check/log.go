package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// diary is what happened while one mutation was judged, for its log.
type diary struct {
	text  strings.Builder
	ended map[string]bool                // tests that came to a verdict
	fails map[string]testrun.Failure     // how red ones failed
	tests map[string]outcome.Verdict     // the latest verdict of each, for failures without a text
	red   func(outcome.Results) []string // tests that are red and were not on the base
}

func (j judge) newDiary() *diary {
	return &diary{ended: map[string]bool{}, fails: map[string]testrun.Failure{}, tests: map[string]outcome.Verdict{},
		red: func(r outcome.Results) []string { return outcome.Red(j.base, r) }}
}

// mostNamed is how many tests of one run a log names.
const mostNamed = 200

// note writes down one run: which tests came to a verdict, and how red ones failed.
func (d *diary) note(req testrun.Request, rep testrun.Report, took time.Duration) {
	where := rep.Tier.String()
	if rep.Tier == 0 {
		where = "cached verdicts"
	}
	var ran []string
	for _, id := range req.Tests {
		if v := rep.Results.Get(id); v != outcome.Absent {
			ran = append(ran, id)
			d.ended[id], d.tests[id] = true, v
		}
	}
	fmt.Fprintf(&d.text, "\nrun in %s, %d of %d tests, %d ms\n", where, len(ran), len(req.Tests), took.Milliseconds())
	for i, id := range ran {
		if i == mostNamed {
			fmt.Fprintf(&d.text, "  and %d more\n", len(ran)-mostNamed)
			break
		}
		fmt.Fprintf(&d.text, "  %-9s %s\n", rep.Results.Get(id), id)
	}
	if rep.LoadError != "" {
		fmt.Fprintf(&d.text, "  does not load: %s\n", rep.LoadError)
	}
	for _, id := range d.red(rep.Results) {
		f, ok := rep.Failures[id]
		if !ok {
			continue
		}
		d.fails[id] = f
		fmt.Fprintf(&d.text, "  %s failed: %s\n", id, tellFailure(f))
		if f.Path != "" {
			fmt.Fprintf(&d.text, "    at %s:%d\n", f.Path, f.Line)
		}
		if f.Text != "" {
			fmt.Fprintf(&d.text, "    | %s\n", strings.ReplaceAll(strings.TrimRight(f.Text, "\n"), "\n", "\n    | "))
		}
	}
}

// tellFailure is a failure on one line: its kind and the first line of its message.
func tellFailure(f testrun.Failure) string {
	first, _, _ := strings.Cut(strings.TrimSpace(f.Message), "\n")
	if first == "" || first == f.Kind {
		return f.Kind
	}
	if strings.HasPrefix(first, f.Kind) || f.Kind == "" {
		return first
	}
	return f.Kind + ": " + first
}

// log is the whole text, headed by what came of it.
func (d *diary) log(r Result, covering []string) []byte {
	var b strings.Builder
	m := r.Mutation
	fmt.Fprintf(&b, "mutation  %s\nplace     %s:%d", m.ID, m.Path, m.Line)
	if m.Function != "" {
		fmt.Fprintf(&b, " in %s", m.Function)
	}
	fmt.Fprintf(&b, "\noperator  %s: %s\noutcome   %s\n", m.Operator, m.Variant, strings.ReplaceAll(Word(r.Outcome), "_", " "))
	if r.Reason != "" {
		fmt.Fprintf(&b, "reason    %s\n", r.Reason)
	}
	if r.Test != "" {
		fmt.Fprintf(&b, "noticed   %s\n", r.Test)
	}
	fmt.Fprintf(&b, "tests     %d run it\n", r.Tests)
	for i, id := range slices.Sorted(slices.Values(covering)) {
		if i == mostNamed {
			fmt.Fprintf(&b, "            and %d more\n", len(covering)-mostNamed)
			break
		}
		fmt.Fprintf(&b, "            %s\n", id)
	}
	b.WriteString(d.text.String())
	return []byte(b.String())
}
