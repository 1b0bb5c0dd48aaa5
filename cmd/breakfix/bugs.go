package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/bugset"
	"breakfix/internal/export"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/report"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/strategy"
	"breakfix/internal/witness"
)

// bugsCmd makes a set of bugs.
type bugsCmd struct {
	Sources []string `arg:"" optional:"" name:"source" help:"Folder, git URL or pypi:NAME==VERSION; several have their turns and share the bugs evenly."`

	sourceFlags `group:"source"`
	makeFlags   `group:"make"`
	listFlags   `group:"list"`
}

// makeFlags say what is made, and where it goes.
type makeFlags struct {
	Number    int      `short:"n" help:"Bugs to make, of all sources together." placeholder:"N"`
	Out       string   `short:"o" help:"Folder of the set; the same command goes on with it. Default ./bugs/NAME-N." placeholder:"DIR"`
	Operators []string `help:"Only mutations of these operators." placeholder:"NAME"`
	Parts     int      `help:"Edits in one bug: 1 makes single mutations, 2 to 4 compose several." placeholder:"N"`
	Strategy  []string `help:"How candidates are made: names with weights, as in operator=2,composed=1. Default: all there are; see --list-strategies." placeholder:"NAME=W"`
	Witness   bool     `help:"Where no test goes red, or no red test can be held back, look for one: some seconds for each."`
	Format    string   `help:"Write the set in this form too, in a folder of its name: ${formats}." default:"breakfix" placeholder:"F"`
	Minutes   float64  `help:"Minutes of this sitting. Default: no limit." placeholder:"M"`
	Seed      *uint64  `help:"Seed of all randomness. Default: drawn and shown." placeholder:"N"`
	Workers   int      `help:"Candidates validated at the same time. Default: the cores." placeholder:"N"`
	NoCache   bool     `name:"no-cache" help:"Neither read nor keep verdicts of earlier runs."`
}

// listFlags list what there is instead of making anything.
type listFlags struct {
	ListOperators  bool `name:"list-operators" help:"List the operators; with a source also how many sites each has there."`
	ListStrategies bool `name:"list-strategies" help:"List the strategies."`
}

// Help is the second part of bugs' help text.
func (bugsCmd) Help() string {
	return `Examples:

    breakfix bugs -n 200 -o out pypi:toolz==1.2.0     200 validated bugs, each with a minimised test
    breakfix bugs -n 50 --only src/pkg/core.py .      this folder; it is never written to
    breakfix bugs -n 1000 -o set --seed 1 pypi:toolz==1.2.0 pypi:tinydb==4.9.0
    breakfix bugs --list-operators .
    breakfix verify out                               validate them again, from their folders alone
`
}

