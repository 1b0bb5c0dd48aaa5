package main

import (
	"fmt"
	"slices"
	"time"

	"breakfix/internal/check"
	"breakfix/internal/lang/python"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// judged is a check that was run, and with what.
type judged struct {
	record *check.Record
	board  *selfplay.Board
	kept   int
	again  judging // one mutation once more, whatever is known of it
}

// judge prepares the target and judges what was chosen. folder, where there is
// one, is given every result; earlier is what it held before.
func (c *checkCmd) judge(a *app, box sandbox.Sandbox, folder *check.Folder, earlier *check.Record) (*judged, error) {
	watch := newWatcher(a)
	defer watch.Close()
	began := time.Now()
	o := c.options(a, *c.Seed)
	watch.Stage("source", source.Shown(c.Source))
	var then *tree.Tree
	if c.InDiff != "" {
		var err error
		if then, err = source.Since(a.drain, c.Source, c.InDiff, o); err != nil {
			return nil, err
		}
	}
	snap, err := source.Open(a.drain, c.Source, o)
	if err != nil {
		return nil, err
	}
	if err := withoutChecks(snap, c.Output); err != nil {
		return nil, err
	}
	if err := c.sameSource(snap, earlier); err != nil {
		return nil, err
	}
	chosen, err := c.choose(snap, then, o)
	if err != nil {
		return nil, err
	}
	setup := selfplay.Setup{Box: box, Options: o, NoCache: c.NoCache, Progress: watch.Stage, Deadline: time.Duration(c.TestSeconds * float64(time.Second)), Deadlines: c.deadlines()}
	board, err := setup.Prepare(a.drain, snap)
	if err != nil {
		return nil, err
	}
	for _, line := range append(caveats(board.Work.Base), chosen.caveats()...) {
		watch.Notice(line)
	}
	prepared := time.Since(began)
	plan, err := c.plan(snap, board, chosen)
	if err != nil {
		return nil, err
	}
	plan.Seconds = map[string]float64{"prepare": prepared.Seconds(), "baseline": board.Prepared["baseline"]}
	cfg := check.Config{
		Suite: board.Work, Tree: snap.Tree, Base: board.Work.Base.Results, Order: plan.Order(), Mutations: chosen.judge,
		Look: board.Work.FirstLook, Workers: c.workers(), Limit: time.Duration(c.Minutes * float64(time.Minute)), Confirm: c.Confirm,
		Progress: func(p check.Progress) { watch.Status(checked(p)) },
	}
	if c.Witness {
		cfg.Witness = witness.New(board.Work, snap.Tree, python.Python, witness.Options{})
	}
	if earlier != nil {
		known := check.Since(earlier, plan)
		cfg.Kept = known.Of(chosen.judge, c.Confirm, c.Witness)
		if cfg.Spared = known.Spared; c.Confirm {
			cfg.Spared = nil
		}
	}
	if folder != nil {
		if err := folder.Begin(plan, cfg.Kept); err != nil {
			return nil, err
		}
		cfg.Store = folder.Store
	}
	results, ending, err := check.Run(a.ctx, a.drain, cfg)
	if err != nil {
		return nil, err
	}
	record := &check.Record{Plan: plan, Results: results, Ended: ending,
		Seconds: map[string]float64{"check": (time.Since(began) - prepared).Seconds(), "total": time.Since(began).Seconds()}}
	one := cfg
	one.Kept, one.Spared = nil, nil
	return &judged{record, board, len(cfg.Kept), one.One}, nil
}

// plan is what will be judged, with what reading the results takes.
func (c *checkCmd) plan(snap *source.Snapshot, board *selfplay.Board, chosen *choice) (check.Plan, error) {
	base := board.Work.Base
	p := check.Plan{
		Made: time.Now().UTC().Truncate(time.Second), Source: snap.Source, Snapshot: string(snap.Digest), Environment: string(board.Work.Env.Digest), Seed: *c.Seed,
		Choice: c.choice(), Mutations: chosen.pool, Chosen: len(chosen.judge), Unknown: chosen.unknown, Ignored: []check.Ignored{},
		Files: map[string]string{}, Suite: map[string]string{}, Tests: check.Tests(snap.Tree, base),
	}
	for _, m := range chosen.ignored {
		p.Ignored = append(p.Ignored, check.Ignored{Mutation: m, Reason: chosen.reasons[m.ID]})
	}
	slices.SortFunc(p.Ignored, func(a, b check.Ignored) int { return check.Place(a.Mutation, b.Mutation) })
	for _, m := range slices.Concat(chosen.judge, chosen.ignored) {
		if err := keepText(p.Files, snap.Tree, m.Path); err != nil {
			return p, err
		}
	}
	for _, t := range p.Tests {
		if t.Path != "" {
			if err := keepText(p.Suite, snap.Tree, t.Path); err != nil {
				return p, err
			}
		}
	}
	var code []string
	for _, path := range snap.Tree.Paths() {
		if python.Python.IsCode(path) && snap.Tree.Kind(path) != tree.Link {
			code = append(code, path)
		}
	}
	reach, err := check.Reach(snap.Tree, code, base.Trace.Edges)
	if err != nil {
		return p, err
	}
	p.Reach = map[string]int{}
	for key, n := range reach {
		if _, ok := p.Files[check.ReachPath(key)]; ok {
			p.Reach[key] = n
		}
	}
	return p, nil
}

func keepText(into map[string]string, t *tree.Tree, path string) error {
	if _, ok := into[path]; ok {
		return nil
	}
	b, err := t.Read(path)
	if err != nil {
		return fmt.Errorf("read %s for the report: %w", path, err)
	}
	into[path] = string(b)
	return nil
}

// choice is what the flags select.
func (c *checkCmd) choice() check.Choice {
	shard, _ := c.shard() // refuse has looked at it
	return check.Choice{At: c.At, Only: c.Only, Exclude: c.Exclude, Tests: c.Tests, Operators: c.Operators, InDiff: c.InDiff, Sample: c.Sample, Shard: shard}
}
