package sandbox

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// Meter measures the processes of a run while they run.
type Meter interface {
	// CPU is the CPU time that they have used; false when it is not measured.
	CPU() (time.Duration, bool)
	// Runnable tells whether one of them runs or would if it had a processor or its
	// disk; the others wait for an event.
	Runnable() bool
}

// CPU implements Meter.
func (g *group) CPU() (time.Duration, bool) {
	if g.unified == "" {
		return 0, false
	}
	n, ok := field(g.unified, "cpu.stat", "usage_usec")
	return time.Duration(n) * time.Microsecond, ok
}

// Runnable implements Meter. It looks three times, a millisecond apart: what
// asks again and again whether its event has come is rarely met awake.
func (g *group) Runnable() bool {
	for range 3 {
		if !g.awake() {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

func (g *group) awake() bool {
	for _, dir := range g.dirs {
		for _, pid := range members(dir) {
			threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
			for _, t := range threads {
				stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, t.Name()))
				if _, rest, ok := strings.Cut(string(stat), ") "); err == nil && ok && (rest[0] == 'R' || rest[0] == 'D') {
					return true
				}
			}
		}
	}
	return false
}
