package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// CheckOptions say how an export is checked.
type CheckOptions struct {
	Box      sandbox.Sandbox
	Cache    string // breakfix's cache folder; "" means the user's
	Progress func(stage, detail string)
	// Each, when set, gets every verdict as it is known.
	Each func(Checked)
	// Logs, when set, is a folder for what SWE-bench's and SWE-smith's commands
	// print: INSTANCE.bug.log and INSTANCE.repaired.log.
	Logs string
}

// Checked is the verdict on one instance.
type Checked struct {
	Instance string `json:"instance"`
	Good     bool   `json:"good"`
	Reason   string `json:"reason,omitempty"` // the first test that is not as it must be
	Fail     int    `json:"fail_to_pass"`     // tests that must go green
	Pass     int    `json:"pass_to_pass"`     // tests that must stay green
}

// ErrNoExport says that a folder is no export.
var ErrNoExport = errors.New("it is no export of breakfix")

// Check proves, from an export's files alone and without an image, that the
// tests of each instance fail before and pass after its repair: the base is
// fetched again or unpacked, the locked environment is made, and the commands
// of the format itself are run in boxes. The error is an infrastructure failure,
// ErrNoExport, or one of package source.
func Check(ctx context.Context, dir string, o CheckOptions) ([]Checked, error) {
	f, err := formatOf(dir)
	if err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = func(string, string) {}
	}
	c := &checker{CheckOptions: o, envs: map[string]*source.Environment{}, bases: map[tree.Digest]*source.Snapshot{}}
	err = f.check(ctx, dir, c)
	return c.done, err
}

// formatOf tells in which format a folder was written.
func formatOf(dir string) (Format, error) {
	for _, one := range []struct{ file, format string }{
		{"sweb.yaml", "swebench"}, {"breakfix_profiles.py", "swesmith"}, {messagesName, "chat"}, {linesName, "breakfix"},
	} {
		if _, err := os.Stat(filepath.Join(dir, one.file)); err == nil {
			return Lookup(one.format)
		}
	}
	if tasks, err := tasksOf(dir); err == nil && len(tasks) > 0 {
		return Lookup("harbor")
	}
	return Format{}, fmt.Errorf("%s: %w", dir, ErrNoExport)
}

// checker runs what an export says.
type checker struct {
	CheckOptions
	envs  map[string]*source.Environment
	bases map[tree.Digest]*source.Snapshot
	done  []Checked
}

func (c *checker) note(id, reason string, fail, pass int) {
	v := Checked{Instance: id, Good: reason == "", Reason: reason, Fail: fail, Pass: pass}
	c.done = append(c.done, v)
	if c.Each != nil {
		c.Each(v)
	}
}

// log keeps what the tests of an instance printed.
func (c *checker) log(id, bug, repaired string) error {
	if c.Logs == "" {
		return nil
	}
	if err := write(c.Logs, filepath.Base(id)+".bug.log", []byte(bug)); err != nil {
		return err
	}
	return write(c.Logs, filepath.Base(id)+".repaired.log", []byte(repaired))
}

// base brings the tree that a bug was made on: packed, when not nil, holds it.
func (c *checker) base(ctx context.Context, o Origin, packed []byte) (*source.Snapshot, error) {
	if s, ok := c.bases[o.Base]; ok {
		return s, nil
	}
	c.Progress("source", o.Source.Source)
	b := &bug.Bug{ID: o.Bug, Base: o.Base, Source: o.Source}
	var err error
	if packed != nil {
		if b.Source.Tree, err = bug.Unpack(packed); err != nil {
			return nil, err
		}
	}
	s, err := b.Open(ctx, c.Cache)
	if err == nil {
		c.bases[o.Base] = s
	}
	return s, err
}

