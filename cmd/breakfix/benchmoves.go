package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/bench"
	"breakfix/internal/bugset"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/report"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// benchMovesCmd measures what the fixer's moves reach.
type benchMovesCmd struct {
	Sources   []string `json:"sources" arg:"" optional:"" name:"source" help:"Code whose mutations are drawn. Default, without --bugs and --humaneval: ${default_target}."`
	Bugs      []string `json:"bugs" type:"path" placeholder:"SET" help:"Sets of bugs, as breakfix bugs makes them."`
	Humaneval []string `json:"humaneval" type:"path" placeholder:"FILE" help:"JSON lines with declaration, buggy_solution and canonical_solution, as HumanEvalPack has them."`
	Sample    int      `json:"sample" short:"n" default:"300" placeholder:"N" help:"Mutations of each source, operators alike. Default ${default}."`
	Seed      uint64   `json:"seed" default:"1" placeholder:"N" help:"Seed of the sample. Default ${default}."`
	Workers   int      `json:"workers" placeholder:"N" help:"Default: the cores."`
	Only      []string `json:"only" placeholder:"GLOB" help:"Code to draw from: a folder, a file or a glob, relative to each source."`
}

// Help is the second part of the help text.
func (benchMovesCmd) Help() string {
	return `Nothing is run: a repair counts as reached when one move of the fixer, or two, lead to the right text.

Examples:

    breakfix bench moves pypi:toolz==1.2.0 pypi:cachetools==8.0.1
    breakfix bench moves --bugs out --json
`
}

// refuse refuses what cannot be meant, and fills in the defaults.
func (c *benchMovesCmd) refuse() error {
	if len(c.Sources)+len(c.Bugs)+len(c.Humaneval) == 0 {
		c.Sources = []string{defaultTarget}
	}
	if c.Sample < 1 || c.Workers < 0 {
		return usagef("give -n 300", "-n %d and --workers %d are no numbers to work with", c.Sample, c.Workers)
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	return nil
}

// resolve is the configuration as it would be used.
func (c *benchMovesCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"] = c.Sources, c.Workers
	out["cache"], err = source.CacheDir(a.Cache)
	return "", err
}

// Run measures and prints.
func (c *benchMovesCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	watch := newWatcher(a)
	defer watch.Close()
	var repairs []bench.Repair
	for _, s := range c.Sources {
		watch.Stage("source", source.Shown(s))
		snap, paths, err := a.read(s, c.Only)
		if err != nil {
			return err
		}
		some, err := bench.Mutations(snap.Tree, paths, c.Sample, c.Seed)
		if err != nil {
			return err
		}
		repairs = append(repairs, some...)
	}
	for _, set := range c.Bugs {
		some, err := c.set(a, set)
		if err != nil {
			return err
		}
		repairs = append(repairs, some...)
	}
	for _, file := range c.Humaneval {
		some, err := humaneval(file)
		if err != nil {
			return err
		}
		repairs = append(repairs, some...)
	}
	if len(repairs) == 0 {
		return &source.TargetError{Reason: "there is no site of an operator and no bug of one file", Next: "name other code"}
	}
	watch.Stage("moves", fmt.Sprintf("the way back of %d bugs", len(repairs)))
	m := bench.Reach(a.drain, repairs, c.Workers, nil)
	m.Seed = c.Seed
	m.Sources = []string{}
	for _, s := range c.Sources {
		m.Sources = append(m.Sources, source.Shown(s))
	}
	watch.Close()
	var err error
	if a.JSON {
		err = json.NewEncoder(a.stdout).Encode(m)
	} else {
		err = report.MovesText(a.stdout, m, a.textOptions())
	}
	if err == nil && m.Ended == bench.Interrupted {
		err = &stopped{"what was measured so far is above. To measure anew", typed(a)}
	}
	return err
}

// set reads the bugs of a set that change one place.
func (c *benchMovesCmd) set(a *app, set string) ([]bench.Repair, error) {
	var out []bench.Repair
	bases := map[string]*tree.Tree{}
	for artifact, err := range bugset.Artifacts(set) {
		if err != nil {
			return nil, err
		}
		b, err := artifact.Load()
		if err != nil {
			return nil, usagef("verify it with breakfix verify", "%s: %v", artifact.Name, err)
		}
		base, ok := bases[string(b.Base)]
		if !ok {
			snap, err := b.Open(a.drain, a.Cache)
			if err != nil {
				return nil, err
			}
			base = snap.Tree
			bases[string(b.Base)] = base
		}
		broken, err := tree.Apply(base, b.Inject)
		if err != nil {
			return nil, usagef("verify it with breakfix verify", "%s: %v", artifact.Name, err)
		}
		contexts, err := arena.Contexts(b.Inject, broken)
		if err != nil || len(contexts) != 1 {
			continue
		}
		r := bench.Repair{Group: filepath.Base(set), Name: string(b.ID), View: builtin.View{Path: contexts[0].Path, Context: contexts[0], RedTest: b.RedTest.Code, Failure: b.RedTest.Failure}}
		if r.View.Source, err = broken.Read(r.View.Path); err != nil {
			return nil, err
		}
		if r.Right, err = base.Read(r.View.Path); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// humaneval reads functions with a bug. Nothing tells the place, and the test
// is seen.
func humaneval(file string) ([]bench.Repair, error) {
	fs, err := functions(file, func(f bench.Function) bool { return f.Right != "" }, "declaration, buggy_solution and canonical_solution")
	if err != nil {
		return nil, err
	}
	var out []bench.Repair
	for _, f := range fs {
		first := strings.Count(f.Source()[:max(0, strings.LastIndex(f.Declaration, "def "))], "\n") + 1
		c := arena.Context{Path: "solution.py", FirstLine: first, LastLine: countLines(f.Source())}
		out = append(out, bench.Repair{Group: filepath.Base(file), Name: f.ID, Right: []byte(f.Declaration + f.Right),
			View: builtin.View{Path: c.Path, Source: []byte(f.Source()), Context: c.Whole(), RedTest: f.Test}})
	}
	return out, nil
}

// functions reads functions with a bug, one a line, each with the fields that are
// needed, which also are in words.
func functions(file string, whole func(bench.Function) bool, fields string) ([]bench.Function, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef("name a file of JSON lines", "cannot read the bugs: %v", err)
	}
	defer f.Close()
	var out []bench.Function
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		var x bench.Function
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil || x.Declaration == "" || x.Buggy == "" || !whole(x) {
			return nil, usagef("each line has "+fields, "%s: line %d is no bug", file, n)
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, usagef("name a file with a bug a line", "%s holds no bug", file)
	}
	return out, lines.Err()
}
