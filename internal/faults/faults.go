// Package faults says when too much of the work fails by a fault of our own: a
// run whose machinery fails that often says little, and stops.
package faults

import "sync"

// It stops when more than share of the last size pieces of work, and at least
// minimum of them, were faults.
const (
	size    = 100
	share   = 0.2
	minimum = 10
)

// Retries is how often one piece of work is tried again before it counts as a
// fault; retries are for causes of our own only.
const Retries = 2

// Window remembers which of the last pieces of work were faults. The zero value
// is an empty one; it is safe for concurrent use.
type Window struct {
	mu   sync.Mutex
	ring []bool
	last error
}

// Add records a piece of work; nil means that it was done.
func (w *Window) Add(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ring = append(w.ring, err != nil)
	if len(w.ring) > size {
		w.ring = w.ring[1:]
	}
	if err != nil {
		w.last = err
	}
}

// TooMany reports whether it is time to stop: how many of the last pieces of
// work were faults, of how many, and the last one.
func (w *Window) TooMany() (n, of int, last error, stop bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, bad := range w.ring {
		if bad {
			n++
		}
	}
	return n, len(w.ring), w.last, n >= minimum && float64(n) > share*float64(len(w.ring))
}
