package selfplay

import "sync"

// A run whose own machinery fails too often says little about the policy:
// it stops when more than faultShare of the last faultWindowSize attempts (and
// at least faultMinimum of them) were infrastructure faults.
const (
	faultWindowSize = 100
	faultShare      = 0.2
	faultMinimum    = 10
	// faultRetries is how often one piece of work is tried again before it
	// counts as a fault; retries are for causes of our own only.
	faultRetries = 2
)

// faultWindow remembers which of the last attempts were faults of our own.
type faultWindow struct {
	mu   sync.Mutex
	ring []bool
	last error
}

func (f *faultWindow) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring = append(f.ring, err != nil)
	if len(f.ring) > faultWindowSize {
		f.ring = f.ring[1:]
	}
	if err != nil {
		f.last = err
	}
}

// check returns a *FaultsError when the share is too large.
func (f *faultWindow) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
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
