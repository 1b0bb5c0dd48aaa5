package testrun

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// change is how a tree differs from the snapshot, as far as running tests goes:
// which lines decide who notices it, and whether it can be put into live
// functions.
type change struct {
	files map[string]*tree.File // what differs; nil: removed
	spots []spot
	near  []near                 // of each edit
	swap  map[string][]statement // by file; nil when it is not in function bodies alone
}

// spot is one place of a change in the snapshot's code.
type spot struct {
	path        string
	first, last int  // lines of the snapshot; a test that runs none of them cannot notice
	loading     bool // it may act when the file is loaded: lines do not tell who notices
}

// statement is what the zygote's plugin swaps: some neighbouring statements of
// the top level of a file, whole lines, before and after.
type statement struct {
	Old      string `json:"old"`
	New      string `json:"new"`
	OldFirst int    `json:"old_first"`
	NewFirst int    `json:"new_first"`
}

// changeOf finds out how t differs from the snapshot.
func (w *Workspace) changeOf(t *tree.Tree) (*change, error) {
	if c := w.syntax.changed(t); c != nil {
		return c, nil
	}
	base := w.Snapshot.Tree
	files, err := changesOf(base, t)
	if err != nil {
		return nil, err
	}
	c := &change{files: files, swap: map[string][]statement{}}
	for _, p := range sortedKeys(files) {
		spots, swap, ok := w.changeOfFile(c, p, files[p])
		c.spots = append(c.spots, spots...)
		if !ok {
			c.swap = nil
		} else if c.swap != nil {
			c.swap[p] = swap
		}
	}
	w.syntax.keep(t, c)
	return c, nil
}

// changeOfFile tells the spots of one file, and its statements when all spots
// are in bodies of functions that did not run while the suite was loaded.
func (w *Workspace) changeOfFile(c *change, p string, now *tree.File) (spots []spot, swap []statement, ok bool) {
	base := w.Snapshot.Tree
	whole := []spot{{path: p, loading: true}}
	if now == nil || !base.Has(p) || base.Kind(p) != now.Kind || now.Kind == tree.Link || !strings.HasSuffix(p, ".py") || python.Python.IsTest(p) {
		return whole, nil, false
	}
	f := w.syntax.get(base, p)
	if f == nil || !python.Python.IsCode(p) {
		return whole, nil, false
	}
	edits := differences(f.Source, now.Data)
	for _, e := range edits[:min(len(edits), maxNear)] {
		c.near = append(c.near, nearTo(f, p, e))
	}
	groups, ok := topLevel(f, edits)
	for i := range groups {
		g := &groups[i]
		old, now := g.narrowed(f, edits)
		g.wide = w.syntax.bindingsDiffer(old, now)
	}
	for _, e := range edits {
		s := w.spotOf(f, p, e)
		if g := groupOf(groups, f, e); !s.loading && (g == nil || g.wide) {
			fn := outermost(python.Analyse(f).FunctionAt(e.Start))
			s.first, s.last = fn.FirstLine, fn.LastLine
			s.loading = fn.Body == nil || w.Imported(p, f.Line(fn.Body.Start), s.last)
		}
		ok = ok && !s.loading
		spots = append(spots, s)
		if s.loading {
			return append(whole, spots...), nil, false
		}
	}
	for _, g := range groups {
		swap = append(swap, g.statement)
	}
	return spots, swap, ok
}

// maxNear is for how many edits of a file it is told what is near.
const maxNear = 8

// differences returns the edits that turn a into b, in order. An insertion of
// whole lines stands at the end of the line before, where it belongs to the
// block that it continues; one inside of a line takes what is before it along,
// and so has a place even where that ends a function.
func differences(a, b []byte) []tree.Edit {
	var out []tree.Edit
	// Comparing costs as much as the text is long: whole lines that are alike at
	// both ends are left out.
	head, tail := alike(a, b)
	for _, e := range udiff.Bytes(a[head:len(a)-tail], b[head:len(b)-tail]) {
		n := tree.Edit{Start: head + e.Start, End: head + e.End, New: e.New}
		if n.Start == n.End && n.Start > 0 && a[n.Start-1] == '\n' && strings.HasSuffix(n.New, "\n") {
			n.Start, n.End = n.Start-1, n.End-1
			n.New = "\n" + strings.TrimSuffix(n.New, "\n")
		}
		if n.Start == n.End && n.Start > 0 && a[n.Start-1] != '\n' && !strings.Contains(n.New, "\n") {
			if _, size := utf8.DecodeLastRune(a[:n.Start]); len(out) == 0 || out[len(out)-1].End <= n.Start-size {
				n.New = string(a[n.Start-size:n.Start]) + n.New
				n.Start -= size
			}
		}
		out = append(out, n)
	}
	return out
}

// alike returns how many bytes of whole lines two texts share at their
// beginning, and of the rest at their end.
func alike(a, b []byte) (head, tail int) {
	n := min(len(a), len(b))
	for head < n && a[head] == b[head] {
		head++
	}
	head = bytes.LastIndexByte(a[:head], '\n') + 1
	for n -= head; tail < n && a[len(a)-1-tail] == b[len(b)-1-tail]; {
		tail++
	}
	begins := func(text []byte) bool { at := len(text) - tail; return at == 0 || text[at-1] == '\n' }
	if begins(a) && begins(b) {
		return head, tail
	}
	line := bytes.IndexByte(a[len(a)-tail:], '\n')
	if line < 0 {
		return head, 0
	}
	return head, tail - line - 1
}

