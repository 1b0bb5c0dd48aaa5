// Package tree holds file trees: immutable sets of files with a content
// digest, overlays of changed files, byte-exact edits and unified diffs. It
// never runs anything and never follows a link out of a tree.
package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// Digest is the lower-case hex SHA-256 of some content.
type Digest string

// Short returns the first twelve digits, enough to name a thing to a person.
func (d Digest) Short() string {
	if len(d) < 12 {
		return string(d)
	}
	return string(d[:12])
}

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest {
	s := sha256.Sum256(b)
	return Digest(hex.EncodeToString(s[:]))
}

// Kind tells what an entry of a tree is.
type Kind byte

// The kinds of entries. Nothing else (devices, pipes, sockets) enters a tree.
const (
	Regular    Kind = 'f'
	Executable Kind = 'x'
	Link       Kind = 'l' // Data is the link's target
)

// File is one file with its content.
type File struct {
	Kind Kind
	Data []byte
}

// Text makes a regular file of s.
func Text(s string) *File { return &File{Kind: Regular, Data: []byte(s)} }

type entry struct {
	kind   Kind
	digest Digest
	size   int64
	data   []byte // nil when the content is on disk
}

// Tree is an immutable set of files. A tree may rest on a folder (its files
// are then read on demand and must not change) and carries later changes in
// memory. The zero value is not usable; make one with FromDir or FromFiles.
type Tree struct {
	dir     string // "" when everything is in memory
	base    map[string]entry
	changed map[string]*entry // nil entry: removed
	once    sync.Once
	digest  Digest
}

// ErrUnsafePath is wrapped by errors about paths that leave the tree.
var ErrUnsafePath = errors.New("path leaves the tree")

// CheckPath returns an error unless p is a clean, relative, slash-separated
// path that stays inside a tree and does not enter version-control data.
func CheckPath(p string) error {
	if p == "" || p == "." || strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\x00\\") || path.Clean(p) != p || p == ".." || strings.HasPrefix(p, "../") {
		return fmt.Errorf("%q: %w", p, ErrUnsafePath)
	}
	if p == ".git" || strings.HasPrefix(p, ".git/") {
		return fmt.Errorf("%q is version-control data: %w", p, ErrUnsafePath)
	}
	return nil
}

// FromFiles makes a tree of files in memory. Keys are slash-separated paths.
func FromFiles(files map[string]*File) (*Tree, error) {
	t := &Tree{base: map[string]entry{}}
	for p, f := range files {
		if err := CheckPath(p); err != nil {
			return nil, err
		}
		t.base[p] = entry{kind: f.Kind, digest: DigestOf(f.Data), size: int64(len(f.Data)), data: nonNil(f.Data)}
	}
	return t, nil
}

