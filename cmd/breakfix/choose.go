package main

import (
	"fmt"
	"slices"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/check"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/report"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// choice is what of a target is judged.
type choice struct {
	pool    int               // mutations that the flags select
	judge   []mutate.Mutation // in the order in which they are judged
	ignored []mutate.Mutation // accepted by the target
	reasons map[string]string // by accepted id
	unknown []string          // accepted ids that no mutation has, sorted
}

// choose finds what to judge before anything is installed, so that what cannot
// be meant is said at once. then is what --in-diff compares with, nil without it.
func (c *checkCmd) choose(snap *source.Snapshot, then *tree.Tree, o source.Options) (*choice, error) {
	reasons, err := accepted(snap)
	if err != nil {
		return nil, err
	}
	files, err := source.Selected(snap.Tree, o, python.Python.IsCode)
	if err != nil {
		return nil, err
	}
	pool, err := mutations(snap.Tree, files)
	if err != nil {
		return nil, err
	}
	if len(pool) == 0 {
		return nil, &source.TargetError{
			Reason: fmt.Sprintf("%s has nothing to break: no operator has a site in %s of code", report.Visible(c.Source), count(len(files), "file")),
			Next:   "choose other code with --only",
		}
	}
	found := &choice{reasons: reasons}
	if found.unknown, err = unknown(snap.Tree, pool, reasons); err != nil {
		return nil, err
	}
	if len(c.Operators) > 0 {
		pool = slices.DeleteFunc(pool, func(m mutate.Mutation) bool { return !slices.Contains(c.Operators, m.Operator) })
		if len(pool) == 0 {
			return nil, usagef("choose other operators, or other code with --only", "--operators %s: the selected code has no site for them", strings.Join(c.Operators, ","))
		}
	}
	if then != nil {
		lines, err := check.ChangedLines(snap.Tree, then, files)
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 {
			return nil, usagef("there is nothing to check; git diff "+c.InDiff+" shows what changed", "--in-diff %s: no line of the selected code changed since then", c.InDiff)
		}
		if pool = check.Touching(pool, lines); len(pool) == 0 {
			return nil, usagef("there is nothing to check", "--in-diff %s: the lines that changed since then hold no mutation", c.InDiff)
		}
	}
	shard, err := c.shard()
	if err != nil {
		return nil, err
	}
	pool = shard.Of(pool)
	found.pool = len(pool)
	for _, m := range check.Shuffle(pool, *c.Seed) {
		if _, ok := reasons[m.ID]; ok {
			found.ignored = append(found.ignored, m)
		} else {
			found.judge = append(found.judge, m)
		}
	}
	if c.Sample > 0 && c.Sample < len(found.judge) {
		found.judge = found.judge[:c.Sample]
	}
	return found, nil
}

// accepted reads the target's file of accepted mutations and takes it out of
// the snapshot: a line more in it must not make the suite another one, whose
// baseline and verdicts nobody knows.
func accepted(snap *source.Snapshot) (map[string]string, error) {
	if !snap.Tree.Has(check.AcceptedFile) {
		return nil, nil
	}
	text, err := snap.Tree.Read(check.AcceptedFile)
	if err != nil {
		return nil, err
	}
	reasons, err := check.Accepted(text)
	if err != nil {
		return nil, usagef("mend the line, or put # before it", "%s", report.Visible(err.Error()))
	}
	if snap.Tree, err = snap.Tree.With(map[string]*tree.File{check.AcceptedFile: nil}); err != nil {
		return nil, err
	}
	snap.Digest = snap.Tree.Digest()
	return reasons, nil
}

// mutations lists every mutation of the files, whether a test runs it or not.
func mutations(t *tree.Tree, files []string) ([]mutate.Mutation, error) {
	all, err := arena.NewBank(t, func(p string) bool { return slices.Contains(files, p) }, nil).Sites()
	return slices.Clone(all), err
}

// unknown names the accepted ids that no mutation of the target has, of code
// that was not selected either.
func unknown(t *tree.Tree, pool []mutate.Mutation, reasons map[string]string) ([]string, error) {
	left := map[string]bool{}
	for id := range reasons {
		left[id] = true
	}
	strike := func(ms []mutate.Mutation) {
		for _, m := range ms {
			delete(left, m.ID)
		}
	}
	if strike(pool); len(left) == 0 {
		return nil, nil
	}
	all, err := arena.NewBank(t, nil, nil).Sites()
	if err != nil {
		return nil, err
	}
	strike(all)
	return sortedKeys(left), nil
}

// caveats say what of the choice may surprise.
func (c *choice) caveats() []string {
	var lines []string
	for i, id := range c.unknown {
		if i == named {
			lines = append(lines, fmt.Sprintf("%s: and %d more", check.AcceptedFile, len(c.unknown)-named))
			break
		}
		lines = append(lines, fmt.Sprintf("%s: no mutation has the id %s; the code that it stood for is gone or another now", check.AcceptedFile, id))
	}
	return lines
}
