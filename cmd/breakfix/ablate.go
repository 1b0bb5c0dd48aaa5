package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"breakfix/internal/curriculum"
	"breakfix/internal/eval"
	"breakfix/internal/learn"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/report"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
)

// trainingTargets are those that held-out bugs come from where none are named:
// the first two that are not played on.
var trainingTargets = []string{"pypi:tinydb==4.9.0", "pypi:toolz==1.2.0", "pypi:sqlparse==0.6.1", "pypi:marshmallow==4.4.0", "pypi:boltons==26.2.0", "pypi:jinja2==3.1.6"}

// ablateCmd measures what each part of the game is worth.
type ablateCmd struct {
	Sources []string `json:"sources" arg:"" optional:"" name:"source" help:"Folders, git URLs or pypi:NAME==VERSION that are played on. Default ${default_target}."`

	sourceFlags `group:"source"`
	Variants    []string `json:"variants" help:"Which: ${variants}. Default: all." placeholder:"NAME" group:"choice"`
	HeldOut     []string `json:"held-out" help:"Sources whose bugs judge, and that are never played on; one each time the flag is given. Default: two of the packages that development trains on." placeholder:"SOURCE" sep:"none" group:"choice"`
	Budget      int      `json:"budget" help:"Steps of the fixer that each variant plays with each seed. Default ${default}." default:"20000" placeholder:"N" group:"choice"`
	Seeds       int      `json:"seeds" help:"Seeds of each variant. Default ${default}." default:"5" placeholder:"N" group:"choice"`
	Seed        uint64   `json:"seed" help:"The first of them; the others follow it. Default ${default}." default:"1" placeholder:"N" group:"choice"`
	Bugs        int      `json:"bugs" help:"Held-out bugs of order 1, the sources in turn. Default ${default}." default:"100" placeholder:"N" group:"choice"`
	Group       int      `json:"group" help:"Attempts a bug in play. Default ${default}." default:"8" placeholder:"N" group:"game"`
	Steps       int      `json:"steps" help:"Steps an attempt in play. Default ${default}." default:"16" placeholder:"N" group:"game"`
	Learn       int      `json:"learn" help:"Episodes after which a version is made and judged. Default ${default}." default:"32" placeholder:"N" group:"game"`
	Warm        int      `json:"warm" help:"Damaged functions that are learned from before the first game. Default ${default}." default:"500" placeholder:"N" group:"game"`
	Workers     int      `json:"workers" help:"Validations and attempts at the same time. Default: the cores." placeholder:"N" group:"game"`
	Output      string   `json:"output" short:"o" help:"File of results, a JSON line for each variant and seed; what it has is not run again. Default ${default}." default:"ablate.jsonl" placeholder:"FILE" group:"results"`
}

// Help is the second part of the help text.
func (ablateCmd) Help() string {
	var b strings.Builder
	b.WriteString("Every variant plays from nothing with the same number of the fixer's steps, as a run of its own beside FILE; then it has one\n" +
		"attempt of 8 steps, its likeliest repair first, at each held-out bug. Bugs are made by the prior that was set by hand.\n\nVariants:\n\n")
	for _, v := range eval.Variants {
		fmt.Fprintf(&b, "    %-16s %s\n", v.Name, v.About)
	}
	b.WriteString(`
Examples:

    breakfix ablate -o ablate.jsonl pypi:toolz==1.2.0
    breakfix ablate --variants self-play,fixer-only,uniform --budget 5000 --held-out pypi:tinydb==4.9.0 pypi:toolz==1.2.0

What --at, --only, --exclude, --tests and --python say is of SOURCE alone.
`)
	return b.String()
}