// FromDir makes a tree of the regular files and links below dir. Folders for
// which skip returns true (given their slash-separated path) are left out, as
// are devices, pipes and sockets. The folder must not change afterwards.
func FromDir(dir string, skip func(path string, dir bool) bool) (*Tree, error) {
	t := &Tree{dir: dir, base: map[string]entry{}}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil || rel == "." {
			return err
		}
		p := filepath.ToSlash(rel)
		if skip != nil && skip(p, d.IsDir()) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		switch {
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(name)
			if err != nil {
				return err
			}
			t.base[p] = entry{kind: Link, digest: DigestOf([]byte(to)), size: int64(len(to)), data: []byte(to)}
		case d.Type().IsRegular():
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			k := Regular
			if info.Mode()&0o111 != 0 {
				k = Executable
			}
			t.base[p] = entry{kind: k, digest: DigestOf(b), size: int64(len(b))}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	return t, nil
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (t *Tree) get(p string) (entry, bool) {
	if e, ok := t.changed[p]; ok {
		if e == nil {
			return entry{}, false
		}
		return *e, true
	}
	e, ok := t.base[p]
	return e, ok
}

// Dir returns the folder that the tree rests on, "" when there is none.
func (t *Tree) Dir() string { return t.dir }

// Paths returns every path, sorted.
func (t *Tree) Paths() []string {
	paths := make([]string, 0, len(t.base))
	for p := range t.base {
		if e, ok := t.changed[p]; !ok || e != nil {
			paths = append(paths, p)
		}
	}
	for p, e := range t.changed {
		if _, ok := t.base[p]; !ok && e != nil {
			paths = append(paths, p)
		}
	}
	sort.Strings(paths)
	return paths
}

// Has reports whether the tree has a file at p.
func (t *Tree) Has(p string) bool { _, ok := t.get(p); return ok }

// Kind returns the kind of the file at p, 0 when there is none.
func (t *Tree) Kind(p string) Kind { e, _ := t.get(p); return e.kind }

// Size returns the size in bytes of the file at p, 0 when there is none.
func (t *Tree) Size(p string) int64 { e, _ := t.get(p); return e.size }

// FileDigest returns the digest of the content at p, "" when there is none.
func (t *Tree) FileDigest(p string) Digest { e, _ := t.get(p); return e.digest }

// Read returns the content of the file at p. The caller must not change it.
// The error is fs.ErrNotExist when the tree has no such file; a file on disk
// that no longer has its digest is an error too.
func (t *Tree) Read(p string) ([]byte, error) {
	e, ok := t.get(p)
	if !ok {
		return nil, fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	if e.data != nil {
		return e.data, nil
	}
	b, err := os.ReadFile(filepath.Join(t.dir, filepath.FromSlash(p)))
	if err != nil {
		return nil, err
	}
	if DigestOf(b) != e.digest {
		return nil, fmt.Errorf("%s changed on disk under a running breakfix", p)
	}
	return b, nil
}

// Digest returns the content digest of the tree: the SHA-256 over one line
// "kind digest path" for each file in path order.
func (t *Tree) Digest() Digest {
	t.once.Do(func() {
		h := sha256.New()
		for _, p := range t.Paths() {
			e, _ := t.get(p)
			fmt.Fprintf(h, "%c %s %s\n", e.kind, e.digest, p)
		}
		t.digest = Digest(hex.EncodeToString(h.Sum(nil)))
	})
	return t.digest
}

// With returns a tree in which the given files are replaced or added, and
// those with a nil value removed. The receiver is unchanged.
func (t *Tree) With(files map[string]*File) (*Tree, error) {
	n := &Tree{dir: t.dir, base: t.base, changed: make(map[string]*entry, len(t.changed)+len(files))}
	for p, e := range t.changed {
		n.changed[p] = e
	}
	for p, f := range files {
		if err := CheckPath(p); err != nil {
			return nil, err
		}
		if f == nil {
			if _, ok := t.base[p]; ok {
				n.changed[p] = nil
			} else {
				delete(n.changed, p)
			}
			continue
		}
		e := &entry{kind: f.Kind, digest: DigestOf(f.Data), size: int64(len(f.Data)), data: nonNil(f.Data)}
		if b, ok := t.base[p]; ok && b.kind == e.kind && b.digest == e.digest {
			delete(n.changed, p)
			continue
		}
		n.changed[p] = e
	}
	return n, nil
}

// Changes returns what With has changed since FromDir or FromFiles: path to
// content, nil for a removed file. What a sandbox lays over the folder Dir.
func (t *Tree) Changes() map[string]*File {
	c := make(map[string]*File, len(t.changed))
	for p, e := range t.changed {
		if e == nil {
			c[p] = nil
			continue
		}
		c[p] = &File{Kind: e.kind, Data: e.data}
	}
	return c
}

// Differ returns the paths at which a and b differ, sorted.
func Differ(a, b *Tree) []string {
	var paths []string
	for _, p := range a.Paths() {
		ea, _ := a.get(p)
		eb, ok := b.get(p)
		if !ok || ea.kind != eb.kind || ea.digest != eb.digest {
			paths = append(paths, p)
		}
	}
	for _, p := range b.Paths() {
		if !a.Has(p) {
			paths = append(paths, p)
		}
	}
	sort.Strings(paths)
	return paths
}

// WriteTo writes the files of the tree below dir, which must not hold any of
// them yet.
func (t *Tree) WriteTo(dir string) error {
	for _, p := range t.Paths() {
		e, _ := t.get(p)
		name := filepath.Join(dir, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		b, err := t.Read(p)
		if err != nil {
			return err
		}
		switch e.kind {
		case Link:
			err = os.Symlink(string(b), name)
		case Executable:
			err = os.WriteFile(name, b, 0o755)
		default:
			err = os.WriteFile(name, b, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
