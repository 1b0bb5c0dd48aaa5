package report

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"breakfix/internal/check"
)

// CheckText writes what a check found for people: the mutations that were
// missed, by file and line, then the numbers.
func CheckText(w io.Writer, s check.Summary, o Options) error {
	p := &page{w: w, o: o}
	if len(s.MissedList) > 0 {
		p.printf("%s\n", p.paint(bold, "missed"))
		for _, m := range s.MissedList {
			p.listed(m)
			p.printf("    %s, %s\n", p.paint(dim, "id "+m.ID), plural(m.Tests, "test")+runsIt(m.Tests))
			for _, line := range changedLines(m.Diff) {
				p.printf("    %s\n", p.paint(map[byte]string{'-': red, '+': green}[line[0]], oneLine(line)))
			}
			p.witness(m)
		}
	}
	if len(s.AsideList) > 0 {
		p.heading("set aside")
		for _, m := range s.AsideList {
			p.listed(m)
			p.printf("    %s, %s\n", p.paint(dim, "id "+m.ID), oneLine(m.Reason))
		}
	}
	if len(s.IgnoredList) > 0 {
		p.heading("ignored")
		for _, m := range s.IgnoredList {
			p.listed(m)
			p.printf("    %s, %s\n", p.paint(dim, "id "+m.ID), oneLine(m.Reason))
		}
	}
	if len(s.MissedList)+len(s.AsideList)+len(s.IgnoredList) > 0 {
		p.printf("\n")
	}
	p.checkNumbers(s)
	return p.err
}

// witness shows the test that notices a mutation.
func (p *page) witness(m check.Listed) {
	switch {
	case m.Witness != nil:
		p.printf("    %s\n", p.paint(dim, "this test notices it:"))
		for _, line := range strings.Split(strings.TrimSuffix(m.Witness.Code, "\n"), "\n") {
			p.printf("%s\n", strings.TrimRight("        "+oneLine(line), " "))
		}
	case m.Unfound != "":
		p.printf("    %s\n", p.paint(dim, "no test was found that notices it: "+oneLine(m.Unfound)))
	}
}

func (p *page) listed(m check.Listed) {
	where := ""
	if m.Function != "" {
		where = "  in " + oneLine(m.Function)
	}
	p.printf("  %s  %s: %s%s\n", p.paint(cyan, fmt.Sprintf("%s:%d", oneLine(m.Path), m.Line)), oneLine(m.Operator), oneLine(m.Variant), where)
}

func runsIt(tests int) string {
	if tests == 1 {
		return " runs it"
	}
	return " run it"
}

// changedLines are the lines of a diff that differ.
func changedLines(diff string) []string {
	var lines []string
	inside := false
	for _, l := range strings.Split(strings.TrimSuffix(diff, "\n"), "\n") {
		if strings.HasPrefix(l, "@@") {
			inside = true
		} else if inside && (strings.HasPrefix(l, "-") || strings.HasPrefix(l, "+")) {
			lines = append(lines, l)
		}
	}
	return lines
}

func (p *page) checkNumbers(s check.Summary) {
	p.printf("%s\n", p.paint(bold, "check"))
	p.line("source", oneLine(s.Source))
	judged := fmt.Sprintf("%d of %d judged", s.Judged, s.Chosen)
	if rest := s.Mutations - s.Ignored; s.Chosen < rest {
		judged += fmt.Sprintf(", drawn from %d with seed %d", rest, s.Seed)
	}
	if t, ok := s.Seconds["total"]; ok {
		judged += " in " + duration(t)
	}
	p.line("mutations", judged)
	if times := phases(s.Seconds); times != "" {
		p.line("time", times)
	}
	p.line("outcomes", counts(append(checkCounts(s.Counts), count{"ignored", s.Ignored})))
	if s.Infrastructure > 0 {
		p.painted(yellow, "not judged", fmt.Sprintf("%d by a fault of breakfix or of this machine", s.Infrastructure))
	}
	if c := s.Confirm; c != nil {
		p.line("confirmed", fmt.Sprintf("%d missed ones judged again by the whole suite, %d came out otherwise", c.Run, c.Changed))
	}
	if w := s.Witnesses; w != nil {
		p.line("witnesses", fmt.Sprintf("tests that notice %d of %d missed ones", w.Found, w.Sought))
	}
	if s.Score == nil {
		p.line("score", "none: no test could notice any of them")
	} else {
		p.line("score", fmt.Sprintf("%s of what tests run was noticed (%d of %d)", Score(*s.Score), s.Caught+s.TimedOut, s.Caught+s.TimedOut+s.Missed))
	}
	head := []string{"missed", "of", "not covered", "score"}
	if rows := gaps(s.Files, func(c check.Counts) bool { return c.Missed+c.NotCovered > 0 }); len(rows) > 0 {
		p.printf("\n")
		p.table(append([]string{"file"}, head...), rows)
	}
	if rows := gaps(s.Operators, func(c check.Counts) bool { return c.Missed > 0 }); len(rows) > 0 {
		p.printf("\n")
		p.table(append([]string{"operator"}, head...), rows)
	}
}

func checkCounts(c check.Counts) []count {
	return []count{{"caught", c.Caught}, {"missed", c.Missed}, {"timed out", c.TimedOut}, {"does not load", c.DoesNotLoad},
		{"not covered", c.NotCovered}, {"set aside", c.SetAside}}
}

// gaps lists what show picks, where the most was missed first.
func gaps(by map[string]check.Counts, show func(check.Counts) bool) [][]string {
	names := keys(by)
	sort.SliceStable(names, func(i, j int) bool { return by[names[i]].Missed > by[names[j]].Missed })
	var rows [][]string
	for _, name := range names {
		c := by[name]
		if !show(c) {
			continue
		}
		score := "–"
		if s := c.Score(); s != nil {
			score = Score(*s)
		}
		rows = append(rows, []string{oneLine(name), fmt.Sprint(c.Missed), fmt.Sprint(c.Missed + c.Caught + c.TimedOut), fmt.Sprint(c.NotCovered), score})
	}
	return rows
}

// Score renders a mutation score in percent, rounded down: what is shown as 80
// is not under 80.
func Score(s float64) string {
	return fmt.Sprintf("%.1f %%", float64(int(s*1000+1e-9))/10)
}
