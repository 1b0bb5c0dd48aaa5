package report

import (
	"fmt"
	"io"

	"breakfix/internal/bench"
	"breakfix/internal/policy/builtin"
)

// PolicyText writes what ways of ranking solve, and how fast they are.
func PolicyText(w io.Writer, m bench.Policy, o Options) error {
	p := &page{w: w, o: o}
	p.printf("%s\n", p.paint(bold, fmt.Sprintf("%d bugs of %s, one attempt of %d steps each", m.Bugs, oneLine(m.Set), m.Steps)))
	share := func(s bench.Share) string {
		return fmt.Sprintf("%d, %.0f %% (%.0f to %.0f)", s.Solved, 100*s.Rate, 100*s.Low, 100*s.High)
	}
	head := []string{"ranking"}
	var rows [][]string
	for i, r := range m.Ways {
		row := []string{oneLine(r.Name + " " + r.Version)}
		for _, s := range r.At {
			if i == 0 {
				head = append(head, fmt.Sprintf("within %d", s.Within))
			}
			row = append(row, share(s))
		}
		rows = append(rows, row)
	}
	p.table(head, rows)
	for _, r := range m.Ways {
		if len(r.Rolls) > 0 {
			p.heading(oneLine(r.Name + " " + r.Version + ": more roll-outs"))
			for _, s := range r.Rolls {
				p.line(fmt.Sprint(s.Within), share(s))
			}
		}
	}
	rates := func(head string, rs []builtin.Rate) {
		if len(rs) == 0 {
			return
		}
		p.heading(head)
		var rows [][]string
		for _, r := range rs {
			rows = append(rows, []string{r.What, r.Kernel, fmt.Sprintf("%.0f", r.PerSecond)})
		}
		p.table([]string{"what", "kernel", "candidates a second"}, rows)
	}
	rates("ranking, one thread", m.Ranking)
	rates(fmt.Sprintf("learning from %d examples, one thread", m.Examples), m.Training)
	return p.err
}
