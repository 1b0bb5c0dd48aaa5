package repair

import (
	"context"
	"fmt"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// Reds gives each red test of a tree as a failure of its own, with the code of
// one file to look at, in the suite's order: for measuring players on many bugs in
// one tree, each with a file and a test. Nothing judges but the test; code names
// the file that belongs to a test, hung is what a test that did not end on the
// tree has in a step.
func Reds(ctx context.Context, work *testrun.Workspace, hung time.Duration, code func(test string) string) ([]arena.Red, error) {
	r := &run{Config: Config{Work: work}, drain: ctx, base: work.Snapshot.Tree}
	var ids []string
	for _, id := range work.Base.Order {
		if work.Base.Results.Get(id).Red() {
			ids = append(ids, id)
		}
	}
	var reds []arena.Red
	for len(ids) > 0 {
		some := ids[:min(len(ids), lookMost)]
		ids = ids[len(some):]
		still, failures, err := r.look(ctx, r.base, some)
		if err != nil {
			return nil, err
		}
		for _, id := range still {
			s, err := newSpectra(r.base, work.Base, func(path string) bool { return path == code(id) })
			if err != nil {
				return nil, fmt.Errorf("read what the tests run: %w", err)
			}
			named, err := namesIn(r.base, id)
			if err != nil {
				return nil, err
			}
			red := arena.Red{Tree: r.base, Tests: []string{id}, Failure: failures[id]}
			red.Contexts, red.Suspects = s.suspects(red.Tests, red.Failure.Frames, named)
			if work.Base.Results.Get(id) == outcome.TimedOut {
				red.Deadline = func(string) time.Duration { return hung }
			}
			if len(red.Contexts) > 0 {
				reds = append(reds, red)
			}
		}
	}
	return reds, nil
}
