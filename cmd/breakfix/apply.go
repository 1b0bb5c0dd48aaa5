package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"breakfix/internal/arena"
	"breakfix/internal/check"
	"breakfix/internal/report"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// handFlags put one mutation into the working folder, to look at it and to
// write the test that notices it: the only things by which check writes to a source.
type handFlags struct {
	Apply  string `help:"Put the mutation with this id into the folder, and judge nothing." placeholder:"ID"`
	Revert bool   `help:"Take the mutation that --apply put in out again."`
}

// byHand does what handFlags say.
func (c *checkCmd) byHand(a *app) error {
	dir, note, err := c.workingFolder(a)
	if err != nil {
		return err
	}
	var done check.Applied
	if c.Revert {
		done, err = check.TakeOut(dir, note)
	} else {
		done, err = c.apply(a, dir, note)
	}
	if err != nil {
		return err
	}
	from := quoted(c.Source)
	what, next := "is in", "run your tests; then breakfix check --revert "+from
	if c.Revert {
		what, next = "is out of", "breakfix check "+from
	}
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(map[string]string{"id": done.ID, "path": done.Path, "diff": done.Diff})
	}
	if c.Apply != "" {
		fmt.Fprintf(a.stdout, "%s\n", report.Visible(done.Diff))
	}
	_, err = fmt.Fprintf(a.stdout, "mutation %s %s %s\nnext   %s\n", done.ID, what, report.Visible(done.Path), next)
	return err
}

// workingFolder is where the source lies and where the note of what was put in
// is kept: outside it, so that nothing of ours is ever committed with it.
func (c *checkCmd) workingFolder(a *app) (dir, note string, err error) {
	info, err := os.Stat(c.Source)
	if err != nil || !info.IsDir() {
		return "", "", usagef("name a folder that you work in", "--apply and --revert write to the source, and %s is no folder", source.Shown(c.Source))
	}
	if dir, err = filepath.Abs(c.Source); err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", "", err
	}
	cache, err := source.CacheDir(a.Cache)
	return dir, filepath.Join(cache, "applied", string(tree.DigestOf([]byte(dir)))[:32]+".json"), err
}

func (c *checkCmd) apply(a *app, dir, note string) (check.Applied, error) {
	snap, err := source.Open(a.drain, dir, c.options(a, 0))
	if err != nil {
		return check.Applied{}, err
	}
	all, err := arena.NewBank(snap.Tree, nil, nil).Sites()
	if err != nil {
		return check.Applied{}, err
	}
	for _, m := range all {
		if m.ID == c.Apply {
			return check.Put(dir, note, snap.Tree, m)
		}
	}
	return check.Applied{}, usagef("breakfix check --json lists those that are missed; the id of one changes with the code of its site", "--apply %s: no mutation of %s has that id", c.Apply, c.Source)
}

// refuseHand refuses what --apply and --revert cannot go with.
func (c *checkCmd) refuseHand() error {
	switch {
	case c.Apply != "" && c.Revert:
		return usagef("give one of them", "--apply puts a mutation in and --revert takes it out")
	case (c.Apply != "" || c.Revert) && c.At != "":
		return usagef("leave --at out", "--apply and --revert write to the folder as it is, and --at names a commit")
	}
	return nil
}
