package store

import (
	"fmt"

	"breakfix/internal/outcome"
	"breakfix/internal/reward"
)

// The roles in table rewards.
const (
	Breaker = "breaker"
	Fixer   = "fixer"
)

// Reward is one row of table rewards.
type Reward struct {
	Attempt int // 0: the break
	Role    string
	Value   float64
}

// Rewards computes the rewards of an episode from its outcomes alone, under
// its schema, the break's first. A break earns only where the breaker played:
// in a fresh episode, and not when its validation, or every attempt at a valid
// bug, was lost to a fault of ours. An attempt that was lost so earns nothing, which is not 0.
func Rewards(e Episode) ([]Reward, error) {
	schema, err := reward.Lookup(e.Schema)
	if err != nil {
		return nil, fmt.Errorf("episode %d: %w", e.Number, err)
	}
	valid := e.Break.Outcome == outcome.Valid
	solved, scored := 0, 0
	var rows []Reward
	for _, a := range e.Attempts {
		v, ok := schema.Fixer(a.Outcome, e.Break.Weight)
		if !ok {
			continue
		}
		scored++
		if a.Outcome == outcome.Fixed {
			solved++
		}
		rows = append(rows, Reward{Attempt: a.Number, Role: Fixer, Value: v})
	}
	ours := e.Break.Check == outcome.CheckInfrastructure
	if e.Kind == KindFresh && !ours && (!valid || scored > 0) {
		b := Reward{Role: Breaker, Value: schema.Breaker(valid, e.Break.Weight, solved, scored)}
		if s, ok := schema.(reward.Formal); ok {
			b.Value = s.Form(outcome.Form(e.Break.Checks[outcome.CheckForm]))
		}
		rows = append([]Reward{b}, rows...)
	}
	return rows, nil
}

// Score sets the rewards of e to what Rewards computes; those that are not
// earned to 0.
func Score(e *Episode) error {
	rows, err := Rewards(*e)
	if err != nil {
		return err
	}
	setRewards(e, rows)
	return nil
}

func setRewards(e *Episode, rows []Reward) {
	e.Break.Reward = 0
	values := map[int]float64{}
	for _, r := range rows {
		if r.Role == Breaker {
			e.Break.Reward = r.Value
		} else {
			values[r.Attempt] = r.Value
		}
	}
	for i := range e.Attempts {
		e.Attempts[i].Reward = values[e.Attempts[i].Number]
	}
}

// Rows picks from one run what is stored of it: the tests whose verdict is not
// the base's, and those of must (the red tests and the minimised one) whatever
// their verdict. A test that the run was not asked for has no row.
func Rows(base, now outcome.Results, must ...string) Verdicts {
	rows := Verdicts{}
	for test, v := range now {
		if before, ok := base[test]; !ok || before != v {
			rows[test] = v
		}
	}
	for _, test := range must {
		if v, ok := now[test]; ok {
			rows[test] = v
		}
	}
	return rows
}