// spotOf tells which lines decide who notices an edit. A function that ran
// while the suite was loaded did then what it does with the edit when none of
// these lines ran; that a test runs one of them shows that they can be seen to.
func (w *Workspace) spotOf(f *lang.File, p string, e tree.Edit) spot {
	s, body := w.linesOf(f, p, e)
	if !s.loading && w.Imported(p, body.first, body.last) && (w.Imported(p, s.first, s.last) || !w.ran(p, s.first, s.last)) {
		return spot{path: p, loading: true}
	}
	return s
}

// linesOf is spotOf, whatever ran, with the body of the function around it.
func (w *Workspace) linesOf(f *lang.File, p string, e tree.Edit) (s, body spot) {
	fn := python.Analyse(f).FunctionAt(e.Start)
	for fn != nil && !inBody(f, fn, e) {
		for fn = fn.Parent; fn != nil && !fn.Function; fn = fn.Parent {
		}
	}
	if fn == nil {
		return spot{path: p, loading: true}, body
	}
	first, last := f.Line(fn.Body.Start), f.LastLine(fn.Body.Start, fn.Body.End)
	body = spot{path: p, first: first, last: last}
	if doc := python.Statements(f, fn.Body); len(doc) > 0 && e.Start <= doc[0].End && (documents(doc[0].Node) || len(doc) > 1 && documents(doc[1].Node)) {
		return spot{path: p, loading: true}, body // the text of a function is kept when it is made
	}
	s = spot{path: p, first: f.Line(e.Start), last: f.LastLine(e.Start, e.End)}
	if leavesBlock(f, e) {
		return body, body
	}
	if first, last, ok := w.inLambda(f, p, e); ok {
		s.first, s.last = first, last
		return s, body
	}
	for n := f.Root.At(e.Start, e.End); n != nil; n = n.Parent {
		if n.Is("block", "module", "function_definition", "else_clause", "finally_clause") {
			break // between statements, or where no line of its own runs
		}
		if python.IsStatement(n) || n.Is("elif_clause", "except_clause", "except_group_clause", "case_clause") {
			from, to := f.Line(n.Start), f.LastLine(n.Start, n.End)
			for _, c := range n.Children {
				if c.Is("block") { // the header alone; what is below has statements of its own
					to = min(to, max(from, f.Line(c.Start)-1))
					break
				}
			}
			s.first, s.last = min(s.first, from), max(s.last, to)
			return s, body
		}
	}
	if strings.TrimSpace(string(f.Source[e.Start:e.End])) == "" || !w.ran(p, s.first, s.last) {
		return body, body
	}
	return s, body
}

// inBody reports whether an edit is in the body of a function, which begins on
// a line of its own: in its lines, with their ends and what is before them.
func inBody(f *lang.File, fn *python.Scope, e tree.Edit) bool {
	if fn.Body == nil {
		return false
	}
	start, end := f.LineStart(f.Line(fn.Body.Start)), fn.Body.End
	if strings.TrimSpace(string(f.Source[start:fn.Body.Start])) != "" {
		return false
	}
	rest, _, ends := bytes.Cut(f.Source[end:], []byte("\n"))
	if text := strings.TrimSpace(string(rest)); ends && (text == "" || text[0] == '#') {
		end += len(rest) + 1
	}
	return e.Start >= start && e.End <= end
}

// leavesBlock reports whether an edit brings lines that stand less deep than the
// one where it begins: they belong to an outer block, which runs without it.
func leavesBlock(f *lang.File, e tree.Edit) bool {
	lines := strings.Split(e.New, "\n")
	if len(lines) == 1 && !strings.Contains(string(f.Source[e.Start:e.End]), "\n") && strings.TrimSpace(string(f.Source[f.LineStart(f.Line(e.Start)):e.Start])) != "" {
		return false // inside of a line
	}
	first := f.LineStart(f.Line(e.Start))
	depth := func(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
	deep := depth(string(f.Source[first:]))
	for n := f.Root.At(e.Start, e.Start); n != nil; n = n.Parent {
		if python.IsStatement(n) { // which may end in a line that stands less deep than it does
			deep = max(deep, depth(string(f.Source[f.LineStart(f.Line(n.Start)):])))
			break
		}
	}
	lines[0] = string(f.Source[first:e.Start]) + lines[0]
	end := f.Source[e.End:]
	if i := bytes.IndexByte(end, '\n'); i >= 0 {
		end = end[:i]
	}
	lines[len(lines)-1] += string(end)
	for _, line := range lines {
		if strings.TrimSpace(line) != "" && depth(line) < deep {
			return true
		}
	}
	return false
}

// documents reports whether a statement is nothing but a string.
func documents(n *lang.Node) bool {
	return n.Is("expression_statement") && len(n.NamedChildren()) == 1 && n.NamedChildren()[0].Is("string", "concatenated_string")
}

// ran reports whether a test runs one of the lines.
func (w *Workspace) ran(p string, first, last int) bool {
	return w.Base.Cover != nil && len(w.Base.Cover.Covering(p, first, last)) > 0
}

func outermost(s *python.Scope) *python.Scope {
	out := s
	for ; s != nil; s = s.Parent {
		if s.Function {
			out = s
		}
	}
	return out
}
