package testrun

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// giveUpAfter is how many tests may hang or kill their process before a run
// ends with the rest Absent.
const giveUpAfter = 3

// series runs wanted tests on one tree, in as many processes as it takes: one
// more for each test that hangs or kills its process, and never the same test
// twice.
type series struct {
	box      sandbox.Sandbox
	env      *source.Environment
	tree     *tree.Tree
	mode     mode
	seed     int
	tests    []string // wanted ids; nil with whole nil: everything that is collected
	whole    []string // files of ours: every test in them is wanted
	deadline func(id string) time.Duration
	tight    func(id string) time.Duration // once one test was past its deadline; nil: the same
	loading  time.Duration
	giveUp   int
	budget   time.Duration // wall time of all processes together; 0 means none
	coverage string
	decide   bool                                         // end at the first red test
	reverse  bool                                         // the last test first
	start    func(context.Context, job) (*session, error) // runs one process; nil: a fresh one in box
	loads    []string                                     // files to be loaded, more than the tests need
	anyRoot  bool                                         // a wanted test is not in a file of its own name: collect the roots
}

// tally is what a series said.
type tally struct {
	results     outcome.Results
	failures    map[string]Failure
	seconds     map[string]float64
	uncollected map[string]uncollected
	ids         []string // as collected by the first process
	loadError   string   // the process did not get to its tests
	loadLate    bool     // for want of time or memory
	complete    bool
	gaveUp      bool
	waited      bool            // the last test that hung used next to no CPU time
	killed      map[string]bool // tests that hung or ended their process
	trace       *trace
	decided     bool
	pytest      string
	loadTime    time.Duration // of the first process that collected
	hints       string
	strange     int
	wall, cpu   time.Duration
	peak        int64
	processes   int
	output      string // tail of the last process's output, for logs only
}

func (s series) run(ctx context.Context) (*tally, error) {
	t := &tally{results: outcome.Results{}, failures: map[string]Failure{}, seconds: map[string]float64{},
		uncollected: map[string]uncollected{}, killed: map[string]bool{}}
	if s.giveUp <= 0 {
		s.giveUp = giveUpAfter
	}
	var (
		all     = s.tests == nil && len(s.whole) == 0
		pending = slices.Clone(s.tests)
		whole   = s.whole
		strikes int
		early   int // processes that died before a test started
		began   = time.Now()
	)
	for {
		var left time.Duration
		if s.budget > 0 {
			if left = s.budget - time.Since(began); left <= 0 {
				t.gaveUp = true
				return t, nil
			}
		}
		j := job{wall: left, tree: s.tree, env: s.env, mode: s.mode, seed: s.seed, deadline: s.deadline, loading: s.loading,
			coverage: s.coverage, decide: s.decide, reverse: s.reverse}
		if !all {
			j.tests = append([]string{}, pending...)
			j.whole = whole
			if !s.anyRoot {
				j.files = append(filesOf(pending), whole...)
			}
			if len(s.loads) > 0 {
				j.files, j.few = s.loads, true
			}
		}
		if strikes > 0 && s.tight != nil {
			j.deadline = s.tight
		}
		one, err := s.startOne(ctx, j)
		if err != nil {
			return nil, err
		}
		t.processes++
		t.merge(one)
		if one.box.Stopped == sandbox.Deadline && !one.done {
			t.gaveUp = true // no test is to blame: all of them together took too long
			return t, nil
		}
		if len(one.started) == 0 && !(one.done && one.ready) {
			early++
			if one.orderly || one.done || one.late || early > 1 {
				t.loadError, t.loadLate = loadError(one, s.loading), one.late || one.box.Stopped == sandbox.Memory
				return t, nil
			}
			continue
		}
		if one.ids != nil && (all || len(whole) > 0) {
			// From here on every wanted test has a name.
			pending, whole, all = one.ids, nil, false
			t.ids = one.ids
		}
		pending = slices.DeleteFunc(slices.Clone(pending), func(id string) bool {
			_, has := t.results[id]
			return has || id == one.timedOut || id == one.running
		})
		victim := one.timedOut
		switch {
		case one.timedOut != "":
			t.waited = one.waited
			t.results[victim] = outcome.TimedOut
			t.seconds[victim] = j.deadline(victim).Seconds()
			t.failures[victim] = Failure{Kind: KindTimedOut, Path: fileOf(victim),
				Message: fmt.Sprintf("the test was past its deadline of %.1f s", j.deadline(victim).Seconds())}
		case one.stopped != "":
			victim = one.stopped
		case one.running != "":
			victim = one.running
			t.results[victim] = outcome.Errored
			t.failures[victim] = Failure{Kind: "ProcessDied", Path: fileOf(victim), Message: "the process died: " + deathOf(one.box),
				Text: clip(tail(one.box.Stderr, 2000), maxText)}
		case one.done:
			t.complete, t.decided = one.whole, one.decided
			return t, nil
		}
		if victim != "" {
			t.killed[victim] = true
		}
		if s.decide && victim != "" && t.results[victim].Red() {
			t.decided = true
			return t, nil
		}
		strikes++
		if strikes >= s.giveUp && len(pending) > 0 {
			t.gaveUp = true
			return t, nil
		}
		if len(pending) == 0 {
			t.complete = true
			return t, nil
		}
	}
}

