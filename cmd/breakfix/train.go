package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"breakfix/internal/arena"
	"breakfix/internal/bugset"
	"breakfix/internal/lang/python"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// trainCmd teaches weights from code and from bugs, without playing.
type trainCmd struct {
	Sources  []string `json:"sources" arg:"" optional:"" name:"source" help:"Code to learn from: folders, git URLs, pypi:NAME==VERSION. Nothing of it is run but for --drill."`
	Bugs     []string `json:"bugs" name:"bugs" type:"path" placeholder:"PATH" help:"Sets of bugs to learn from as well, as breakfix bugs makes them: their red tests say what a failure looks like."`
	Drill    string   `json:"drill" type:"path" placeholder:"FILE" help:"Failures to learn from as well: how damaged functions get the calls wrong that their docstrings show. Read from FILE; when it is not there it is made, by running these calls in the sandbox."`
	Output   string   `json:"output" short:"o" name:"output" type:"path" required:"" placeholder:"FILE" help:"File of the weights (safetensors)."`
	From     string   `json:"from" placeholder:"FILE" help:"Weights to go on from. Default: from nothing."`
	Examples int      `json:"examples" default:"6000" placeholder:"N" help:"Damaged functions to learn from. Default 6000."`
	Seed     uint64   `json:"seed" default:"1" placeholder:"N" help:"Everything follows from it, and from the number of workers."`
	Workers  int      `json:"workers" placeholder:"N" help:"Default: the cores."`
	Only     []string `json:"only" placeholder:"GLOB" help:"Code to learn from: a folder, a file or a glob, relative to each source."`
}

// Help is the second part of train's help text.
func (trainCmd) Help() string {
	return `Examples:

    breakfix train pypi:toolz==1.2.0 -o weights.safetensors
    breakfix train pypi:toolz==1.2.0 --bugs out -o weights.safetensors
    breakfix fix --from weights.safetensors .
`
}

// taught is what train prints as JSON.
type taught struct {
	Version  string            `json:"version"`
	File     string            `json:"file"`
	Examples int               `json:"examples"`
	Solved   int               `json:"bugs"` // of the examples: with a red test
	First    float64           `json:"first"`
	Eight    float64           `json:"eight"`
	Seconds  float64           `json:"seconds"`
	Card     map[string]string `json:"card"`
}

// refuse refuses what cannot be meant.
func (c *trainCmd) refuse() error {
	if err := kernelHere(); err != nil {
		return err
	}
	if len(c.Sources)+len(c.Bugs) == 0 {
		return usagef("name code, such as pypi:toolz==1.2.0", "there is nothing to learn from")
	}
	if len(c.Sources) == 0 {
		return usagef("name some code beside the bugs, such as the package that they are of", "bugs alone are too few to learn from")
	}
	if c.Examples < 1 {
		return usagef("give --examples 6000", "--examples %d is no number of examples", c.Examples)
	}
	if _, err := os.Stat(c.Output); err == nil {
		return usagef("name another file with -o, or move it away", "%s exists", c.Output)
	}
	return nil
}

// resolve is the configuration as train would use it.
func (c *trainCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"] = c.Sources, c.workers()
	out["cache"], err = source.CacheDir(a.Cache)
	return "", err
}

func (c *trainCmd) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.NumCPU()
}

// Run teaches and writes the file.
func (c *trainCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	course := builtin.Course{Seed: c.Seed, Examples: c.Examples, Workers: c.workers(), Card: map[string]string{}}
	if c.From != "" {
		w, err := weightsOf(c.From)
		if err != nil {
			return err
		}
		course.From = w
		course.Card["from"] = string(w.Version())
	}
	watch := newWatcher(a)
	defer watch.Close()
	began := time.Now()
	drill, err := c.openDrill()
	if err != nil {
		return err
	}
	for i, s := range c.Sources {
		watch.Stage("source", source.Shown(s))
		snap, paths, err := a.read(s, c.Only)
		if err != nil {
			return err
		}
		for _, p := range paths {
			src, err := snap.Tree.Read(p)
			if err != nil {
				return err
			}
			course.Texts = append(course.Texts, policy.Text{Path: p, Source: src})
		}
		if err := drill.source(a, watch, snap.Tree, paths); err != nil {
			return err
		}
		course.Card["source "+strconv.Itoa(i+1)] = fmt.Sprintf("%s, %s, %s, %d files", source.Shown(s), snap.Licence, snap.Digest, len(paths))
	}
	if err := c.bugs(a, &course); err != nil {
		return err
	}
	if err := drill.teach(&course); err != nil {
		return err
	}
	course.Progress = func(l builtin.Lesson) { watch.Status(teaching{l, time.Since(began)}) }
	w, lesson, err := builtin.Teach(a.drain, course)
	if a.drain.Err() != nil {
		return &stopped{"nothing was written. To start again", typed(a)}
	}
	if errors.Is(err, builtin.ErrNoExample) {
		return usagef("name code with functions of 3 to 60 lines", "%v", err)
	}
	if err != nil {
		return err
	}
	watch.Close()
	if err := writeWeights(c.Output, w); err != nil {
		return err
	}
	t := taught{string(w.Version()), c.Output, lesson.Done, lesson.Solved, lesson.First, lesson.Eight, time.Since(began).Seconds(), w.Card()}
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(t)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: version %s, taught on %d examples, %d of them with a red test, in %s; of the last ones the right move was first in %.0f %%, in the first eight in %.0f %%\n",
		c.Output, t.Version, t.Examples, t.Solved, time.Since(began).Round(time.Second), 100*t.First, 100*t.Eight)
	return err
}

