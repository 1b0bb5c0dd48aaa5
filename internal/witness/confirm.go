package witness

import (
	"context"
	"path"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// The seeds under which a test must pass on the base.
const (
	secondHashSeed = 1
	otherHashSeed  = 4242
)

// deadline is the wall time of a witness.
const deadline = 3 * time.Second

// confirm runs a test alone in fresh processes: it is to pass on the base under
// three hash seeds, and to be red on the broken tree twice.
func (f *Finder) confirm(ctx context.Context, broken *tree.Tree, k *known, d difference) (*Test, error) {
	name := "test_breakfix_" + string(tree.DigestOf([]byte(string(f.base.Digest()) + d.code)))[:8] + ".py"
	dirs := []string{""}
	if dir := path.Dir(strings.SplitN(d.Test, "::", 2)[0]); dir != "." {
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		t := &Test{Path: path.Join(dir, name), Code: d.code, Like: d.Test, Statements: statements(d.code)}
		t.Test = t.Path + "::" + function(d.code)
		if f.base.Has(t.Path) {
			continue
		}
		var off, on testrun.Report
		err := together(ctx,
			func(ctx context.Context) (err error) { off, err = f.run(ctx, f.base, t, 0); return err },
			func(ctx context.Context) (err error) { on, err = f.run(ctx, broken, t, 0); return err })
		if err != nil {
			return nil, err
		}
		if off.Results.Get(t.Test) != outcome.Passed || !fails(on, t.Test) {
			if off.Loaded {
				return nil, nil
			}
			continue // it may load elsewhere
		}
		t.Failure = on.Failures[t.Test]
		var more [3]testrun.Report
		err = together(ctx,
			func(ctx context.Context) (err error) {
				more[0], err = f.run(ctx, f.base, t, secondHashSeed)
				return err
			},
			func(ctx context.Context) (err error) { more[1], err = f.run(ctx, f.base, t, otherHashSeed); return err },
			func(ctx context.Context) (err error) { more[2], err = f.run(ctx, broken, t, otherHashSeed); return err })
		if err != nil {
			return nil, err
		}
		if more[0].Results.Get(t.Test) == outcome.Passed && more[1].Results.Get(t.Test) == outcome.Passed &&
			fails(more[2], t.Test) && more[2].Failures[t.Test].Kind == t.Failure.Kind {
			return t, nil
		}
		return nil, nil
	}
	return nil, nil
}

// fails tells whether a test is red by itself: one that hangs or takes its
// process with it makes no good finding.
func fails(rep testrun.Report, test string) bool {
	return rep.Results.Get(test) == outcome.Failed
}

func (f *Finder) run(ctx context.Context, t *tree.Tree, w *Test, seed int) (testrun.Report, error) {
	return f.target.Run(ctx, testrun.Request{Tree: t, Files: map[string]string{w.Path: w.Code}, FilesOnly: true, Fresh: true, HashSeed: seed,
		Deadline: func(string) time.Duration { return deadline }})
}

// together runs two at a time.
func together(ctx context.Context, runs ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for _, run := range runs {
		g.Go(func() error { return run(ctx) })
	}
	return g.Wait()
}

// function is the name of the test in a file of ours.
func function(code string) string {
	_, rest, _ := strings.Cut("\n"+code, "\ndef test_")
	name, _, _ := strings.Cut(rest, "(")
	return "test_" + name
}

// statements counts those of the test: one a line, as they are written.
func statements(code string) int {
	_, body, _ := strings.Cut("\n"+code, "\ndef test_")
	return strings.Count(strings.TrimSuffix(body, "\n"), "\n")
}
