package tree

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Limits of what counts as a patch. Far above what a person or a model writes
// by hand, and low enough that a hostile patch costs nothing.
const (
	MaxPatch = 16 << 20 // bytes of a patch
	MaxLine  = 1 << 20  // bytes of one of its lines
)

// Diff returns the change from a to b as a git-style unified diff, files in
// path order, three lines of context: what Apply and `git apply` accept. It is
// empty when the trees are equal. A link that differs, a file that changes its
// kind and a file that is not text (it has a NUL byte) are errors, as is a diff
// over MaxPatch or with a line over MaxLine.
func Diff(a, b *Tree) ([]byte, error) {
	var out bytes.Buffer
	for _, p := range Differ(a, b) {
		if err := diffFile(&out, a, b, p); err != nil {
			return nil, err
		}
		if out.Len() > MaxPatch {
			return nil, fmt.Errorf("diff: the change is over %d bytes at %s", MaxPatch, p)
		}
	}
	return out.Bytes(), nil
}

func diffFile(out *bytes.Buffer, a, b *Tree, p string) error {
	ka, kb := a.Kind(p), b.Kind(p)
	if ka == Link || kb == Link {
		return fmt.Errorf("diff: %s is a link, and a patch changes only text files", p)
	}
	if ka != 0 && kb != 0 && ka != kb {
		return fmt.Errorf("diff: the mode of %s changes, and a patch changes only text", p)
	}
	var old, new []byte
	var err error
	if ka != 0 {
		if old, err = a.Read(p); err != nil {
			return fmt.Errorf("diff: %w", err)
		}
	}
	if kb != 0 {
		if new, err = b.Read(p); err != nil {
			return fmt.Errorf("diff: %w", err)
		}
	}
	for _, side := range [][]byte{old, new} {
		if bytes.IndexByte(side, 0) >= 0 {
			return fmt.Errorf("diff: %s is not text: it has a NUL byte", p)
		}
		if n := longestLine(side); n > MaxLine {
			return fmt.Errorf("diff: %s has a line of %d bytes, over the limit of %d", p, n, MaxLine)
		}
	}
	from, to := quotePath("a/"+p), quotePath("b/"+p)
	fmt.Fprintf(out, "diff --git %s %s\n", from, to)
	switch {
	case ka == 0:
		fmt.Fprintf(out, "new file mode %s\n", gitMode(kb))
		from = devNull
	case kb == 0:
		fmt.Fprintf(out, "deleted file mode %s\n", gitMode(ka))
		to = devNull
	}
	if len(old) == 0 && len(new) == 0 {
		return nil // an empty file: git writes no hunk either
	}
	before, after := string(old), string(new)
	body, err := udiff.ToUnified(headerName(from), headerName(to), before, udiff.Lines(before, after), udiff.DefaultContextLines)
	if err != nil {
		return fmt.Errorf("diff: %s: %w", p, err)
	}
	out.WriteString(body)
	return nil
}

const devNull = "/dev/null"

func gitMode(k Kind) string {
	if k == Executable {
		return "100755"
	}
	return "100644"
}

// headerName is the name as the --- and +++ lines have it: git ends one that
// holds a space with a tab, or readers would take what follows for a date.
func headerName(quoted string) string {
	if strings.Contains(quoted, " ") && !strings.HasPrefix(quoted, `"`) {
		return quoted + "\t"
	}
	return quoted
}

// quotePath writes a name as git does: in C quotes when it has control
// characters or quotes. Other bytes stay as they are (core.quotePath=false).
func quotePath(p string) string {
	plain := true
	for i := 0; i < len(p); i++ {
		if p[i] < 0x20 || p[i] == 0x7f || p[i] == '"' {
			plain = false
		}
	}
	if plain {
		return p
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"':
			b.WriteString(`\"`)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func longestLine(b []byte) int {
	longest := 0
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			n = len(b) - 1
		}
		longest = max(longest, n+1)
		b = b[n+1:]
	}
	return longest
}
