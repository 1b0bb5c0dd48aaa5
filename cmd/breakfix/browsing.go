package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"breakfix/internal/browse"
	"breakfix/internal/check"
	"breakfix/internal/mutate"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
)

// judging judges one mutation and returns its log.
type judging func(context.Context, mutate.Mutation) (check.Result, []byte, error)

// browse opens the terminal browser on a check; dir is its results folder, "" without.
func (c *checkCmd) browse(a *app, r *check.Record, dir string, again judging) error {
	f, ok := a.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || !term.IsTerminal(int(os.Stdin.Fd())) {
		return usagef("leave --browse out, or write a page with --html FILE", "--browse needs a terminal")
	}
	log := func(id string) string {
		if dir == "" {
			return ""
		}
		b, err := os.ReadFile(check.LogFile(dir, id))
		if err != nil {
			return ""
		}
		return string(b)
	}
	err := browse.Run(a.ctx, browse.Config{Record: r, Log: log, Again: again, Edit: editor(r.Plan), Color: a.textOptions().Color})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// editor opens a place of the source in $VISUAL or $EDITOR.
func editor(p check.Plan) func(path string, line int) (*exec.Cmd, error) {
	return func(path string, line int) (*exec.Cmd, error) {
		name := besideSource(p, path)
		if name == "" {
			return nil, fmt.Errorf("%s can be opened only where the source is a folder that has it", path)
		}
		command := os.Getenv("VISUAL")
		if command == "" {
			command = os.Getenv("EDITOR")
		}
		argv := strings.Fields(command)
		if len(argv) == 0 {
			return nil, errors.New("no editor is named; set EDITOR")
		}
		return exec.Command(argv[0], append(argv[1:], placeFor(argv[0], name, line)...)...), nil
	}
}

// placeFor names a line as an editor takes it.
func placeFor(editor, name string, line int) []string {
	switch strings.TrimSuffix(filepath.Base(editor), ".exe") {
	case "code", "codium", "cursor":
		return []string{"--wait", "--goto", name + ":" + strconv.Itoa(line)}
	case "hx", "helix", "subl", "zed":
		return []string{name + ":" + strconv.Itoa(line)}
	case "vi", "vim", "nvim", "view", "nano", "emacs", "emacsclient", "kak", "micro", "joe", "mg", "ne", "ed.sh":
		return []string{"+" + strconv.Itoa(line), name}
	}
	return []string{name}
}

// lazily prepares the source of a results folder when the first of its
// mutations is to be judged again.
func (c *checkCmd) lazily(a *app, r *check.Record) judging {
	prepare := sync.OnceValues(func() (judging, error) { return c.reopen(a, r.Plan) })
	return func(ctx context.Context, m mutate.Mutation) (check.Result, []byte, error) {
		judge, err := prepare()
		if err != nil {
			return check.Result{}, nil, err
		}
		return judge(ctx, m)
	}
}

// reopen prepares the source of a plan as it was checked.
func (c *checkCmd) reopen(a *app, p check.Plan) (judging, error) {
	box, err := a.openSandbox()
	if err != nil {
		return nil, err
	}
	f := c.sourceFlags
	f.At, f.Only, f.Exclude, f.Tests = p.Choice.At, p.Choice.Only, p.Choice.Exclude, p.Choice.Tests
	o := f.options(a, p.Seed)
	snap, err := source.Open(a.ctx, p.Source, o)
	if err != nil {
		return nil, err
	}
	if err := withoutChecks(snap, ""); err != nil {
		return nil, err
	}
	if _, err := accepted(snap); err != nil {
		return nil, err
	}
	if string(snap.Digest) != p.Snapshot {
		return nil, errors.New("the source is another now than when it was checked; check -o DIR --resume judges what changed")
	}
	setup := selfplay.Setup{Box: box, Options: o, NoCache: c.NoCache, Progress: func(string, string) {},
		Deadline: time.Duration(c.TestSeconds * float64(time.Second)), Deadlines: c.deadlines()}
	board, err := setup.Prepare(a.ctx, snap)
	if err != nil {
		return nil, err
	}
	cfg := check.Config{Suite: board.Work, Tree: snap.Tree, Base: board.Work.Base.Results, Order: p.Order(), Confirm: c.Confirm}
	return cfg.One, nil
}
