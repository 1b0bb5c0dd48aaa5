package bug

import (
	"context"
	"fmt"
	"sort"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// Validate judges a candidate. The result's Bug is set when every check of
// the table passed; otherwise Check and Reason say which one objected and why.
// The error is an infrastructure failure: then nothing is known about the
// candidate. A valid bug is not added to known; the caller decides the order.
func Validate(ctx context.Context, t Target, cand Candidate, known *Known) (Result, error) {
	return validate(ctx, &trial{t: t.within(cand.Tier), cand: cand, known: known, base: t.Snapshot.Tree, broken: cand.Tree})
}

// steps is the validation: what is checked in which order. Cheap checks come
// first, so duplicate and the part of hermetic that only reads stand before
// the first run. A check may stand twice, the second time with a run.
var steps = []step{
	{outcome.CheckFiles, filesExist},
	{outcome.CheckApplies, applies},
	{outcome.CheckCodeOnly, codeOnly},
	{outcome.CheckDuplicate, notKnown},
	{outcome.CheckHermetic, readsNothingOutside},
	{outcome.CheckBaseGreen, baseGreen},
	{outcome.CheckLoads, loads},
	{outcome.CheckRed, goesRed},
	{outcome.CheckDuplicate, looksNew},
	{outcome.CheckRepeats, repeats},
	{outcome.CheckHermetic, sameUnderAnotherSeedAndOrder},
	{outcome.CheckFileNeeded, filesNeeded},
	{outcome.CheckHunkNeeded, hunksNeeded},
	{outcome.CheckWeakened, weakened},
	{outcome.CheckHigher, higher},
	{outcome.CheckMinimal, minimal},
	{outcome.CheckMinimal, hiddenTest},
}

type step struct {
	check outcome.Check
	run   func(context.Context, *trial) (objection, error)
}

// objection is what a check says. The zero value means passed.
type objection struct {
	reason string
	as     outcome.Break // Rejected when empty
	skip   string        // not applicable, and why
}

func object(format string, args ...any) (objection, error) {
	return objection{reason: fmt.Sprintf(format, args...)}, nil
}

func objectAs(as outcome.Break, format string, args ...any) (objection, error) {
	return objection{reason: fmt.Sprintf(format, args...), as: as}, nil
}

func notApplicable(why string) (objection, error) { return objection{skip: why}, nil }

// trial is one validation under way.
type trial struct {
	t     Target
	cand  Candidate
	known *Known
	given *Bug // the artifact that is verified again; nil for a candidate

	base, broken *tree.Tree
	inject       []byte
	weaken       []byte
	whole        testrun.Report // the run that is the truth about the red set
	look         tree.Digest    // what the break shows, and from where
	red          []string
	seeded       *testrun.Report // of the sample under another hash seed
	sample       []string
	redTest      RedTest
	witness      bool          // redTest is a witness: no test of the suite is red
	hiddenTest   *witness.Test // nil where there is none
	runs         []outcome.Results
	tiers        []testrun.Tier
}

// ran keeps what a run on the broken tree said.
func (t *trial) ran(rep testrun.Report) {
	t.runs, t.tiers = append(t.runs, rep.Results), append(t.tiers, rep.Tier)
}

func validate(ctx context.Context, t *trial) (Result, error) {
	if t.given != nil && t.given.Witness {
		t.lay(t.given.RedTest)
	}
	res := Result{Checks: map[outcome.Check]string{}, Seconds: map[outcome.Check]float64{}}
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		began := time.Now()
		o, err := s.run(ctx, t)
		res.Seconds[s.check] += time.Since(began).Seconds()
		if err != nil {
			return Result{}, fmt.Errorf("check %s: %w", s.check, err)
		}
		res.Runs, res.Tiers = t.runs, t.tiers
		switch {
		case o.reason != "":
			res.Outcome, res.Check, res.Reason = o.as, s.check, o.reason
			if res.Outcome == "" {
				res.Outcome = outcome.Rejected
			}
			res.Checks[s.check] = o.reason
			return res, nil
		case o.skip != "":
			res.Checks[s.check] = "not applicable: " + o.skip
		default:
			res.Checks[s.check] = outcome.GatePassed
		}
	}
	b, err := t.bug(res.Checks)
	if err != nil {
		return Result{}, err
	}
	res.Outcome, res.Bug = outcome.Valid, b
	return res, nil
}

