package testrun

import (
	"fmt"
	"slices"
	"time"
)

// Deadlines say how long a test may take on a changed tree: Floor, or Factor
// times its own time on the base, whichever is more; in CPU time and wall time.
type Deadlines struct {
	Floor  time.Duration
	Factor float64
}

// The defaults, and what a test has that the base has not.
const (
	Floor   = 2 * time.Second
	Slack   = 6
	Unknown = 5 * time.Second
)

func (d Deadlines) orDefault() Deadlines {
	if d.Floor <= 0 {
		d.Floor = Floor
	}
	if d.Factor <= 0 {
		d.Factor = Slack
	}
	return d
}

// suffix names what is not the default: timeouts are kept apart by it.
func (d Deadlines) suffix() string {
	if d.Floor == Floor && d.Factor == Slack {
		return ""
	}
	return fmt.Sprintf("-%g-%g", d.Floor.Seconds(), d.Factor)
}

func (d Deadlines) of(own float64) time.Duration {
	return max(d.Floor, time.Duration(d.Factor*own*float64(time.Second)))
}

// Deadline is the time that a test has by the baseline's rule.
func (w *Workspace) Deadline(id string) time.Duration {
	s, ok := w.Base.Seconds[id]
	if !ok {
		return Unknown
	}
	return w.deadlines.of(s)
}

// tight is Deadline once a test of the same run was past its own: what hung one
// test is likely to hang the next.
func (w *Workspace) tight(id string) time.Duration {
	s, ok := w.Base.Seconds[id]
	if !ok {
		return Unknown
	}
	return Deadlines{w.deadlines.Floor / 4, w.deadlines.Factor}.of(s)
}

// deadlineOf is Deadline, for those that hung before tight.
func (w *Workspace) deadlineOf(hung []string) func(id string) time.Duration {
	return func(id string) time.Duration {
		if slices.Contains(hung, id) {
			return w.tight(id)
		}
		return w.Deadline(id)
	}
}

// looks is how many first looks the floor of a deadline is.
const looks = 16

// FirstLook is a time in which a test has ended unless it hangs or has become
// far slower, for callers that judge again, under Deadline, what has not.
func (w *Workspace) FirstLook(id string) time.Duration {
	s, ok := w.Base.Seconds[id]
	if !ok {
		return Unknown
	}
	return Deadlines{w.deadlines.Floor / looks, w.deadlines.Factor}.of(s)
}

// loading is the time that collecting has.
func (w *Workspace) loading() time.Duration {
	return max(10*time.Second, time.Duration(Slack*w.Base.Load*float64(time.Second)))
}

// A run gives up when all of its tests together take longer than budgetSlack
// times their time on the base and a constant: a mutation that makes a thousand
// tests slow passes no deadline of a single one.
const (
	budgetFloor = 30 * time.Second
	budgetSlack = 10
	budgetFile  = 2 * time.Second // for a file of ours, whose time nobody knows
)

func (w *Workspace) budget(tests, files []string) time.Duration {
	sum := w.Base.Load
	for _, id := range tests {
		sum += w.Base.Seconds[id]
	}
	return budgetFloor + time.Duration(budgetSlack*sum*float64(time.Second)) + time.Duration(len(files))*budgetFile
}
