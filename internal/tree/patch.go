package tree

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// Hunk is one hunk of a patch.
type Hunk struct {
	Path  string
	Patch []byte // this hunk alone, which applies to the tree that the whole patch applies to

	// Where it lies, as its header says: 1-based first line and number of lines
	// (context included) before and after the whole patch. All zero for the
	// creation or removal of an empty file.
	OldStart, OldLines int
	NewStart, NewLines int
}

// Apply returns t with the patch applied. It is strict: text only, no rename,
// copy, link or change of mode, no path that leaves the tree or touches
// version-control data, context and line numbers that match exactly, sizes
// within MaxPatch and MaxLine. An empty patch changes nothing.
func Apply(t *Tree, patch []byte) (*Tree, error) {
	files, err := parsePatch(patch)
	if err != nil {
		return nil, err
	}
	return applyFiles(t, files)
}

// Hunks returns the hunks of a patch in the order in which they are written.
func Hunks(patch []byte) ([]Hunk, error) {
	files, err := parsePatch(patch)
	if err != nil {
		return nil, err
	}
	var hunks []Hunk
	for _, f := range files {
		if len(f.TextFragments) == 0 {
			hunks = append(hunks, Hunk{Path: f.path(), Patch: f.format(nil)})
		}
		for _, frag := range f.TextFragments {
			hunks = append(hunks, Hunk{
				Path: f.path(), Patch: f.format(frag),
				OldStart: int(frag.OldPosition), OldLines: int(frag.OldLines),
				NewStart: int(frag.NewPosition), NewLines: int(frag.NewLines),
			})
		}
	}
	return hunks, nil
}

// Without returns base with every hunk of the patch applied but those whose
// index, as Hunks counts them, is in drop.
func Without(base *Tree, patch []byte, drop []int) (*Tree, error) {
	files, err := parsePatch(patch)
	if err != nil {
		return nil, err
	}
	out := map[int]bool{}
	for _, i := range drop {
		out[i] = true
	}
	var kept []*patchFile
	n := 0
	for _, f := range files {
		if len(f.TextFragments) == 0 {
			if !out[n] {
				kept = append(kept, f)
			}
			n++
			continue
		}
		var frags []*gitdiff.TextFragment
		for _, frag := range f.TextFragments {
			if !out[n] {
				frags = append(frags, frag)
			}
			n++
		}
		if len(frags) > 0 {
			g := *f.File
			g.TextFragments = frags
			kept = append(kept, &patchFile{File: &g})
		}
	}
	for _, i := range drop {
		if i < 0 || i >= n {
			return nil, fmt.Errorf("patch: it has %d hunks, so hunk %d cannot be left out", n, i)
		}
	}
	return applyFiles(base, kept)
}

type patchFile struct{ *gitdiff.File }

func (f *patchFile) path() string {
	if f.IsDelete {
		return f.OldName
	}
	return f.NewName
}

func (f *patchFile) kind() Kind {
	if f.IsNew && f.NewMode&0o111 != 0 || f.IsDelete && f.OldMode&0o111 != 0 {
		return Executable
	}
	return Regular
}