func (s series) startOne(ctx context.Context, j job) (*session, error) {
	if s.start != nil {
		return s.start(ctx, j)
	}
	return j.run(ctx, s.box)
}

func (t *tally) merge(s *session) {
	for id, v := range s.verdicts {
		t.results[id] = v
	}
	for id, f := range s.failures {
		t.failures[id] = f
	}
	for id, x := range s.seconds {
		t.seconds[id] = x
	}
	for _, u := range s.uncollected {
		if _, has := t.uncollected[u.file]; !has {
			t.uncollected[u.file] = u
		}
	}
	if s.trace != nil {
		if t.trace == nil {
			t.trace = newTrace()
		}
		t.trace.merge(s.trace)
	}
	t.pytest = s.pytest
	if t.loadTime == 0 {
		t.loadTime = s.loadTime
	}
	t.hints += s.hints
	t.strange += s.strange
	t.wall += s.box.Wall
	t.cpu += s.box.CPU
	t.peak = max(t.peak, s.box.PeakMemory)
	t.output = tail(s.box.Stdout, 20000) + tail(s.box.Stderr, 20000)
}

// before adds what an earlier series on the same tree said of other tests.
func (t *tally) before(o *tally) {
	maps.Copy(t.results, o.results)
	maps.Copy(t.failures, o.failures)
	maps.Copy(t.seconds, o.seconds)
	maps.Copy(t.killed, o.killed)
	t.complete = t.complete && o.complete
	t.strange += o.strange
	t.wall, t.cpu = t.wall+o.wall, t.cpu+o.cpu
	t.peak = max(t.peak, o.peak)
	t.processes += o.processes
}

// deathOf says how a process ended.
func deathOf(r sandbox.Result) string {
	switch r.Stopped {
	case sandbox.Signaled:
		return fmt.Sprintf("signal %d", r.Signal)
	case sandbox.Memory:
		return "out of memory"
	case sandbox.Exited:
		if r.Exit > 128 && r.Exit < 160 {
			return fmt.Sprintf("signal %d", r.Exit-128)
		}
		return fmt.Sprintf("it left with status %d", r.Exit)
	case sandbox.Told:
		return "a flood of forged lines on the report descriptor"
	}
	return string(r.Stopped)
}

// loadError is the first thing that a process said that did not get to its tests.
func loadError(s *session, loading time.Duration) string {
	if s.late {
		return fmt.Sprintf("loading the tests did not end within %.0f s", loading.Seconds())
	}
	text := strings.TrimSpace(tail(s.box.Stderr, 4000))
	if text == "" {
		text = strings.TrimSpace(tail(s.box.Stdout, 4000))
	}
	if (s.orderly || s.done) && text != "" {
		return maskAddresses(firstError(text))
	}
	return maskAddresses("the process died before the first test: " + deathOf(s.box) + "\n" + text)
}

// internalError is the line of a traceback of pytest's own that names the error.
var internalError = regexp.MustCompile(`^INTERNALERROR> ((?:\w+\.)*\w*(?:Error|Exception|Warning|Exit|Interrupt)\b.*)`)

// firstError picks from pytest's output the lines that tell the error.
func firstError(text string) string {
	var picked []string
	for _, l := range strings.Split(text, "\n") {
		if e := internalError.FindStringSubmatch(l); e != nil {
			picked = append(picked, e[1])
		} else if strings.HasPrefix(l, "E  ") || strings.HasPrefix(l, "ERROR") || strings.HasPrefix(l, "ImportError") {
			picked = append(picked, strings.TrimSpace(strings.TrimPrefix(l, "E  ")))
		}
	}
	if len(picked) == 0 {
		return text
	}
	return strings.Join(picked, "\n")
}

// tail returns the last n bytes of b as text.
func tail(b []byte, n int) string {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func maskAddresses(s string) string { return addresses.ReplaceAllString(s, "0x…") }
