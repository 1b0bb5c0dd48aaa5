package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// Applied is a mutation that was put into a working folder, as it is kept
// outside that folder until it is taken out.
type Applied struct {
	ID     string `json:"id"`
	Path   string `json:"path"`
	Diff   string `json:"diff"` // from the code to the mutation
	Before []byte `json:"before"`
	After  []byte `json:"after"`
}

// ApplyError says that a mutation can be neither put in nor taken out as things
// are: bad input, nothing was written.
type ApplyError struct{ Reason, Next string }

// Error gives the reason and the next step.
func (e *ApplyError) Error() string { return e.Reason + "; " + e.Next }

// Put writes a mutation into the folder, and before that a note into the file
// note, from which TakeOut works. code is the folder's snapshot: a file that
// changed since it was taken is not written.
func Put(dir, note string, code *tree.Tree, m mutate.Mutation) (Applied, error) {
	var old Applied
	switch err := readNote(note, &old); {
	case err == nil:
		return old, &ApplyError{fmt.Sprintf("mutation %s is in %s already", old.ID, old.Path), "take it out first, with --revert"}
	case !errors.Is(err, fs.ErrNotExist):
		return old, err
	}
	broken, err := mutate.Apply(code, m)
	if err != nil {
		return old, err
	}
	diff, err := tree.Diff(code, broken)
	if err != nil {
		return old, err
	}
	a := Applied{ID: m.ID, Path: m.Path, Diff: string(diff)}
	if a.Before, err = code.Read(m.Path); err != nil {
		return a, err
	}
	if a.After, err = broken.Read(m.Path); err != nil {
		return a, err
	}
	now, mode, err := readFile(dir, m.Path)
	if err != nil {
		return a, err
	}
	if !bytes.Equal(now, a.Before) {
		return a, &ApplyError{m.Path + " was changed just now", "try again"}
	}
	b, err := json.Marshal(a)
	if err != nil {
		return a, err
	}
	if err := os.MkdirAll(filepath.Dir(note), 0o755); err != nil {
		return a, err
	}
	if err := replaceFile(note, b, 0o644); err != nil {
		return a, err
	}
	if err := replaceFile(filepath.Join(dir, filepath.FromSlash(m.Path)), a.After, mode); err != nil {
		os.Remove(note)
		return a, err
	}
	return a, nil
}

// TakeOut undoes Put. What was changed in the file meanwhile stays, as long as
// it is not the mutated place; a file that is as it was before is left alone.
func TakeOut(dir, note string) (Applied, error) {
	var a Applied
	err := readNote(note, &a)
	if errors.Is(err, fs.ErrNotExist) {
		return a, &ApplyError{"no mutation was put into this folder", "--apply ID puts one in; check lists the ids of those that are missed"}
	}
	if err != nil {
		return a, err
	}
	now, mode, err := readFile(dir, a.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, os.Remove(note) // the file is gone, and the mutation with it
	}
	if err != nil {
		return a, err
	}
	if bytes.Equal(now, a.Before) {
		return a, os.Remove(note)
	}
	want := a.Before
	if !bytes.Equal(now, a.After) {
		if want, err = undo(a, now); err != nil {
			return a, &ApplyError{fmt.Sprintf("%s was changed where the mutation %s is", a.Path, a.ID), "take it out by hand:\n" + a.Diff}
		}
	}
	if err := replaceFile(filepath.Join(dir, filepath.FromSlash(a.Path)), want, mode); err != nil {
		return a, err
	}
	return a, os.Remove(note)
}

// undo takes the mutation out of a file that was changed elsewhere. The text
// around the place decides, not the line number: the file may have grown above.
func undo(a Applied, now []byte) ([]byte, error) {
	start := 0
	for start < min(len(a.Before), len(a.After)) && a.Before[start] == a.After[start] {
		start++
	}
	end := 0
	for end < min(len(a.Before), len(a.After))-start && a.Before[len(a.Before)-1-end] == a.After[len(a.After)-1-end] {
		end++
	}
	// Three whole lines either side, as a diff has them.
	from, to := start, len(a.After)-end
	for range 4 {
		from = max(0, bytes.LastIndexByte(a.After[:from], '\n'))
		if i := bytes.IndexByte(a.After[to:], '\n'); i >= 0 {
			to += i + 1
		} else {
			to = len(a.After)
		}
	}
	place := a.After[from:to]
	if bytes.Count(now, place) != 1 {
		return nil, errors.New("the place is not there, or there twice")
	}
	return bytes.Replace(now, place, a.Before[from:len(a.Before)-(len(a.After)-to)], 1), nil
}

func readNote(note string, a *Applied) error {
	b, err := os.ReadFile(note)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, a); err != nil {
		return fmt.Errorf("%s does not say what was put in: %w", note, err)
	}
	return nil
}

// readFile reads a file of the folder that is no link: what a link leads to may
// lie elsewhere.
func readFile(dir, p string) ([]byte, fs.FileMode, error) {
	name := filepath.Join(dir, filepath.FromSlash(p))
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, 0, err
	}
	defer root.Close()
	info, err := os.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &ApplyError{p + " is no plain file", "mutate it by hand"}
	}
	b, err := root.ReadFile(filepath.FromSlash(p))
	return b, info.Mode().Perm(), err
}

// replaceFile replaces a file whole or not at all.
func replaceFile(name string, b []byte, mode fs.FileMode) error {
	return renameio.WriteFile(name, b, mode, renameio.WithTempDir(filepath.Dir(name)), renameio.IgnoreUmask())
}
