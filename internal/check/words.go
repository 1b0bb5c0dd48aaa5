package check

import "breakfix/internal/outcome"

// Word is what check calls the outcome of a break (docs/cli.md, "One outcome,
// three audiences").
func Word(o outcome.Break) string {
	switch o {
	case outcome.Valid:
		return "caught"
	case outcome.Unnoticed:
		return "missed"
	case outcome.TimedOutBreak:
		return "timed_out"
	case outcome.Uncovered:
		return "not_covered"
	case outcome.Broken:
		return "does_not_load"
	}
	return "set_aside"
}

// Counts are numbers of mutations by outcome.
type Counts struct {
	Caught      int `json:"caught"`
	Missed      int `json:"missed"`
	TimedOut    int `json:"timed_out"`
	NotCovered  int `json:"not_covered"`
	DoesNotLoad int `json:"does_not_load"`
	SetAside    int `json:"set_aside"`
}

// Add counts one more.
func (c *Counts) Add(o outcome.Break) {
	switch o {
	case outcome.Valid:
		c.Caught++
	case outcome.Unnoticed:
		c.Missed++
	case outcome.TimedOutBreak:
		c.TimedOut++
	case outcome.Uncovered:
		c.NotCovered++
	case outcome.Broken:
		c.DoesNotLoad++
	default:
		c.SetAside++
	}
}

// Score is the mutation score, the share of what tests run and could notice
// that they did notice: (caught + timed out) / (caught + timed out + missed).
// It is nil when there is nothing to divide.
func (c Counts) Score() *float64 {
	noticed := c.Caught + c.TimedOut
	if noticed+c.Missed == 0 {
		return nil
	}
	s := float64(noticed) / float64(noticed+c.Missed)
	return &s
}
