package report

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/check"
)

// CheckText writes what a check found for people: the mutations that were
// missed, what matters most first, then the numbers.
func CheckText(w io.Writer, s check.Summary, o Options) error {
	p := &page{w: w, o: o}
	if len(s.MissedList) > 0 {
		p.printf("%s\n", p.paint(bold, "missed"))
		for _, m := range s.MissedList {
			p.listed(m)
			p.printf("    %s, %s%s\n", p.paint(dim, "id "+m.ID), plural(m.Tests, "test")+runsIt(m.Tests), dependOnIt(m.Reach))
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

// dependOnIt tells how many functions depend on a site; "" when none is known.
func dependOnIt(functions int) string {
	switch functions {
	case 0:
		return ""
	case 1:
		return ", 1 function depends on it"
	}
	return fmt.Sprintf(", %d functions depend on it", functions)
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
	if s.Shard != "" {
		judged += ", shard " + s.Shard
	}
	if s.Kept > 0 {
		judged += fmt.Sprintf(", %d held since the earlier check", s.Kept)
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

// CheckLists are the text files of a results folder, one an outcome: a line for
// each mutation with id, place, operator and variant, between tabs. What was
// missed is in the order of its importance, all else by place.
func CheckLists(r *check.Record) map[string][]byte {
	lists := map[string][]check.Result{"ignored": nil}
	for word := range schemaStatus {
		lists[word] = nil
	}
	for _, one := range r.Results {
		if one.Err == nil {
			word := check.Word(one.Outcome)
			lists[word] = append(lists[word], one)
		}
	}
	for _, i := range r.Plan.Ignored {
		lists["ignored"] = append(lists["ignored"], check.Result{Mutation: i.Mutation})
	}
	files := map[string][]byte{}
	for word, results := range lists {
		slices.SortFunc(results, func(a, b check.Result) int { return check.Place(a.Mutation, b.Mutation) })
		if word == "missed" {
			r.Plan.ByImportance(results)
		}
		text := []byte{}
		for _, one := range results {
			m := one.Mutation
			text = fmt.Appendf(text, "%s\t%s:%d\t%s\t%s\n", m.ID, oneLine(m.Path), m.Line, m.Operator, oneLine(m.Variant))
		}
		files[strings.ReplaceAll(word, "_", "-")+".txt"] = text
	}
	return files
}
