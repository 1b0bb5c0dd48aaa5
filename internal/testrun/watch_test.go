package testrun

import (
	"testing"
	"time"
)

// metered is a run that has got a share of a processor since it began.
type metered struct {
	began    time.Time
	share    float64
	runnable bool
	looks    int
}

func (m *metered) CPU() (time.Duration, bool) {
	m.looks++
	return time.Duration(m.share * float64(time.Since(m.began))), true
}
func (m *metered) Runnable() bool { return m.runnable }

func TestWhatTheMachineKeepsFromRunningIsNotKilledForIt(t *testing.T) {
	const limit = 20 * time.Millisecond
	for name, c := range map[string]struct {
		share    float64
		runnable bool
		from     time.Duration // when it is killed, at the earliest
		at       bool          // at the first look
	}{
		"spins":                 {1, true, limit, true},
		"waits":                 {0, false, limit, true},
		"gets half a processor": {0.5, true, 2 * limit, false},
		"sleeps half the time":  {0.5, false, 2 * limit, false},
		"gets next to nothing":  {0.01, true, starved * limit, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killed := make(chan struct{})
			m := &metered{time.Now(), c.share, c.runnable, 0}
			w := newWatch(func() { close(killed) }, limit)
			w.meter(m)
			<-killed
			if d := time.Since(m.began); d < c.from || (m.looks == 1) != c.at {
				t.Errorf("killed after %s and %d looks, want %s at the earliest, at the first look: %v", d, m.looks, c.from, c.at)
			}
			if !w.fired() {
				t.Error("the watch does not say that it killed")
			}
			if w.waited() != (name == "waits") {
				t.Errorf("the watch says that it waited: %v", w.waited())
			}
		})
	}
}

func TestATestThatEndsAtOnceIsNotMeasured(t *testing.T) {
	m := &metered{time.Now(), 1, false, 0}
	w := newWatch(func() { t.Error("killed") }, time.Minute)
	w.meter(m)
	for range 5 {
		w.allow(time.Minute)
	}
	if m.looks != 0 {
		t.Errorf("%d looks at once", m.looks)
	}
	time.Sleep(3 * settled)
	w.stop()
	if m.looks != 1 {
		t.Errorf("%d looks at what goes on, want one", m.looks)
	}
}

// CPU time counts from the first look at a test, not from the process's beginning.
func TestWhatWasUsedBeforeDoesNotCount(t *testing.T) {
	const limit = 60 * time.Millisecond
	killed := make(chan struct{})
	m := &metered{time.Now().Add(-time.Hour), 0.5, true, 0}
	w := newWatch(func() { close(killed) }, time.Minute)
	w.meter(m)
	began := time.Now()
	w.allow(limit)
	<-killed
	if d := time.Since(began); d < 2*limit {
		t.Errorf("killed after %s: of half a processor it has %s only then", d, limit)
	}
}
