package report

import (
	"fmt"
	"io"
	"slices"

	"breakfix/internal/bench"
)

// maxBeyond bounds how many repairs out of reach a person is shown; --json has all.
const maxBeyond = 20

// MovesText writes what the fixer's moves reach.
func MovesText(w io.Writer, m bench.Moves, o Options) error {
	p := &page{w: w, o: o}
	p.printf("%s\n", p.paint(bold, "what one or two moves of the fixer repair"))
	row := func(name string, r bench.Reached) []string {
		survive := "-"
		if r.Survive > 0 {
			survive = fmt.Sprintf("%.0f %%", 100*r.Surviving())
		}
		return []string{oneLine(name), fmt.Sprint(r.Bugs), fmt.Sprint(r.One), fmt.Sprint(r.Two), fmt.Sprintf("%.0f %%", 100*r.Share()), fmt.Sprint(r.Survive), survive}
	}
	var rows [][]string
	for _, name := range slices.Sorted(slices.Values(keys(m.Operators))) {
		rows = append(rows, row(name, m.Operators[name]))
	}
	if m.Mutations.Bugs > 0 {
		rows = append(rows, row("all mutations", m.Mutations))
	}
	for _, name := range slices.Sorted(slices.Values(keys(m.Sets))) {
		rows = append(rows, row(name, m.Sets[name]))
	}
	p.table([]string{"bugs", "n", "one", "two", "reached", "survive", "of these"}, rows)
	p.printf("\n")
	p.line("candidates", fmt.Sprintf("%d for a first move (median)", m.Median))
	if len(m.Beyond) > 0 {
		p.heading("out of reach")
	}
	for i, b := range m.Beyond {
		if i == maxBeyond {
			p.printf("  and %d more\n", len(m.Beyond)-i)
			break
		}
		note := "its tokens are gone"
		if b.Survives {
			note = "its tokens are there"
		}
		p.printf("  %s  %s (%s)\n", p.paint(cyan, oneLine(b.Group)), oneLine(b.Name), note)
	}
	return p.err
}
