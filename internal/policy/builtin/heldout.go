package builtin

import (
	_ "embed"
	"strings"

	"breakfix/internal/tree"
)

// heldOutList names functions that weights are judged by and never taught on:
// a line a function, FunctionDigest of it, right or broken.
//
//go:embed weights/heldout.txt
var heldOutList string

var heldOut = func() map[tree.Digest]bool {
	m := map[tree.Digest]bool{}
	for _, line := range strings.Fields(heldOutList) {
		m[tree.Digest(line)] = true
	}
	return m
}()

// FunctionDigest names the first function of a Python text by its tokens, so
// that layout, comments and the docstring do not count; "" where there is none.
func FunctionDigest(text []byte) tree.Digest {
	root := parse("f.py", text)
	if root == nil {
		return ""
	}
	var digest tree.Digest
	root.walk(func(n *node) bool {
		if n.kind != "function_definition" || digest != "" {
			return digest == ""
		}
		digest = digestOfFunction(text, n)
		return false
	})
	return digest
}

func digestOfFunction(src []byte, f *node) tree.Digest {
	var doc *node
	if b := f.child("body"); b != nil {
		if ps := b.parts(); len(ps) > 0 && docstring(ps[0]) {
			doc = ps[0]
		}
	}
	var b strings.Builder
	for _, l := range leavesOf(src, f, nil, nil) {
		if doc == nil || l.start < doc.start || l.end > doc.end {
			b.WriteString(l.text)
			b.WriteByte('\n')
		}
	}
	return tree.DigestOf([]byte(b.String()))
}
