package bugset

import "fmt"

// FaultsError ends a sitting in which too many validations failed by our own fault.
type FaultsError struct {
	Faults, Of int
	Last       error
}

// Error says how many and why.
func (e *FaultsError) Error() string {
	return fmt.Sprintf("%d of the last %d candidates could not be validated, the last one because: %v", e.Faults, e.Of, e.Last)
}

// Unwrap returns the last fault.
func (e *FaultsError) Unwrap() error { return e.Last }
