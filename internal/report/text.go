package report

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/store"

	"github.com/mattn/go-runewidth"
)

// Options say how text is shown.
type Options struct {
	Color bool // terminal colours
	Width int  // columns; 0 means 80, and less than 60 means 60
}

func (o Options) width() int {
	if o.Width == 0 {
		return 80
	}
	return max(60, o.Width)
}

// page writes text; the first error of the writer is kept.
type page struct {
	w   io.Writer
	o   Options
	err error
}

func (p *page) printf(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, a...)
	}
}

// The colours that mean something: good, bad, of interest, in the background.
const (
	green  = "32"
	red    = "31"
	yellow = "33"
	cyan   = "36"
	bold   = "1"
	dim    = "2"
)

func (p *page) paint(code, s string) string {
	if !p.o.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *page) heading(s string) { p.printf("\n%s\n", p.paint(bold, s)) }

// line writes "  label   text", the text broken over further lines.
func (p *page) line(label, text string) { p.painted("", label, text) }

// painted is line with the text in a colour.
func (p *page) painted(code, label, text string) {
	const column = 14
	for i, part := range wrap(text, p.o.width()-column-2) {
		if i > 0 {
			label = ""
		}
		if code != "" {
			part = p.paint(code, part)
		}
		p.printf("  %s%s\n", p.paint(dim, runewidth.FillRight(label, column)), part)
	}
}

// glue is a blank at which wrap does not break: between a number and its word.
const glue = "\u00a0"

// wrap breaks s at spaces into parts of at most width columns; a longer word
// is cut.
func wrap(s string, width int) []string {
	var parts []string
	line := ""
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }) {
		word = strings.ReplaceAll(word, glue, " ")
		for runewidth.StringWidth(word) > width {
			if line != "" {
				parts, line = append(parts, line), ""
			}
			head := runewidth.Truncate(word, width, "")
			parts, word = append(parts, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case runewidth.StringWidth(line)+1+runewidth.StringWidth(word) <= width:
			line += " " + word
		default:
			parts, line = append(parts, line), word
		}
	}
	if line != "" || len(parts) == 0 {
		parts = append(parts, line)
	}
	return parts
}

// fit cuts s to width columns, with a mark where it was cut.
func fit(s string, width int) string { return runewidth.Truncate(s, max(1, width), "…") }

// table writes rows under a head; the first column is left-aligned and gets
// the room that the others leave.
func (p *page) table(head []string, rows [][]string) {
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	rest := p.o.width() - 2
	for _, w := range widths[1:] {
		rest -= w + 2
	}
	widths[0] = min(widths[0], max(8, rest))
	for n, row := range append([][]string{head}, rows...) {
		line := "  " + runewidth.FillRight(fit(row[0], widths[0]), widths[0])
		for i, cell := range row[1:] {
			line += "  " + runewidth.FillLeft(cell, widths[i+1])
		}
		if n == 0 {
			line = p.paint(dim, line)
		}
		p.printf("%s\n", line)
	}
}

// Text writes the summary for people.
func Text(w io.Writer, s Summary, o Options) error {
	p := &page{w: w, o: o}
	p.printf("%s\n", p.paint(bold, "run "+oneLine(s.Run)))
	p.line("source", oneLine(s.Source))
	p.line("played by", fmt.Sprintf("%s, reward %s, seed %d", oneLine(s.Policy), oneLine(s.Reward), s.Seed))
	played := fmt.Sprintf("%s, %s", plural(s.Episodes, "episode"), plural(s.Steps, "step"))
	if t, ok := s.Seconds["total"]; ok {
		played += " in " + duration(t)
	}
	p.line("played", played)
	if times := phases(s.Seconds); times != "" {
		p.line("time", times)
	}
	if t, ok := s.Seconds[store.FirstBug]; ok {
		p.line("first bug", "after "+duration(t)+", installing apart")
	}
	if v := s.Verdicts; v != nil {
		text := fmt.Sprintf("%d run, %d from the cache", v.Run, v.Cached)
		if all := v.Run + v.Cached; all > 0 {
			hits := float64(v.Cached) / float64(all)
			text += " (" + percent(&hits) + ")"
		}
		if v.Assumed > 0 {
			text += fmt.Sprintf(", %d not touched by the change", v.Assumed)
		}
		p.line("verdicts", text)
		if v.Lost > 0 {
			p.line("lost", fmt.Sprintf("%d warm processes; what they were asked for was run again", v.Lost))
		}
		if v.Audited > 0 {
			p.line("audits", fmt.Sprintf("%d trees judged again in fresh processes, %d mismatches", v.Audited, v.Mismatch))
		}
	}
	if s.PeakMemory > 0 {
		p.line("memory", fmt.Sprintf("%d MB at most", (s.PeakMemory+1<<19)>>20))
	}
	p.heading("breaks")
	p.line("outcomes", counts(breakCounts(s.Breaks)))
	if len(s.Breaks.Rejected) > 0 {
		p.line("rejected by", counts(rejectedCounts(s.Breaks)))
	}
	if s.Difficulty.Median != nil {
		p.line("difficulty", fmt.Sprintf("%.1f minutes (median)", *s.Difficulty.Median))
	}
	if s.Bugs.MinimalStatementsMedian != nil {
		p.line("red test", fmt.Sprintf("%s statements after minimising (median)", short(*s.Bugs.MinimalStatementsMedian)))
	}
	p.heading("attempts")
	p.line("outcomes", counts(attemptCounts(s.Attempts)))
	if len(s.Attempts.Gates) > 0 {
		p.line("objections", counts(gateCounts(s.Attempts)))
	}
	if s.Spurious.Rate != nil {
		p.line("spurious", fmt.Sprintf("%d of %d judged, %s (%s to %s)", s.Spurious.Spurious, s.Spurious.Judged, percent(s.Spurious.Rate), percent(s.Spurious.Low), percent(s.Spurious.High)))
	}
	for _, why := range keys(s.Suspicious) {
		p.painted(yellow, "suspicious", fmt.Sprintf("%d × %s", s.Suspicious[why], oneLine(why)))
	}
	if len(s.Orders) > 0 {
		p.printf("\n")
		p.table([]string{"order", "bugs", "attempts", "fixed", "solve rate"}, orderRows(s))
	}
	if len(s.Operators) > 0 {
		p.printf("\n")
		p.table([]string{"operator", "tried", "valid", "fixed"}, operatorRows(s))
	}
	p.versions(s.Versions)
	return p.err
}

