package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"breakfix/internal/outcome"
	"breakfix/internal/report"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/store"
)

// openRun is the run folder of a play: found and locked, or to be made once
// its sources turned out to be playable.
type openRun struct {
	dir   string
	seed  uint64
	drawn bool         // dir is the next free folder, not one that was named
	store *store.Store // nil until create for a new run
}

// vacant tells whether a new run can be made at dir: nothing is there, or an
// empty folder.
func vacant(dir string) bool {
	entries, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
}

// freely are settings that may change when a run is resumed: they say how
// much is played and with what, not which games.
var freely = []string{"episodes", "minutes", "workers", "disk", "no-cache", "engine", "tokenizer"}

// never are settings that a run cannot change, because everything that is
// stored follows from them.
var never = []string{"seed", "sources", "at", "only", "exclude", "tests", "python", "env", "test-seconds", "deadline-floor", "deadline-factor"}

// openRun finds the run folder that the flags name and, when it is an existing
// run, takes over its configuration where no flag says otherwise.
func (c *playCmd) openRun(a *app) (*openRun, error) {
	run := &openRun{dir: c.RunDir}
	if run.dir == "" {
		dir, err := store.NextName("runs", targetName(c.Sources[0]))
		if err != nil {
			return nil, err
		}
		run.dir = dir
	}
	abs, err := filepath.Abs(run.dir)
	if err != nil {
		return nil, err
	}
	run.dir = abs
	run.drawn = c.RunDir == ""
	if vacant(run.dir) {
		if c.Seed == nil {
			seed := drawSeed()
			c.Seed = &seed
		}
		run.seed = *c.Seed
		return run, nil
	}
	s, err := store.Resume(run.dir)
	if err != nil {
		return nil, err
	}
	changed, err := c.takeOver(s, a)
	if err == nil && changed != nil {
		err = s.PutMeta(a.ctx, store.MetaConfig, changed)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	run.store, run.seed = s, s.Run().Seed
	return run, nil
}

// takeOver fills c from the configuration of an existing run. A flag that says
// something else is an error that shows the difference, unless it may change
// freely or --allow-change is given. What differs then from what the run has
// is returned whole, to be stored; nil when nothing does.
func (c *playCmd) takeOver(s *store.Store, a *app) (json.RawMessage, error) {
	config, err := s.Config(a.ctx)
	if err != nil {
		return nil, err
	}
	var was, now map[string]json.RawMessage
	var flat bytes.Buffer // as it lies in run.json it is indented
	if err := json.Compact(&flat, config); err != nil {
		return nil, usagef("start a new run", "the configuration of the run cannot be read: %v", err)
	}
	if err := json.Unmarshal(flat.Bytes(), &was); err != nil {
		return nil, usagef("start a new run", "the configuration of the run cannot be read: %v", err)
	}
	if _, part := was["variant"]; part {
		return nil, usagef("go on with it by breakfix ablate, or play in another folder", "the run is a part of an ablation")
	}
	mine, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(mine, &now); err != nil {
		return nil, err
	}
	given := a.given()
	var changed, fixed []string
	for _, key := range sortedKeys(now) {
		old, there := was[key]
		switch {
		case !there:
		case !given[key]:
			now[key] = old
		case string(old) == string(now[key]) || slices.Contains(freely, key):
		case slices.Contains(never, key):
			fixed = append(fixed, fmt.Sprintf("  -%s: %s\n  +%s: %s", key, old, key, now[key]))
		default:
			changed = append(changed, fmt.Sprintf("  -%s: %s\n  +%s: %s", key, old, key, now[key]))
		}
	}
	if len(fixed) > 0 {
		return nil, usagef("play it in a folder of its own, with another --run",
			"the run was started with another configuration, and this part of it cannot change:\n%s\n", strings.Join(fixed, "\n"))
	}
	if len(changed) > 0 && !c.AllowChange {
		return nil, usagef("give --allow-change to go on with it, or --run another folder",
			"the run was started with another configuration:\n%s\n", strings.Join(changed, "\n"))
	}
	merged, err := json.Marshal(now)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(merged, c); err != nil {
		return nil, err
	}
	for key, old := range was {
		if value, ok := now[key]; ok && string(value) != string(old) {
			return merged, nil
		}
	}
	return nil, nil
}

// given names the flags and arguments that the person (or a variable or the
// configuration file) set.
func (a *app) given() map[string]bool {
	set := map[string]bool{}
	for _, p := range a.parsed.Path {
		if p.Flag != nil {
			set[p.Flag.Name] = true
		}
		if p.Positional != nil {
			set[sourcesKey] = true
		}
	}
	for _, f := range a.parsed.Flags() {
		for _, name := range f.Envs {
			if _, there := os.LookupEnv(name); there {
				set[f.Name] = true
			}
		}
	}
	return set
}

// create makes the folder of a new run, complete before work starts.
func (r *openRun) create(c *playCmd, box sandbox.Sandbox, boards []*selfplay.Board) error {
	if r.store != nil {
		return r.same(boards)
	}
	config, err := json.Marshal(c)
	if err != nil {
		return err
	}
	run := store.Run{
		Name: filepath.Base(r.dir), Breakfix: version, Seed: r.seed, Policy: c.Policy, Reward: c.Reward, Config: config,
		Versions: map[string]string{}, Created: time.Now().UTC().Format(time.RFC3339),
	}
	for i, b := range boards {
		run.Sources = append(run.Sources, c.Sources[i])
		run.Snapshots = append(run.Snapshots, string(b.Work.Snapshot.Digest))
		run.Environment = append(run.Environment, string(b.Work.Env.Digest))
		run.Versions["python"] = b.Work.Env.Recipe.Version
		for _, line := range b.Work.Env.Lock {
			if name, v, ok := strings.Cut(line, "=="); ok && name == "pytest" {
				run.Versions["pytest"] = v
			}
		}
	}
	run.Versions["go"], run.Versions["uv"] = runtime.Version(), source.UVVersion
	for _, l := range box.Layers() {
		if l.Name == "bubblewrap" {
			run.Versions["bubblewrap"] = l.Detail
		}
	}
	s, err := store.Create(r.dir, run)
	// Another process may have taken the name meanwhile: the next one is as good.
	for r.drawn && errors.Is(err, store.ErrExists) {
		next, nerr := store.NextName(filepath.Dir(r.dir), targetName(c.Sources[0]))
		if nerr != nil {
			return nerr
		}
		r.dir, run.Name = next, filepath.Base(next)
		s, err = store.Create(r.dir, run)
	}
	if err != nil {
		return err
	}
	r.store = s
	return nil
}

// same refuses to go on when a source is no longer what the run was started on.
func (r *openRun) same(boards []*selfplay.Board) error {
	for i, b := range boards {
		if was := r.store.Run().Snapshots; i >= len(was) || was[i] != string(b.Work.Snapshot.Digest) {
			return usagef("start a new run, or bring back the source as it was",
				"%s is not the code that the run was started on", b.Work.Snapshot.Source)
		}
	}
	return nil
}

// writeReport makes report.html anew.
func (r *openRun) writeReport(ctx context.Context) error {
	f, err := renameio.NewPendingFile(filepath.Join(r.dir, "report.html"), renameio.WithTempDir(r.dir), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := report.HTML(ctx, f, r.store); err != nil {
		return fmt.Errorf("write report.html: %w", err)
	}
	return f.CloseAtomicallyReplace()
}

func (r *openRun) close() {
	if r.store != nil {
		r.store.Close()
	}
}

// targetName is the short name of a source for its run folder.
func targetName(source string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(source, "pypi:"), "==")
	name = strings.TrimSuffix(strings.TrimRight(name, "/"), ".git")
	if abs, err := filepath.Abs(name); err == nil && (name == "." || name == "..") {
		name = abs
	}
	name = filepath.Base(name)
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, name)
}

// exemplar is the episode that is most worth a look: the first whose bug was
// fixed in a group, else the first.
func (r *openRun) exemplar(ctx context.Context) int {
	first := 1
	for ep, err := range r.store.Episodes(ctx) {
		if err != nil {
			break
		}
		for _, a := range ep.Attempts {
			if a.Outcome == outcome.Fixed && len(a.Steps) > 1 {
				return ep.Number
			}
		}
		if ep.Number < first || first == 0 {
			first = ep.Number
		}
	}
	return first
}
