package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/export"
	"breakfix/internal/report"
	"breakfix/internal/selfplay"
)

// exportCmd writes bugs in the formats of others, and checks what was written.
type exportCmd struct {
	borrowed
	Format  string   `help:"Of bugs: ${formats}; of the games of models, where a run is named: ${game_formats}. Default breakfix." default:"breakfix" placeholder:"F"`
	Output  string   `short:"o" help:"Folder to write; it must not exist yet." placeholder:"DIR" type:"path"`
	Check   bool     `help:"Prove, from what was written alone, that the tests of each bug fail before and pass after its repair. Without -o the arguments are exports that exist."`
	NoSuite bool     `name:"no-suite" help:"Do not measure which tests pass on the base: PASS_TO_PASS stays empty."`
	Bugs    []string `arg:"" name:"bug" help:"Folders of bugs, a run or a set (with bugs/ or bugs.jsonl), or files of lines. With --check alone: exports."`
}

// exported is what export prints as JSON.
type exported struct {
	export.Written
	Checked []export.Checked `json:"checked,omitempty"`
}

// Run writes an export; a bug that was left out or does not hold is exit code 4.
func (c *exportCmd) Run(a *app) error {
	if export.IsGames(c.Format) {
		return c.games(a)
	}
	if err := knownFormat(c.Format); err != nil {
		return err
	}
	for _, p := range c.Bugs {
		if _, err := os.Stat(p); err != nil {
			return usagef("name the folder of a bug, a run, or a file of lines", "no bug at %s", p)
		}
	}
	if c.Output == "" {
		if !c.Check {
			return usagef("name it with -o DIR", "export needs a folder to write")
		}
		return c.checkAll(a, c.Bugs, exported{})
	}
	if _, err := os.Lstat(c.Output); err == nil {
		return usagef("name another with -o, or move it away", "the folder %s exists already", c.Output)
	}
	bugs, err := found(c.Bugs)
	if err != nil {
		return err
	}
	out := exported{}
	if out.Written, err = c.write(a, bugs); err != nil {
		return err
	}
	if !a.JSON {
		for _, l := range out.Left {
			fmt.Fprintf(a.stdout, "left out  %s  %s\n", l.Bug, report.Visible(l.Reason))
		}
	}
	if len(out.Bugs) == 0 {
		if len(out.Left) > 0 {
			return usagef("breakfix verify says what is wrong with an artifact", "nothing was exported; the first reason: %s: %s", report.Visible(out.Left[0].Bug), report.Visible(out.Left[0].Reason))
		}
		return usagef("name bugs that exist", "nothing was exported: there is no bug")
	}
	if !a.JSON {
		fmt.Fprintf(a.stdout, "%s in %s, as %s\n", count(len(out.Bugs), "bug"), shorten(c.Output), out.Format)
	}
	if c.Check {
		return c.checkAll(a, []string{c.Output}, out)
	}
	return c.finish(a, out)
}

// knownFormat refuses a format that does not exist.
func knownFormat(name string) error {
	_, err := export.Lookup(name)
	var unknown *export.UnknownError
	if errors.As(err, &unknown) {
		return usagef("did you mean --format "+unknown.Nearest+"?", "there is no format %q; there are %s", name, strings.Join(append(export.Names(), export.GameNames()...), ", "))
	}
	return err
}

func (c *exportCmd) finish(a *app, out exported) error {
	if a.JSON {
		if err := json.NewEncoder(a.stdout).Encode(out); err != nil {
			return err
		}
	}
	for _, v := range out.Checked {
		if !v.Good {
			return errNo
		}
	}
	if len(out.Left) > 0 {
		return errNo
	}
	return nil
}

func (c *exportCmd) write(a *app, bugs iter.Seq2[*bug.Bug, error]) (export.Written, error) {
	o := export.Options{Cache: a.Cache}
	if !c.NoSuite && c.Format != "breakfix" {
		box, err := a.openSandbox()
		if err != nil {
			return export.Written{}, err
		}
		open := &boardOf{a: a, from: c.borrowed, box: box, boards: map[string]*selfplay.Board{}}
		o.Suite = func(b *bug.Bug) (export.Suite, error) {
			board, err := open.board(b)
			if err != nil {
				return export.Suite{}, err
			}
			return export.SuiteOf(board.Work), nil
		}
	}
	return export.Write(c.Format, c.Output, func(yield func(*bug.Bug, error) bool) {
		for b, err := range bugs {
			if stop := a.drain.Err(); stop != nil {
				yield(nil, stop)
				return
			}
			if !yield(b, err) {
				return
			}
		}
	}, o)
}

