package testrun

import (
	"bytes"
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// group is neighbouring statements of the top level with their edits.
type group struct {
	statement
	first, last int  // lines of the snapshot
	wide        bool // names are bound that were not, or no longer: all of a function may notice
}

func groupOf(groups []group, f *lang.File, e tree.Edit) *group {
	line := f.Line(e.Start)
	for i := range groups {
		if groups[i].first <= line && line <= groups[i].last {
			return &groups[i]
		}
	}
	return nil
}

// narrowed returns the text before and after of the one function that holds all
// edits of the group, which is all that can bind other names, as it stands at
// the top level; where there is none, the whole group's.
func (g *group) narrowed(f *lang.File, edits []tree.Edit) (old, now string) {
	var fn *python.Scope
	var inside []tree.Edit
	for _, e := range edits {
		if line := f.Line(e.Start); line < g.first || line > g.last {
			continue
		}
		in := outermost(python.Analyse(f).FunctionAt(e.Start))
		if in == nil || fn != nil && in != fn || !inBody(f, in, e) {
			return g.Old, g.New
		}
		fn, inside = in, append(inside, e)
	}
	if fn == nil {
		return g.Old, g.New
	}
	start, end := f.Span(f.Line(fn.Node.Start), f.LastLine(fn.Node.Start, fn.Node.End))
	for i := range inside {
		inside[i].Start, inside[i].End = inside[i].Start-start, inside[i].End-start
	}
	before := f.Source[start:end]
	after, err := tree.ApplyEdits(before, inside)
	if err != nil {
		return g.Old, g.New
	}
	by := len(before) - len(bytes.TrimLeft(before, " \t"))
	return outdented(before, by), outdented(after, by)
}

// outdented takes so many blanks from the front of each line that has them.
func outdented(text []byte, by int) string {
	if by == 0 {
		return string(text)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		blank := len(line) - len(strings.TrimLeft(line, " \t"))
		b.WriteString(line[min(by, blank):])
	}
	return b.String()
}

// topLevel returns the statements of the module that hold the edits. It is not
// ok when an edit is not inside of one.
func topLevel(f *lang.File, edits []tree.Edit) (groups []group, ok bool) {
	top := python.Statements(f, f.Root)
	moved := 0 // lines by which the file has grown so far
	for i := 0; i < len(edits); {
		e := edits[i]
		at := sort.Search(len(top), func(k int) bool { return top[k].End > e.Start || top[k].End == e.Start && e.Start == e.End })
		if at == len(top) || top[at].Start > e.Start {
			return groups, false
		}
		first, last := top[at], top[at]
		start, end := f.Span(first.FirstLine, last.LastLine)
		j := i
		for ; j < len(edits) && edits[j].Start <= last.End; j++ {
			if edits[j].End > end {
				return groups, false
			}
		}
		old := string(f.Source[start:end])
		var shifted []tree.Edit
		for _, x := range edits[i:j] {
			if x.Start < start || x.End > end {
				return groups, false
			}
			shifted = append(shifted, tree.Edit{Start: x.Start - start, End: x.End - start, New: x.New})
		}
		now, err := tree.ApplyEdits([]byte(old), shifted)
		if err != nil {
			return groups, false
		}
		g := group{statement: statement{Old: old, New: string(now), OldFirst: first.FirstLine, NewFirst: first.FirstLine + moved}, first: first.FirstLine, last: last.LastLine}
		moved += strings.Count(g.New, "\n") - strings.Count(g.Old, "\n")
		groups = append(groups, g)
		i = j
	}
	return groups, true
}
