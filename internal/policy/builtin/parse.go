package builtin

import (
	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// parse returns the syntax of a file, nil when no language knows it or it
// does not parse.
func parse(path string, src []byte) *node {
	l, ok := lang.ForPath(path)
	if !ok {
		return nil
	}
	f, err := lang.Parsed(l, src)
	if err != nil || f.HasError {
		return nil
	}
	return convert(f, f.Root, nil, 0)
}

func convert(f *lang.File, n *lang.Node, parent *node, index int) *node {
	c := &node{kind: n.Kind, field: n.Field, named: n.Named, start: n.Start, end: n.End,
		row: f.Line(n.Start), last: f.LastLine(n.Start, n.End), parent: parent, index: index}
	c.kids = make([]*node, 0, len(n.Children))
	for i, k := range n.Children {
		c.kids = append(c.kids, convert(f, k, c, i))
	}
	return c
}

// checker returns a function that tells whether the file still parses after
// edits, and one that frees what it holds.
func checker(path string, src []byte) (parses func([]tree.Edit) bool, free func(), err error) {
	l, ok := lang.ForPath(path)
	if !ok {
		return func([]tree.Edit) bool { return false }, func() {}, nil
	}
	f, err := lang.Parsed(l, src)
	if err != nil {
		return nil, nil, err
	}
	c, err := l.Checker(f)
	if err != nil {
		return nil, nil, err
	}
	return c.Parses, c.Close, nil
}

// unbinds reports whether edits have a name read where nothing has bound it.
func unbinds(path string, src []byte, edits []tree.Edit) (bool, error) {
	l, ok := lang.ForPath(path)
	if !ok {
		return false, nil
	}
	f, err := lang.Parsed(l, src)
	if err != nil {
		return false, err
	}
	return l.Unbinds(f, edits), nil
}

// unbound lists the names of a file that are read where nothing has bound them.
func unbound(path string, src []byte) []string {
	l, ok := lang.ForPath(path)
	if !ok {
		return nil
	}
	f, err := lang.Parsed(l, src)
	if err != nil {
		return nil
	}
	return l.Unbound(f)
}
