package report

import (
	"fmt"
	"slices"

	"breakfix/internal/store"
)

// versions lists the states of the weights that a run made; of a run that
// learned nothing there is no list.
func (p *page) versions(all []store.Version) {
	if len(all) < 2 || !slices.ContainsFunc(all, func(v store.Version) bool { return v.Accepted != nil }) {
		return
	}
	var rows [][]string
	for n, v := range all {
		state, rate, interval := "not judged", "-", "-"
		if v.Accepted != nil && *v.Accepted {
			state = "accepted"
		} else if v.Accepted != nil {
			state = "refused"
		}
		if v.SolveRate != nil && v.Low != nil && v.High != nil {
			rate, interval = percent(v.SolveRate), percent(v.Low)+" to "+percent(v.High)
		}
		rows = append(rows, []string{fmt.Sprintf("%d %s", n, oneLine(v.Version)), fmt.Sprint(v.Episode), state, rate, interval})
	}
	p.printf("\n")
	p.table([]string{"version", "from episode", "gate", "held-out solved", "95 %"}, rows)
}
