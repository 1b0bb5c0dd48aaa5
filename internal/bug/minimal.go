package bug

import (
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// minimal: one of the red tests can be made a standalone test that is red on
// the bug and green on the base.
func minimal(ctx context.Context, t *trial) (objection, error) {
	if t.given != nil {
		return t.confirmGiven(ctx, t.given.RedTest)
	}
	if t.witness {
		return t.confirmGiven(ctx, t.redTest)
	}
	if p := t.cand.Parent; p != nil {
		o, err := t.confirmGiven(ctx, p.RedTest)
		if err != nil || o.reason == "" {
			return o, err
		}
		// The repair turned its parent's test green; another restored test is
		// red still, and is minimised instead.
	}
	last := "there is no candidate"
	for _, id := range t.easiest(3) {
		red, reason, err := Minimise(ctx, t.t.Judge, t.base, t.broken, id, t.whole.Failures[id],
			time.Duration(t.t.Base.Seconds[id]*float64(time.Second)))
		if err != nil {
			return objection{}, err
		}
		if reason == "" {
			t.redTest = red
			return objection{}, nil
		}
		last = id + ": " + reason
	}
	return object("no red test could be minimised; %s", last)
}

// confirmGiven judges a minimised test that exists already.
func (t *trial) confirmGiven(ctx context.Context, red RedTest) (objection, error) {
	f, o, err := t.tells(ctx, "minimised", red.Path, red.Code, red.Test)
	if err == nil && o.reason == "" {
		t.redTest = red
		t.redTest.Failure = f
	}
	return o, err
}

// tells: a test of ours is red on the bug, and how, and green on the base.
func (t *trial) tells(ctx context.Context, which, path, code, test string) (f testrun.Failure, o objection, err error) {
	if t.base.Has(path) {
		o, err = object("%s exists in the base", path)
		return f, o, err
	}
	z := &minimiser{r: t.t.Judge, base: t.base, broken: t.broken}
	on, off, err := z.both(ctx, map[string]string{path: code})
	switch {
	case err != nil:
	case !on.Results.Get(test).Red():
		o, err = object("the %s test is %s on the bug", which, on.Results.Get(test))
	case off.Results.Get(test) != outcome.Passed:
		o, err = object("the %s test is %s on the base", which, off.Results.Get(test))
	}
	return on.Failures[test], o, err
}

// easiest returns up to n red tests of different functions, those first that
// fail cleanly, in an assertion, and quickly, and are short.
func (t *trial) easiest(n int) []string {
	ids := slices.Clone(t.red)
	if len(ids) > maxLooked {
		ids = ids[:maxLooked]
	}
	size := map[string]int{}
	for _, id := range ids {
		size[id] = t.size(id)
	}
	class := func(id string) int {
		v, f := t.whole.Results.Get(id), t.whole.Failures[id]
		switch {
		case v == outcome.TimedOut || f.Kind == "":
			return 3
		case v == outcome.Errored:
			return 2
		case f.Kind == "AssertionError":
			return 0
		}
		return 1
	}
	slow := func(id string) bool { return t.t.Base.Seconds[id] > 1 } // coarse: measured time must not decide between two runs of a seed
	sort.SliceStable(ids, func(i, j int) bool {
		a, b := ids[i], ids[j]
		if class(a) != class(b) {
			return class(a) < class(b)
		}
		if slow(a) != slow(b) {
			return slow(b)
		}
		if size[a] != size[b] {
			return size[a] < size[b]
		}
		return a < b
	})
	var out []string
	seen := map[string]bool{}
	for _, id := range ids {
		if f := function(id); !seen[f] && len(out) < n {
			seen[f] = true
			out = append(out, id)
		}
	}
	return out
}

// maxLooked bounds how many red tests are looked at for minimising.
const maxLooked = 100

// sizes remembers the size of the tests of bases: it is the same for every bug.
var sizes = struct {
	sync.Mutex
	m map[string]int
}{m: map[string]int{}}

const sizesMost = 100000

// size is how many statements a test has with what it mentions.
func (t *trial) size(id string) int {
	key := string(t.base.Digest()) + id
	sizes.Lock()
	n, ok := sizes.m[key]
	sizes.Unlock()
	if ok {
		return n
	}
	n = t.measure(id)
	sizes.Lock()
	defer sizes.Unlock()
	if len(sizes.m) >= sizesMost {
		clear(sizes.m)
	}
	sizes.m[key] = n
	return n
}

func (t *trial) measure(id string) int {
	p := parseID(id)
	src, err := t.base.Read(p.path)
	if err != nil {
		return 1 << 20
	}
	whole := inline(t.base, src, p)
	if s, ok := prune(whole, p); ok {
		return countStatements(s)
	}
	return countStatements(whole)
}
