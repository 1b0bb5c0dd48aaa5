package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"breakfix/internal/report"
	"breakfix/internal/reward"
	"breakfix/internal/selfplay"
)

// defaultTarget is what play plays when no source is named: small, fully
// covered, permissively licensed.
const defaultTarget = "pypi:cachetools==8.0.1"

// sourceFlags say what of a source is taken.
type sourceFlags struct {
	At          string   `json:"at" help:"Commit of a git source: HEAD, random or a revision. A folder without it is taken as it is." placeholder:"REV"`
	Only        []string `json:"only" help:"Code to break: globs, relative to the source." placeholder:"GLOB"`
	Exclude     []string `json:"exclude" help:"Code to leave alone." placeholder:"GLOB"`
	Tests       []string `json:"tests" help:"Further arguments for the test runner." placeholder:"ARG" sep:"none"`
	Python      string   `json:"python" help:"Interpreter of an environment that exists, for private packages." placeholder:"PATH"`
	Env         []string `json:"env" help:"Let one variable through to the tests." placeholder:"NAME"`
	TestSeconds float64  `json:"test-seconds" help:"Wall time that a test has while the baseline is measured." default:"60"`
}

// gameFlags say how a run is played.
type gameFlags struct {
	Seed     *uint64 `json:"seed" help:"Seed of all randomness; drawn and shown when not given." placeholder:"N"`
	Workers  int     `json:"workers" help:"Games and attempts in flight. Default: the cores." placeholder:"N"`
	Episodes int     `json:"episodes" help:"Episodes to play. Default: until difficulty stands still." placeholder:"N"`
	Minutes  float64 `json:"minutes" help:"Minutes to play." placeholder:"M"`
	Policy   string  `json:"policy" help:"Who plays: builtin or scripted:FILE." default:"builtin"`
	Breaker  string  `json:"breaker" help:"Who breaks, when not the policy." placeholder:"P"`
	Fixer    string  `json:"fixer" help:"Who fixes, when not the policy." placeholder:"P"`
	Reward   string  `json:"reward" help:"Reward schema: shared or adversarial." default:"shared"`
	Order    int     `json:"order" help:"Highest order of a bug." default:"5"`
	Group    int     `json:"group" help:"Attempts a bug." default:"8"`
	Steps    int     `json:"steps" help:"Steps an attempt." default:"64"`
	NoCache  bool    `json:"no-cache" help:"Neither read nor keep verdicts of earlier runs." name:"no-cache"`
	Disk     string  `json:"disk" help:"Stop when the run folder has reached this size." default:"20GB"`
}

// playCmd is the self-play loop.
type playCmd struct {
	Sources []string `json:"sources" arg:"" optional:"" name:"source" help:"Folder, git URL or pypi:NAME==VERSION; without one, ${default_target}."`
	sourceFlags
	gameFlags
	RunDir      string `json:"-" name:"run" help:"Where the run lives; an existing run is resumed. Default ./runs/NAME-N." placeholder:"DIR"`
	AllowChange bool   `json:"-" help:"Resume with a changed configuration." name:"allow-change"`
}

