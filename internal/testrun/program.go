package testrun

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"breakfix/internal/tree"
)

// Program is a program of the caller's, in Python, that runs where tests run:
// on a tree, in a box, with the target's environment.
type Program struct {
	// Files hold it, by name. They lie in one folder with breakfix_channel.py, by
	// which it talks to the host, and plan.json.
	Files map[string]string
	Main  string // the file that is started; with Tests the one that pytest loads as a plugin
	Plan  any    // plan.json
	Tree  *tree.Tree
	Tests []string // ids: pytest is started on their files
	// HashSeed is PYTHONHASHSEED.
	HashSeed int
	Silence  time.Duration // a program that says nothing for so long is killed
	Wall     time.Duration // and one that takes so long; 0 means 10 minutes
}

// Lay returns the files of a program, by name: its own, the channel and the plan.
func (p Program) Lay() (map[string]*tree.File, error) {
	plan, err := json.Marshal(p.Plan)
	if err != nil {
		return nil, fmt.Errorf("write the plan of %s: %w", p.Main, err)
	}
	files := map[string]*tree.File{"breakfix_channel.py": tree.Text(channelSource), "plan.json": {Kind: tree.Regular, Data: plan}}
	for name, text := range p.Files {
		files[name] = tree.Text(text)
	}
	return files, nil
}

// plugin is the module that pytest loads.
func (p Program) plugin() string { return strings.TrimSuffix(p.Main, ".py") }

// Play runs a program and hands every text that it says to say. ended tells
// that it came to its end by itself. The error is an infrastructure failure.
func (w *Workspace) Play(ctx context.Context, p Program, say func([]byte)) (ended bool, err error) {
	files, err := p.Lay()
	if err != nil {
		return false, err
	}
	s := script{name: p.Main, tree: p.Tree, env: w.Env, mode: w.mode, wall: p.Silence}
	spec := s.spec()
	spec.Env = job{mode: w.mode, seed: p.HashSeed}.environ()
	spec.Limits.Wall = 10 * time.Minute
	if p.Wall > 0 {
		spec.Limits.Wall = p.Wall
	}
	spec.Extra = map[string]*tree.File{path.Join(insideAt, "none.ini"): tree.Text("")}
	for name, file := range files {
		spec.Extra[path.Join(insideAt, name)] = file
	}
	if p.Tests != nil {
		j := job{mode: w.mode, tests: p.Tests, files: filesOf(p.Tests)}
		spec.Argv = j.argvWith(p.plugin())
	}
	boxCtx, kill := context.WithCancel(ctx)
	defer kill()
	watch := newWatch(kill, p.Silence)
	defer watch.stop()
	nonce := newNonce()
	spec.Secret, spec.Started = []byte(nonce), watch.meter
	spec.Report = s.follow(nonce, watch, &ended, func(m message) {
		if m.Kind == "said" {
			say([]byte(m.Reason))
		}
	})
	began := time.Now()
	_, err = w.Box.Run(boxCtx, spec)
	watch.stop()
	w.spent("programs", began)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil && !watch.fired():
		return false, fmt.Errorf("run %s in the sandbox: %w", p.Main, err)
	}
	return ended, nil
}