// bug makes the artifact of a trial that passed every check.
func (t *trial) bug(checks map[outcome.Check]string) (*Bug, error) {
	if t.given != nil {
		return t.given, nil
	}
	order := max(1, t.cand.Order)
	size, err := sizeOf(t.inject, len(t.red), order)
	if err != nil {
		return nil, err
	}
	b := &Bug{
		Base: t.base.Digest(), Broken: t.broken.Digest(),
		Source: *t.t.Snapshot, Recipe: t.t.Recipe, Lock: t.t.Lock, Options: t.t.Options,
		Order: order, Parents: append([]string{}, t.cand.Parents...), Strategy: t.cand.Strategy, Operators: t.operators(), Seed: t.cand.Seed, Origin: t.cand.Origin,
		Red: t.red, Unrun: t.unrun(), RedTest: t.redTest, Witness: t.witness, HiddenTest: t.hiddenTest, Inject: t.inject, Weaken: t.weaken,
		Checks: checks, Look: t.look, Difficulty: Estimate(size), Weight: WeightOf(order),
	}
	b.ID = idOf(b.Base, b.Inject, b.Weaken)
	b.Hidden = b.heldBack()
	b.Files, err = b.digests()
	return b, err
}

// unrun are the tests of the suite that the bug makes skipped or absent, sorted.
func (t *trial) unrun() []string {
	var ids []string
	for id, v := range t.whole.Results { // of those that were asked for: a witness needs no run of the whole suite
		if v != outcome.Passed && !v.Red() && t.t.Base.Results.Get(id) == outcome.Passed {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// idOf names a bug by its content.
func idOf(base tree.Digest, inject, weaken []byte) string {
	return tree.DigestOf([]byte(string(base) + "\n" + string(tree.DigestOf(inject)) + "\n" + string(tree.DigestOf(weaken)))).Short()
}

func (t *trial) operators() []string {
	seen := map[string]bool{}
	names := []string{}
	for _, m := range t.cand.Mutations {
		if !seen[m.Operator] {
			seen[m.Operator] = true
			names = append(names, m.Operator)
		}
	}
	if len(names) == 0 && t.cand.Parent != nil {
		names = append(names, t.cand.Parent.Operators...)
	}
	sort.Strings(names)
	return names
}

// heldBack are the tests that the fixer never sees.
func (b *Bug) heldBack() []string {
	if b.HiddenTest != nil {
		return []string{b.HiddenTest.Test}
	}
	return heldBack(b.ID, b.Red, b.RedTest.From)
}

// heldBack chooses the red tests of the suite that the fixer never sees: when the red set
// has tests of other functions than the one that the minimised test was made
// from, half of those functions, at least one, drawn by the bug's id.
func heldBack(id string, red []string, from string) []string {
	others := map[string]bool{}
	for _, r := range red {
		if f := function(r); f != function(from) {
			others[f] = true
		}
	}
	fns := make([]string, 0, len(others))
	for f := range others {
		fns = append(fns, f)
	}
	key := func(f string) tree.Digest { return tree.DigestOf([]byte(id + "\n" + f)) }
	sort.Slice(fns, func(i, j int) bool { return key(fns[i]) < key(fns[j]) })
	hide := map[string]bool{}
	for _, f := range fns[:(len(fns)+1)/2] {
		hide[f] = true
	}
	hidden := []string{}
	for _, r := range red {
		if hide[function(r)] {
			hidden = append(hidden, r)
		}
	}
	return hidden
}