// Run makes the set, and prints what came of it.
func (c *bugsCmd) Run(a *app) error {
	if c.ListStrategies {
		return c.listStrategies(a)
	}
	if c.ListOperators {
		return c.listOperators(a)
	}
	mix, err := c.refuse()
	if err != nil {
		return err
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	out, err := c.openSet(a)
	if err != nil {
		return err
	}
	defer out.close()
	watch := newWatcher(a)
	defer watch.Close()
	began := time.Now()
	boards, err := c.prepare(a, box, c.Sources, out.seed, c.NoCache, watch)
	for _, b := range boards {
		defer b.Work.Close()
	}
	if a.drain.Err() != nil {
		return &stopped{"nothing was judged yet. To start again", out.again}
	}
	if err != nil {
		return err
	}
	if c.Witness {
		for _, b := range boards {
			b.Target.Witness = witness.New(b.Work, b.Work.Snapshot.Tree, python.Python, witness.Options{})
		}
	}
	sources, err := c.sourcesOf(boards)
	if err != nil {
		return err
	}
	config := bugset.Config{
		Bugs: c.Number, Seed: out.seed, Workers: c.workers(), Limit: time.Duration(c.Minutes * float64(time.Minute)), Mix: mix,
		Options: strategy.Options{Operators: c.Operators, Parts: c.parts(), Cache: a.Cache}, Prepared: prepared(boards, time.Since(began)),
		Progress: func(p bugset.Progress) { watch.Status(making(p)) }, Command: out.command(c),
	}
	if a.JSON {
		lines := json.NewEncoder(a.stdout)
		config.Made = func(b bugset.Made) { _ = lines.Encode(b) } // a reader that went away is told by the summary's error
	}
	maker, err := bugset.New(sources, config)
	if err != nil {
		return err
	}
	if err := out.open(c, sources); err != nil {
		return err
	}
	watch.Notice(fmt.Sprintf("set %s, seed %d", shorten(out.dir), out.seed))
	if len(c.Strategy) > 0 { // without, nobody asked for what is missing
		for _, line := range maker.Without() {
			watch.Notice(report.Visible(line))
		}
	}
	ending, err := maker.Make(a.ctx, a.drain, out.set)
	watch.Close()
	var faults *bugset.FaultsError
	switch {
	case a.ctx.Err() != nil:
		return &stopped{"the set is whole. To go on", out.again}
	case errors.As(err, &faults):
		return fmt.Errorf("%w; the set is whole. To go on: %s", err, out.again)
	case err != nil:
		return err
	}
	if err := c.export(a, out, boards); err != nil {
		return err
	}
	return c.told(a, out, ending)
}

// export writes the set in the format that was asked for beside its own, anew
// each time: what the set has is its own to say.
func (c *bugsCmd) export(a *app, out *openSet, boards []*selfplay.Board) error {
	if c.Format == "breakfix" {
		return nil
	}
	to := filepath.Join(out.dir, c.Format)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	written, err := export.Write(c.Format, to, out.set.Bugs(), export.Options{Cache: a.Cache, Suite: func(b *bug.Bug) (export.Suite, error) {
		for _, board := range boards {
			if board.Target.Snapshot.Digest == b.Base {
				return export.SuiteOf(board.Work), nil
			}
		}
		return export.Suite{}, fmt.Errorf("bug %s is of no source of this set", b.ID)
	}})
	for _, l := range written.Left {
		slog.Warn("a bug is not in the export", "format", c.Format, "bug", l.Bug, "why", l.Reason)
	}
	return err
}

// told prints the summary, and answers.
func (c *bugsCmd) told(a *app, out *openSet, ending bugset.Ending) error {
	s, err := out.set.Summary()
	if err != nil {
		return err
	}
	if a.JSON {
		err = json.NewEncoder(a.stdout).Encode(s)
	} else if err = report.BugsText(a.stdout, s, a.textOptions()); err == nil {
		more := ""
		if ending == bugset.TimeIsUp {
			more = "\nmore   " + out.again
		}
		dir := shorten(out.dir)
		_, err = fmt.Fprintf(a.stdout, "\nended: %s%s\nset    %s\ncard   %s\nnext   breakfix verify %s/bugs/*\n", ending, more, dir, dir+"/README.md", quoted(dir))
	}
	switch {
	case err != nil:
		return err
	case ending == bugset.Interrupted:
		return &stopped{"the set is whole. To go on", out.again}
	case ending == bugset.Exhausted:
		fmt.Fprintf(a.stderr, "breakfix: %s of %d: %s; choose more code, more operators, or fewer bugs\n", count(s.Breaks.Valid, "bug"), c.Number, ending)
		return errNo
	}
	return nil
}

// sourcesOf are the boards as package bugset takes them. A source that offers
// nothing to the chosen operators, and one that is there twice, is refused.
func (c *bugsCmd) sourcesOf(boards []*selfplay.Board) ([]bugset.Source, error) {
	var sources []bugset.Source
	for i, b := range boards {
		for j, other := range boards[:i] {
			if other.Target.Snapshot.Digest == b.Target.Snapshot.Digest {
				return nil, usagef("name it once", "%s and %s are the same code", source.Shown(c.Sources[j]), source.Shown(c.Sources[i]))
			}
		}
		sites, err := b.Bank.Sites()
		if err != nil {
			return nil, err
		}
		if len(c.Operators) > 0 && !slices.ContainsFunc(sites, func(m mutate.Mutation) bool { return slices.Contains(c.Operators, m.Operator) }) {
			return nil, usagef("choose other operators, or other code with --only", "--operators %s: %s has no site for them that a test runs",
				strings.Join(c.Operators, ","), source.Shown(c.Sources[i]))
		}
		sources = append(sources, bugset.Source{Source: strategy.Source{Target: b.Target, Bank: b.Bank}, Environment: b.Work.Env.Digest, Stats: b.Work.Stats})
	}
	return sources, nil
}

// prepared adds up what preparing took, by phase; the time is that of all together.
func prepared(boards []*selfplay.Board, took time.Duration) map[string]float64 {
	phases := map[string]float64{}
	for _, b := range boards {
		phases["baseline"] += b.Prepared["baseline"]
	}
	phases["prepare"] = max(0, took.Seconds()-phases["baseline"])
	return phases
}

// absolute makes the folders among sources absolute, so that a set is taken up
// from anywhere.
func absolute(sources []string) (err error) {
	for i, s := range sources {
		if isFolder(s) {
			if sources[i], err = filepath.Abs(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// making is the status of a set.
type making bugset.Progress

func (p making) lines(later time.Duration, width int) []string {
	if p.Left > 0 {
		p.Left = max(0, p.Left-later)
	}
	first := headLine("bug", p.Bugs, p.Of, p.Elapsed+later, p.Left, width)
	c := p.Counts
	parts := []string{fmt.Sprintf("%d of %d candidates valid", c.Valid, c.Judged())}
	rejected := 0
	for _, n := range c.Rejected {
		rejected += n
	}
	for _, more := range []struct {
		n    int
		what string
	}{{c.Unnoticed, "unnoticed"}, {c.Uncovered, "uncovered"}, {c.Broken, "broken"}, {c.Flaky, "flaky"}, {c.TimedOut, "timed out"}, {rejected, "rejected"},
		{p.Screened, "screened"}, {c.Infrastructure, "not judged"}} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", more.n, more.what))
		}
	}
	return []string{first, strings.Join(parts, ", ")}
}

func (p making) last() bool { return p.Bugs == p.Of }
