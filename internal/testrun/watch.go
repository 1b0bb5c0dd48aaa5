package testrun

import (
	"sync"
	"time"
)

// A deadline is wall time, and CPU time where that can be read: code that is
// past its wall time is killed when it has used as much CPU time, or next to
// none (it waits for something that does not come). What was kept from running
// by other work on the machine goes on, up to patience times its wall time.
const (
	patience = 4
	idle     = 0.2 // share of the deadline in CPU time below which code waits
)

// watch kills a process when the time that it was allowed has passed.
type watch struct {
	began time.Time
	kill  func()

	mu    sync.Mutex
	timer *time.Timer
	cpu   func() (time.Duration, bool) // nil while it cannot be read
	since time.Time                    // of the last allowance
	used  time.Duration                // CPU time then
	limit time.Duration
	dead  bool // fired
	over  bool // stopped: later allowances mean nothing
}

func newWatch(kill func(), d time.Duration) *watch {
	w := &watch{began: time.Now(), kill: kill, limit: d}
	w.since = w.began
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(d, w.expire)
	return w
}

// meter tells the watch how to read the CPU time of what it watches.
func (w *watch) meter(cpu func() (time.Duration, bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cpu = cpu
}

func (w *watch) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if w.cpu != nil {
		if now, ok := w.cpu(); ok {
			used, wall := now-w.used, time.Since(w.since)
			if wall < w.limit { // allowed anew while it expired
				w.timer.Reset(w.limit - wall)
				return
			}
			if used < w.limit && used > time.Duration(idle*float64(wall)) && wall < patience*w.limit {
				w.timer.Reset(max(w.limit-used, 20*time.Millisecond))
				return
			}
		}
	}
	w.dead, w.over = true, true
	w.kill()
}

// allow gives d from now on.
func (w *watch) allow(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.since, w.limit = time.Now(), d
	if w.cpu != nil {
		if now, ok := w.cpu(); ok {
			w.used = now
		}
	}
	w.timer.Reset(d)
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

func (w *watch) fired() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}
