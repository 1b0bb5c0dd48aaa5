package builtin

import (
	"slices"
	"strings"

	"breakfix/internal/policy"
	"breakfix/internal/tree"
)

// function is one to damage, as a text of its own and where it stands.
type function struct {
	path       string
	text       []byte // without the indentation that it has in its file
	indent     string
	file       []byte // nil: it is looked at alone
	start, end int    // bytes of it in the file
}

// Limits of what is learned from.
const (
	mostAround            = 1 << 16 // bytes of a file that is looked at as a whole
	leastLines, mostLines = 3, 60   // of a function
)

// functionsOf lists the functions of a file that may be learned from. What is held out is
// not there, neither as one of them nor around them.
func functionsOf(t policy.Text) []function {
	src := withoutHeldOut(t)
	root := parse(t.Path, src)
	if root == nil {
		return nil
	}
	var out []function
	root.walk(func(n *node) bool {
		if n.kind != "function_definition" {
			return true
		}
		if lines := n.last - n.row + 1; lines >= leastLines && lines <= mostLines {
			f := function{path: t.Path, indent: indentAt(src, n.start), start: n.start, end: n.end}
			f.text = outdent(src[n.start:n.end], f.indent)
			if len(src) <= mostAround {
				f.file = src
				if !same(f.within(f.text), src) { // a string has lines that are indented less
					f.file = nil
				}
			}
			out = append(out, f)
		}
		return true
	})
	return out
}

// withoutHeldOut is a file with pass in the place of the functions that are held out: those
// that it is told of, and those that weights are judged by.
func withoutHeldOut(t policy.Text) []byte {
	root := parse(t.Path, t.Source)
	if root == nil {
		return t.Source
	}
	var cuts []tree.Edit
	root.walk(func(n *node) bool {
		if n.kind != "function_definition" {
			return true
		}
		held := slices.ContainsFunc(t.HeldOut, func(lines [2]int) bool { return lines[0] <= n.row && n.last <= lines[1] })
		if !held && !heldOut[digestOfFunction(t.Source, n)] {
			return true
		}
		if n.parent.kind == "decorated_definition" {
			n = n.parent
		}
		cuts = append(cuts, tree.Edit{Start: n.start, End: n.end, New: "pass"})
		return false
	})
	src, err := tree.ApplyEdits(t.Source, cuts)
	if err != nil { // then nothing of it is learned from
		return nil
	}
	return src
}

func outdent(text []byte, indent string) []byte {
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

// within puts another text in the place of the function in its file.
func (f *function) within(text []byte) []byte {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i := range lines {
		if i > 0 && lines[i] != "" {
			lines[i] = f.indent + lines[i]
		}
	}
	return slices.Concat(f.file[:f.start], []byte(strings.Join(lines, "\n")), f.file[f.end:])
}
