package testrun

import (
	"sync"
	"time"

	"breakfix/internal/sandbox"
)

// A deadline is wall time, and CPU time where that can be read: code that is
// past its wall time is killed when it has used as much CPU time, or when it
// waits for something that does not come: it has used next to none and would not
// run if it could. What was kept from running by other work on the machine goes
// on, up to patience times its wall time, or starved times when it got next to
// nothing of the machine.
const (
	patience = 4
	starved  = 20
	idle     = 0.2 // share of the wall time in CPU time below which code waits, or is starved
)

// watch kills a process when the time that it was allowed has passed.
type watch struct {
	began time.Time
	kill  func()

	mu    sync.Mutex
	timer *time.Timer
	run   sandbox.Meter // nil before it began
	since time.Time     // of the last allowance
	used  time.Duration // CPU time then
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

// meter tells the watch how to measure what it watches.
func (w *watch) meter(run sandbox.Meter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.run = run
}

func (w *watch) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if wall := time.Since(w.since); wall < w.limit { // allowed anew while it expired
		w.timer.Reset(w.limit - wall)
		return
	}
	if more := w.more(); more > 0 {
		w.timer.Reset(max(more, 20*time.Millisecond))
		return
	}
	w.dead, w.over = true, true
	w.kill()
}

// more is how long what is past its wall time may go on, 0 when it may not.
func (w *watch) more() time.Duration {
	if w.run == nil {
		return 0
	}
	now, ok := w.run.CPU()
	used, wall := now-w.used, time.Since(w.since)
	switch {
	case !ok || used >= w.limit:
		return 0
	case used > time.Duration(idle*float64(wall)):
		if wall < patience*w.limit {
			return w.limit - used
		}
	case wall < starved*w.limit && w.run.Runnable():
		return w.limit - used
	}
	return 0
}

// allow gives d from now on.
func (w *watch) allow(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.since, w.limit = time.Now(), d
	if w.run != nil {
		if now, ok := w.run.CPU(); ok {
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
