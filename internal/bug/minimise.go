package bug

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

const (
	maxRounds   = 5   // of delta debugging
	maxVariants = 40  // files judged in one process
	maxDirect   = 200 // where they are called without pytest
	maxBatches  = 12  // judged for one test; a round that has begun ends
	maxSingles  = 32  // units that are judged one by one at once
	maxBytes    = 64 << 10
	maxRead     = 384 << 10 // bytes of files that pytest judges for one test: each runs all that it holds
	least       = 3         // statements: an import, the test and what fails
)

// Minimise makes a standalone test file from one red test: it fails on the
// broken tree as the test does, with the same type of exception at the same
// place, is green on the base, and as short as delta debugging over the syntax
// makes it. The reason says why there is none; the error is ours.
//
// What is nearly always right is guessed first and costs no search: other tests,
// unused definitions and imports go by names; a parametrised test becomes the case
// that fails, a method a function; of the statements those stay that bind
// what the failing one needs. Then rounds take out statements, nested ones
// too; at last variables are replaced by their values, and literals shortened. Each
// round judges all single removals and some large ones together in one process on the
// broken tree and one on the base, then combinations of what worked, because
// starting a process costs far more than one more small test. A test that needs
// no fixture is called without pytest. State may leak between the files of one
// process, so the winner is judged once more alone and by pytest, twice on the
// broken tree; if that fails, the winner before it. The test takes the given time
// on the base, 0 where that is not known.
func Minimise(ctx context.Context, r testrun.Runner, base, broken *tree.Tree, test string, failure testrun.Failure, takes time.Duration) (RedTest, string, error) {
	id := parseID(test)
	src, err := base.Read(id.path)
	if err != nil || id.fn == "" || !strings.HasSuffix(id.path, ".py") || len(src) > maxTestFile {
		return RedTest{}, fmt.Sprintf("%s is no function in a Python file", test), nil
	}
	z := &minimiser{r: r, base: base, broken: broken, takes: takes, kind: failure.Kind, site: siteOf(failure, id.path), direct: failure.Kind != "",
		name: "test_breakfix_" + string(tree.DigestOf([]byte(string(base.Digest()) + string(broken.Digest()) + test))[:8])}
	whole := inline(base, src, id)
	var at marks
	if len(whole) != len(src) {
		z.site.loose = true // its lines are those of several files
	} else if m, ok := parse(src); ok {
		at = m.marksOf(id, failure, id.path)
		m.Close()
	}
	reason := ""
	for {
		var red RedTest
		if red, reason, err = z.minimise(ctx, z.starts(src, whole, id, at)); err != nil {
			return RedTest{}, "", err
		}
		if reason == "" {
			red.From, red.Before, red.Original = test, supportOf(whole, id), original(whole, id)
			if red.Statements > red.Before {
				return RedTest{}, fmt.Sprintf("it stays at %d statements, the test that it came from has %d", red.Statements, red.Before), nil
			}
			return red, "", nil
		}
		switch {
		case z.direct:
			z.direct = false
		case z.alone != nil && z.alone.Kind != "":
			// In the suite it fails as it does because of what the break did to a test
			// before it; alone it shows the cause.
			z.kind, z.site, z.direct, z.alone, at = z.alone.Kind, site{loose: true}, true, &testrun.Failure{}, marks{}
		default:
			return RedTest{}, reason, nil
		}
		z.batches, z.hung, z.slow, z.gaveUp = 0, 0, 0, false
	}
}

// minimiser holds what stays the same during one minimisation.
type minimiser struct {
	r            testrun.Runner
	base, broken *tree.Tree
	kind         string
	site         site
	takes        time.Duration    // by the test on the base
	name         string           // file name without ending
	direct       bool             // tests are called without pytest, and those that cannot be are left out
	alone        *testrun.Failure // how it fails alone when that is otherwise; without a type when that was tried
	batches      int              // judged so far
	read         int              // bytes of files that pytest judged
	slow         int              // variants as slow as the test, where that is slow
	hung         int              // variants that hung
	gaveUp       bool             // a batch gave up: reduced tests hang here, and each costs its deadline
}

