package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/repair"
	"breakfix/internal/report"
)

// print says what came of it, for people.
func (c *fixCmd) print(a *app, f fixed) error {
	w := &strings.Builder{}
	from := quoted(c.Path)
	switch {
	case len(f.Red) == 0:
		fmt.Fprintf(w, "nothing is red: %s run three times, no failure that repeats\n", count(f.Tests, "test"))
	case f.Found:
		fmt.Fprintf(w, "found a repair: %s turned green in %s\n", count(len(f.Green), "red test"), count(f.Steps, "step"))
	case len(f.Green) == len(f.Red):
		fmt.Fprintf(w, "no repair: an edit turns %s green, and a gate objects to it\n", count(len(f.Green), "red test"))
	case len(f.Green) > 0:
		fmt.Fprintf(w, "a part of a repair: %d of %s turned green in %s\n", len(f.Green), count(len(f.Red), "red test"), count(f.Steps, "step"))
	default:
		fmt.Fprintf(w, "found no repair of %s in %s\n", count(len(f.Red), "red test"), count(f.Steps, "step"))
	}
	if f.Diff != "" {
		fmt.Fprintf(w, "\n%s\n", report.Visible(strings.TrimRight(f.Diff, "\n")))
	}
	inLines(w, "\nturned green", f.Green)
	green := map[string]bool{}
	for _, id := range f.Green {
		green[id] = true
	}
	var still []string
	for _, id := range f.Red {
		if !green[id] {
			still = append(still, id)
		}
	}
	inLines(w, "\nstill red", still)
	if len(f.Gates) > 0 {
		fmt.Fprintf(w, "\ngates, next to the tree as it was given\n")
		for _, g := range outcome.Gates {
			reason, ok := f.Gates[g]
			if !ok {
				reason = "not reached"
			}
			fmt.Fprintf(w, "  %-10s %s\n", words(string(g)), report.Visible(reason))
		}
	}
	for i, x := range f.Failures {
		if x.Outcome == repair.Repaired {
			continue
		}
		fmt.Fprintf(w, "\nfailure %d of %d: %s, %s\n  %s\n", i+1, len(f.Failures), x.Outcome, count(x.Steps, "step"), report.Visible(x.Tests[0]))
		if x.Message != "" {
			fmt.Fprintf(w, "  %s\n", report.Visible(x.Message))
		}
		inLines(w, "  looked at", x.LookedAt)
		if a.Verbose {
			fmt.Fprintf(w, "  tried\n")
			for i, step := range x.Tried {
				fmt.Fprintf(w, "  %4d %s\n", i+1, report.Visible(step))
			}
		}
	}
	inLines(w, "\nset aside, red in some runs only", f.Flaky)
	for _, file := range sortedKeys(f.Broken) {
		fmt.Fprintf(w, "\nnot looked at: %s does not load: %s\n", report.Visible(file), report.Visible(oneLine(f.Broken[file])))
	}
	fmt.Fprintf(w, "\nended: %s, %.1f s, %s %s\n", f.Ended, f.Seconds, f.Policy, f.Version)
	switch {
	case f.Applied:
		fmt.Fprintf(w, "written to %s\nnext   run your tests\n", from)
	case c.Apply && f.Diff != "":
		fmt.Fprintf(w, "not written: it is no whole repair\nnext   breakfix fix --json %s | jq -r .diff | git apply -p1, if it is of use\n", from)
	case f.Found:
		fmt.Fprintf(w, "next   breakfix fix --apply %s\n", from)
	case len(f.Red) == 0:
		fmt.Fprintf(w, "next   breakfix check %s shows what the tests miss\n", from)
	default:
		fmt.Fprintf(w, "next   more steps: --steps %d; other code: --only; one test: --tests\n", 4*c.Steps)
	}
	_, err := io.WriteString(a.stdout, w.String())
	return err
}

// linesMost is how many of a list are shown.
const linesMost = 12

func inLines(w io.Writer, title string, ids []string) {
	if len(ids) == 0 {
		return
	}
	fmt.Fprintln(w, title)
	for _, id := range ids[:min(linesMost, len(ids))] {
		fmt.Fprintf(w, "  %s%s\n", strings.Repeat(" ", len(title)-len(strings.TrimLeft(title, " "))), report.Visible(id))
	}
	if n := len(ids) - linesMost; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// searching is the status of a search.
type searching repair.Progress

func (p searching) lines(later time.Duration, width int) []string {
	return []string{headLine("step", p.Step, p.Steps, p.Elapsed+later, 0, width), fmt.Sprintf("failure %d of %d", p.Failure, p.Of)}
}

func (p searching) last() bool { return false }
