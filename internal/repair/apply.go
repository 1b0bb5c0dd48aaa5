package repair

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"breakfix/internal/tree"
)

// ApplyError says that a repair cannot be written as things are: bad input,
// nothing was written.
type ApplyError struct{ Reason, Next string }

// Error gives the reason and the next step.
func (e *ApplyError) Error() string { return e.Reason + "; " + e.Next }

// written is one file under way.
type written struct {
	path, name string
	before     []byte
	mode       fs.FileMode
	after      *renameio.PendingFile
}

// Apply writes the files in which to differs from from into the folder, of which
// from is the snapshot. A file that changed since it was taken is an
// *ApplyError. Each file is replaced whole, and when one cannot be, those before
// it are put back.
func Apply(dir string, from, to *tree.Tree) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var files []written
	defer func() {
		for _, w := range files {
			w.after.Cleanup()
		}
	}()
	for _, p := range tree.Differ(from, to) {
		w, err := readBefore(root, dir, p, from)
		if err != nil {
			return err
		}
		after, err := to.Read(p)
		if err != nil {
			return err
		}
		w.after, err = w.beside(after)
		if err != nil {
			return fmt.Errorf("write %s: %w", p, err)
		}
		files = append(files, w)
	}
	for i, w := range files {
		now, err := root.ReadFile(filepath.FromSlash(w.path)) // once more: writing the others took time
		if err == nil && !bytes.Equal(now, w.before) {
			err = changed(w.path)
		}
		if err == nil {
			err = w.after.CloseAtomicallyReplace()
		}
		if err != nil {
			return putBack(files[:i], err)
		}
	}
	return nil
}

// readBefore reads a file that is to be replaced and refuses what is not as it
// was, and what is no plain file: a link may lead elsewhere.
func readBefore(root *os.Root, dir, p string, from *tree.Tree) (written, error) {
	w := written{path: p, name: filepath.Join(dir, filepath.FromSlash(p))}
	info, err := root.Lstat(filepath.FromSlash(p))
	if err != nil {
		return w, changed(p)
	}
	if !info.Mode().IsRegular() {
		return w, &ApplyError{p + " is no plain file", "apply the diff by hand"}
	}
	w.mode = info.Mode().Perm()
	if w.before, err = from.Read(p); err != nil {
		return w, err
	}
	now, err := root.ReadFile(filepath.FromSlash(p))
	if err != nil || !bytes.Equal(now, w.before) {
		return w, changed(p)
	}
	return w, nil
}

func changed(p string) error {
	return &ApplyError{p + " was changed while the repair was looked for; nothing was written", "run it again, or apply the diff by hand"}
}

// beside writes what takes the place of a file when it is told to.
func (w written) beside(b []byte) (*renameio.PendingFile, error) {
	f, err := renameio.NewPendingFile(w.name, renameio.WithTempDir(filepath.Dir(w.name)), renameio.WithStaticPermissions(w.mode))
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(b); err != nil {
		f.Cleanup()
	}
	return f, err
}

// putBack undoes what was written before something failed.
func putBack(files []written, why error) error {
	for _, w := range files {
		old, err := w.beside(w.before)
		if err == nil {
			err = old.CloseAtomicallyReplace()
		}
		if err != nil {
			return fmt.Errorf("%w; and %s could not be put back: %w", why, w.path, err)
		}
	}
	return why
}
