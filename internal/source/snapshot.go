package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"breakfix/internal/tree"
)

// Bounds of one snapshot. They are far above real packages and keep a hostile
// archive or a wrong folder from filling the disk.
const (
	maxFiles = 100_000
	maxBytes = 1 << 30
)

// fileTime is the modification time of every file of a snapshot, so that two
// snapshots of the same content are the same in every respect.
var fileTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// writer lays files into a new folder. All paths go through os.Root, so that
// nothing that the content names can be written elsewhere, links included.
type writer struct {
	dir   string
	root  *os.Root
	files int
	bytes int64
}

func newWriter(cache string) (*writer, error) {
	dir, err := tempDir(cache, "tree")
	if err != nil {
		return nil, err
	}
	// MkdirTemp makes 0700; the box may look as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &writer{dir: dir, root: root}, nil
}

// close removes what was not kept.
func (w *writer) close() {
	w.root.Close()
	os.RemoveAll(w.dir)
}

// errTooLarge is a content that exceeds the bounds.
var errTooLarge = fmt.Errorf("more than %d files or %d MiB", maxFiles, maxBytes>>20)

func (w *writer) count(n int64) error {
	w.files++
	w.bytes += n
	if w.files > maxFiles || w.bytes > maxBytes {
		return errTooLarge
	}
	return nil
}

func (w *writer) parent(p string) error {
	if err := tree.CheckPath(p); err != nil {
		return err
	}
	if d := path.Dir(p); d != "." {
		return w.root.MkdirAll(filepath.FromSlash(d), 0o755)
	}
	return nil
}

// file writes a regular file of at most size bytes read from r.
func (w *writer) file(p string, executable bool, size int64, r io.Reader) error {
	if err := w.count(size); err != nil {
		return err
	}
	if err := w.parent(p); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	name := filepath.FromSlash(p)
	// A later file of the same name replaces an earlier one, never writes through a link.
	if err := w.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, size+1))
	if err == nil && n > size {
		err = fmt.Errorf("%s is longer than announced", p)
	}
	// The umask of the user must not change what a snapshot is.
	if err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return w.root.Chtimes(name, fileTime, fileTime)
}

// link writes a symbolic link, which must point inside the tree.
func (w *writer) link(p, to string) error {
	if err := w.count(int64(len(to))); err != nil {
		return err
	}
	if err := w.parent(p); err != nil {
		return err
	}
	if !staysInside(p, to) {
		return fmt.Errorf("%s is a link to %q: %w", p, to, tree.ErrUnsafePath)
	}
	name := filepath.FromSlash(p)
	if err := w.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return w.root.Symlink(to, name)
}

// staysInside reports whether a link at p to the given target stays in the tree.
func staysInside(p, to string) bool {
	if to == "" || strings.HasPrefix(to, "/") || strings.ContainsAny(to, "\x00\\") {
		return false
	}
	end := path.Join(path.Dir(p), to)
	return end != ".." && !strings.HasPrefix(end, "../")
}

// keep puts what was written under its digest into the cache and returns it.
func (w *writer) keep(cache string) (*tree.Tree, error) {
	t, err := tree.FromDir(w.dir, nil)
	if err != nil {
		return nil, err
	}
	final := treeDir(cache, t.Digest())
	if kept, err := loadTree(cache, t.Digest()); err == nil {
		return kept, nil
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return nil, err
	}
	// The mark lies beside the tree, not in it: it is no file of the target.
	os.RemoveAll(final)
	err = os.Rename(w.dir, final)
	if err != nil {
		// Another process may have put the same content there just now.
		if kept, lerr := loadTree(cache, t.Digest()); lerr == nil {
			return kept, nil
		}
		return nil, fmt.Errorf("keep the snapshot: %w", err)
	}
	return loadTree(cache, t.Digest())
}

func treeDir(cache string, d tree.Digest) string {
	return filepath.Join(cache, "trees", string(d))
}

// loadTree returns the tree of that digest from the cache. A rename made the
// folder, so it is there whole; that its content still has its digest is
// checked on every load, so that a cache that somebody edited is noticed.
func loadTree(cache string, d tree.Digest) (*tree.Tree, error) {
	dir := treeDir(cache, d)
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	t, err := tree.FromDir(dir, nil)
	if err != nil {
		return nil, err
	}
	if t.Digest() != d {
		return nil, fmt.Errorf("%s no longer has its digest", dir)
	}
	return t, nil
}

