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
	best := smallest(vs)
	if best != nil && best.took < z.takes/fast {
		z.takes = 0 // it is not slow any more
	}
	return best, nil
}

// judge sets red and failure of every variant that works: some test of it is
// red on the broken tree with the failure that is looked for, and all of its
// tests pass on the base.
func (z *minimiser) judge(ctx context.Context, vs []*variant) error {
	if z.direct {
		var able []*variant
		for _, v := range vs {
			if v.callable() {
				able = append(able, v)
			}
		}
		vs = able
	}
	if z.hangs() {
		return z.judgeHanging(ctx, vs)
	}
	vs = z.affordable(vs)
	batch := z.most()
	for lo := 0; lo < len(vs); lo += batch {
		part := vs[lo:min(lo+batch, len(vs))]
		by, on, off, err := z.batch(ctx, part)
		if err != nil {
			return err
		}
		for file, v := range by {
			v.red, v.failure = z.agree(v, file, on, off)
			v.took = time.Duration(off.Seconds[v.red] * float64(time.Second))
		}
	}
	return nil
}

// most is how many variants are judged in one process.
func (z *minimiser) most() int {
	if z.direct {
		return maxDirect
	}
	return maxVariants
}

// batch runs variants, named by their files, and counts what that took.
func (z *minimiser) batch(ctx context.Context, vs []*variant) (by map[string]*variant, on, off testrun.Report, err error) {
	by = z.byPath(vs)
	if on, off, err = z.redThenGreen(ctx, by); err == nil {
		z.batches++
		z.count(on)
		for _, v := range by {
			if !z.direct {
				z.read += len(v.src)
			}
		}
	}
	return by, on, off, err
}

// byPath names variants by the files that they become, but for those that are too large.
func (z *minimiser) byPath(vs []*variant) map[string]*variant {
	by := map[string]*variant{}
	for i, v := range vs {
		if len(v.src) <= maxBytes {
			by[z.path(v, i)] = v
		}
	}
	return by
}

func (z *minimiser) path(v *variant, i int) string {
	return path.Join(v.dir, fmt.Sprintf("%s_%03d.py", z.name, i))
}

// redThenGreen runs variants, named by their files, on the broken tree, and those
// that have a test that is red as it should be on the base.
func (z *minimiser) redThenGreen(ctx context.Context, by map[string]*variant) (on, off testrun.Report, err error) {
	if len(by) == 0 {
		return on, off, nil
	}
	req := testrun.Request{Tree: z.broken, Files: map[string]string{}, FilesOnly: true, GiveUp: z.strikes(), Direct: z.direct,
		Deadline: func(string) time.Duration { return max(variantDeadline, 2*z.takes) }}
	add := func(file string) {
		req.Files[file] = string(by[file].src)
		if z.direct {
			req.Tests = append(req.Tests, strings.Join(append(append([]string{file}, by[file].id.classes...), by[file].id.fn), "::"))
		}
	}
	for file := range by {
		add(file)
	}
	sort.Strings(req.Tests)
	if on, err = z.r.Run(ctx, req); err != nil {
		return on, off, err
	}
	req.Tree, req.Files, req.Tests = z.base, map[string]string{}, nil
	for id, v := range on.Results {
		if w := by[fileOf(id)]; w != nil && v.Red() && z.same(w, fileOf(id), on.Failures[id]) && req.Files[fileOf(id)] == "" {
			add(fileOf(id))
		}
	}
	if len(req.Files) == 0 {
		return on, off, nil
	}
	sort.Strings(req.Tests)
	off, err = z.r.Run(ctx, req)
	return on, off, err
}

func fileOf(id string) string {
	file, _, _ := strings.Cut(id, "::")
	return file
}

// both runs the files on the broken tree and on the base at the same time.
func (z *minimiser) both(ctx context.Context, files map[string]string) (on, off testrun.Report, err error) {
	reps, err := z.fresh(ctx, files, z.broken, z.base)
	if err != nil {
		return on, off, err
	}
	return reps[0], reps[1], nil
}

// fresh runs the files on each of the trees at the same time, by pytest and
// without what is known already.
func (z *minimiser) fresh(ctx context.Context, files map[string]string, on ...*tree.Tree) ([]testrun.Report, error) {
	reps := make([]testrun.Report, len(on))
	g, ctx := errgroup.WithContext(ctx)
	for i, t := range on {
		g.Go(func() (err error) {
			reps[i], err = z.r.Run(ctx, testrun.Request{Tree: t, Files: files, FilesOnly: true, Fresh: true, GiveUp: giveUp,
				Deadline: func(string) time.Duration { return max(testDeadline, testrun.Slack*z.takes) }})
			return err
		})
	}
	return reps, g.Wait()
}

// Least time of a test; one that comes from a slow test has a few times what that
// takes on the base. Taking a statement out often leaves a test that never ends;
// such a variant is given up early, and after a few of them the rest of the batch
// counts as not working.
const (
	testDeadline    = 3 * time.Second
	variantDeadline = 250 * time.Millisecond
	giveUp          = 3
)

// agree returns the red test of one file and how it failed, "" when the file
// does not work.
func (z *minimiser) agree(w *variant, file string, on, off testrun.Report) (string, testrun.Failure) {
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
		if strings.HasPrefix(id, file+"::") && v.Red() && z.same(w, file, on.Failures[id]) && off.Results.Get(id) == outcome.Passed {
			reds = append(reds, id)
		}
	}
	if count == 0 || len(reds) == 0 {
		return "", testrun.Failure{}
	}
	sort.Strings(reds)
	return reds[0], on.Failures[reds[0]]
}
