package testrun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/testrun/zygote"
	"breakfix/internal/tree"
)

// What measuring the tiers needs of a workspace, and judging does not.

// Kindle makes sure that n warm processes of each fast tier serve, and lets
// those that do idle for their whole time again. A tier that is not used is
// none of its business.
func (w *Workspace) Kindle(ctx context.Context, n int) error {
	if w.warm == nil {
		return nil
	}
	for tier := CodeSwap; tier < FreshProcess; tier++ {
		if err := w.warm.kindle(ctx, kind{tier: tier}, min(n, warmMost)); err != nil {
			return err
		}
	}
	return nil
}

func (w *warm) kindle(ctx context.Context, k kind, n int) error {
	held := make([]func(bool), n)
	g, gctx := errgroup.WithContext(ctx)
	for i := range held {
		g.Go(func() (err error) {
			_, held[i], err = w.acquire(gctx, k)
			return err
		})
	}
	err := g.Wait()
	for _, release := range held {
		if release != nil {
			release(false)
		}
	}
	var other *errTier
	if errors.As(err, &other) {
		return nil
	}
	return err
}

// Empty forks a child of the code-swap tier that runs no test and returns how
// long that took: what every mutant costs before its first test. ok is false
// where that tier is not used.
func (w *Workspace) Empty(ctx context.Context) (took time.Duration, ok bool, err error) {
	if w.warm == nil {
		return 0, false, nil
	}
	j := w.warm.job(0)
	j.tests, j.files = []string{}, []string{}
	began := time.Now()
	s, err := w.warm.run(ctx, kind{tier: CodeSwap}, j, zygote.Request{Body: body{Tests: []string{}, Paths: []string{}}})
	took = time.Since(began)
	var other *errTier
	switch {
	case errors.As(err, &other):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case !s.done:
		return 0, false, fmt.Errorf("a child without tests did not come to its end: %s", deathOf(s.box))
	}
	return took, true, nil
}

// InBodies reports whether a tree differs from the snapshot in bodies of
// functions alone that did not run while the suite was loaded.
func (w *Workspace) InBodies(t *tree.Tree) (bool, error) {
	c, err := w.changeOf(t)
	return err == nil && c.swap != nil, err
}

// Heat is what the warm processes of a workspace have used so far.
type Heat struct {
	Peak int64         // bytes, the largest of them with its children
	CPU  time.Duration // of all of them, their children included; 0 where it is not measured
}

// Heat tells what the warm processes have used.
func (w *Workspace) Heat() Heat {
	if w.warm == nil {
		return Heat{}
	}
	return w.warm.heat()
}
