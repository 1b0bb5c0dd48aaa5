package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"breakfix/internal/bench"
	"breakfix/internal/lang/python"
	"breakfix/internal/report"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
)

// benchCmd measures speeds, each thing with a name of its own.
type benchCmd struct {
	Breaks benchBreaksCmd `cmd:"" help:"What breakers' breaks are to one fixer, side by side."`
	Exec   benchExecCmd   `cmd:"" help:"How fast mutants are judged: fresh processes, and the tiers of the execution core."`
	Learn  benchLearnCmd  `cmd:"" help:"What weights repair of the same bugs, side by side."`
	Moves  benchMovesCmd  `cmd:"" help:"What the fixer's moves reach: of mutations, by operator, and of bugs."`
	Policy benchPolicyCmd `cmd:"" help:"What ways of ranking repairs solve of functions with a bug, and how fast they rank and learn."`
}

// laterBench are measurements that this version does not have.
var laterBench = []string{"episodes"}

// benchExecCmd compares the ways of judging a mutant.
type benchExecCmd struct {
	Source string `json:"source" arg:"" optional:"" name:"source" help:"Folder, git URL or pypi:NAME==VERSION; default ${default_target}."`

	sourceFlags `group:"source"`
	benchFlags  `group:"choice"`
}

// benchFlags say what is measured.
type benchFlags struct {
	Sample  int     `short:"n" help:"Mutants, drawn with the seed. Default ${default}." default:"60" placeholder:"N"`
	Truth   int     `help:"How many of them the slow ways judge too. Default: all, at most 40." placeholder:"K"`
	Repeat  int     `help:"How often the core judges each, for a stable rate. Default ${default}." default:"1" placeholder:"N"`
	Seed    *uint64 `help:"Seed of the sample. Default: drawn and shown." placeholder:"N"`
	Workers int     `help:"Mutants judged at the same time. Default: the cores." placeholder:"N"`
}

// mostTruth bounds the mutants that the slow ways judge unless told otherwise.
const mostTruth = 40

// Help is the second part of the help text.
func (benchExecCmd) Help() string {
	return `Every mutant is judged by the whole suite in a fresh process (fresh_suite, the truth), by the tests that it can
affect in a fresh process (fresh_covering), and by the execution core, which forks warm processes: all of these tests
(core), and until the first red one (core_first_red). The ways take turns. A verdict on a mutant that is not the truth
is exit code 4.

Examples:

    breakfix bench exec
    breakfix bench exec --only 'src/pkg/core.py' -n 200 --truth 20 .
`
}

// refuse refuses what cannot be meant, and fills in the defaults.
func (c *benchExecCmd) refuse() error {
	if c.Source == "" {
		c.Source = defaultTarget
	}
	if err := within(append(c.bounds(), least("sample", c.Sample, 1), least("truth", c.Truth, 0), least("repeat", c.Repeat, 1), least("workers", c.Workers, 0))); err != nil {
		return err
	}
	if c.Truth > c.Sample {
		return usagef("", "--truth %d: there are only %d mutants; raise -n", c.Truth, c.Sample)
	}
	if c.Truth == 0 {
		c.Truth = min(c.Sample, mostTruth)
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	return nil
}

// resolve is the configuration as it would be used.
func (c *benchExecCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"], out["truth"] = []string{c.Source}, c.Workers, c.Truth
	if c.Seed == nil {
		note = "# seed: drawn when measuring starts\n"
	} else {
		out["seed"] = *c.Seed
	}
	out["cache"], err = source.CacheDir(a.Cache)
	return note, err
}

// Run measures and prints.
func (c *benchExecCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	if c.Seed == nil {
		seed := drawSeed()
		c.Seed = &seed
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	s, err := c.measure(a, box)
	if err != nil {
		return err
	}
	if a.JSON {
		err = json.NewEncoder(a.stdout).Encode(s)
	} else {
		err = report.BenchText(a.stdout, s, a.textOptions())
	}
	switch {
	case err != nil:
		return err
	case s.Ended == bench.Interrupted:
		return &stopped{"what was measured so far is above. To measure anew", fmt.Sprintf("breakfix bench exec --seed %d %s", s.Seed, quoted(source.Shown(c.Source)))}
	case s.Wrong():
		return errNo
	}
	return nil
}

// measure prepares the target, draws mutants and judges them in every way.
func (c *benchExecCmd) measure(a *app, box sandbox.Sandbox) (bench.Summary, error) {
	watch := newWatcher(a)
	defer watch.Close()
	began := time.Now()
	o := c.options(a, *c.Seed)
	watch.Stage("source", source.Shown(c.Source))
	snap, err := source.Open(a.drain, c.Source, o)
	if err != nil {
		return bench.Summary{}, err
	}
	setup := selfplay.Setup{Box: box, Options: o, NoCache: true, Progress: watch.Stage, Deadline: time.Duration(c.TestSeconds * float64(time.Second)), Deadlines: c.deadlines()}
	board, err := setup.Prepare(a.drain, snap)
	if err != nil {
		return bench.Summary{}, err
	}
	defer board.Work.Close()
	for _, line := range caveats(board.Work.Base) {
		watch.Notice(line)
	}
	files, err := source.Selected(snap.Tree, o, python.Python.IsCode)
	if err != nil {
		return bench.Summary{}, err
	}
	mutants, err := board.Work.Draw(c.Sample, *c.Seed, func(p string) bool { return slices.Contains(files, p) })
	if err != nil {
		return bench.Summary{}, err
	}
	if len(mutants) == 0 {
		return bench.Summary{}, &source.TargetError{Reason: "no line that runs is a site of an operator in the selected code", Next: "choose other code with --only, or other tests with --tests"}
	}
	prepared := time.Since(began)
	s, err := bench.Run(a.ctx, a.drain, bench.Config{
		Suite: board.Work, Base: board.Work.Base.Results, Mutants: mutants, Truth: c.Truth, Repeat: c.Repeat, Workers: c.Workers,
		Progress: func(p bench.Progress) { watch.Status(measured(p)) },
	})
	if err != nil {
		return bench.Summary{}, err
	}
	s.Source, s.Seed = snap.Source, *c.Seed
	s.Machine = bench.Machine{Cores: runtime.NumCPU(), Kernel: kernel(), Python: board.Work.Env.Recipe.Version}
	s.Prepare["baseline"] = board.Prepared["baseline"]
	s.Prepare["environment"] = prepared.Seconds() - board.Prepared["baseline"]
	s.PrepareSeconds = prepared.Seconds() + s.Prepare["warm"]
	return s, nil
}

// kernel is the release of the running kernel.
func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// measured is the status of a measurement.
type measured bench.Progress

func (p measured) lines(later time.Duration, width int) []string {
	if p.Left > 0 {
		p.Left = max(0, p.Left-later)
	}
	return []string{headLine("mutant", p.Done, p.Of, p.Elapsed+later, p.Left, width), "way      " + string(p.Way)}
}

func (p measured) last() bool { return p.Done == p.Of }
