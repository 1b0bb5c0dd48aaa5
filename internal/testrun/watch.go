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
	used  time.Duration // CPU time then, or a little later
	late  bool          // it is not read yet
	limit time.Duration
	waits bool // at the last look it waited for something
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
	wall := time.Since(w.since)
	if w.late && wall >= settled {
		if w.read(); wall >= w.limit { // we were kept from looking, it perhaps too
			w.since, wall = time.Now(), 0
		}
	}
	if wall < w.limit { // allowed anew while it expired, or read
		w.timer.Reset(w.next(wall))
		return
	}
	if more := w.more(); more > 0 {
		w.timer.Reset(max(more, 20*time.Millisecond))
		return
	}
	w.dead, w.over = true, true
	w.kill()
}

// settled is how long after an allowance the CPU time is read: reading it takes
// longer than most tests, which are over by then. What is used before is not counted.
const settled = 20 * time.Millisecond

// next is when to look again.
func (w *watch) next(wall time.Duration) time.Duration {
	if w.late && wall < settled {
		return min(settled, w.limit) - wall
	}
	return w.limit - wall
}

// read notes the CPU time from which is counted.
func (w *watch) read() {
	w.late = false
	if w.run != nil {
		if now, ok := w.run.CPU(); ok {
			w.used = now
		}
	}
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
	default:
		w.waits = wall < starved*w.limit
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
	w.since, w.limit, w.late = time.Now(), d, true
	if d <= settled {
		w.read()
	}
	w.timer.Reset(w.next(0))
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

// waited reports whether what was killed waited for something that did not come.
func (w *watch) waited() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waits
}

func (w *watch) fired() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead
}
