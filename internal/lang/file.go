package lang

import (
	"sort"
	"sync"
)

// File is the syntax of one source file. It is immutable and holds nothing
// outside Go's memory, so that it need not be closed.
type File struct {
	Source   []byte
	Root     *Node
	HasError bool // some part does not parse; sites in such a file are not to be trusted

	starts []int // offset of the first byte of each line
	once   sync.Once
	memo   any
}

// Node is a node of the concrete syntax tree. Kinds and fields are those of
// the language's tree-sitter grammar.
type Node struct {
	Kind       string
	Field      string // the name of its role in the parent, often ""
	Named      bool   // false: a keyword or punctuation
	Start, End int    // bytes
	Parent     *Node
	Children   []*Node
	index      int
}

// Text returns the source text of n, "" for a nil node.
func (f *File) Text(n *Node) string {
	if n == nil {
		return ""
	}
	return string(f.Source[n.Start:n.End])
}

// Line returns the 1-based line of the byte at offset.
func (f *File) Line(offset int) int {
	return sort.Search(len(f.starts), func(i int) bool { return f.starts[i] > offset })
}

// Lines returns the number of lines; a file that ends with a newline has none
// after it.
func (f *File) Lines() int {
	if n := len(f.starts); n > 1 && f.starts[n-1] == len(f.Source) {
		return n - 1
	}
	return len(f.starts)
}

// LineStart returns the offset of the first byte of a 1-based line; the end of
// the file for a line after the last.
func (f *File) LineStart(line int) int {
	switch {
	case line < 1:
		return 0
	case line > len(f.starts):
		return len(f.Source)
	}
	return f.starts[line-1]
}

// Span returns the bytes [start, end) of the 1-based lines first to last, the
// newline of the last one included.
func (f *File) Span(first, last int) (start, end int) {
	return f.LineStart(first), f.LineStart(last + 1)
}

// LastLine returns the 1-based line of the last byte of [start, end).
func (f *File) LastLine(start, end int) int {
	if end > start {
		end--
	}
	return f.Line(end)
}

// Memo returns what make returned on the first call: the analysis of the file
// by its language, made once.
func (f *File) Memo(make func() any) any {
	f.once.Do(func() { f.memo = make() })
	return f.memo
}

func (f *File) index() {
	f.starts = []int{0}
	for i, c := range f.Source {
		if c == '\n' {
			f.starts = append(f.starts, i+1)
		}
	}
}

// Child returns the first child with that field, nil when there is none.
func (n *Node) Child(field string) *Node {
	if n == nil {
		return nil
	}
	for _, c := range n.Children {
		if c.Field == field {
			return c
		}
	}
	return nil
}

// ChildrenOf returns the children with that field.
func (n *Node) ChildrenOf(field string) []*Node {
	var cs []*Node
	for _, c := range n.Children {
		if c.Field == field {
			cs = append(cs, c)
		}
	}
	return cs
}

// NamedChildren returns the named children that are not comments.
func (n *Node) NamedChildren() []*Node {
	var cs []*Node
	for _, c := range n.Children {
		if c.Named && c.Kind != "comment" {
			cs = append(cs, c)
		}
	}
	return cs
}

// First returns the first child of that kind, nil when there is none.
func (n *Node) First(kind string) *Node {
	for _, c := range n.Children {
		if c.Kind == kind {
			return c
		}
	}
	return nil
}

// Next returns the sibling after n, comments and tokens included, nil at the end.
func (n *Node) Next() *Node {
	if n.Parent == nil || n.index+1 >= len(n.Parent.Children) {
		return nil
	}
	return n.Parent.Children[n.index+1]
}

// Prev returns the sibling before n, comments and tokens included, nil at the start.
func (n *Node) Prev() *Node {
	if n.Parent == nil || n.index == 0 {
		return nil
	}
	return n.Parent.Children[n.index-1]
}

// Ancestor returns the nearest node above n of one of the kinds, nil if none.
func (n *Node) Ancestor(kinds ...string) *Node {
	for p := n.Parent; p != nil; p = p.Parent {
		for _, k := range kinds {
			if p.Kind == k {
				return p
			}
		}
	}
	return nil
}

// Is reports whether n is of one of the kinds; a nil node is of none.
func (n *Node) Is(kinds ...string) bool {
	if n == nil {
		return false
	}
	for _, k := range kinds {
		if n.Kind == k {
			return true
		}
	}
	return false
}

// Walk calls visit for n and what is below it, parents first, in the order of
// the source. Below a node for which visit returns false it does not go.
func (n *Node) Walk(visit func(*Node) bool) {
	if !visit(n) {
		return
	}
	for _, c := range n.Children {
		c.Walk(visit)
	}
}

// At returns the smallest named node that covers the bytes [start, end).
func (n *Node) At(start, end int) *Node {
	for {
		var in *Node
		for _, c := range n.Children {
			if c.Named && c.Start <= start && end <= c.End && (start < c.End || start == end) {
				in = c
				break
			}
		}
		if in == nil {
			return n
		}
		n = in
	}
}
