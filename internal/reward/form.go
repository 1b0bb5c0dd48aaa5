package reward

import "breakfix/internal/outcome"

// Formal is a schema that pays the breaker for the form of its answers alone:
// nothing that it hands in is validated, and nobody repairs it.
type Formal interface {
	Schema
	// Form is what an answer is worth, from 0 to 1.
	Form(f outcome.Form) float64
}

// form is the warm-up of a model that does not know yet how a call is written. It
// is the game's smallest task: a well-formed call, then one that names a place that
// is there. What a bug is worth is no part of it.
type form struct{}

func (form) Name() string { return "form" }

// Form pays a half for a call and the other half for its place, and parts of the
// first half for less than a call: a model that writes no call by chance would
// have nothing to begin with.
func (form) Form(f outcome.Form) float64 {
	switch f {
	case outcome.FormWord:
		return 0.1
	case outcome.FormNamed:
		return 0.25
	case outcome.FormCall:
		return 0.5
	case outcome.FormPlace:
		return 1
	}
	return 0
}

func (form) Breaker(bool, float64, int, int) float64 { return 0 }

// Fixer pays nothing: no attempt is made.
func (form) Fixer(o outcome.Attempt, _ float64) (float64, bool) {
	return 0, o != outcome.Infrastructure
}
