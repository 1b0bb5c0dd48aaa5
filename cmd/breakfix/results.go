package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"

	"breakfix/internal/check"
	"breakfix/internal/report"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// resultFlags say where results go, and what is done with those that are there.
type resultFlags struct {
	Output string `short:"o" name:"output" help:"Results folder to make: plan, results one by one, check.json, check.html, lists by outcome, diffs and logs. Default: none is made." placeholder:"DIR" type:"path"`
	Resume bool   `help:"Go on in the results folder of -o: what it knows and still holds is not judged again."`
	HTML   string `name:"html" help:"Write the self-contained page to FILE." placeholder:"FILE" type:"path"`
	Browse bool   `help:"Look through the results in the terminal, at the end of a check or of a results folder."`
	Merge  bool   `help:"Join the results folders of all shards of one check, into -o or to look at."`
}

// refuseResults refuses what resultFlags cannot be meant with.
func (c *checkCmd) refuseResults() error {
	looking := c.Merge || check.HoldsCheck(c.Source)
	switch {
	case c.Resume && c.Output == "":
		return usagef("name the results folder with -o DIR", "--resume: there is no results folder to go on in")
	case c.Resume && looking:
		return usagef("breakfix check -o "+quoted(c.Output)+" --resume SOURCE", "--resume goes on with a check of a source, and results folders were named instead")
	case c.Merge && c.Shard != "":
		return usagef("leave --shard out", "--merge joins all shards and judges nothing")
	case c.Output != "" && looking && !c.Merge:
		return usagef("name the source", "-o takes the results of a check, and %s is a results folder itself", c.Source)
	}
	return nil
}

// takeFolder takes the results folder of -o, and reads what --resume goes on
// with. Without -o both are nil.
func (c *checkCmd) takeFolder() (*check.Folder, *check.Record, error) {
	if c.Output == "" {
		return nil, nil, nil
	}
	holds := check.HoldsCheck(c.Output)
	switch {
	case c.Resume && !holds:
		return nil, nil, usagef("leave --resume out to begin one there", "--resume: %s holds no check", c.Output)
	case holds && !c.Resume:
		return nil, nil, usagef("--resume goes on with it; or name another folder with -o", "%s holds a check already", c.Output)
	}
	folder, err := check.Take(c.Output)
	if err != nil || !holds {
		return folder, nil, err
	}
	earlier, err := check.Read(c.Output)
	if err != nil {
		folder.Close()
		return nil, nil, err
	}
	if c.Sample > 0 && c.Seed != nil && *c.Seed != earlier.Plan.Seed {
		folder.Close()
		return nil, nil, usagef("leave --seed out, or name another folder with -o", "%s holds a sample drawn with the seed %d, not %d", c.Output, earlier.Plan.Seed, *c.Seed)
	}
	return folder, earlier, nil
}

// sameSource refuses to go on with a check of something else.
func (c *checkCmd) sameSource(snap *source.Snapshot, earlier *check.Record) error {
	if earlier == nil {
		return nil
	}
	const next = "name another folder with -o, or check what it is of"
	was, now := earlier.Plan.Choice, c.choice()
	switch {
	case earlier.Plan.Source != snap.Source:
		return usagef(next, "%s holds a check of %s, not of %s", c.Output, earlier.Plan.Source, snap.Source)
	case !reflect.DeepEqual(was, now):
		a, _ := json.Marshal(was)
		b, _ := json.Marshal(now)
		return usagef("give the same flags as then, or name another folder with -o", "%s holds a check of another choice: then %s, now %s", c.Output, a, b)
	}
	return nil
}

