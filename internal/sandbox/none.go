package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"breakfix/internal/tree"
)

// plain runs commands without isolation, in a copy of the tree, for machines
// where no box can be made. The paths of the box do not exist then: where an
// argument, a variable or the working folder names TreeAt, a bind or an extra
// file, the host's path is put in its place. Programs that have such a path
// built in (an editable install) will not find it.
type plain struct {
	scratch string
	cgroups cgroups
	runs    atomic.Int64
}

const plainScript = `read -r _ <&5 || exit 125
exec 5<&-
exec "$@"
`

// Run implements Sandbox.
func (p *plain) Run(ctx context.Context, spec Spec) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{Stopped: Cancelled}, err
	}
	if err := spec.check(); err != nil {
		return Result{}, err
	}
	lim := spec.Limits.withDefaults()
	dir := filepath.Join(p.scratch, strconv.FormatInt(p.runs.Add(1), 10))
	defer removeAll(dir)
	names, laid, err := layPlain(dir, &spec)
	if err != nil {
		return Result{}, fmt.Errorf("lay out the tree: %w", err)
	}
	keep, err := newKept(spec.Upper)
	if err != nil {
		return Result{}, err
	}
	defer keep.discard()
	cg, err := p.cgroups.make(lim, false)
	if err != nil {
		return Result{}, err
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		return Result{}, &MissingError{What: "there is no sh on the PATH", Next: "apt-get install dash"}
	}
	args := []string{"-c", plainScript, "sh"}
	for _, a := range spec.Argv {
		args = append(args, names.host(a))
	}
	cmd := exec.Command(sh, args...)
	cmd.Env = []string{"HOME=" + filepath.Join(dir, "home")}
	for _, kv := range spec.Env {
		cmd.Env = append(cmd.Env, names.host(kv))
	}
	cmd.Dir = names.host(TreeAt)
	if spec.Dir != "" {
		cmd.Dir = names.host(spec.Dir)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	r := &running{lim: lim, group: cg, cgroups: &p.cgroups, cmd: cmd}
	res, err := r.superviseOnThread(ctx, &spec, nil)
	if gone := cg.remove(); err == nil && gone != nil {
		err = gone
	}
	if err == nil && keep.dir != "" && (res.Stopped == Exited || res.Stopped == Signaled) {
		if err = copyChanges(dir, laid, keep.dir); err == nil {
			err = keep.commit(true)
		}
	}
	return res, err
}

// layPlain writes the tree, its layers and the extra files below dir and
// returns where each path of the box lies on the host, and the tree with its layers.
func layPlain(dir string, spec *Spec) (names prefixes, laid *tree.Tree, err error) {
	work := filepath.Join(dir, "work")
	for _, d := range []string{work, filepath.Join(dir, "home")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, nil, err
		}
	}
	t := spec.Tree
	if t == nil {
		if t, err = tree.FromFiles(nil); err != nil {
			return nil, nil, err
		}
	}
	files := map[string]*tree.File{}
	for _, layer := range append(append([]string(nil), spec.Layers...), spec.Upper) {
		if layer == "" {
			continue
		}
		lt, err := tree.FromDir(layer, nil)
		if errors.Is(err, os.ErrNotExist) && layer == spec.Upper {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		for _, p := range lt.Paths() {
			data, err := lt.Read(p)
			if err != nil {
				return nil, nil, err
			}
			files[p] = &tree.File{Kind: lt.Kind(p), Data: data}
		}
	}
	for p, f := range t.Changes() {
		files[p] = f
	}
	laid, err = t.With(files)
	if err != nil {
		return nil, nil, err
	}
	if err := laid.WriteTo(work); err != nil {
		return nil, nil, err
	}
	names = prefixes{{TreeAt, work}}
	for _, b := range spec.Binds {
		names = append(names, prefix{b.Inside, b.Host})
	}
	for i, p := range sortedPaths(spec.Extra) {
		at := filepath.Join(dir, "extra", strconv.Itoa(i), filepath.Base(p))
		if f := spec.Extra[p]; f != nil {
			if err := writeFile(at, f); err != nil {
				return nil, nil, err
			}
			names = append(names, prefix{p, at})
		}
	}
	sort.SliceStable(names, func(i, j int) bool { return len(names[i].inside) > len(names[j].inside) })
	return names, laid, nil
}

// copyChanges copies beside upper the files that upper had and those that are not what was laid
// out, whatever their times say: the clock of files is coarse, and a copy may keep an older time.
func copyChanges(dir string, laid *tree.Tree, upper string) error {
	had, err := tree.FromDir(upper, nil)
	if errors.Is(err, os.ErrNotExist) {
		had, err = tree.FromFiles(nil)
	}
	if err != nil {
		return err
	}
	t, err := tree.FromDir(filepath.Join(dir, "work"), nil)
	if err != nil {
		return err
	}
	for _, p := range t.Paths() {
		data, err := t.Read(p)
		if err != nil {
			return err
		}
		if !had.Has(p) && laid.Has(p) && laid.Kind(p) == t.Kind(p) {
			was, err := laid.Read(p)
			if err != nil {
				return err
			}
			if bytes.Equal(data, was) {
				continue
			}
		}
		if err := writeFile(filepath.Join(upper+".part", filepath.FromSlash(p)), &tree.File{Kind: t.Kind(p), Data: data}); err != nil {
			return err
		}
	}
	return nil
}

type prefix struct{ inside, host string }

// prefixes are sorted, longest first.
type prefixes []prefix

// host puts host paths in place of the box's paths in s, where nothing that
// belongs to a path stands before and no further letter of the name after.
func (ps prefixes) host(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		begins := i == 0 || s[i-1] != '/' && !inName(s[i-1])
		matched := false
		for _, p := range ps {
			rest, ok := strings.CutPrefix(s[i:], p.inside)
			if begins && ok && (rest == "" || !inName(rest[0])) {
				b.WriteString(p.host)
				i += len(p.inside)
				matched = true
				break
			}
		}
		if !matched {
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

func inName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-.+~", c) >= 0 || c >= 0x80
}

// Layers implements Sandbox: nothing but the control groups protects.
func (p *plain) Layers() []Layer {
	return append([]Layer{{"isolation", false, "switched off by --sandbox none: what runs can read, write and send whatever you can"}}, p.cgroups.layers()...)
}
