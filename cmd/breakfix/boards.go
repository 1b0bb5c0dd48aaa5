package main

import (
	"fmt"
	"slices"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/report"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
)

// options are the flags of a source as its package takes them.
func (f *sourceFlags) options(a *app, seed uint64) source.Options {
	return source.Options{
		At: f.At, Seed: seed, Only: f.Only, Exclude: f.Exclude, Tests: f.Tests, Python: f.Python, Env: f.Env,
		Cache: a.Cache,
	}
}

// boards prepares every source of a run, in turn.
func (c *playCmd) boards(a *app, box sandbox.Sandbox, run *openRun, watch closingWatcher) ([]*selfplay.Board, error) {
	return c.prepare(a, box, c.Sources, run.seed, c.NoCache, watch)
}

// prepare prepares sources, in turn. Those that were prepared before an error
// are returned with it.
func (f *sourceFlags) prepare(a *app, box sandbox.Sandbox, sources []string, seed uint64, noCache bool, watch closingWatcher) ([]*selfplay.Board, error) {
	var boards []*selfplay.Board
	for _, s := range sources {
		setup := selfplay.Setup{
			Box: box, Options: f.options(a, seed), NoCache: noCache, Progress: watch.Stage,
			Deadline: time.Duration(f.TestSeconds * float64(time.Second)), Deadlines: f.deadlines(),
		}
		b, err := setup.Open(a.drain, s)
		if err != nil {
			return boards, err
		}
		boards = append(boards, b)
		sites, err := b.Bank.Sites()
		if err != nil {
			return boards, err
		}
		if len(sites) == 0 {
			return boards, &source.TargetError{
				Reason: fmt.Sprintf("%s has nothing to break: no line that a test runs is a site of an operator, in %s of code", report.Visible(source.Shown(s)), count(len(b.Bank.Files()), "file")),
				Next:   "choose other code with --only, or other tests with --tests",
			}
		}
		for _, line := range caveats(b.Work.Base) {
			watch.Notice(line)
		}
	}
	return boards, nil
}

// named bounds how many tests one notice names.
const named = 5

// caveats say what of a suite does not count: tests that differ between runs,
// and tests that are red before anything is broken.
func caveats(b *testrun.Baseline) []string {
	var lines, flaky, red []string
	for _, f := range b.Flaky {
		flaky = append(flaky, f.Test)
	}
	for test, v := range b.Results {
		if v != outcome.Passed && v != outcome.Skipped {
			red = append(red, test)
		}
	}
	for _, group := range []struct {
		what  string
		tests []string
	}{{"set aside as flaky", flaky}, {"red on the base", red}} {
		slices.Sort(group.tests)
		for i, test := range group.tests {
			if i == named {
				lines = append(lines, fmt.Sprintf("%s: and %d more", group.what, len(group.tests)-named))
				break
			}
			lines = append(lines, group.what+": "+report.Visible(test))
		}
	}
	return lines
}

// count writes "1 file", "2 files".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