// teaching is the status of train.
type teaching struct {
	builtin.Lesson
	elapsed time.Duration
}

func (t teaching) lines(later time.Duration, _ int) []string {
	return []string{fmt.Sprintf("example %d of %d, %s: the right move first in %.0f %%, in the first eight in %.0f %% (loss %.2f)",
		t.Done, t.Of, (t.elapsed + later).Round(time.Second), 100*t.First, 100*t.Eight, t.Loss)}
}

func (t teaching) last() bool { return t.Done == t.Of }

// bugs adds the bugs of sets.
func (c *trainCmd) bugs(a *app, course *builtin.Course) error {
	bases := map[string]*tree.Tree{}
	for _, path := range c.Bugs {
		n := 0
		for artifact, err := range bugset.Artifacts(path) {
			if err != nil {
				return err
			}
			b, err := artifact.Load()
			if err != nil {
				return usagef("verify it with breakfix verify", "%s: %v", artifact.Name, err)
			}
			base, ok := bases[string(b.Base)]
			if !ok {
				snap, err := b.Open(a.drain, a.Cache)
				if err != nil {
					return err
				}
				base = snap.Tree
				bases[string(b.Base)] = base
			}
			broken, err := tree.Apply(base, b.Inject)
			if err != nil {
				return usagef("verify it with breakfix verify", "%s: %v", artifact.Name, err)
			}
			contexts, err := arena.Contexts(b.Inject, broken)
			if err != nil || len(contexts) != 1 {
				continue // of several places: no one move is the way back
			}
			v := builtin.View{Path: contexts[0].Path, Context: contexts[0].Whole(), RedTest: b.RedTest.Code, Failure: b.RedTest.Failure}
			if v.Source, err = broken.Read(v.Path); err != nil {
				return err
			}
			right, err := base.Read(v.Path)
			if err != nil {
				return err
			}
			course.Solved, course.Right = append(course.Solved, v), append(course.Right, right)
			n++
		}
		course.Card["bugs "+filepath.Base(path)] = strconv.Itoa(n)
	}
	return nil
}

// weightsOf reads weights that a flag names.
func weightsOf(from string) (*builtin.Weights, error) {
	f, err := os.Open(from)
	if err != nil {
		return nil, usagef("name a file that breakfix train wrote", "cannot read the weights: %v", err)
	}
	defer f.Close()
	w, err := builtin.ReadWeights(f)
	if err != nil {
		return nil, usagef("name a file that this version of breakfix train wrote", "%s: %s", from, strings.TrimPrefix(err.Error(), "network: "))
	}
	return w, nil
}

// writeWeights writes the file whole or not at all.
func writeWeights(to string, w *builtin.Weights) error {
	f, err := renameio.NewPendingFile(to, renameio.WithTempDir(filepath.Dir(to)), renameio.WithPermissions(0o644))
	if err != nil {
		return usagef("name a file in a folder that exists", "cannot write the weights: %v", err)
	}
	defer f.Cleanup()
	if err := w.Write(f); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

// read opens a source to be read alone: nothing is installed and nothing of it
// is run. paths are its code, as --only chooses it.
func (a *app) read(spec string, only []string) (snap *source.Snapshot, paths []string, err error) {
	o := source.Options{Only: only, Cache: a.Cache, Reading: true}
	if snap, err = source.Open(a.drain, spec, o); err != nil {
		return nil, nil, err
	}
	paths, err = source.Selected(snap.Tree, o, python.Python.IsCode)
	return snap, paths, err
}
