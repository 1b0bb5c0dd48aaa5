package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"breakfix/internal/tree"
)

// layout is the host folder of one run: what the box is put together from.
//
//	mnt/      the run's own tmpfs is mounted here, in a private mount namespace
//	changes/  changed and removed files of the tree, as the top lower layer
//	l0, l1 …  links to the lower layers, so that no path needs escaping
//	extra/    further files
//	etc/      a minimal /etc, when the run has the network
type layout struct {
	dir   string
	lower string // overlay's lowerdir, relative to dir; "" without a tree
	args  []string

	extras int // files written so far
}

// newLayout prepares the folder of one run. The caller removes it.
func (b *bubblewrap) newLayout(spec *Spec) (*layout, error) {
	l := &layout{dir: filepath.Join(b.scratch, strconv.FormatInt(b.runs.Add(1), 10))}
	if err := os.MkdirAll(filepath.Join(l.dir, "mnt"), 0o700); err != nil {
		return nil, fmt.Errorf("make the run's folder: %w", err)
	}
	if err := l.fill(b, spec); err != nil {
		l.remove()
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w; free some space on the disk of %s or put the scratch folder elsewhere", err, b.scratch)
		}
		return nil, err
	}
	return l, nil
}

func (l *layout) remove() { os.RemoveAll(l.dir) }

func (l *layout) fill(b *bubblewrap, spec *Spec) error {
	if spec.Tree != nil {
		if err := l.writeTree(spec.Tree, spec.Layers); err != nil {
			return fmt.Errorf("lay out the tree: %w", err)
		}
	}
	etc, err := b.etc(l, spec.Network)
	if err != nil {
		return fmt.Errorf("lay out /etc: %w", err)
	}
	l.args = append(l.args, b.base...)
	if spec.live != nil {
		l.args = append(l.args, cageArguments...)
	}
	if atLeast(b.version, 0, 8) {
		l.args = append(l.args, "--disable-userns")
	}
	if spec.Network {
		l.args = append(l.args, "--share-net")
	}
	l.args = append(l.args, etc...)
	l.args = append(l.args, "--bind", l.dir+"/mnt/tmp", "/tmp", "--bind", l.dir+"/mnt/shm", "/dev/shm",
		"--chmod", "1777", "/tmp", "--chmod", "1777", "/dev/shm", "--chmod", "700", "/tmp/home")
	work := "/mnt/upper"
	if spec.Tree != nil {
		work = "/mnt/merged"
	}
	l.args = append(l.args, "--bind", l.dir+work, TreeAt)
	if spec.live != nil {
		if err := l.writeExtra(map[string]*tree.File{CageFilterAt: {Kind: tree.Regular, Data: seccompFilter(false)}}); err != nil {
			return fmt.Errorf("lay out the cages' filter: %w", err)
		}
	}
	if err := l.writeExtra(spec.Extra); err != nil {
		return fmt.Errorf("lay out the extra files: %w", err)
	}
	for _, bind := range spec.Binds {
		how := "--ro-bind"
		if bind.Writable {
			how = "--bind"
		}
		if _, err := os.Stat(bind.Host); err != nil {
			return fmt.Errorf("bind at %s: %w", bind.Inside, err)
		}
		l.args = append(l.args, how, bind.Host, bind.Inside)
	}
	l.environment(spec)
	// bubblewrap's own tmpfs for / and /dev have no size: close them.
	l.args = append(l.args, "--remount-ro", "/dev", "--remount-ro", "/")
	return nil
}

func (l *layout) environment(spec *Spec) {
	home := true
	for _, kv := range spec.Env {
		k, v, _ := strings.Cut(kv, "=")
		home = home && k != "HOME"
		l.args = append(l.args, "--setenv", k, v)
	}
	if home {
		l.args = append(l.args, "--setenv", "HOME", "/tmp/home")
	}
	dir := spec.Dir
	if dir == "" {
		dir = TreeAt
	}
	l.args = append(l.args, "--chdir", dir)
}