type count struct {
	name string
	n    int
}

// counts joins what is not zero: "31 valid, 12 unnoticed".
func counts(cs []count) string {
	var parts []string
	for _, c := range cs {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d"+glue+"%s", c.n, strings.ReplaceAll(c.name, " ", glue)))
		}
	}
	if len(parts) == 0 {
		return "none yet"
	}
	return strings.Join(parts, ", ")
}

func breakCounts(b Breaks) []count {
	rejected := 0
	for _, n := range b.Rejected {
		rejected += n
	}
	return []count{{"valid", b.Valid}, {"unnoticed", b.Unnoticed}, {"uncovered", b.Uncovered}, {"broken", b.Broken}, {"flaky", b.Flaky}, {"timed out", b.TimedOut}, {"rejected", rejected}}
}

func rejectedCounts(b Breaks) []count {
	var cs []count
	for _, c := range append(slices.Clone(outcome.Checks), outcome.CheckInfrastructure, outcome.CheckForm) {
		cs = append(cs, count{string(c), b.Rejected[c]})
	}
	return cs
}

func attemptCounts(a Attempts) []count {
	return []count{{"fixed", a.Fixed}, {"wrong", a.Wrong}, {"gated", a.Gated}, {"gave up", a.GaveUp}, {"out of steps", a.OutOfSteps}, {"infrastructure", a.Infrastructure}}
}

func gateCounts(a Attempts) []count {
	var cs []count
	for _, g := range outcome.Gates {
		cs = append(cs, count{string(g), a.Gates[g]})
	}
	return cs
}

func orderRows(s Summary) [][]string {
	var rows [][]string
	for _, name := range keys(s.Orders) {
		o := s.Orders[name]
		rows = append(rows, []string{oneLine(name), fmt.Sprint(o.Bugs), fmt.Sprint(o.Attempts), fmt.Sprint(o.Fixed), percent(o.SolveRate)})
	}
	return rows
}

// operatorRows lists the operators by how many valid bugs they made.
func operatorRows(s Summary) [][]string {
	names := keys(s.Operators)
	sort.SliceStable(names, func(i, j int) bool { return s.Operators[names[i]].Valid > s.Operators[names[j]].Valid })
	var rows [][]string
	for _, name := range names {
		o := s.Operators[name]
		rows = append(rows, []string{oneLine(name), fmt.Sprint(o.Tried), fmt.Sprint(o.Valid), fmt.Sprint(o.Fixed)})
	}
	return rows
}

// phases lists where the time went, in the order of the phases; what would be
// shown as 0.0 s is left out.
func phases(seconds map[string]float64) string {
	var parts []string
	known := map[string]bool{"total": true, store.FirstBug: true}
	for _, phase := range append([]string{"prepare", "baseline", "tests", "policy", "learn", "other"}, keys(seconds)...) {
		if s := seconds[phase]; s >= 0.05 && !known[phase] {
			parts = append(parts, phase+glue+strings.ReplaceAll(duration(s), " ", glue))
		}
		known[phase] = true
	}
	return strings.Join(parts, ", ")
}

// duration renders seconds for people: 0.4 s, 12 s, 3 min 05 s, 2 h 07 min.
func duration(s float64) string {
	switch {
	case s < 9.95:
		return fmt.Sprintf("%.1f s", s)
	case s < 59.5:
		return fmt.Sprintf("%.0f s", s)
	case s < 3599.5:
		n := int(s + 0.5)
		return fmt.Sprintf("%d min %02d s", n/60, n%60)
	}
	n := int(s/60 + 0.5)
	return fmt.Sprintf("%d h %02d min", n/60, n%60)
}

// percent renders a rate; one that is not known is a dash.
func percent(r *float64) string {
	if r == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", *r*100)
}

// short renders a number with at most one decimal.
func short(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// keys returns the keys of m, sorted.
func keys[V any](m map[string]V) []string {
	ks := make([]string, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	return ks
}