// format writes the file's header and one hunk. The new side starts where the
// old side does, because no other hunk shifts it.
func (f *patchFile) format(frag *gitdiff.TextFragment) []byte {
	var b bytes.Buffer
	from, to := quotePath("a/"+f.path()), quotePath("b/"+f.path())
	fmt.Fprintf(&b, "diff --git %s %s\n", from, to)
	switch {
	case f.IsNew:
		fmt.Fprintf(&b, "new file mode %s\n", gitMode(f.kind()))
		from = devNull
	case f.IsDelete:
		fmt.Fprintf(&b, "deleted file mode %s\n", gitMode(f.kind()))
		to = devNull
	}
	if frag == nil {
		return b.Bytes()
	}
	start := frag.OldPosition
	switch {
	case frag.NewLines == 0 && frag.NewPosition == 0:
		start = 0
	case start == 0:
		start = 1
	}
	fmt.Fprintf(&b, "--- %s\n+++ %s\n@@ -%d,%d +%d,%d @@\n", headerName(from), headerName(to), frag.OldPosition, frag.OldLines, start, frag.NewLines)
	for _, l := range frag.Lines {
		b.WriteString(l.Op.String())
		b.WriteString(l.Line)
		if l.NoEOL() {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
	return b.Bytes()
}

// parsePatch reads and checks a patch without looking at any tree.
func parsePatch(patch []byte) ([]*patchFile, error) {
	text, err := normalise(patch)
	if err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	parsed, _, err := gitdiff.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("patch: %s", strings.TrimPrefix(err.Error(), "gitdiff: "))
	}
	if len(parsed) == 0 && len(bytes.TrimSpace(patch)) > 0 {
		return nil, errors.New("patch: it changes no file; a unified diff as git writes it is wanted")
	}
	files := make([]*patchFile, 0, len(parsed))
	seen := map[string]bool{}
	for _, g := range parsed {
		f := &patchFile{File: g}
		p := f.path()
		if err := checkPatchFile(f); err != nil {
			return nil, fmt.Errorf("patch: %w", err)
		}
		if seen[p] {
			return nil, fmt.Errorf("patch: %s is changed twice; put its hunks under one header", p)
		}
		seen[p] = true
		files = append(files, f)
	}
	return files, nil
}

func checkPatchFile(f *patchFile) error {
	p := f.path()
	if err := CheckPath(p); err != nil {
		return err
	}
	for _, part := range strings.Split(p, "/") {
		if strings.EqualFold(part, ".git") {
			return fmt.Errorf("%q is version-control data: %w", p, ErrUnsafePath)
		}
	}
	if f.IsRename || f.IsCopy || !f.IsNew && !f.IsDelete && f.OldName != f.NewName {
		return fmt.Errorf("%s is renamed or copied to %s; write it as a removal and a new file", f.OldName, f.NewName)
	}
	if f.IsBinary {
		return fmt.Errorf("%s is a binary change", p)
	}
	for _, m := range []struct{ mode, plain, exec uint32 }{{uint32(f.OldMode), 0o100644, 0o100755}, {uint32(f.NewMode), 0o100644, 0o100755}} {
		if m.mode != 0 && m.mode != m.plain && m.mode != m.exec {
			return fmt.Errorf("%s has mode %o: only plain files (100644, 100755) can be changed, not links", p, m.mode)
		}
	}
	if f.IsNew && f.IsDelete {
		return fmt.Errorf("%s is both created and removed", p)
	}
	if !f.IsNew && !f.IsDelete && len(f.TextFragments) == 0 {
		return fmt.Errorf("%s has a header and no change", p)
	}
	for _, frag := range f.TextFragments {
		if frag.OldLines == 0 && frag.OldPosition != 0 {
			return fmt.Errorf("%s: the hunk at line %d has no context; make the diff with context lines", p, frag.OldPosition)
		}
	}
	return nil
}

func applyFiles(t *Tree, files []*patchFile) (*Tree, error) {
	change := map[string]*File{}
	for _, f := range files {
		p := f.path()
		switch {
		case f.IsNew && t.Has(p):
			return nil, fmt.Errorf("patch: %s is to be created and exists already", p)
		case !f.IsNew && !t.Has(p):
			return nil, fmt.Errorf("patch: %s is to be changed and does not exist", p)
		case !f.IsNew && t.Kind(p) == Link:
			return nil, fmt.Errorf("patch: %s is a link, and a patch changes only text files", p)
		}
		var src []byte
		kind := f.kind()
		if !f.IsNew {
			var err error
			if src, err = t.Read(p); err != nil {
				return nil, fmt.Errorf("patch: %w", err)
			}
			kind = t.Kind(p)
		}
		if f.IsDelete && len(f.TextFragments) == 0 && len(src) > 0 {
			return nil, fmt.Errorf("patch: %s is removed as if it were empty, and it is not", p)
		}
		var out bytes.Buffer
		if err := gitdiff.Apply(&out, bytes.NewReader(src), f.File); err != nil {
			return nil, fmt.Errorf("patch: %s does not match%s: %w", p, hunkOf(err), err)
		}
		if f.IsDelete {
			if out.Len() > 0 {
				return nil, fmt.Errorf("patch: %s is removed but not all of its lines are", p)
			}
			change[p] = nil
			continue
		}
		change[p] = &File{Kind: kind, Data: append([]byte{}, out.Bytes()...)}
	}
	n, err := t.With(change)
	if err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	// A new file may not lie below a file or a link, nor be where a folder is.
	for _, f := range files {
		if !f.IsNew {
			continue
		}
		for dir := path.Dir(f.path()); dir != "."; dir = path.Dir(dir) {
			if n.Has(dir) {
				return nil, fmt.Errorf("patch: %s would lie below %s, which is not a folder", f.path(), dir)
			}
		}
		for _, p := range n.Paths() {
			if strings.HasPrefix(p, f.path()+"/") {
				return nil, fmt.Errorf("patch: %s would replace a folder", f.path())
			}
		}
	}
	return n, nil
}

func hunkOf(err error) string {
	var at *gitdiff.ApplyError
	if errors.As(err, &at) && at.Fragment > 0 {
		return fmt.Sprintf(" at hunk %d, line %d", at.Fragment, at.Line)
	}
	return ""
}