// writeTree makes the lower layers: changes first (topmost), then the given
// layers from last to first, then the tree's own folder.
func (l *layout) writeTree(t *tree.Tree, layers []string) error {
	changes := t.Changes()
	if t.Dir() == "" {
		changes = map[string]*tree.File{}
		for _, p := range t.Paths() {
			data, err := t.Read(p)
			if err != nil {
				return err
			}
			changes[p] = &tree.File{Kind: t.Kind(p), Data: data}
		}
	}
	top := filepath.Join(l.dir, "changes")
	if err := os.Mkdir(top, 0o755); err != nil {
		return err
	}
	if err := writeChanges(top, changes); err != nil {
		return err
	}
	lower := []string{"changes"}
	below := make([]string, 0, len(layers)+1)
	for i := len(layers) - 1; i >= 0; i-- {
		below = append(below, layers[i])
	}
	if t.Dir() != "" {
		below = append(below, t.Dir())
	}
	for i, dir := range below {
		name := "l" + strconv.Itoa(i)
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		if info, err := os.Stat(abs); err != nil {
			return err
		} else if !info.IsDir() {
			return fmt.Errorf("%s is not a folder", abs)
		}
		if err := os.Symlink(abs, filepath.Join(l.dir, name)); err != nil {
			return err
		}
		lower = append(lower, name)
	}
	l.lower = strings.Join(lower, ":")
	return nil
}

// CheckChanges returns an error unless every path stays inside a tree and no
// changed file lies below another one: what is below a link would be written to
// where the link points.
func CheckChanges(changes map[string]*tree.File) error {
	for p, f := range changes {
		if err := tree.CheckPath(p); err != nil {
			return err
		}
		if above := hidden(changes, p); f != nil && above != "" {
			return fmt.Errorf("%s would lie below %s, which is not a folder", p, above)
		}
	}
	return nil
}

// hidden returns the changed file in the place of a folder above p; "" when
// there is none.
func hidden(changes map[string]*tree.File, p string) string {
	for i := range len(p) {
		if p[i] == '/' && changes[p[:i]] != nil {
			return p[:i]
		}
	}
	return ""
}

// writeChanges writes files below top; a nil file becomes an overlay whiteout
// unless a changed file already covers its place.
func writeChanges(top string, changes map[string]*tree.File) error {
	if err := CheckChanges(changes); err != nil {
		return err
	}
	paths := sortedPaths(changes)
	for _, p := range paths {
		if f := changes[p]; f != nil {
			if err := writeFile(filepath.Join(top, filepath.FromSlash(p)), f); err != nil {
				return err
			}
		}
	}
	for _, p := range paths {
		if changes[p] != nil || hidden(changes, p) != "" {
			continue
		}
		name := filepath.Join(top, filepath.FromSlash(p))
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = unix.Mknod(name, unix.S_IFCHR, 0)
		}
		// A folder in this place hides the removed file already.
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("mark %s as removed: %w", p, err)
		}
	}
	return nil
}

func writeFile(name string, f *tree.File) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	switch f.Kind {
	case tree.Link:
		return os.Symlink(string(f.Data), name)
	case tree.Executable:
		return os.WriteFile(name, f.Data, 0o755)
	}
	return os.WriteFile(name, f.Data, 0o644)
}

func (l *layout) writeExtra(extra map[string]*tree.File) error {
	for _, p := range sortedPaths(extra) {
		f := extra[p]
		if f == nil {
			continue
		}
		if f.Kind == tree.Link {
			l.args = append(l.args, "--symlink", string(f.Data), p)
			continue
		}
		name := filepath.Join(l.dir, "extra", strconv.Itoa(l.extras))
		l.extras++
		if err := writeFile(name, f); err != nil {
			return err
		}
		l.args = append(l.args, "--ro-bind", name, p)
	}
	return nil
}

func sortedPaths(files map[string]*tree.File) []string {
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	return paths
}