// minimise reduces the smallest start that works and confirms the result.
func (z *minimiser) minimise(ctx context.Context, starts [][]*variant) (RedTest, string, error) {
	best, err := z.quicken(ctx, starts[0])
	if err != nil {
		return RedTest{}, "", err
	}
	for _, tier := range starts {
		if best != nil {
			break
		}
		if best, err = z.pick(ctx, tier); err != nil {
			return RedTest{}, "", err
		}
	}
	if best == nil {
		return RedTest{}, "no file with this test alone is red on the bug and green on the base", nil
	}
	unsliced := best.at == marks{}
	z.settle(best)
	if unsliced {
		next, err := z.pick(ctx, z.sliced(best))
		if err != nil {
			return RedTest{}, "", err
		}
		if next != nil && next.less(best) {
			best = next
		}
	}
	history, err := z.reduce(ctx, best)
	if err != nil {
		return RedTest{}, "", err
	}
	for tries := 0; tries < 3 && len(history) > 0; tries++ {
		v := history[len(history)-1]
		history = history[:len(history)-1]
		red, ok, err := z.confirm(ctx, v)
		if ok || err != nil {
			return red, "", err
		}
	}
	return RedTest{}, "alone in a process it is not red on the bug and green on the base", nil
}

// settle takes the place of the failure from the first file that works, as far
// as it was not known.
func (z *minimiser) settle(v *variant) {
	m, ok := parse(v.src)
	if !ok {
		return
	}
	defer m.Close()
	file := fileOf(v.red)
	if z.site.loose {
		z.site = siteOf(v.failure, file)
	}
	v.at = m.marksOf(v.id, v.failure, file)
}

// reduce returns ever smaller variants that work, the smallest last.
func (z *minimiser) reduce(ctx context.Context, best *variant) (history []*variant, err error) {
	history = []*variant{best}
	rounds := maxRounds
	better := func(v *variant) {
		if v != nil && v.less(best) {
			best = v
			history = append(history, v)
		}
	}
	for range rounds {
		if best.size <= least || z.spent() {
			break
		}
		next, done, err := z.round(ctx, best, statementUnits, false)
		if err != nil {
			return nil, err
		}
		if better(next); done {
			break
		}
	}
	if z.spent() {
		return history, nil
	}
	fold := func() error {
		more := z.folds(best)
		if len(more) == 0 || z.spent() {
			return nil
		}
		next, err := z.pick(ctx, more)
		better(next)
		return err
	}
	if err := fold(); err != nil {
		return nil, err
	}
	before := best
	for range rounds {
		if z.spent() || z.hangs() || !z.direct && len(best.src) < longTest {
			break
		}
		next, done, err := z.round(ctx, best, literalUnits, false)
		if err != nil {
			return nil, err
		}
		if better(next); next == nil || done && !z.direct {
			break
		}
	}
	if best != before { // what was too wide may fit now
		if err := fold(); err != nil {
			return nil, err
		}
	}
	return history, nil
}

// longTest is the size, in bytes, from which a test that pytest has to run is worth
// looking for shorter literals.
const longTest = 600

func (z *minimiser) spent() bool {
	return z.gaveUp || z.batches >= maxBatches || z.read >= maxRead
}

func statementUnits(m *module, v *variant) []cut { return m.units(v.id) }
func literalUnits(m *module, _ *variant) []cut   { return m.parts() }

// confirm judges a variant under its final name in processes of its own, twice
// on the broken tree.
func (z *minimiser) confirm(ctx context.Context, v *variant) (RedTest, bool, error) {
	file := path.Join(v.dir, z.name+".py")
	files := map[string]string{file: string(v.src)}
	trees := []*tree.Tree{z.broken, z.base, z.broken}
	if z.hangs() {
		trees = trees[:2] // it hung in the search already
	}
	reps, err := z.fresh(ctx, files, trees...)
	if err != nil {
		return RedTest{}, false, err
	}
	on, off, again := reps[0], reps[1], reps[0]
	if !z.hangs() {
		again = reps[2]
	}
	id, failure := z.agree(v, file, on, off)
	if id == "" || !again.Results.Get(id).Red() || !z.same(v, file, again.Failures[id]) {
		z.otherwise(file, on, off, again)
		return RedTest{}, false, nil
	}
	red := RedTest{Path: file, Code: string(v.src), Test: id, Statements: countStatements(v.src), Failure: failure}
	// A file that only imports the test is no test of its own: the fixer could
	// not read it, and grading could not turn it around.
	_, own := red.Inverted()
	return red, own, nil
}

// otherwise notes how a file's only test fails when that is another failure than the one
// looked for, and the same twice.
func (z *minimiser) otherwise(file string, on, off, again testrun.Report) {
	if z.alone != nil || len(on.Results) != 1 {
		return
	}
	for id, v := range on.Results {
		f := on.Failures[id]
		if v.Red() && off.Results.Get(id) == outcome.Passed && f.Kind == again.Failures[id].Kind && siteOf(f, file) == siteOf(again.Failures[id], file) {
			z.alone = &f
		}
	}
}
