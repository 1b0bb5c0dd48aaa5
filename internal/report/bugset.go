package report

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"breakfix/internal/bugset"
	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

// BugsText writes what came of making a set of bugs, for people.
func BugsText(w io.Writer, s bugset.Summary, o Options) error {
	p := &page{w: w, o: o}
	p.printf("%s\n", p.paint(bold, "bugs "+oneLine(s.Set)))
	for i, src := range s.Sources {
		label := "source"
		if i > 0 {
			label = ""
		}
		licence := src.Licence
		if licence == "" {
			licence = "licence unknown"
		}
		p.line(label, fmt.Sprintf("%s, %s, %s, split %s", oneLine(src.Source), oneLine(licence), plural(src.Bugs, "bug"), src.Split))
	}
	made := fmt.Sprintf("%d of %d, seed %d", s.Breaks.Valid, s.Asked, s.Seed)
	if t, ok := s.Seconds["total"]; ok {
		made += ", in " + duration(t)
	}
	p.line("made", made)
	if s.BugsPerMinute != nil {
		p.line("speed", fmt.Sprintf("%s valid bugs a minute, preparing apart", short(*s.BugsPerMinute)))
	}
	if times := phases(s.Seconds); times != "" {
		p.line("time", times)
	}
	if t, ok := s.Seconds[store.FirstBug]; ok {
		p.line("first bug", "after "+duration(t)+", preparing apart")
	}
	if s.PeakMemory > 0 {
		p.line("memory", fmt.Sprintf("%d MB at most", (s.PeakMemory+1<<19)>>20))
	}
	p.candidates(s)
	p.artifacts(s)
	if rows := triedRows(s); len(rows) > 0 {
		p.printf("\n")
		p.table([]string{"operator", "validated", "valid"}, rows)
	}
	if rows := checkRows(s); len(rows) > 0 {
		p.printf("\n")
		p.table([]string{"check", "candidates", "seconds each", "seconds"}, rows)
	}
	return p.err
}

func (p *page) candidates(s bugset.Summary) {
	p.heading("candidates")
	b := s.Breaks
	rejected := 0
	var by []count
	for _, c := range outcome.Checks {
		n := b.Rejected[string(c)]
		rejected += n
		by = append(by, count{string(c), n})
	}
	p.line("outcomes", counts([]count{{"valid", b.Valid}, {"unnoticed", b.Unnoticed}, {"uncovered", b.Uncovered}, {"broken", b.Broken}, {"flaky", b.Flaky},
		{"timed out", b.TimedOut}, {"rejected", rejected}, {"not judged", b.Infrastructure}}))
	if rejected > 0 {
		p.line("rejected by", counts(by))
	}
	if len(s.Screened) > 0 {
		var cs []count
		for _, name := range keys(s.Screened) {
			cs = append(cs, count{name, s.Screened[name]})
		}
		p.line("screened by", counts(cs))
	}
	p.line("yield", fmt.Sprintf("%s of %d that were validated and that a test runs, %s of %d proposals",
		percent(s.Yield.Validated), b.Judged(), percent(s.Yield.Proposals), s.Proposals))
	for i, name := range keys(s.Strategies) {
		label := "strategies"
		if i > 0 {
			label = ""
		}
		w := s.Strategies[name]
		p.line(label, fmt.Sprintf("%s: %d valid of %d proposed, %d screened", oneLine(name), w.Valid, w.Proposed, w.Screened))
	}
}

func (p *page) artifacts(s bugset.Summary) {
	if s.Breaks.Valid == 0 {
		return
	}
	p.heading("bugs")
	if m := s.Bugs.MinimalStatementsMedian; m != nil {
		text := fmt.Sprintf("%s statements after minimising (median)", short(*m))
		if before := s.Bugs.OriginalStatementsMedian; before != nil {
			text += fmt.Sprintf(", %s before with support code", short(*before))
		}
		p.line("red test", text)
	}
	if r, h := s.Bugs.RedTestsMedian, s.Bugs.HiddenTestsMedian; r != nil && h != nil {
		p.line("red", fmt.Sprintf("%s tests, %s of them held back (medians)", short(*r), short(*h)))
	}
	var orders []string
	for _, n := range sortedOrders(s.Orders) {
		orders = append(orders, fmt.Sprintf("%d of order %d", s.Orders[n].Bugs, n))
	}
	p.line("orders", strings.Join(orders, ", "))
	if s.Difficulty.Median != nil {
		p.line("difficulty", fmt.Sprintf("%.1f minutes (median)", *s.Difficulty.Median))
	}
}

func sortedOrders(m map[int]bugset.Order) []int {
	var ns []int
	for n := range m {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

// triedRows lists the operators by how many valid bugs they made.
func triedRows(s bugset.Summary) [][]string {
	names := keys(s.Operators)
	sort.SliceStable(names, func(i, j int) bool { return s.Operators[names[i]].Valid > s.Operators[names[j]].Valid })
	var rows [][]string
	for _, name := range names {
		rows = append(rows, []string{oneLine(name), strconv.Itoa(s.Operators[name].Tried), strconv.Itoa(s.Operators[name].Valid)})
	}
	return rows
}

// checkRows lists what each check took; what took no time to speak of is left out.
func checkRows(s bugset.Summary) [][]string {
	var rows [][]string
	for _, c := range outcome.Checks {
		t := s.Checks[c]
		if t.Candidates == 0 || t.Seconds < 0.05 {
			continue
		}
		rows = append(rows, []string{string(c), strconv.Itoa(t.Candidates), fmt.Sprintf("%.2f", t.Seconds/float64(t.Candidates)), fmt.Sprintf("%.1f", t.Seconds)})
	}
	return rows
}

// Rows is a table for people.
type Rows struct {
	Title, Note string
	Head        []string
	rows        [][]string
	below       []string
}

// Add adds a row, and a line that stands below it.
func (r *Rows) Add(below string, cells ...string) {
	r.rows, r.below = append(r.rows, cells), append(r.below, below)
}

// TableText writes a table.
func TableText(w io.Writer, r Rows, o Options) error {
	p := &page{w: w, o: o}
	p.printf("%s\n", p.paint(bold, r.Title))
	if r.Note != "" {
		p.printf("  %s\n", r.Note)
	}
	p.printf("\n")
	for i, row := range r.rows {
		var cells []string
		for j, cell := range row[1:] {
			cells = append(cells, r.Head[j+1]+" "+oneLine(cell))
		}
		p.printf("  %s  %s\n", p.paint(cyan, oneLine(row[0])), oneLine(r.below[i]))
		if len(cells) > 0 {
			p.printf("      %s\n", p.paint(dim, strings.Join(cells, " · ")))
		}
	}
	p.printf("\n")
	return p.err
}
