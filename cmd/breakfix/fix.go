package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"breakfix/internal/lang/python"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/repair"
	"breakfix/internal/report"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
)

// fixCmd repairs a working tree that is red.
type fixCmd struct {
	Path string `json:"path" arg:"" optional:"" help:"The folder to repair. Default: this one."`

	Only        []string `json:"only" help:"Code that may be edited: a folder, a file or a glob, relative to PATH." placeholder:"GLOB" group:"source"`
	Exclude     []string `json:"exclude" help:"Code to leave alone." placeholder:"GLOB" group:"source"`
	Tests       []string `json:"tests" help:"Arguments for the test runner, one each time the flag is given: of the tests that these choose the red ones are repaired; the others still have to stay green." placeholder:"ARG" sep:"none" group:"source"`
	Python      string   `json:"python" help:"Interpreter of an environment that exists, for private packages. Default: an environment is made." placeholder:"PATH" group:"source"`
	Env         []string `json:"env" help:"Let one variable through to the tests." placeholder:"NAME" group:"source"`
	TestSeconds float64  `json:"test-seconds" help:"Wall time that a test has on the tree as it is. Default ${default}." default:"10" placeholder:"S" group:"source"`

	Policy   string  `json:"policy" help:"Who fixes: builtin (default) or scripted:FILE." default:"builtin" placeholder:"P" group:"search"`
	From     string  `json:"from" help:"Weights of the built-in policy: a file that breakfix train wrote, a run (its last version that was accepted), scratch (nothing learned), or hand (a prior that was set by hand). Default: those that come with breakfix." placeholder:"FILE|RUN" group:"search"`
	Steps    int     `json:"steps" help:"Steps for each independent failure. Default ${default}." default:"64" placeholder:"N" group:"search"`
	Rollouts int     `json:"rollouts" name:"rollouts" help:"Searches for each failure, each of --steps steps with other noise; none tries what another tried. Default ${default}." default:"1" placeholder:"N" group:"search"`
	Tree     bool    `json:"tree" help:"Tree search (PUCT) says which of the partial repairs the next step goes on from, or whether it starts over; else every third step goes on from the one that got furthest." group:"search"`
	Minutes  float64 `json:"minutes" help:"Minutes of searching. Default: no limit." placeholder:"M" group:"search"`
	Seed     uint64  `json:"seed" help:"Seed of all randomness. Default ${default}." default:"1" placeholder:"N" group:"search"`
	Apply    bool    `json:"apply" help:"Write the repair into the folder, when it is one." group:"search"`
	NoCache  bool    `json:"no-cache" name:"no-cache" help:"Neither read nor keep verdicts of earlier runs." group:"search"`
}

// Help is the second part of fix's help text.
func (fixCmd) Help() string {
	return `Examples:

    breakfix fix                                  this folder; prints a diff, writes nothing
    breakfix fix --apply path/to/project          and writes it, where every gate passes
    breakfix fix --tests tests/test_core.py .     the red tests of this file alone
    breakfix fix --only src/pkg --minutes 5 .
    breakfix fix --json . | jq -r .diff | git apply -p1

The folder is taken as it is, with what is not committed. A repair edits code, no test. Exit codes: 0 every red
test is green and no gate objects; 4 no repair, a part of one, or nothing is red; 3 there are no tests to run.
`
}

// refuse refuses what cannot be meant.
func (c *fixCmd) refuse() error {
	if c.Path == "" {
		c.Path = "."
	}
	if err := within([]bound{least("steps", c.Steps, 1), least("rollouts", c.Rollouts, 1), least("minutes", c.Minutes, 0), least("test-seconds", c.TestSeconds, 0.1)}); err != nil {
		return err
	}
	info, err := os.Stat(c.Path)
	switch {
	case err != nil && strings.Contains(c.Path, ":"), err == nil && !info.IsDir():
		return usagef("fix repairs a folder that you work in: breakfix fix path/to/project", "%s is no folder", source.Shown(c.Path))
	case err != nil:
		return usagef("name the folder of a project", "the folder %s does not exist", c.Path)
	}
	return nil
}

// resolve is the configuration as fix would use it.
func (c *fixCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	if _, err := c.player(); err != nil {
		return "", err
	}
	if c.Minutes == 0 {
		delete(out, "minutes")
	}
	out[sourcesKey] = []string{c.Path}
	out["cache"], err = source.CacheDir(a.Cache)
	return "", err
}