// state makes the tree of an image as its Dockerfile does.
func (c *checker) state(ctx context.Context, o Origin, dir string) (*source.Snapshot, error) {
	if packed, err := os.ReadFile(filepath.Join(dir, baseName)); err == nil {
		t, err := bug.Unpack(packed)
		if err != nil {
			return nil, err
		}
		s := o.Source
		s.Tree, s.Digest = t, t.Digest()
		return &s, nil
	}
	s, err := c.base(ctx, o, nil)
	if err != nil {
		return nil, err
	}
	changed := map[string]*tree.File{}
	for _, p := range o.Removed {
		changed[p] = nil
	}
	files, err := tree.FromDir(filepath.Join(dir, "files"), nil)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		for _, p := range files.Paths() {
			data, err := files.Read(p)
			if err != nil {
				return nil, err
			}
			changed[p] = &tree.File{Kind: files.Kind(p), Data: data}
		}
	}
	now := *s
	if now.Tree, err = s.Tree.With(changed); err != nil {
		return nil, err
	}
	now.Digest = now.Tree.Digest()
	return &now, nil
}

// env is the environment of a lock, made on a tree of its base.
func (c *checker) env(ctx context.Context, o Origin, s *source.Snapshot) (*source.Environment, error) {
	key := fmt.Sprint(o.Base, o.Python, o.Install, o.Lock, o.Path)
	if e, ok := c.envs[key]; ok {
		return e, nil
	}
	c.Progress("environment", fmt.Sprintf("%s, %d locked versions", o.Source.Source, len(o.Lock)))
	e, err := source.BuildLocked(ctx, c.Box, s, o.lock(), source.Options{Cache: c.Cache}, nil)
	if err == nil {
		c.envs[key] = e
	}
	return e, err
}

// checkLimits of one run of an instance's tests.
var checkLimits = sandbox.Limits{Wall: 10 * time.Minute, Memory: 4 << 30, Pids: 512, Output: 64 << 20, Scratch: 1 << 30, Inodes: 400_000}

// run runs a script of the shell on a tree, which lies where an image has it.
// It gives what was printed, standard error last.
func (c *checker) run(ctx context.Context, e *source.Environment, t *tree.Tree, script string, extra map[string]*tree.File, binds ...sandbox.Bind) (string, error) {
	files := map[string]*tree.File{testbed: {Kind: tree.Link, Data: []byte(sandbox.TreeAt)}}
	for p, f := range extra {
		files[p] = f
	}
	spec := sandbox.Spec{Tree: t, Argv: []string{"/bin/bash", "-c", script}, Extra: files, Binds: append(e.Binds(), binds...), Limits: checkLimits,
		Env: append([]string{"PATH=/env/bin:/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "VIRTUAL_ENV=" + source.EnvAt}, variables...)}
	if e.Built != "" {
		spec.Layers = []string{e.Built}
	}
	if path := e.SearchPath(); len(path) > 0 {
		spec.Env = append(spec.Env, "PYTHONPATH="+strings.Join(path, ":"))
	}
	res, err := c.Box.Run(ctx, spec)
	return string(res.Stdout) + "\n" + string(res.Stderr), err
}

// commit makes a repository of the tree, as images have it.
const commit = `set -e
cd /testbed
git init --quiet
git config user.name breakfix
git config user.email breakfix@localhost
git add --all --force
git commit --quiet --message base
`

// compare says what is not as it must be: "" when the tests of fail are not
// green before and green after, and those of pass are green both times.
func compare(before, after outcome.Results, fail, pass []string) string {
	if len(before) == 0 || len(after) == 0 {
		return "no test was run"
	}
	for _, id := range fail {
		if before.Get(id) == outcome.Passed {
			return id + " passes before the repair"
		}
		if v := after.Get(id); v != outcome.Passed {
			return fmt.Sprintf("%s is %s after the repair", id, v)
		}
	}
	for _, id := range pass {
		if v := before.Get(id); v != outcome.Passed {
			return fmt.Sprintf("%s is %s before the repair", id, v)
		}
		if v := after.Get(id); v != outcome.Passed {
			return fmt.Sprintf("%s is %s after the repair", id, v)
		}
	}
	return ""
}

// unreadable is what is noted of an instance that cannot even be read.
func unreadable(err error) string { return "it cannot be read: " + err.Error() }

// ours tells whether an error is about the machine and not about the instance.
func ours(err error) bool {
	var check *bug.CheckError
	var no *cannotError
	return err != nil && !errors.As(err, &check) && !errors.As(err, &no)
}

func last(text string, n int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-n):], " / ")
}

func has(list []string, all []string) bool {
	return !slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(list, s) })
}
