package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"breakfix/internal/bugset"
	"breakfix/internal/source"
	"breakfix/internal/store"
)

// openSet is the folder of a set: found, or to be made once its sources turned
// out to have something to break.
type openSet struct {
	dir   string
	seed  uint64
	drawn bool   // dir is the next free folder, not one that was named
	found bool   // a set of the same configuration is there
	again string // the command that goes on with it
	set   *bugset.Set
}

// setConfig is what must be the same for a set to be gone on with: all that its
// candidates follow from, beside the seed.
type setConfig struct {
	Sources        []string `json:"sources"`
	At             string   `json:"at"`
	Only           []string `json:"only"`
	Exclude        []string `json:"exclude"`
	Tests          []string `json:"tests"`
	Python         string   `json:"python"`
	Env            []string `json:"env"`
	TestSeconds    float64  `json:"test-seconds"`
	DeadlineFloor  float64  `json:"deadline-floor"`
	DeadlineFactor float64  `json:"deadline-factor"`
	Operators      []string `json:"operators"`
	Parts          int      `json:"parts"`
	Strategy       []string `json:"strategy"`
}

func (c *bugsCmd) config() (json.RawMessage, error) {
	shown := make([]string, len(c.Sources))
	for i, s := range c.Sources {
		shown[i] = source.Shown(s)
	}
	return json.Marshal(setConfig{shown, c.At, c.Only, c.Exclude, c.Tests, c.Python, c.Env, c.TestSeconds, c.DeadlineFloor, c.DeadlineFactor, c.Operators, c.Parts, c.Strategy})
}

// openSet finds the folder that the flags name. A set that is there must have
// been told the same.
func (c *bugsCmd) openSet(a *app) (*openSet, error) {
	out := &openSet{dir: c.Out, drawn: c.Out == ""}
	var err error
	if out.drawn {
		if out.dir, err = store.NextName("bugs", targetName(c.Sources[0])); err != nil {
			return nil, err
		}
	}
	if out.dir, err = filepath.Abs(out.dir); err != nil {
		return nil, err
	}
	if info, err := os.Stat(out.dir); err == nil && !info.IsDir() {
		return nil, usagef("name a folder with -o", "%s exists and is no folder", shorten(out.dir))
	}
	switch {
	case !bugset.Vacant(out.dir):
		if err := c.same(out); err != nil {
			return nil, err
		}
	case c.Seed != nil:
		out.seed = *c.Seed
	default:
		out.seed = drawSeed()
	}
	out.again = typed(a)
	if c.Seed == nil {
		out.again += fmt.Sprintf(" --seed %d", out.seed)
	}
	if out.drawn {
		out.again += " -o " + quoted(shorten(out.dir))
	}
	return out, nil
}

// same takes over the seed of a set that is there, and refuses another configuration.
func (c *bugsCmd) same(out *openSet) error {
	head, err := bugset.ReadHead(out.dir)
	if err != nil {
		return err
	}
	mine, err := c.config()
	if err != nil {
		return err
	}
	var was, now map[string]json.RawMessage
	if err := json.Unmarshal(head.Config, &was); err != nil {
		return usagef("name another folder with -o", "the configuration of the set cannot be read: %v", err)
	}
	if err := json.Unmarshal(mine, &now); err != nil {
		return err
	}
	var changed []string
	for _, key := range sortedKeys(now) {
		if old := flat(was[key]); old != flat(now[key]) {
			changed = append(changed, fmt.Sprintf("  -%s: %s\n  +%s: %s", key, old, key, flat(now[key])))
		}
	}
	if c.Seed != nil && *c.Seed != head.Seed {
		changed = append(changed, fmt.Sprintf("  -seed: %d\n  +seed: %d", head.Seed, *c.Seed))
	}
	if len(changed) > 0 {
		return usagef("name another folder with -o", "%s holds a set that was told something else:\n%s\n", shorten(out.dir), strings.Join(changed, "\n"))
	}
	out.seed, out.found = head.Seed, true
	return nil
}

// flat is a value without indentation.
func flat(raw json.RawMessage) string {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil || v == nil {
		return "null"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// open makes the folder, complete before work starts, or opens the one that
// is there when its sources are still the same.
func (o *openSet) open(c *bugsCmd, sources []bugset.Source) (err error) {
	if o.found {
		if o.set, err = bugset.Resume(o.dir); err != nil {
			return err
		}
		heads := o.set.Head().Sources
		for i, s := range sources {
			if i >= len(heads) || heads[i].Snapshot != s.Target.Snapshot.Digest {
				return usagef("name another folder with -o, or bring back the source as it was", "%s is not the code that the set was made of", s.Target.Snapshot.Source)
			}
		}
		return nil
	}
	config, err := c.config()
	if err != nil {
		return err
	}
	head := bugset.Head{Breakfix: version, Created: time.Now().UTC().Format(time.RFC3339), Seed: o.seed, Config: config}
	for _, s := range sources {
		head.Sources = append(head.Sources, bugset.HeadOf(s))
	}
	for {
		o.set, err = bugset.Create(o.dir, head)
		// Another process may have taken the name meanwhile: the next one is as good.
		if err == nil || !o.drawn || bugset.Vacant(o.dir) {
			return err
		}
		next, nerr := store.NextName(filepath.Dir(o.dir), targetName(c.Sources[0]))
		if nerr != nil {
			return nerr
		}
		o.again = strings.Replace(o.again, quoted(shorten(o.dir)), quoted(shorten(next)), 1)
		o.dir = next
	}
}

// command makes the set again, wherever it lay: for its card.
func (o *openSet) command(c *bugsCmd) string {
	if c.Out == "" {
		return o.again
	}
	return strings.ReplaceAll(o.again, quoted(c.Out), quoted(filepath.Base(o.dir)))
}

func (o *openSet) close() {
	if o.set != nil {
		o.set.Close()
	}
}

// typed is the command line as it was typed.
func typed(a *app) string {
	line := "breakfix"
	for _, arg := range a.parsed.Args {
		line += " " + quoted(source.Shown(arg))
	}
	return line
}

// isFolder tells whether a source is a folder here.
func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
