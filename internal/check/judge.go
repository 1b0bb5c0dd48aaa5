package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// judge gives one mutation its outcome.
type judge struct {
	suite   Suite
	tree    *tree.Tree
	base    outcome.Results
	look    func(test string) time.Duration
	confirm bool
	spared  func(m mutate.Mutation, test string) bool
	numbers map[string]int32 // of tests
	witness Witness
	turns   turns
}

func newJudge(c Config) judge {
	j := judge{turns: newTurns(max(1, c.Workers)), suite: c.Suite, tree: c.Tree, base: c.Base, look: c.Look, confirm: c.Confirm, spared: c.Spared, numbers: map[string]int32{}, witness: c.Witness}
	for i, id := range c.Order {
		j.numbers[id] = int32(i)
	}
	return j
}

// number is where Config.Order has a test, -1 where it has not.
func (j judge) number(id string) int32 {
	if n, ok := j.numbers[id]; ok {
		return n
	}
	return -1
}

// verdict is an outcome with what led to it.
type verdict struct {
	outcome outcome.Break
	reason  string
	test    string
}

// judge makes the mutation and looks whether a test notices. Its error is the
// end of ctx; a fault of our own is in the result.
func (j judge) judge(ctx context.Context, m mutate.Mutation) (Result, []byte, error) {
	began := time.Now()
	r := Result{Mutation: m}
	d := j.newDiary()
	fault := func(err error) (Result, []byte, error) {
		if ctx.Err() != nil {
			return r, nil, ctx.Err()
		}
		return Result{Mutation: m, Tests: r.Tests, Err: err}, nil, nil
	}
	broken, err := mutate.Apply(j.tree, m)
	if err != nil {
		return fault(err)
	}
	covering, err := j.suite.Affected(broken)
	if err != nil {
		return fault(err)
	}
	r.Tests = len(covering)
	numbers := make([]int32, len(covering))
	for i, id := range covering {
		numbers[i] = j.number(id)
	}
	r.Covering = NewTestSet(numbers...)
	v, err := j.verdict(ctx, d, &r, broken, covering)
	if err != nil {
		return fault(err)
	}
	r.Outcome, r.Reason, r.Test = v.outcome, v.reason, v.test
	r.Completed, r.Took = len(d.ended), time.Since(began)
	if f, ok := d.fails[r.Test]; ok && r.Test != "" {
		r.Failure = tellFailure(f)
	}
	if r.Outcome == outcome.Unnoticed && j.witness != nil {
		if r.Witness, r.Unfound, err = j.witness.Find(ctx, broken); err != nil {
			if ctx.Err() != nil {
				return r, nil, ctx.Err()
			}
			r.Unfound = "looking for one failed: " + err.Error() // that it is missed is known
		}
	}
	return r, d.log(r, covering), nil
}

// verdict runs the tests that can notice, but for those that are known to be
// green.
func (j judge) verdict(ctx context.Context, d *diary, r *Result, broken *tree.Tree, covering []string) (verdict, error) {
	tests := covering
	if j.spared != nil {
		tests = slices.DeleteFunc(slices.Clone(covering), func(id string) bool { return j.spared(r.Mutation, id) })
	}
	r.Spared = len(covering) - len(tests)
	v := verdict{outcome: outcome.Unnoticed}
	var err error
	switch {
	case len(covering) == 0:
		return verdict{outcome: outcome.Uncovered}, nil
	case len(tests) > 0:
		v, err = j.decide(ctx, d, testrun.Request{Tree: broken, Tests: tests, Tier: testrun.CodeSwap, Decide: true, Deadline: j.look})
	}
	if err == nil && v.outcome == outcome.Unnoticed && j.confirm {
		r.Confirmed = true
		// Not "no tests named": the suite's own red tests would decide at once.
		v, err = j.decide(ctx, d, testrun.Request{Tree: broken, Tests: j.base.Passed(), Tier: testrun.FreshProcess, Decide: true, Fresh: true})
		r.Changed = err == nil && v.outcome != outcome.Unnoticed
	}
	return v, err
}

// maxReprieves is how many tests of one mutation may time out and pass when
// they are run again; with more, time tells nothing.
const maxReprieves = 3

