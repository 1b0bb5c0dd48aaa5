package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"breakfix/internal/engine"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/report"
	"breakfix/internal/reward"
	"breakfix/internal/selfplay"
	"breakfix/internal/testrun"
)

// defaultTarget is what play plays when no source is named: small, fully
// covered, permissively licensed.
const defaultTarget = "pypi:cachetools==8.0.1"

// sourceFlags say what of a source is taken.
type sourceFlags struct {
	At          string   `json:"at" help:"Commit of a git source: HEAD, random (drawn with the seed) or a revision. A folder without it is taken as it is, a URL at HEAD." placeholder:"REV"`
	Only        []string `json:"only" help:"Code to break: a folder, a file or a glob, relative to the source." placeholder:"GLOB"`
	Exclude     []string `json:"exclude" help:"Code to leave alone." placeholder:"GLOB"`
	Tests       []string `json:"tests" help:"Arguments for the test runner, one each time the flag is given: --tests tests/unit, --tests=-k --tests='not slow'." placeholder:"ARG" sep:"none"`
	Python      string   `json:"python" help:"Interpreter of an environment that exists, for private packages. Default: an environment is made." placeholder:"PATH"`
	Env         []string `json:"env" help:"Let one variable through to the tests." placeholder:"NAME"`
	TestSeconds float64  `json:"test-seconds" help:"Wall time that a test has while the baseline is measured. Default ${default}." default:"60" placeholder:"S"`

	DeadlineFloor  float64 `json:"deadline-floor" name:"deadline-floor" help:"Least time that a test has on changed code, in CPU time and wall time. Default ${default}." default:"2" placeholder:"S"`
	DeadlineFactor float64 `json:"deadline-factor" name:"deadline-factor" help:"A test has this many times its time on the base, if that is more. Default ${default}." default:"6" placeholder:"X"`
}

// deadlines are what a test has on changed code.
func (f *sourceFlags) deadlines() testrun.Deadlines {
	return testrun.Deadlines{Floor: time.Duration(f.DeadlineFloor * float64(time.Second)), Factor: f.DeadlineFactor}
}

// gameFlags say how a game is played.
type gameFlags struct {
	Policy   string `json:"policy" help:"Who plays: builtin (default), llm (a model with tools; needs --engine) or scripted:FILE." default:"builtin" placeholder:"P"`
	From     string `json:"from" help:"Weights of the built-in policy: a file that breakfix train wrote, a run (its last version that was accepted), scratch (nothing learned), or hand (a prior that was set by hand, which learns nothing). Default: those that come with breakfix." placeholder:"FILE|RUN"`
	Learn    int    `json:"learn" help:"Episodes after which the policy learns and a new version is judged; 0: it learns nothing. Default ${default}." default:"32" placeholder:"N"`
	Judge    int    `json:"judge" help:"One version in so many plays the match; the others are taken as they are. Default ${default}." default:"1" placeholder:"N"`
	Async    int    `json:"async" help:"Episodes that may be played, with the version before, while a version is made; 0: play waits for it. At most --learn. Default ${default}." default:"0" placeholder:"N"`
	Warm     int    `json:"warm" help:"Damaged functions of the code that --from scratch learns from before the first game. Default ${default}." default:"3000" placeholder:"N"`
	Breaker  string `json:"breaker" help:"Who breaks, when not the policy." placeholder:"P"`
	Fixer    string `json:"fixer" help:"Who fixes, when not the policy." placeholder:"P"`
	Reward   string `json:"reward" help:"Reward schema: shared (default), adversarial, or form: the breaker is paid for well-formed calls alone, as a warm-up of a model that knows nothing." default:"shared" placeholder:"NAME"`
	Order    int    `json:"order" help:"Highest order of a bug. Default ${default}." default:"5" placeholder:"N"`
	Group    int    `json:"group" help:"Attempts a bug. Default ${default}." default:"8" placeholder:"N"`
	Steps    int    `json:"steps" help:"Steps an attempt. Default ${default}." default:"64" placeholder:"N"`
	Rollouts int    `json:"rollouts" name:"rollouts" help:"Searches that an attempt of the built-in fixer is, each of --steps steps; none tries what another tried. Default ${default}." default:"1" placeholder:"N"`
}