// skippedNames are folders that are never part of a snapshot: version control,
// caches, environments, and what builds leave behind.
var skippedNames = map[string]bool{
	".git": true, ".hg": true, ".svn": true, ".bzr": true, ".jj": true,
	"__pycache__": true, ".venv": true, "venv": true, ".tox": true, ".nox": true, "node_modules": true,
	".mypy_cache": true, ".pytest_cache": true, ".ruff_cache": true, ".hypothesis": true, ".eggs": true,
	".pyre": true, ".pytype": true, ".idea": true, ".DS_Store": true, ".coverage": true,
}

// skipped reports whether a path of an original is left out of its snapshot.
func skipped(p string) bool {
	for _, part := range strings.Split(p, "/") {
		if skippedNames[part] {
			return true
		}
	}
	return strings.HasSuffix(p, ".pyc") || strings.HasSuffix(p, ".pyo")
}

// skippedInFolder leaves out more in a plain folder, where nothing says which
// files belong to the project.
func skippedInFolder(p string) bool {
	return skipped(p) || strings.HasSuffix(path.Base(p), ".egg-info")
}

// fromFolder copies the files of a folder. list, when not nil, gives the
// paths (what git knows); else the folder is walked.
func fromFolder(ctx context.Context, dir, cache string, list []string) (*tree.Tree, error) {
	w, err := newWriter(cache)
	if err != nil {
		return nil, err
	}
	defer w.close()
	from, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	if list == nil {
		if list, err = walk(ctx, dir, cache); err != nil {
			return nil, err
		}
	}
	for _, p := range list {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := copyOne(w, from, p); err != nil {
			if errors.Is(err, errTooLarge) {
				return nil, &UsageError{fmt.Sprintf("the folder %s holds %v", dir, err), "name the folder of one project"}
			}
			return nil, fmt.Errorf("copy %s of %s: %w", p, dir, err)
		}
	}
	return w.keep(cache)
}

func copyOne(w *writer, from *os.Root, p string) error {
	name := filepath.FromSlash(p)
	info, err := from.Lstat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // git lists it and the user removed it
	case err != nil:
		return err
	case info.Mode()&os.ModeSymlink != 0:
		to, err := from.Readlink(name)
		if err != nil || !staysInside(p, to) {
			return err // a link out of the tree would dangle in the box
		}
		return w.link(p, to)
	case !info.Mode().IsRegular():
		return nil // a submodule, a socket, a device
	}
	f, err := from.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return w.file(p, info.Mode()&0o111 != 0, info.Size(), f)
}

// walk lists the files of a plain folder. breakfix's own cache and virtual
// environments under any name are left out.
func walk(ctx context.Context, dir, cache string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil || rel == "." {
			return err
		}
		p := filepath.ToSlash(rel)
		if d.IsDir() {
			if _, err := os.Lstat(filepath.Join(name, "pyvenv.cfg")); err == nil || skippedInFolder(p) || name == cache {
				return filepath.SkipDir
			}
			return nil
		}
		if !skippedInFolder(p) {
			list = append(list, p)
		}
		if len(list) > maxFiles {
			return &UsageError{fmt.Sprintf("the folder %s holds %v", dir, errTooLarge), "name the folder of one project"}
		}
		return nil
	})
	return list, err
}

var (
	pkgInfoVersion = regexp.MustCompile(`(?m)^Version: *(\S+)\s*$`)
	notNameChars   = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	testName       = regexp.MustCompile(`^(test_.*|.*_test|tests?|conftest)\.py$`)
	otherTests     = regexp.MustCompile(`python_files|--doctest-modules|--doctest-glob`)
)

// shortName makes a name for folders of runs.
func shortName(s string) string {
	s = strings.Trim(notNameChars.ReplaceAllString(s, "-"), "-.")
	if s == "" {
		return "source"
	}
	return s
}

// versionOf finds the version of a tree: what a source distribution says,
// else the project file, else "0.0.0".
func versionOf(t *tree.Tree) string {
	if b, err := t.Read("PKG-INFO"); err == nil {
		if m := pkgInfoVersion.FindSubmatch(b); m != nil {
			return string(m[1])
		}
	}
	if v := readProject(t).Project.Version; v != "" {
		return v
	}
	return "0.0.0"
}

// hasTests reports whether a tree ships anything that pytest could collect.
// A project that configures other file names or doctests is believed.
func hasTests(t *tree.Tree) bool {
	for _, p := range t.Paths() {
		base := path.Base(p)
		if testName.MatchString(base) && base != "conftest.py" {
			return true
		}
		if strings.HasSuffix(base, ".py") && base != "__init__.py" && base != "conftest.py" {
			for _, part := range strings.Split(path.Dir(p), "/") {
				if part == "tests" || part == "test" {
					return true
				}
			}
		}
	}
	for _, p := range []string{"pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"} {
		if b, err := t.Read(p); err == nil && otherTests.Match(b) {
			return true
		}
	}
	return false
}