func (c *fixCmd) player() (policy.Policy, error) {
	p, err := player("policy", c.Policy, c.From)
	if b, ok := p.(*builtin.Policy); ok {
		b.Temperature = 0 // one attempt: the likeliest edit first
		b.Rollouts, b.Tree = c.Rollouts, c.Tree
	}
	return p, err
}

// fixed is what fix prints with --json. What it names keeps its name.
type fixed struct {
	Found    bool                    `json:"found"`
	Steps    int                     `json:"steps"`
	Seconds  float64                 `json:"seconds"`
	Diff     string                  `json:"diff"`
	Red      []string                `json:"red"`
	Green    []string                `json:"green"`
	Gates    map[outcome.Gate]string `json:"gates"`
	Policy   string                  `json:"policy"`
	Version  policy.Version          `json:"version"`
	Failures []repair.Failure        `json:"failures"`
	Flaky    []string                `json:"flaky"`
	Broken   map[string]string       `json:"broken"`
	Tests    int                     `json:"tests"`
	Ended    repair.Ending           `json:"ended"`
	Applied  bool                    `json:"applied"`
}

// Run looks for a repair, and prints it.
func (c *fixCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	fixer, err := c.player()
	if err != nil {
		return err
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	began := time.Now()
	watch := newWatcher(a)
	defer watch.Close()
	dir, err := filepath.Abs(c.Path)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return err
	}
	watch.Stage("source", report.Visible(c.Path))
	o := source.Options{Only: c.Only, Exclude: c.Exclude, Tests: c.Tests, Python: c.Python, Env: c.Env, Cache: a.Cache}
	snap, err := source.Open(a.drain, dir, o)
	if err != nil {
		return err
	}
	code, err := source.Selected(snap.Tree, o, python.Python.IsCode)
	if err != nil {
		return err
	}
	may := map[string]bool{}
	for _, p := range code {
		may[p] = true
	}
	setup := testrun.Config{Box: box, Snapshot: snap, Options: o, NoCache: c.NoCache, Progress: watch.Stage, Red: true, LazyFindings: true, Uncalibrated: true,
		Deadline: time.Duration(c.TestSeconds * float64(time.Second))}
	work, err := testrun.Prepare(a.drain, setup)
	if err != nil {
		return err
	}
	defer work.Close()
	cfg := repair.Config{Work: work, Code: func(p string) bool { return may[p] }, Player: fixer, Seed: c.Seed, Steps: c.Steps * c.Rollouts,
		Limit: time.Duration(c.Minutes * float64(time.Minute)), Progress: func(p repair.Progress) { watch.Status(searching(p)) }}
	if len(c.Tests) > 0 && len(work.Base.Results.Reds()) > 0 {
		setup.Options.Tests = nil
		var cannot *source.TargetError
		switch guard, err := testrun.Prepare(a.drain, setup); {
		case err == nil:
			defer guard.Close()
			cfg.Guard = guard
		case errors.As(err, &cannot):
			watch.Notice("without --tests there is no suite to guard a repair: " + report.Visible(cannot.Reason))
		default:
			return err
		}
	}
	res, err := repair.Run(a.ctx, a.drain, cfg)
	if err != nil {
		return err
	}
	watch.Close()
	f := fixed{Found: res.Found, Steps: res.Steps, Seconds: time.Since(began).Seconds(), Diff: string(res.Diff), Red: list(res.Red), Green: list(res.Green),
		Gates: res.Gates, Policy: fixer.Name(), Version: fixer.Version(), Failures: res.Failures, Flaky: list(res.Flaky), Broken: work.Base.Broken,
		Tests: len(work.Base.Results), Ended: res.Ended}
	if f.Gates == nil {
		f.Gates = map[outcome.Gate]string{}
	}
	if f.Failures == nil {
		f.Failures = []repair.Failure{}
	}
	for _, one := range work.Base.Flaky {
		f.Flaky = append(f.Flaky, one.Test)
	}
	if c.Apply && res.Found {
		if err := repair.Apply(dir, snap.Tree, res.Tree); err != nil {
			return err
		}
		f.Applied = true
	}
	if a.JSON {
		err = json.NewEncoder(a.stdout).Encode(f)
	} else {
		err = c.print(a, f)
	}
	switch {
	case err != nil:
		return err
	case res.Ended == repair.Interrupted && !res.Found:
		return &stopped{"nothing was written. To look again", typed(a)}
	case !res.Found:
		return errNo
	}
	return nil
}

func list(ids []string) []string { return append([]string{}, ids...) }
