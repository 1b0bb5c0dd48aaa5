package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// kept is the host folder that outlives a run's writable layer. The layer is
// written beside it and replaces it only when it is complete.
type kept struct{ dir string }

func newKept(upper string) (*kept, error) {
	if upper == "" {
		return &kept{}, nil
	}
	dir, err := filepath.Abs(upper)
	if err != nil {
		return nil, err
	}
	k := &kept{dir: dir}
	k.discard()
	if err := os.MkdirAll(dir+".part", 0o755); err != nil {
		return nil, fmt.Errorf("make the folder that keeps the writable layer: %w", err)
	}
	return k, nil
}

func (k *kept) discard() {
	if k.dir != "" {
		removeAll(k.dir + ".part")
	}
}

// commit puts the new layer in place of the old one.
func (k *kept) commit(complete bool) error {
	if k.dir == "" {
		return nil
	}
	part := k.dir + ".part"
	if !complete {
		return fmt.Errorf("keep the box's writable layer in %s: it could not be copied (is the disk full?)", k.dir)
	}
	if err := tame(part); err != nil {
		return fmt.Errorf("keep the box's writable layer: %w", err)
	}
	if err := removeAll(k.dir); err != nil {
		return err
	}
	return os.Rename(part, k.dir)
}

// tame takes out of a folder that a box wrote whatever could harm a host that
// reads it: pipes, sockets and devices go (but for overlay's whiteouts), as do
// set-user-id bits; folders and files become readable to their owner. Links
// stay links and are not followed.
func tame(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(name)
		if err != nil {
			return err
		}
		switch mode := info.Mode(); {
		case mode&os.ModeSymlink != 0:
			return nil
		case mode.IsDir():
			// WalkDir reads a folder after this call.
			return os.Chmod(name, mode.Perm()|0o700)
		case mode.IsRegular():
			return os.Chmod(name, mode.Perm()|0o600)
		case isWhiteout(info):
			return nil
		}
		return os.Remove(name)
	})
}

// removeAll removes a folder even when the box left folders in it that their
// owner may not enter.
func removeAll(root string) error {
	err := os.RemoveAll(root)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			os.Chmod(name, 0o700)
		}
		return nil
	})
	return os.RemoveAll(root)
}

// isWhiteout reports whether a file is overlay's mark of a removed one, a
// character device numbered 0:0, which opens nothing.
func isWhiteout(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&os.ModeCharDevice != 0 && st.Rdev == 0
}
