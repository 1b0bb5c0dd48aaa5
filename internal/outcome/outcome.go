// Package outcome holds the closed sets of words that everything else talks
// in: verdicts of tests, outcomes of breaks and attempts, checks and gates.
// It has no dependencies and no state.
package outcome

import "sort"

// Verdict is what happened to one test in one run.
type Verdict string

// The verdicts. Absent means that the test was expected and not reported;
// absent and skipped never count as passed. An expected failure is Skipped, an
// unexpected pass is Passed.
const (
	Passed   Verdict = "passed"
	Failed   Verdict = "failed"
	Errored  Verdict = "errored"
	Skipped  Verdict = "skipped"
	TimedOut Verdict = "timed_out"
	Absent   Verdict = "absent"
)

// Red reports whether v makes a test that passed on the base red.
func (v Verdict) Red() bool { return v == Failed || v == Errored || v == TimedOut }

// Known reports whether v is one of the declared verdicts.
func (v Verdict) Known() bool {
	switch v {
	case Passed, Failed, Errored, Skipped, TimedOut, Absent:
		return true
	}
	return false
}

// Results maps a test id to its verdict. A missing id reads as Absent.
type Results map[string]Verdict

// Get returns the verdict of a test, Absent when it was not reported.
func (r Results) Get(id string) Verdict {
	if v, ok := r[id]; ok {
		return v
	}
	return Absent
}

// Passed returns the ids that passed, sorted.
func (r Results) Passed() []string {
	return r.where(func(v Verdict) bool { return v == Passed })
}

// Reds returns the ids that failed, errored or timed out, sorted.
func (r Results) Reds() []string { return r.where(Verdict.Red) }

func (r Results) where(keep func(Verdict) bool) []string {
	var ids []string
	for id, v := range r {
		if keep(v) {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Red returns the tests that passed on the base and are now failed, errored
// or timed out, sorted: the red set of a break.
func Red(base, now Results) []string {
	var ids []string
	for id, v := range base {
		if v == Passed && now.Get(id).Red() {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Regressions returns the tests that passed on the base and are anything else
// now (skipped and absent included), sorted: what a repair may not leave.
func Regressions(base, now Results) []string {
	var ids []string
	for id, v := range base {
		if v == Passed && now.Get(id) != Passed {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Break is the outcome of a break.
type Break string

// The outcomes of a break.
const (
	Valid         Break = "valid"
	Unnoticed     Break = "unnoticed" // no test goes red
	Uncovered     Break = "uncovered" // no test runs it
	Broken        Break = "broken"    // the tree does not load
	FlakyBreak    Break = "flaky"     // the red set differs between runs
	TimedOutBreak Break = "timed_out" // the run gave up before the red set was known
	Rejected      Break = "rejected"  // a check objects; the check is recorded beside it
)

// Breaks lists the outcomes of a break in the order in which they are shown.
var Breaks = []Break{Valid, Unnoticed, Uncovered, Broken, FlakyBreak, TimedOutBreak, Rejected}

// Attempt is the outcome of one go of the fixer at one bug.
type Attempt string

// The outcomes of an attempt. Infrastructure is ours and is never scored.
const (
	Fixed          Attempt = "fixed"
	Wrong          Attempt = "wrong"
	Gated          Attempt = "gated" // every test is green, but a gate objects
	GaveUp         Attempt = "gave_up"
	OutOfSteps     Attempt = "out_of_steps"
	Infrastructure Attempt = "infrastructure"
)

// Attempts lists the outcomes of an attempt in the order in which they are shown.
var Attempts = []Attempt{Fixed, Wrong, Gated, GaveUp, OutOfSteps, Infrastructure}

// Check names one step of a bug's validation.
type Check string

// The checks, in the order in which validation runs them (design.md).
const (
	CheckFiles      Check = "files"       // the files of the artifact exist and agree with their digests
	CheckApplies    Check = "applies"     // the patch applies; its reverse restores the base byte for byte
	CheckCodeOnly   Check = "code_only"   // code files only: no test, no runner configuration
	CheckBaseGreen  Check = "base_green"  // the base is what it was: its tests pass
	CheckLoads      Check = "loads"       // the broken tree still loads
	CheckRed        Check = "red"         // at least one test that passed goes red
	CheckRepeats    Check = "repeats"     // the same red set k times
	CheckFileNeeded Check = "file_needed" // every changed file matters
	CheckHunkNeeded Check = "hunk_needed" // every hunk matters
	CheckWeakened   Check = "weakened"    // the weakened suite hides the bug
	CheckDuplicate  Check = "duplicate"   // not a known bug
	CheckHermetic   Check = "hermetic"    // no dependence on clock, randomness, environment or hash seed
	CheckMinimal    Check = "minimal"     // the minimised test is red on the bug and green on the base
	CheckHigher     Check = "higher"      // a higher-order bug differs from its parents and siblings

	// CheckInfrastructure is no check: it stands where validation could not be
	// done by a fault of our own. Such a break is never scored.
	CheckInfrastructure Check = "infrastructure"
	// CheckForm stands where nothing was validated because the reward is for the
	// form of the breaker's answers alone; its value is a Form.
	CheckForm Check = "form"
)

// Form is how near a player's answer came to a move: a call that changes code.
// Of several answers it is that of the nearest.
type Form string

// The forms, in order. What is not one of them counts as the first.
const (
	FormNone  Form = "no call that changes code"
	FormWord  Form = "the name of a call that changes code, but no call"
	FormNamed Form = "a call that changes code, with arguments that cannot be read"
	FormCall  Form = "a well-formed call that names no place that is there"
	FormPlace Form = "a well-formed call that names a place that is there"
)

// Forms lists the forms in order, each nearer to a move than those before.
var Forms = []Form{FormNone, FormWord, FormNamed, FormCall, FormPlace}

// Checks lists the checks in order.
var Checks = []Check{CheckFiles, CheckApplies, CheckCodeOnly, CheckBaseGreen, CheckLoads, CheckRed, CheckRepeats,
	CheckFileNeeded, CheckHunkNeeded, CheckWeakened, CheckDuplicate, CheckHermetic, CheckMinimal, CheckHigher}

// Gate names one check that a repair must pass.
type Gate string

// The gates, in the order in which grading runs them.
const (
	GateRed   Gate = "red_tests" // every red test, the minimised one too, is reported passed
	GateSuite Gate = "suite"     // nothing that passed on the base is anything else
	GateLint  Gate = "lint"      // no new pylint finding
	GateTypes Gate = "types"     // no new mypy finding
	GateRun   Gate = "run"       // 30 seconds of running the package without crash or hang
)

// Gates lists the gates in order.
var Gates = []Gate{GateRed, GateSuite, GateLint, GateTypes, GateRun}

// GatePassed is the value of a gate that does not object; any other value is
// the reason why it does.
const GatePassed = "passed"

// Judge derives the outcome of an attempt that handed in a repair from its
// gates: wrong when a test gate objects, gated when only another one does.
func Judge(gates map[Gate]string) Attempt {
	if gates[GateRed] != GatePassed || gates[GateSuite] != GatePassed {
		return Wrong
	}
	for _, g := range Gates {
		if v, ok := gates[g]; !ok || v != GatePassed {
			return Gated
		}
	}
	return Fixed
}
