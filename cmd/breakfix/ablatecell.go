package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"breakfix/internal/curriculum"
	"breakfix/internal/eval"
	"breakfix/internal/learn"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/report"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/store"
)

// heldOutSeed is that of the held-out bugs, the same for every file.
const heldOutSeed = 1

// prepare prepares the sources, and makes the held-out bugs. What was measured
// before on other code is refused.
func (t *trial) prepare(file *eval.File) (err error) {
	if t.boards, err = t.sourceFlags.prepare(t.app, t.box, t.Sources, heldOutSeed, false, t.watch); err != nil {
		return err
	}
	others := sourceFlags{Env: t.Env, TestSeconds: t.TestSeconds, DeadlineFloor: t.DeadlineFloor, DeadlineFactor: t.DeadlineFactor}
	if t.held, err = others.prepare(t.app, t.box, t.HeldOut, heldOutSeed, false, t.watch); err != nil {
		return err
	}
	for _, h := range t.held {
		for _, b := range t.boards {
			if h.Work.Snapshot.Digest == b.Work.Snapshot.Digest {
				return usagef("hold out others", "--held-out: %s is the code of %s, which is played on", source.Shown(h.Work.Snapshot.Source), source.Shown(b.Work.Snapshot.Source))
			}
		}
	}
	t.watch.Stage("held-out bugs", "")
	if t.match, err = selfplay.NewMatch(t.app.drain, t.held, builtin.New(), t.Bugs, heldOutSeed, nil); err != nil {
		return err
	}
	if t.match.Bugs() == 0 {
		return &source.TargetError{Reason: "no mutation of the held-out code that was drawn turned a test red", Next: "hold out other code, or raise --bugs"}
	}
	return file.SameCode(t.snapshots(), t.match.Names())
}

func (t *trial) snapshots() []string {
	var all []string
	for _, boards := range [][]*selfplay.Board{t.boards, t.held} {
		for _, b := range boards {
			all = append(all, string(b.Work.Snapshot.Digest))
		}
	}
	return all
}

func (t *trial) close() {
	for _, boards := range [][]*selfplay.Board{t.boards, t.held} {
		for _, b := range boards {
			b.Work.Close()
		}
	}
}

// run opens the folder of a cell's run: a new one, or one that was cut off.
func (t *trial) run(cell eval.Cell) (*openRun, *playCmd, error) {
	v := cell.Variant
	c := &playCmd{Sources: t.Sources, sourceFlags: t.sourceFlags, Variant: v.Name, Budget: t.Budget,
		gameFlags: gameFlags{Policy: "builtin", From: fromScratch, Learn: t.Learn, Warm: t.Warm, Reward: "shared", Order: curriculum.DefaultOrderCap, Group: t.Group, Steps: t.Steps, Rollouts: 1},
		runFlags:  runFlags{Seed: &cell.Seed}}
	if v.Reward != "" {
		c.Reward = v.Reward
	}
	if v.Order > 0 {
		c.Order = v.Order
	}
	if v.Cold {
		c.Warm = 0
	}
	dir, err := filepath.Abs(filepath.Join(t.beside(runsSuffix), cell.String()))
	if err != nil {
		return nil, nil, err
	}
	run := &openRun{dir: dir, seed: cell.Seed}
	if vacant(dir) {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return nil, nil, usagef("name another file with -o", "cannot make the folder of the runs: %v", err)
		}
		return run, c, run.create(c, t.box, t.boards)
	}
	if run.store, err = store.Resume(dir); err != nil {
		return nil, nil, err
	}
	if err := t.same(run, c); err != nil {
		run.close()
		return nil, nil, err
	}
	return run, c, nil
}

// same refuses a run that was begun with another configuration.
func (t *trial) same(run *openRun, c *playCmd) error {
	was, err := run.store.Config(t.app.ctx)
	if err != nil {
		return err
	}
	mine, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, was); err != nil || !bytes.Equal(flat.Bytes(), mine) {
		return usagef("name another file with -o, or delete the folder", "the run in %s was begun with another configuration", shorten(run.dir))
	}
	return run.same(t.boards)
}

// play plays a cell, has what it learned attempt the held-out bugs, and says
// what came of it.
func (t *trial) play(cell eval.Cell) (eval.Line, error) {
	run, c, err := t.run(cell)
	if err != nil {
		return eval.Line{}, err
	}
	defer run.close()
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewMultiHandler(before.Handler(), run.store.Log(slog.LevelInfo))))
	defer slog.SetDefault(before)
	schema, err := c.schema()
	if err != nil {
		return eval.Line{}, err
	}
	breaker, fixer, learner := t.players(cell)
	game := &selfplay.Game{
		Config: selfplay.Config{Seed: cell.Seed, Workers: t.Workers, Group: c.Group, Steps: c.Steps, Order: c.Order, Fresh: cell.Variant.Fresh,
			Budget: t.Budget, Learn: c.Learn},
		Frozen: builtin.New(), Boards: t.boards, Breaker: breaker, Fixer: fixer, Schema: schema, Store: run.store, Watch: t.watch,
	}
	if learner != nil {
		game.Learner = learner
	}
	ending, err := game.Play(t.app.ctx, t.app.drain)
	var faults *selfplay.FaultsError
	if errors.As(err, &faults) {
		return eval.Line{}, fmt.Errorf("%w; the run is whole. To go on: %s", err, typed(t.app))
	}
	if err != nil {
		return eval.Line{}, err
	}
	if err := run.writeReport(context.WithoutCancel(t.app.ctx)); err != nil {
		return eval.Line{}, err
	}
	if ending == selfplay.Interrupted {
		return eval.Line{}, context.Canceled
	}
	if ending != selfplay.Spent {
		t.watch.Notice(fmt.Sprintf("%s, seed %d: ended before its steps were spent: %s", cell.Variant.Name, cell.Seed, ending))
	}
	t.watch.Stage("judging", cell.String())
	began := time.Now()
	solved, err := t.match.Play(t.app.drain, fixer, learn.MatchSteps, t.Workers)
	if err != nil {
		return eval.Line{}, err
	}
	return t.line(cell, run, string(ending), string(fixer.Version()), solved, time.Since(began))
}

// line is a cell that was played and judged.
func (t *trial) line(cell eval.Cell, run *openRun, ending, judged string, solved []int, took time.Duration) (eval.Line, error) {
	ctx := t.app.ctx
	s, err := report.Summarise(ctx, run.store)
	if err != nil {
		return eval.Line{}, err
	}
	l := eval.Line{
		Variant: cell.Variant.Name, Seed: cell.Seed, Config: t.config(), Command: typed(t.app), Breakfix: version, Commit: commit(), Machine: machine(),
		Created: time.Now().UTC().Format(time.RFC3339), Run: filepath.ToSlash(filepath.Join(filepath.Base(t.beside(runsSuffix)), cell.String())), Snapshots: t.snapshots(), Workers: t.Workers,
		Ending: ending, Episodes: s.Episodes, Steps: s.Steps, Seconds: map[string]float64{"play": s.Seconds["total"], "judge": took.Seconds()},
		Version: judged, Bugs: t.match.Names(), Solved: solved,
	}
	rows, err := run.store.Versions(ctx)
	if err != nil {
		return eval.Line{}, err
	}
	for n, v := range rows {
		if n > 0 {
			l.Versions++
			if v.Accepted != nil && *v.Accepted {
				l.Accepted++
			}
		}
	}
	return l, nil
}

// machine is this one.
func machine() eval.Machine {
	m := eval.Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU()}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}

// commit is what the program was built of, as far as the build says.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	rev, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			rev = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	return rev + changed
}