// check refuses what cannot be meant, and fills in the defaults.
func (c *ablateCmd) check() ([]eval.Variant, error) {
	variants, err := eval.Lookup(c.Variants)
	if err != nil {
		return nil, usagef("", "--variants: %v", err)
	}
	if err := within(append(c.bounds(), least("budget", c.Budget, 1), least("seeds", c.Seeds, 1), least("bugs", c.Bugs, 1), least("group", c.Group, 1), least("steps", c.Steps, 1), least("learn", c.Learn, 1), least("warm", c.Warm, 0), least("workers", c.Workers, 0))); err != nil {
		return nil, err
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	if len(c.Sources) == 0 {
		c.Sources = []string{defaultTarget}
	}
	if err := absolute(c.Sources); err != nil {
		return nil, err
	}
	if err := absolute(c.HeldOut); err != nil {
		return nil, err
	}
	played := map[string]bool{}
	for _, s := range c.Sources {
		played[s] = true
	}
	for _, s := range c.HeldOut {
		if played[s] {
			return nil, usagef("hold out others", "--held-out: %s is played on too", source.Shown(s))
		}
	}
	if len(c.HeldOut) == 0 {
		for _, s := range trainingTargets {
			if !slices.ContainsFunc(c.Sources, func(p string) bool { return targetName(p) == targetName(s) }) && len(c.HeldOut) < 2 {
				c.HeldOut = append(c.HeldOut, s)
			}
		}
	}
	if strings.Contains(c.Python, "/") {
		if c.Python, err = filepath.Abs(c.Python); err != nil {
			return nil, err
		}
	}
	if info, err := os.Stat(filepath.Dir(c.Output)); err != nil || !info.IsDir() {
		return nil, usagef("make it, or name another file", "-o: there is no folder %s", filepath.Dir(c.Output))
	}
	if filepath.Ext(c.Output) == plotSuffix {
		return nil, usagef("name it .jsonl", "-o: %s is where the page would be written, beside a file of JSON lines", c.Output)
	}
	return variants, kernelHere()
}

// plotSuffix is what the page beside the file of results ends in.
const plotSuffix = ".html"

// beside is a name beside the file of results.
func (c *ablateCmd) beside(suffix string) string {
	return strings.TrimSuffix(c.Output, filepath.Ext(c.Output)) + suffix
}

func (c *ablateCmd) config() eval.Config {
	shown := func(sources []string) (all []string) {
		for _, s := range sources {
			all = append(all, source.Shown(s))
		}
		return all
	}
	return eval.Config{Sources: shown(c.Sources), HeldOut: shown(c.HeldOut), Budget: c.Budget, Group: c.Group, Steps: c.Steps, Order: curriculum.DefaultOrderCap,
		Learn: c.Learn, Warm: c.Warm, Bugs: c.Bugs, Judge: learn.MatchSteps, At: c.At, Only: c.Only, Exclude: c.Exclude, Tests: c.Tests, Python: c.Python, Env: c.Env,
		TestSeconds: c.TestSeconds, DeadlineFloor: c.DeadlineFloor, DeadlineFactor: c.DeadlineFactor}
}

// resolve is the configuration as it would be used.
func (c *ablateCmd) resolve(a *app, out map[string]any) (note string, err error) {
	variants, err := c.check()
	if err != nil {
		return "", err
	}
	var names []string
	for _, v := range variants {
		names = append(names, v.Name)
	}
	out[sourcesKey], out["held-out"], out["variants"], out["workers"] = c.Sources, c.HeldOut, names, c.Workers
	out["cache"], err = source.CacheDir(a.Cache)
	return "", err
}

// Run measures what the file does not have, and prints the table.
func (c *ablateCmd) Run(a *app) error {
	variants, err := c.check()
	if err != nil {
		return err
	}
	file, err := eval.Open(c.Output)
	if err != nil {
		return err
	}
	if err := file.Same(c.config()); err != nil {
		return err
	}
	var todo []eval.Cell
	for _, cell := range eval.Plan(variants, c.Seed, c.Seeds) {
		if !file.Has(cell.Variant.Name, cell.Seed) {
			todo = append(todo, cell)
		}
	}
	if len(todo) > 0 {
		err = c.measure(a, file, todo)
	}
	if told := c.tell(a, file); told != nil && err == nil {
		err = told
	}
	if err != nil && a.drain.Err() != nil {
		return &stopped{"what was measured is kept. To go on", typed(a)}
	}
	return err
}

// measure prepares everything once, and plays one cell after the other.
func (c *ablateCmd) measure(a *app, file *eval.File, todo []eval.Cell) error {
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	watch := newWatcher(a)
	defer watch.Close()
	t := &trial{ablateCmd: c, app: a, box: box, watch: watch}
	defer t.close()
	if err := t.prepare(file); err != nil {
		return err
	}
	for n, cell := range todo {
		if err := a.drain.Err(); err != nil {
			return err
		}
		watch.Notice(fmt.Sprintf("%s, seed %d: run %d of %d", cell.Variant.Name, cell.Seed, n+1, len(todo)))
		line, err := t.play(cell)
		if err != nil {
			return err
		}
		if err := file.Append(line); err != nil {
			return err
		}
		won := 0
		for _, k := range line.Solved {
			if k > 0 {
				won++
			}
		}
		watch.Notice(fmt.Sprintf("%s, seed %d: solved %d of %d held-out bugs after %s", cell.Variant.Name, cell.Seed, won, len(line.Solved), count(line.Steps, "step")))
	}
	return nil
}

// tell prints the table, and writes the page beside the file; nothing where
// nothing was measured.
func (c *ablateCmd) tell(a *app, file *eval.File) error {
	if len(file.Lines) == 0 {
		return nil
	}
	page := c.beside(plotSuffix)
	out := report.Ablation{File: c.Output, Plot: page, Config: c.config(), Bugs: len(file.Lines[0].Bugs), Variants: eval.Table(file.Lines)}
	f, err := renameio.NewPendingFile(page, renameio.WithPermissions(0o644))
	if err != nil {
		return usagef("name another file with -o", "cannot write %s: %v", page, err)
	}
	defer f.Cleanup()
	if err := report.AblationHTML(f, out); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(out)
	}
	if err := report.AblationText(a.stdout, out, a.textOptions()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\nfile   %s\nplot   %s\nruns   %s\n", c.Output, page, c.beside(runsSuffix))
	return err
}

// runsSuffix is what the folder of the runs, beside the file of results, ends in.
const runsSuffix = "-runs"

// players are who plays a cell, and who of them learns; nil: nobody.
func (c *ablateCmd) players(cell eval.Cell) (breaker, fixer, learner *builtin.Policy) {
	v := cell.Variant
	if v.Even {
		p := builtin.Uniform(cell.Seed)
		return p, p, nil
	}
	p := builtin.With(builtin.Scratch(cell.Seed))
	p.Seed, p.Warm, p.Blind = cell.Seed, c.Warm, v.Blind
	if v.Cold {
		p.Warm = 0
	}
	switch v.Breaker {
	case eval.Frozen:
		return builtin.With(builtin.Scratch(cell.Seed)), p, p
	case eval.Hand:
		return builtin.New(), p, p
	}
	return p, p, p
}

// trial is what all cells share.
type trial struct {
	*ablateCmd
	app    *app
	box    sandbox.Sandbox
	watch  closingWatcher
	boards []*selfplay.Board
	held   []*selfplay.Board
	match  *selfplay.Match
}