// Run plays, and prints the summary.
func (c *playCmd) Run(a *app) error {
	disk, err := c.check()
	if err != nil {
		return err
	}
	schema, err := reward.Lookup(c.Reward)
	if err != nil {
		return usagef("", "%v", err)
	}
	breaker, fixer, err := c.players()
	if err != nil {
		return err
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	run, err := c.openRun(a)
	if err != nil {
		return err
	}
	defer run.close()
	watch := newWatcher(a)
	closed := false
	closeWatch := func() {
		if !closed {
			watch.Close()
			closed = true
		}
	}
	defer closeWatch()
	began := time.Now()
	boards, err := c.boards(a, box, run, watch)
	if err != nil {
		return err
	}
	if err := run.create(c, box, boards); err != nil {
		return err
	}
	slog.SetDefault(slog.New(slog.NewMultiHandler(slog.Default().Handler(), run.store.Log(slog.LevelInfo))))
	prepared := map[string]float64{}
	for _, b := range boards {
		for phase, s := range b.Prepared {
			prepared[phase] += s
		}
	}
	slog.Info("prepared", "seconds", time.Since(began).Seconds(), "seed", run.seed)
	game := &selfplay.Game{
		Config: selfplay.Config{
			Seed: run.seed, Episodes: c.Episodes, Limit: time.Duration(c.Minutes * float64(time.Minute)),
			Workers: c.workers(), Group: c.Group, Steps: c.Steps, Order: c.Order, Disk: disk,
		},
		Boards: boards, Breaker: breaker, Fixer: fixer, Schema: schema, Store: run.store, Watch: watch, Prepared: prepared,
	}
	ending, err := game.Play(a.ctx, a.drain)
	closeWatch()
	if err != nil {
		if a.ctx.Err() != nil {
			return &interrupted{c.resumeLine(run.dir)}
		}
		return err
	}
	if err := run.writeReport(context.WithoutCancel(a.ctx)); err != nil {
		return err
	}
	if err := c.summary(a, run, ending); err != nil {
		return err
	}
	if ending == selfplay.Interrupted {
		return &interrupted{c.resumeLine(run.dir)}
	}
	return nil
}

// check refuses what cannot be meant.
func (c *playCmd) check() (disk int64, err error) {
	for _, f := range []struct {
		name   string
		value  float64
		lowest float64
	}{{"episodes", float64(c.Episodes), 0}, {"minutes", c.Minutes, 0}, {"workers", float64(c.Workers), 0}, {"order", float64(c.Order), 1},
		{"group", float64(c.Group), 1}, {"steps", float64(c.Steps), 1}, {"test-seconds", c.TestSeconds, 0.1}} {
		if f.value < f.lowest {
			return 0, usagef("", "--%s must be at least %v, not %v", f.name, f.lowest, f.value)
		}
	}
	disk, err = parseSize(c.Disk)
	if err != nil {
		return 0, usagef("write it like 20GB or 500MB", "--disk: %v", err)
	}
	if len(c.Sources) == 0 {
		c.Sources = []string{defaultTarget}
	}
	for i, s := range c.Sources {
		// A run is resumed from anywhere: folders are kept by their absolute path.
		if info, err := os.Stat(s); err == nil && info.IsDir() {
			if c.Sources[i], err = filepath.Abs(s); err != nil {
				return 0, err
			}
		}
	}
	return disk, nil
}

func (c *playCmd) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.NumCPU()
}

// summary prints what happened, where things are and what to try next.
func (c *playCmd) summary(a *app, run *openRun, ending selfplay.Ending) error {
	s, err := report.Summarise(context.Background(), run.store)
	if err != nil {
		return err
	}
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(s)
	}
	if err := report.Text(a.stdout, s, a.textOptions()); err != nil {
		return err
	}
	dir := shorten(run.dir)
	fmt.Fprintf(a.stdout, "\nended: %s\nrun    %s\npage   %s\nnext   breakfix show %s --episode %d\n", ending, dir, dir+"/report.html", dir, run.exemplar(context.Background()))
	return nil
}

// resumeLine is the command that goes on with the run.
func (c *playCmd) resumeLine(dir string) string {
	line := "breakfix play --run " + shorten(dir)
	if c.Episodes > 0 {
		line += fmt.Sprintf(" --episodes %d", c.Episodes)
	}
	return line
}

// drawSeed draws a seed that is easy to type.
func drawSeed() uint64 { return uint64(rand.Uint32()) }

// parseSize reads "20GB", "500MB", "1000".
func parseSize(s string) (int64, error) {
	unit := int64(1)
	number := strings.ToUpper(strings.TrimSpace(s))
	for suffix, u := range map[string]int64{"TB": 1e12, "GB": 1e9, "MB": 1e6, "KB": 1e3} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = rest, u
			break
		}
	}
	var n float64
	if _, err := fmt.Sscanf(strings.TrimSpace(number), "%g", &n); err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	return int64(n * float64(unit)), nil
}