// runFlags say how much is played, and where the run lives.
type runFlags struct {
	RunDir      string  `json:"-" name:"run" help:"Where the run lives; an existing run is resumed. Default ./runs/NAME-N." placeholder:"DIR"`
	AllowChange bool    `json:"-" help:"Resume with a changed configuration." name:"allow-change"`
	Seed        *uint64 `json:"seed" help:"Seed of all randomness. Default: drawn and shown." placeholder:"N"`
	Workers     int     `json:"workers" help:"Validations and attempts at the same time. Default: the cores." placeholder:"N"`
	Episodes    int     `json:"episodes" help:"Episodes of the whole run. Default: until difficulty stands still." placeholder:"N"`
	Minutes     float64 `json:"minutes" help:"Minutes of this sitting. Default: no limit." placeholder:"M"`
	NoCache     bool    `json:"no-cache" help:"Neither read nor keep verdicts of earlier runs." name:"no-cache"`
	Disk        string  `json:"disk" help:"Stop when the run folder has reached this size. Default ${default}." default:"20GB" placeholder:"SIZE"`
}

// playCmd is the self-play loop.
type playCmd struct {
	Sources []string `json:"sources" arg:"" optional:"" name:"source" help:"Folder, git URL or pypi:NAME==VERSION; several are played in turn. Default ${default_target}."`

	sourceFlags `group:"source"`
	gameFlags   `group:"game"`
	llmFlags    `group:"engine"`
	runFlags    `group:"run"`

	// Of a run that is a part of an ablation.
	Variant string `json:"variant,omitempty" kong:"-"`
	Budget  int    `json:"budget,omitempty" kong:"-"`
}

// Help is the second part of play's help text.
func (playCmd) Help() string {
	return `Examples:

    breakfix play --episodes 20 .                      this folder; it is never written to
    breakfix play --only src/pkg/core.py --minutes 10 .
    breakfix play --at random https://host/project.git
    breakfix play pypi:toolz==1.2.0
    breakfix play --run runs/toolz-1 --episodes 40     go on with a run
    breakfix play --policy llm --engine http://127.0.0.1:8000 .
    breakfix play --fixer llm --engine http://127.0.0.1:8080/v1 --model qwen3-coder .

The key of a server is read from BREAKFIX_ENGINE_KEY, from the file that BREAKFIX_ENGINE_KEY_FILE names, or
from TINKER_API_KEY or OPENAI_API_KEY; it is no flag, and is written nowhere.
`
}

// The heap of a game: the candidates of some files are many, and garbage soon. It is kept to
// softMemory where it can be, and below that collected half as often as Go does by itself. C,
// which Go does not see, and the program take up to 230 MB more, with six packages (methods.md).
const (
	softMemory  = 320 << 20
	moreGarbage = 200 // % of what is alive
)

// boundMemory has garbage collected in time; GOMEMLIMIT and GOGC say otherwise.
func boundMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(moreGarbage)
	}
}