// withoutChecks takes results folders out of a snapshot, own among them (which
// may have no plan yet): one that -o made in the source is no part of the code.
func withoutChecks(snap *source.Snapshot, own string) error {
	var dirs []string
	for _, p := range snap.Tree.Paths() {
		if path.Base(p) == check.PlanFile && strings.Contains(p, "/") {
			dirs = append(dirs, path.Dir(p))
		}
	}
	if rel, err := filepath.Rel(snap.Source, own); own != "" && err == nil && filepath.IsLocal(rel) && rel != "." {
		dirs = append(dirs, filepath.ToSlash(rel))
	}
	gone := map[string]*tree.File{}
	for _, dir := range dirs {
		for _, p := range snap.Tree.Paths() {
			if strings.HasPrefix(p, dir+"/") {
				gone[p] = nil
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	t, err := snap.Tree.With(gone)
	if err != nil {
		return err
	}
	snap.Tree, snap.Digest = t, t.Digest()
	return nil
}

// deliver writes the reports that were asked for and returns the summary.
func (c *checkCmd) deliver(a *app, r *check.Record, folder *check.Folder, kept int) (check.Summary, error) {
	s, err := r.Summary()
	if err != nil {
		return s, err
	}
	s.Kept = kept
	if folder != nil {
		s.Folder = folder.Dir
		if err := writeFolder(folder, r, s); err != nil {
			return s, fmt.Errorf("write the reports into %s: %w", folder.Dir, err)
		}
	}
	return s, c.writePage(r)
}

func (c *checkCmd) writePage(r *check.Record) error {
	if c.HTML == "" {
		return nil
	}
	f, err := os.Create(c.HTML)
	if err != nil {
		return usagef("name a file that can be written", "--html: %v", err)
	}
	err = report.CheckHTML(f, r, version)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// writeFolder writes what a results folder has beside the results themselves.
// The summary comes last: where it is, all else is of the same time.
func writeFolder(folder *check.Folder, r *check.Record, s check.Summary) error {
	var b bytes.Buffer
	if err := report.CheckJSON(&b, r, version); err != nil {
		return err
	}
	if err := folder.Write("check.json", b.Bytes()); err != nil {
		return err
	}
	b.Reset()
	if err := report.CheckHTML(&b, r, version); err != nil {
		return err
	}
	if err := folder.Write("check.html", b.Bytes()); err != nil {
		return err
	}
	for name, text := range report.CheckLists(r) {
		if err := folder.Write(name, text); err != nil {
			return err
		}
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return folder.Write(check.SummaryFile, append(line, '\n'))
}

// lookAt shows a results folder; a check may still be writing to it.
func (c *checkCmd) lookAt(a *app) error {
	r, err := check.Read(c.Source)
	if err != nil {
		return err
	}
	s, err := r.Summary()
	if err != nil {
		return err
	}
	s.Folder = c.Source
	if err := c.writePage(r); err != nil {
		return err
	}
	switch {
	case c.Browse:
		if err := c.browse(a, r, c.Source, c.lazily(a, r)); err != nil {
			return err
		}
	case c.HTML == "" || a.JSON:
		if err := c.tell(a, s, typed(a)); err != nil {
			return err
		}
	}
	return c.answer(a, s)
}

// merge joins the results folders of shards.
func (c *checkCmd) merge(a *app) error {
	var records []*check.Record
	for _, dir := range c.Sources {
		if !check.HoldsCheck(dir) {
			return usagef("name results folders, those that -o made", "--merge: %s holds no check", dir)
		}
		r, err := check.Read(dir)
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	whole, err := check.Merge(records, c.Sources)
	if err != nil {
		return err
	}
	if missing := check.Missing(records); len(missing) > 0 {
		fmt.Fprintf(a.stderr, "breakfix: not the whole check: without shard %s\n", strings.Join(missing, ", "))
	}
	var folder *check.Folder
	if c.Output != "" {
		if check.HoldsCheck(c.Output) {
			return usagef("name another folder with -o", "%s holds a check already", c.Output)
		}
		if folder, err = check.Take(c.Output); err != nil {
			return err
		}
		defer folder.Close()
		if err := fill(folder, whole, c.Sources); err != nil {
			return err
		}
	}
	s, err := c.deliver(a, whole, folder, 0)
	if err != nil {
		return err
	}
	if err := c.tell(a, s, typed(a)); err != nil {
		return err
	}
	if c.Browse {
		if err := c.browse(a, whole, c.Output, c.lazily(a, whole)); err != nil {
			return err
		}
	}
	return c.answer(a, s)
}

// fill puts results with their diffs and logs into a new results folder.
func fill(folder *check.Folder, r *check.Record, from []string) error {
	all := map[string]check.Result{}
	for _, one := range r.Results {
		all[one.Mutation.ID] = one
	}
	if err := folder.Begin(r.Plan, all); err != nil {
		return err
	}
	for _, dir := range from {
		for id := range all {
			for _, name := range []func(string, string) string{check.DiffFile, check.LogFile} {
				b, err := os.ReadFile(name(dir, id))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err == nil {
					err = os.WriteFile(name(folder.Dir, id), b, 0o644)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// besideSource is where a file of the source lies, "" when the source is no folder.
func besideSource(p check.Plan, file string) string {
	if info, err := os.Stat(p.Source); err != nil || !info.IsDir() {
		return ""
	}
	name := filepath.Join(p.Source, filepath.FromSlash(file))
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return name
}