// checkAll checks exports and prints a line an instance.
func (c *exportCmd) checkAll(a *app, dirs []string, out exported) error {
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	watch := newWatcher(a)
	defer watch.Close()
	o := export.CheckOptions{Box: box, Cache: a.Cache, Progress: watch.Stage}
	if !a.JSON {
		o.Each = func(v export.Checked) {
			if v.Good {
				fmt.Fprintf(a.stdout, "good      %s  %d go green, %d stay green\n", report.Visible(v.Instance), v.Fail, v.Pass)
				return
			}
			fmt.Fprintf(a.stdout, "bad       %s  %s\n", report.Visible(v.Instance), report.Visible(v.Reason))
		}
	}
	for _, dir := range dirs {
		checked, err := export.Check(a.drain, dir, o)
		if errors.Is(err, export.ErrNoExport) {
			return usagef("breakfix export BUG… --format F -o DIR writes one", "%s is no export of breakfix", dir)
		}
		if err != nil {
			return err
		}
		out.Checked = append(out.Checked, checked...)
	}
	return c.finish(a, out)
}

// found reads bugs from what was named: a bug's folder, a folder that has bugs/
// or bugs.jsonl or holds folders of bugs, a file of lines. The error is about
// what holds none at all; a thing that is no bug is an error in the sequence.
func found(named []string) (iter.Seq2[*bug.Bug, error], error) {
	type place struct {
		path  string
		lines bool
	}
	var places []place
	for _, p := range named {
		folders, lines, err := bugsIn(p)
		if err != nil {
			return nil, err
		}
		if lines != "" {
			places = append(places, place{lines, true})
		}
		for _, f := range folders {
			places = append(places, place{f, false})
		}
	}
	return func(yield func(*bug.Bug, error) bool) {
		for _, at := range places {
			if at.lines {
				if !lined(at.path, yield) {
					return
				}
				continue
			}
			b, err := bug.Load(at.path)
			if err != nil {
				err = &export.InvalidError{Where: at.path, Err: err}
			}
			if !yield(b, err) {
				return
			}
		}
	}, nil
}

// bugsIn says where the bugs of a path lie.
func bugsIn(p string) (folders []string, lines string, err error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, "", err
	}
	if !info.IsDir() {
		return nil, p, nil
	}
	is := func(name string) bool { _, err := os.Stat(filepath.Join(p, name)); return err == nil }
	switch {
	case is("bug.json"):
		return []string{p}, "", nil
	case is("bugs.jsonl"):
		return nil, filepath.Join(p, "bugs.jsonl"), nil
	}
	parent := p
	if is("bugs") {
		parent = filepath.Join(p, "bugs")
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil, "", err
	}
	some := false
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folders = append(folders, filepath.Join(parent, e.Name()))
			_, err := os.Stat(filepath.Join(parent, e.Name(), "bug.json"))
			some = some || err == nil
		}
	}
	switch {
	case parent != p && len(folders) == 0:
		return nil, "", usagef("name one that has some", "%s holds no bugs", p)
	case parent == p && !some: // the folder itself was meant to be a bug
		return []string{p}, "", nil
	}
	return folders, "", nil
}

// lined reads a file of lines; false ends the reading.
func lined(name string, yield func(*bug.Bug, error) bool) bool {
	f, err := os.Open(name)
	if err != nil {
		return yield(nil, err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			b, err := bug.ParseLine(line)
			if err != nil {
				err = &export.InvalidError{Where: fmt.Sprintf("%s, line %d", name, number), Err: err}
			}
			if !yield(b, err) {
				return false
			}
		}
		if err != nil {
			var bad *fs.PathError
			if errors.As(err, &bad) {
				return yield(nil, err)
			}
			return true
		}
	}
}