// decide looks for one red test. What may be the machine's doing and not the
// mutation's (a timeout, a process that died, a run that gave up or did not
// come to its tests) counts only when it repeats in a process of its own.
func (j judge) decide(ctx context.Context, d *diary, req testrun.Request) (verdict, error) {
	for reprieves := 0; ; reprieves++ {
		rep, err := j.run(ctx, d, req)
		if err != nil {
			return verdict{}, err
		}
		saw := j.see(rep)
		if saw.sure {
			return saw.verdict, nil
		}
		again := req
		again.Fresh, again.Tier, again.Deadline = true, testrun.FreshProcess, nil
		if saw.test != "" {
			again.Tests = []string{saw.test}
		}
		repeat := func() (err error) { rep, err = j.run(ctx, d, again); return err }
		if saw.outcome == outcome.TimedOutBreak && rep.Waited {
			err = j.turns.aside(ctx, repeat)
		} else {
			err = repeat()
		}
		if err != nil {
			return verdict{}, err
		}
		second := j.see(rep)
		switch {
		case second.outcome == saw.outcome:
			return saw.verdict, nil // it repeats: red twice, or not loaded twice, or given up twice
		case red(saw.outcome) && red(second.outcome):
			return second.verdict, nil // noticed both times, in two ways
		case saw.test == "" && saw.outcome != outcome.Broken && second.sure:
			return second.verdict, nil // the first run had not come to its end, the second did
		case saw.outcome == outcome.TimedOutBreak && saw.test != "" && second.outcome == outcome.Unnoticed:
			if req.Deadline != nil {
				req.Deadline = nil // it is only slow, as others may be: none of them is hurried any more
				reprieves--
				continue
			}
			if reprieves == maxReprieves {
				return setAside("%d tests timed out and passed when they were run again, the last one %s", reprieves+1, saw.test), nil
			}
			req.Tests = without(req.Tests, saw.test)
			if len(req.Tests) == 0 {
				return verdict{outcome: outcome.Unnoticed}, nil
			}
		default:
			return setAside("two runs disagree: first %s, then %s", saw.tell(), second.tell()), nil
		}
	}
}

func red(o outcome.Break) bool { return o == outcome.Valid || o == outcome.TimedOutBreak }

func setAside(format string, args ...any) verdict {
	return verdict{outcome: outcome.FlakyBreak, reason: fmt.Sprintf(format, args...)}
}

func without(tests []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(tests), func(t string) bool { return t == id })
}

// sight is what one run shows; sure says that it need not be repeated.
type sight struct {
	verdict
	sure bool
}

// tell says what a run showed.
func (s sight) tell() string {
	switch {
	case s.outcome == outcome.Unnoticed:
		return "no test was red"
	case s.reason != "":
		return s.reason
	case s.test != "":
		return s.test + " was red"
	}
	return Word(s.outcome)
}

// see reads a report. A test that failed by itself outweighs everything but a
// tree that does not load; a test that hung comes next, then one that died
// with its process.
func (j judge) see(rep testrun.Report) sight {
	if !rep.Loaded {
		s := sight{verdict: verdict{outcome: outcome.Broken, reason: rep.LoadError}}
		for file := range rep.Uncollected { // else the process did not come to its tests: late or dead
			s.sure = s.sure || strings.HasPrefix(rep.LoadError, file+": ")
		}
		return s
	}
	var hung, died string
	for _, id := range outcome.Red(j.base, rep.Results) {
		switch {
		case rep.Results.Get(id) == outcome.TimedOut:
			if hung == "" {
				hung = id
			}
		case rep.Failures[id].Kind == processDied:
			if died == "" {
				died = id
			}
		default:
			return sight{verdict{outcome: outcome.Valid, test: id}, true}
		}
	}
	switch {
	case hung != "":
		return sight{verdict{outcome.TimedOutBreak, hung + " timed out", hung}, false}
	case died != "":
		return sight{verdict{outcome.Valid, "the process died in " + died, died}, false}
	case rep.GaveUp:
		return sight{verdict{outcome: outcome.TimedOutBreak, reason: "the tests together took too long"}, false}
	case !rep.Complete:
		return sight{verdict{outcome: outcome.FlakyBreak, reason: "the run ended before its tests had"}, false}
	}
	return sight{verdict{outcome: outcome.Unnoticed}, true}
}

// processDied is the kind of failure of a test whose process ended under it.
const processDied = "ProcessDied"

// run asks for verdicts; a fault of our own is tried once more.
func (j judge) run(ctx context.Context, d *diary, req testrun.Request) (testrun.Report, error) {
	began := time.Now()
	rep, err := j.suite.Run(ctx, req)
	if err != nil && ctx.Err() == nil {
		rep, err = j.suite.Run(ctx, req)
	}
	if err == nil {
		d.note(req, rep, time.Since(began))
	}
	return rep, err
}
