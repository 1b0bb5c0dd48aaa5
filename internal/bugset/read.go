package bugset

import (
	"bytes"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
)

// Bugs reads the set's artifacts one after another, in the order in which they
// were made.
func (s *Set) Bugs() iter.Seq2[*bug.Bug, error] {
	return func(yield func(*bug.Bug, error) bool) {
		for a, err := range Artifacts(s.path(bugsFile)) {
			var b *bug.Bug
			if err == nil {
				b, err = a.Load()
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

const bugJSON = "bug.json" // in the folder of each artifact

// Artifact is a bug that lies somewhere, not read yet.
type Artifact struct {
	Name string // where it lies, for people
	Load func() (*bug.Bug, error)
}

// Artifacts lists what a path holds: one artifact's folder, a folder of such
// ones, that of a set or a run, or a file of one-line artifacts. An error is a *SetError.
func Artifacts(path string) iter.Seq2[Artifact, error] {
	return func(yield func(Artifact, error) bool) {
		info, err := os.Stat(path)
		if err != nil {
			yield(Artifact{}, &SetError{"no bug at " + path, "name the folder of a bug or of a set, or a " + bugsFile})
			return
		}
		if !info.IsDir() {
			fromLines(path, yield)
			return
		}
		folder := func(dir string) Artifact {
			return Artifact{dir, func() (*bug.Bug, error) { return bug.Load(dir) }}
		}
		dir := filepath.Join(path, bugsDir)
		if holdsBugs(path) {
			dir = path
		}
		inner, err := os.ReadDir(dir)
		if _, own := os.Lstat(filepath.Join(path, bugJSON)); own == nil || err != nil {
			yield(folder(path), nil)
			return
		}
		inner = slices.DeleteFunc(inner, func(e fs.DirEntry) bool { return e.Name()[0] == '.' }) // being written
		if len(inner) == 0 {
			yield(Artifact{}, &SetError{path + " holds no bug yet", "make some with breakfix bugs"})
			return
		}
		for _, e := range inner {
			if !yield(folder(filepath.Join(dir, e.Name())), nil) {
				return
			}
		}
	}
}

// holdsBugs tells whether artifacts lie in a folder itself.
func holdsBugs(dir string) bool {
	list, _ := os.ReadDir(dir)
	return slices.ContainsFunc(list, func(e fs.DirEntry) bool {
		_, err := os.Lstat(filepath.Join(dir, e.Name(), bugJSON))
		return err == nil
	})
}

func fromLines(path string, yield func(Artifact, error) bool) {
	n := 0
	for l, err := range fileLines(path) {
		n++
		name := fmt.Sprintf("%s:%d", path, n)
		text := bytes.Clone(l.text) // the next line is read into the same place
		a := Artifact{name, func() (*bug.Bug, error) {
			if err != nil {
				return nil, &bug.CheckError{Check: outcome.CheckFiles, Reason: err.Error()}
			}
			return bug.ParseLine(text)
		}}
		if !yield(a, nil) {
			return
		}
	}
	if n == 0 {
		yield(Artifact{}, &SetError{path + " holds no bug", "name a " + bugsFile + " of breakfix bugs"})
	}
}