// Run plays, and prints the summary.
func (c *playCmd) Run(a *app) error {
	boundMemory()
	disk, err := c.check()
	if err != nil {
		return err
	}
	if err := c.checkPlayers(); err != nil {
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
	// What an existing run says is known from here on.
	schema, err := c.schema()
	if err != nil {
		return err
	}
	breaker, fixer, model, err := c.open(a, run.seed)
	if err != nil {
		return err
	}
	defer model.close()
	learner := c.learner(breaker, fixer)
	if c.Async > 0 && learner != nil {
		if _, err := learner.Pinned(); err != nil {
			return usagef("leave it out, and play waits for each version", "--async: %v", err)
		}
	}
	watch := newWatcher(a)
	defer watch.Close()
	began := time.Now()
	boards, err := c.boards(a, box, run, watch)
	if err != nil {
		if a.drain.Err() != nil && run.store == nil {
			return &interrupted{}
		}
		if a.drain.Err() != nil {
			return &interrupted{c.resumeLine(run.dir)}
		}
		return err
	}
	for _, b := range boards {
		defer b.Work.Close()
	}
	if err := run.create(c, box, boards); err != nil {
		return err
	}
	slog.SetDefault(slog.New(slog.NewMultiHandler(slog.Default().Handler(), run.store.Log(slog.LevelInfo))))
	model.keepIn(run.store)
	prepared := map[string]float64{}
	for _, b := range boards {
		for phase, s := range b.Prepared {
			prepared[phase] += s
		}
	}
	watch.Notice(fmt.Sprintf("run %s, seed %d", shorten(run.dir), run.seed))
	slog.Info("prepared", "seconds", time.Since(began).Seconds(), "seed", run.seed)
	game := &selfplay.Game{
		Config: selfplay.Config{
			Seed: run.seed, Episodes: c.Episodes, Limit: time.Duration(c.Minutes * float64(time.Minute)),
			Workers: c.workers(), Group: c.Group, Steps: c.Steps * c.Rollouts, Order: c.Order, Disk: disk, Learn: c.Learn, Judge: c.Judge, Async: c.Async,
		},
		Learner: learner, Frozen: builtin.New(),
		Boards: boards, Breaker: breaker, Fixer: fixer, Schema: schema, Store: run.store, Watch: watch, Prepared: prepared,
	}
	ending, err := game.Play(a.ctx, a.drain)
	watch.Close()
	var faults *selfplay.FaultsError
	var server *engine.Error
	switch {
	case err == nil:
	case a.ctx.Err() != nil:
		return &interrupted{c.resumeLine(run.dir)}
	case errors.As(err, &server):
		return errors.Join(fmt.Errorf("%w; the run is whole. To go on: %s", err, c.resumeLine(run.dir)), run.writeReport(a.ctx))
	case errors.As(err, &faults):
		return errors.Join(fmt.Errorf("%w; the run is whole. To go on: %s", err, c.resumeLine(run.dir)), run.writeReport(a.ctx))
	default:
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
	if err := within(append(c.bounds(), least("episodes", c.Episodes, 0), least("minutes", c.Minutes, 0), least("workers", c.Workers, 0), least("order", c.Order, 1), least("learn", c.Learn, 0), least("judge", c.Judge, 1), least("async", c.Async, 0), least("warm", c.Warm, 0), least("group", c.Group, 1), least("steps", c.Steps, 1), least("rollouts", c.Rollouts, 1))); err != nil {
		return 0, err
	}
	if c.Learn > 0 && c.Async > c.Learn {
		return 0, usagef("", "--async must be at most --learn (%d), not %d: one version is made at a time", c.Learn, c.Async)
	}
	disk, err = parseSize(c.Disk)
	if err != nil {
		return 0, usagef("write it like 20GB or 500MB", "--disk: %v", err)
	}
	if len(c.Sources) == 0 {
		c.Sources = []string{defaultTarget}
	}
	// A run is resumed from anywhere: paths are kept absolute.
	for _, who := range []*string{&c.Policy, &c.Breaker, &c.Fixer} {
		if file, ok := strings.CutPrefix(*who, "scripted:"); ok && file != "" {
			if file, err = filepath.Abs(file); err != nil {
				return 0, err
			}
			*who = "scripted:" + file
		}
	}
	if _, err := os.Stat(c.From); c.From != "" && err == nil {
		if c.From, err = filepath.Abs(c.From); err != nil {
			return 0, err
		}
	}
	if err := c.llmFlags.check(); err != nil {
		return 0, err
	}
	if strings.Contains(c.Python, "/") { // else it is looked up in PATH
		if c.Python, err = filepath.Abs(c.Python); err != nil {
			return 0, err
		}
	}
	for i, s := range c.Sources {
		if info, err := os.Stat(s); err == nil && info.IsDir() {
			if c.Sources[i], err = filepath.Abs(s); err != nil {
				return 0, err
			}
		}
	}
	return disk, nil
}

func (c *playCmd) schema() (reward.Schema, error) {
	schema, err := reward.Lookup(c.Reward)
	if err != nil {
		return nil, usagef("", "--reward: %v", err)
	}
	return schema, nil
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
	more := ""
	switch ending {
	case selfplay.DiskIsFull:
		more = "\nmore   " + c.resumeLine(run.dir) + " --disk SIZE, larger than " + c.Disk
	case selfplay.TimeIsUp:
		more = "\nmore   " + c.resumeLine(run.dir)
	}
	fmt.Fprintf(a.stdout, "\nended: %s%s\nrun    %s\npage   %s\nnext   breakfix show %s --episode %d\n", ending, more, dir, dir+"/report.html", dir, run.exemplar(context.Background()))
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
