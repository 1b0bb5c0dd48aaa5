package bugset

import "fmt"

// A set whose own machinery fails too often stops: when more than faultShare
// of the last faultWindowSize validations, and at least faultMinimum, could
// not be done.
const (
	faultWindowSize = 100
	faultShare      = 0.2
	faultMinimum    = 10
)

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

// faultWindow remembers which of the last validations failed.
type faultWindow struct {
	ring []bool
	last error
}

func (f *faultWindow) add(err error) {
	f.ring = append(f.ring, err != nil)
	if len(f.ring) > faultWindowSize {
		f.ring = f.ring[1:]
	}
	if err != nil {
		f.last = err
	}
}

func (f *faultWindow) check() error {
	n := 0
	for _, bad := range f.ring {
		if bad {
			n++
		}
	}
	if n < faultMinimum || float64(n) <= faultShare*float64(len(f.ring)) {
		return nil
	}
	return &FaultsError{Faults: n, Of: len(f.ring), Last: f.last}
}
