package lang

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"time"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/tree"
)

// Limits of what is parsed. No file that a person wrote comes near them.
const (
	MaxSource = 1 << 20 // bytes of a file
	MaxParse  = 2 * time.Second
	maxDepth  = 2000 // nesting; the tree is walked recursively
)

// Errors of Parse that callers may skip a file for.
var (
	ErrTooLarge = errors.New("file is too large to parse")
	ErrTooSlow  = errors.New("file takes too long to parse")
)

// Grammar is a tree-sitter grammar, made ready for Go.
type Grammar struct {
	language *sitter.Language
	kinds    []string
	fields   []string
}

// NewGrammar makes a Grammar of a tree-sitter language.
func NewGrammar(l *sitter.Language) *Grammar {
	g := &Grammar{language: l}
	for i := range l.NodeKindCount() {
		g.kinds = append(g.kinds, l.NodeKindForId(uint16(i)))
	}
	for i := range l.FieldCount() + 1 {
		g.fields = append(g.fields, l.FieldNameForId(uint16(i)))
	}
	return g
}

func (g *Grammar) parser() (*sitter.Parser, error) {
	p := sitter.NewParser()
	if err := p.SetLanguage(g.language); err != nil {
		p.Close()
		return nil, fmt.Errorf("load grammar: %w", err)
	}
	p.SetTimeoutMicros(uint64(MaxParse.Microseconds()))
	return p, nil
}

func (g *Grammar) parse(p *sitter.Parser, src []byte, old *sitter.Tree) (*sitter.Tree, error) {
	if len(src) > MaxSource {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, len(src), MaxSource)
	}
	t := p.Parse(src, old)
	if t == nil {
		p.Reset()
		return nil, fmt.Errorf("%w: the limit is %s", ErrTooSlow, MaxParse)
	}
	return t, nil
}

// Parse parses src within the limits and copies the tree into Go's memory.
func (g *Grammar) Parse(src []byte) (*File, error) {
	p, err := g.parser()
	if err != nil {
		return nil, err
	}
	defer freed(len(src))
	defer p.Close()
	t, err := g.parse(p, src, nil)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	f := &File{Source: src, HasError: t.RootNode().HasError()}
	f.index()
	c := t.Walk()
	defer c.Close()
	var open []*Node
	f.Root, err = g.copy(c, nil, 0, &open)
	return f, err
}

// copy keeps the children of a node that is not yet complete at the end of open: a list that
// grows by itself ends up with a third of it empty.
func (g *Grammar) copy(c *sitter.TreeCursor, parent *Node, depth int, open *[]*Node) (*Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: it is nested over %d deep", ErrTooLarge, maxDepth)
	}
	at := c.Node()
	start, end := at.ByteRange()
	n := &Node{Kind: g.kind(at), Named: at.IsNamed(), Start: int(start), End: int(end), Parent: parent}
	if id := c.FieldId(); int(id) < len(g.fields) {
		n.Field = g.fields[id]
	}
	if !c.GotoFirstChild() {
		return n, nil
	}
	from := len(*open)
	for {
		child, err := g.copy(c, n, depth+1, open)
		if err != nil {
			return nil, err
		}
		child.index = len(*open) - from
		*open = append(*open, child)
		if !c.GotoNextSibling() {
			break
		}
	}
	n.Children = append(make([]*Node, 0, len(*open)-from), (*open)[from:]...)
	*open = (*open)[:from]
	c.GotoParent()
	return n, nil
}

func (g *Grammar) kind(n *sitter.Node) string {
	if id := n.KindId(); int(id) < len(g.kinds) {
		return g.kinds[id]
	}
	return n.Kind() // the two kinds of errors have ids of their own
}

// Chunk is a run of whole lines that parses by itself behind Head, whatever is
// around it: a statement at the top of a file, or a member of a class.
type Chunk struct {
	Start, End int
	Head       string
}

// Checker tells whether edits of one file leave it parsing. Edits inside one
// chunk are parsed in that chunk alone; for others, and before it says no, it
// parses the whole file, incrementally. It is not safe for concurrent use;
// close it.
type Checker struct {
	g      *Grammar
	parser *sitter.Parser
	tree   *sitter.Tree // nil until it is needed
	file   *File
	chunks []Chunk
}

