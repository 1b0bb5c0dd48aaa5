package selfplay

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"breakfix/internal/arena"
	"breakfix/internal/faults"
	"breakfix/internal/policy"
)

// retry does f again when it fails by a fault of our own, not by what it was given.
func (g *Game) retry(ctx context.Context, f func() error) error {
	var err error
	for range 1 + faults.Retries {
		if err = guarded(f); err == nil || ctx.Err() != nil || errors.Is(err, policy.ErrInput) || errors.Is(err, arena.ErrNoSite) {
			return err
		}
	}
	return err
}

// guarded calls f; a panic is a fault of our own like any other, and ends one
// piece of work, not the run.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}
