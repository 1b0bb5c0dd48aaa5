package main

import (
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
)

// options are the flags of a source as its package takes them.
func (f *sourceFlags) options(a *app, seed uint64) source.Options {
	return source.Options{
		At: f.At, Seed: seed, Only: f.Only, Exclude: f.Exclude, Tests: f.Tests, Python: f.Python, Env: f.Env,
		Cache: a.Cache,
	}
}

// boards prepares every source, in turn.
func (c *playCmd) boards(a *app, box sandbox.Sandbox, run *openRun, watch closingWatcher) ([]*selfplay.Board, error) {
	var boards []*selfplay.Board
	for _, s := range c.Sources {
		setup := selfplay.Setup{
			Box: box, Options: c.options(a, run.seed), NoCache: c.NoCache, Progress: watch.Stage,
			Deadline: time.Duration(c.TestSeconds * float64(time.Second)),
		}
		b, err := setup.Open(a.drain, s)
		if err != nil {
			return nil, err
		}
		for _, f := range b.Work.Base.Flaky {
			watch.Notice("set aside as flaky: " + f.Test)
		}
		boards = append(boards, b)
	}
	return boards, nil
}