// Checker returns a Checker of f, which must have been parsed by g. The chunks
// are sorted and do not overlap; there may be none.
func (g *Grammar) Checker(f *File, chunks []Chunk) (*Checker, error) {
	p, err := g.parser()
	if err != nil {
		return nil, err
	}
	return &Checker{g: g, parser: p, file: f, chunks: chunks}, nil
}

// Close frees the checker.
func (c *Checker) Close() {
	if c.tree != nil {
		c.tree.Close()
	}
	c.parser.Close()
}

// Parses reports whether the file parses without error after the edits.
func (c *Checker) Parses(edits []tree.Edit) bool {
	return c.chunkParses(edits) || c.fileParses(edits)
}

func (c *Checker) chunkParses(edits []tree.Edit) bool {
	if len(edits) == 0 {
		return !c.file.HasError
	}
	_, text, ok := Edited(c.file, c.chunks, edits)
	if !ok {
		return false
	}
	t, err := c.g.parse(c.parser, text, nil)
	if err != nil {
		return false
	}
	defer t.Close()
	return !t.RootNode().HasError()
}

// Edited returns the chunk that all edits are in, as it is and as they leave it, each behind
// its head; false where they are not in one, or move it to another level than its neighbours.
func Edited(f *File, chunks []Chunk, edits []tree.Edit) (before, after []byte, ok bool) {
	if len(edits) == 0 {
		return nil, nil, false
	}
	i := sort.Search(len(chunks), func(i int) bool { return chunks[i].Start > edits[0].Start }) - 1
	if i < 0 {
		return nil, nil, false
	}
	k := chunks[i]
	moved := make([]tree.Edit, len(edits))
	for j, e := range edits {
		if e.Start < k.Start || e.End > k.End || e.Start == k.End {
			return nil, nil, false
		}
		moved[j] = tree.Edit{Start: e.Start - k.Start, End: e.End - k.Start, New: e.New}
	}
	old := f.Source[k.Start:k.End]
	text, err := tree.ApplyEdits(old, moved)
	if err != nil || !bytes.Equal(indent(old), indent(text)) {
		return nil, nil, false
	}
	return append([]byte(k.Head), old...), append([]byte(k.Head), text...), true
}

func indent(b []byte) []byte { return b[:len(b)-len(bytes.TrimLeft(b, " \t\f"))] }

func (c *Checker) fileParses(edits []tree.Edit) bool {
	src, err := tree.ApplyEdits(c.file.Source, edits)
	if err != nil {
		return false
	}
	if c.tree == nil {
		if c.tree, err = c.g.parse(c.parser, c.file.Source, nil); err != nil {
			return false
		}
	}
	old := c.tree.Clone()
	defer old.Close()
	// From the last edit to the first, so that the offsets of each are still
	// those of the original when it is told.
	es := append([]tree.Edit(nil), edits...)
	sort.SliceStable(es, func(i, j int) bool { return es[i].Start > es[j].Start })
	for _, e := range es {
		start, end := c.point(e.Start), c.point(e.End)
		old.Edit(&sitter.InputEdit{
			StartByte: uint(e.Start), OldEndByte: uint(e.End), NewEndByte: uint(e.Start + len(e.New)),
			StartPosition: start, OldEndPosition: end, NewEndPosition: after(start, e.New),
		})
	}
	t, err := c.g.parse(c.parser, src, old)
	if err != nil {
		return false
	}
	defer t.Close()
	return !t.RootNode().HasError()
}

func (c *Checker) point(offset int) sitter.Point {
	line := c.file.Line(offset)
	return sitter.NewPoint(uint(line-1), uint(offset-c.file.LineStart(line)))
}

func after(p sitter.Point, s string) sitter.Point {
	for i := 0; i < len(s); i++ {
		if s[i] == '\n' {
			p.Row++
			p.Column = 0
		} else {
			p.Column++
		}
	}
	return p
}
