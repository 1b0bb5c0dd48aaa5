package bench

import (
	"context"
	"time"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/stat"
)

// Policy is what was measured of rankings, as `bench policy --json` prints it.
type Policy struct {
	Breakfix  string         `json:"breakfix"`
	Set       string         `json:"set"`
	Functions int            `json:"functions"` // of the set
	Bugs      int            `json:"bugs"`      // of those: whose test is red
	Steps     int            `json:"steps"`
	Seed      uint64         `json:"seed"`
	Examples  int            `json:"examples"` // that the baselines were taught on
	Machine   Machine        `json:"machine"`
	Ways      []Ranking      `json:"ways"`
	Reach     []Reaching     `json:"reach,omitempty"` // of those that no way solved
	Ranking   []builtin.Rate `json:"ranking"`
	Training  []builtin.Rate `json:"training"`
}

// Unsolved reports whether a bug was solved in no way.
func (m *Policy) Unsolved() func(id string) bool {
	solved := map[string]bool{}
	for _, w := range m.Ways {
		for id := range w.Solved {
			solved[id] = true
		}
	}
	return func(id string) bool { return !solved[id] }
}

// Ranking is what one way of ranking solved.
type Ranking struct {
	Name    string         `json:"name"`
	Version string         `json:"version"`
	At      []Share        `json:"at"`                 // within 1, 8 and all steps of one search
	Rolls   []Share        `json:"rollouts,omitempty"` // within 1, 2, 4 … roll-outs
	Solved  map[string]int `json:"solved"`             // by bug, the step
	Seconds float64        `json:"seconds"`
}

// Share is how many bugs were solved within so many steps.
type Share struct {
	Within int     `json:"within"` // steps or roll-outs
	Solved int     `json:"solved"`
	Rate   float64 `json:"rate"`
	Low    float64 `json:"low"` // Wilson 95 %
	High   float64 `json:"high"`
}

// Measure lets a player attempt every bug of a set once.
func Measure(ctx context.Context, set *Functions, name, version string, p policy.Policy, steps, rollouts int, seed uint64, workers int) (Ranking, error) {
	began := time.Now()
	if b, ok := p.(*builtin.Policy); ok {
		b.Rollouts = rollouts
	}
	got, err := set.Attempts(ctx, p, steps*rollouts, seed, workers, nil)
	if err != nil {
		return Ranking{}, err
	}
	r := Ranking{Name: name, Version: version, Solved: map[string]int{}, Seconds: time.Since(began).Seconds()}
	for i, a := range got {
		if a.Solved > 0 {
			r.Solved[set.Bugs[i].ID] = a.Solved
		}
	}
	within := func(n, step int) Share {
		s := Share{Within: n}
		for _, a := range got {
			if a.Solved > 0 && a.Solved <= step {
				s.Solved++
			}
		}
		s.Rate = float64(s.Solved) / float64(len(got))
		s.Low, s.High = stat.Wilson(s.Solved, len(got))
		return s
	}
	for _, n := range []int{1, 8, steps} {
		if n <= steps && (len(r.At) == 0 || r.At[len(r.At)-1].Within < n) {
			r.At = append(r.At, within(n, n))
		}
	}
	for n := 1; rollouts > 1; n = min(2*n, rollouts) {
		r.Rolls = append(r.Rolls, within(n, n*steps))
		if n == rollouts {
			break
		}
	}
	return r, nil
}
