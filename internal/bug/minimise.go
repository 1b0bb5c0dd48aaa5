package bug

import (
	"context"
	"fmt"
	"path"
	"sort"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

const (
	maxRounds   = 5  // of delta debugging
	maxVariants = 40 // files judged in one process
	maxBatches  = 12 // judged for one test; a round that has begun ends
	maxSingles  = 32 // units that are judged one by one at once
	maxBytes    = 64 << 10
)

// Minimise makes a standalone test file from one red test: it is red on the
// broken tree with the same type of exception, green on the base, and as short
// as delta debugging over the syntax makes it. The reason says why there is
// none; the error is ours.
//
// The search is hierarchical: first other tests, unused definitions and imports
// go, by names and without a run; then statements, nested ones too, cases of a
// parametrised test and the class around it. Each round judges all single
// removals and some large ones together in one process on the broken tree and
// one on the base, then combinations of what worked, because starting a process
// costs far more than one more small test file. State may leak between the files of one
// process, so the winner is judged once more alone, twice on the broken tree;
// if that fails, the winner before it.
func Minimise(ctx context.Context, r testrun.Runner, base, broken *tree.Tree, test string, failure testrun.Failure) (RedTest, string, error) {
	id := parseID(test)
	src, err := base.Read(id.path)
	if err != nil || id.fn == "" || !strings.HasSuffix(id.path, ".py") || len(src) > maxTestFile {
		return RedTest{}, fmt.Sprintf("%s is no function in a Python file", test), nil
	}
	z := &minimiser{r: r, base: base, broken: broken, kind: failure.Kind,
		name: "test_breakfix_" + string(tree.DigestOf([]byte(string(base.Digest()) + string(broken.Digest()) + test))[:8])}
	whole := inline(base, src, id)
	var best *variant
	for _, tier := range z.starts(src, whole, id) {
		if best, err = z.pick(ctx, tier); err != nil {
			return RedTest{}, "", err
		}
		if best != nil {
			break
		}
	}
	if best == nil {
		return RedTest{}, "no file with this test alone is red on the bug and green on the base", nil
	}
	history := []*variant{best}
	rounds := maxRounds
	if z.kind == "" {
		rounds = 1
	}
	for range rounds {
		next, done, err := z.round(ctx, best, false)
		if err != nil {
			return RedTest{}, "", err
		}
		if next != nil {
			best = next
			history = append(history, best)
		}
		if done || z.gaveUp || z.batches >= maxBatches {
			break
		}
	}
	for tries := 0; tries < 3 && len(history) > 0; tries++ {
		v := history[len(history)-1]
		history = history[:len(history)-1]
		red, ok, err := z.confirm(ctx, v)
		if err != nil {
			return RedTest{}, "", err
		}
		if !ok {
			continue
		}
		red.From = test
		red.Before = supportOf(whole, id)
		red.Original = original(whole, id)
		if red.Statements > red.Before {
			return RedTest{}, fmt.Sprintf("it stays at %d statements, the test that it came from has %d", red.Statements, red.Before), nil
		}
		return red, "", nil
	}
	return RedTest{}, "alone in a process it is not red on the bug and green on the base", nil
}

// minimiser holds what stays the same during one minimisation.
type minimiser struct {
	r            testrun.Runner
	base, broken *tree.Tree
	kind         string
	name         string // file name without ending
	batches      int    // judged so far
	gaveUp       bool   // a batch gave up: reduced tests hang here, and each costs its deadline
}

// starts are the files to begin with, at the root and beside the original, in
// tiers: a later tier is tried when nothing of those before it works. First
// what shows the whole test, reduced by names; last the file as it is.
func (z *minimiser) starts(src, whole []byte, id testID) [][]*variant {
	dirs := []string{""}
	if d := path.Dir(id.path); d != "." {
		dirs = append(dirs, d)
	}
	seen := map[string]bool{}
	tier := func(texts ...[]byte) (out []*variant) {
		for _, x := range texts {
			for _, d := range dirs {
				if x != nil && !seen[d+"\n"+string(x)] {
					seen[d+"\n"+string(x)] = true
					out = append(out, newVariant(d, x, id))
				}
			}
		}
		return out
	}
	pruned, _ := prune(whole, id)
	only, _ := onlyTest(whole, id)
	first := tier(pruned)
	for _, v := range first[:len(first):len(first)] {
		if p, pid, ok := plain(v.src, v.id); ok && z.kind != "" {
			first = append(first, z.pruned(newVariant(v.dir, p, pid)))
		}
	}
	unmerged, _ := prune(src, id)
	return [][]*variant{first, tier(only), tier(unmerged), tier(whole, src)}
}

func smallest(vs []*variant) *variant {
	var best *variant
	for _, v := range vs {
		if v.red != "" && (best == nil || v.less(best)) {
			best = v
		}
	}
	return best
}

// pick judges all variants and returns the smallest that works.
func (z *minimiser) pick(ctx context.Context, vs []*variant) (*variant, error) {
	if err := z.judge(ctx, vs); err != nil {
		return nil, err
	}
	return smallest(vs), nil
}

// judge sets red and failure of every variant that works: some test of it is
// red on the broken tree with the exception that is looked for, and all of its
// tests pass on the base.
func (z *minimiser) judge(ctx context.Context, vs []*variant) error {
	batch := maxVariants
	if z.kind == "" {
		batch = 2 // a hang: each red variant costs its deadline
		vs = vs[:min(len(vs), 4)]
	}
	for lo := 0; lo < len(vs); lo += batch {
		part := vs[lo:min(lo+batch, len(vs))]
		files := map[string]string{}
		for i, v := range part {
			if len(v.src) <= maxBytes {
				files[z.path(v, i)] = string(v.src)
			}
		}
		on, off, err := z.redThenGreen(ctx, files)
		if err != nil {
			return err
		}
		z.batches++
		z.gaveUp = z.gaveUp || on.GaveUp
		for i, v := range part {
			v.red, v.failure = z.agree(z.path(v, i), on, off)
		}
	}
	return nil
}

func (z *minimiser) path(v *variant, i int) string {
	return path.Join(v.dir, fmt.Sprintf("%s_%d.py", z.name, i))
}

// redThenGreen runs files on the broken tree, and those that have a test that
// is red as it should be on the base.
func (z *minimiser) redThenGreen(ctx context.Context, files map[string]string) (on, off testrun.Report, err error) {
	req := testrun.Request{Tree: z.broken, Files: files, FilesOnly: true, GiveUp: giveUp, Deadline: func(string) time.Duration { return variantDeadline }}
	if on, err = z.r.Run(ctx, req); err != nil {
		return on, off, err
	}
	red := map[string]string{}
	for id, v := range on.Results {
		if file, _, ok := strings.Cut(id, "::"); ok && v.Red() && on.Failures[id].Kind == z.kind {
			red[file] = files[file]
		}
	}
	if len(red) == 0 {
		return on, off, nil
	}
	req.Tree, req.Files = z.base, red
	off, err = z.r.Run(ctx, req)
	return on, off, err
}

// both runs the files on the broken tree and on the base at the same time.
func (z *minimiser) both(ctx context.Context, files map[string]string) (on, off testrun.Report, err error) {
	g, ctx := errgroup.WithContext(ctx)
	one := func(t *tree.Tree, into *testrun.Report) {
		g.Go(func() (err error) {
			*into, err = z.r.Run(ctx, testrun.Request{Tree: t, Files: files, FilesOnly: true, Fresh: true, GiveUp: giveUp,
				Deadline: func(string) time.Duration { return testDeadline }})
			return err
		})
	}
	one(z.broken, &on)
	one(z.base, &off)
	return on, off, g.Wait()
}

// Wall time of a test: a new file has no time of its own on the base. Taking a
// statement out often leaves a test that never ends; such a variant is given
// up early, and after a few of them the rest of the batch counts as not working.
const (
	testDeadline    = 3 * time.Second
	variantDeadline = 500 * time.Millisecond
	giveUp          = 3
)

// agree returns the red test of one file and how it failed, "" when the file
// does not work.
func (z *minimiser) agree(file string, on, off testrun.Report) (string, testrun.Failure) {
	var reds []string
	count := 0
	for id, v := range off.Results {
		if strings.HasPrefix(id, file+"::") {
			if v != outcome.Passed {
				return "", testrun.Failure{}
			}
			count++
		}
	}
	for id, v := range on.Results {
		if strings.HasPrefix(id, file+"::") && v.Red() && on.Failures[id].Kind == z.kind && off.Results.Get(id) == outcome.Passed {
			reds = append(reds, id)
		}
	}
	if count == 0 || len(reds) == 0 {
		return "", testrun.Failure{}
	}
	sort.Strings(reds)
	return reds[0], on.Failures[reds[0]]
}

// confirm judges a variant under its final name in processes of its own, twice
// on the broken tree.
func (z *minimiser) confirm(ctx context.Context, v *variant) (RedTest, bool, error) {
	file := path.Join(v.dir, z.name+".py")
	files := map[string]string{file: string(v.src)}
	var again testrun.Report
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		again, err = z.r.Run(gctx, testrun.Request{Tree: z.broken, Files: files, FilesOnly: true, Fresh: true,
			Deadline: func(string) time.Duration { return testDeadline }})
		return err
	})
	on, off, err := z.both(gctx, files)
	if e := g.Wait(); err == nil {
		err = e
	}
	if err != nil {
		return RedTest{}, false, err
	}
	id, failure := z.agree(file, on, off)
	if id == "" || !again.Results.Get(id).Red() || again.Failures[id].Kind != z.kind {
		return RedTest{}, false, nil
	}
	red := RedTest{Path: file, Code: string(v.src), Test: id, Statements: countStatements(v.src), Failure: failure}
	// A file that only imports the test is no test of its own: the fixer could
	// not read it, and grading could not turn it around.
	_, own := red.Inverted()
	return red, own, nil
}
