package repair

import (
	"breakfix/internal/arena"
	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// unit is a function, or a run of lines outside of any.
type unit struct {
	arena.Context
	function bool
	lines    []line // that some red test runs
	loaded   []int  // outside of functions: lines that ran while the suite was loaded
}

type line struct {
	number int
	row    []byte // bit i: test i of the cover runs it
}

// unitsOf lists the functions of a file and the runs of lines between them, in
// order; a line belongs to the innermost function. A file that does not parse
// has none.
func unitsOf(t *tree.Tree, path string) ([]*unit, error) {
	src, err := t.Read(path)
	if err != nil {
		return nil, err
	}
	l, ok := lang.ForPath(path)
	if !ok {
		return nil, nil
	}
	f, err := l.Parse(src)
	if err != nil {
		return nil, nil // too large or too slow to parse: it cannot be edited either
	}
	var us []*unit
	var now *unit
	inside := map[lang.Scope]*unit{}
	for n := 1; n <= f.Lines(); n++ {
		at := f.LineStart(n)
		for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
			at++
		}
		if at >= len(src) || src[at] == '\n' || src[at] == '\r' || src[at] == '#' {
			continue
		}
		scope, in := l.Enclosing(f, at)
		if in && scope.Function {
			if inside[scope] == nil {
				inside[scope] = &unit{function: true, Context: arena.Context{Path: path, Function: scope.Name, FirstLine: scope.FirstLine, LastLine: scope.LastLine}}
				us = append(us, inside[scope])
			}
			now = nil
			continue
		}
		if now == nil || now.Function != scope.Name {
			now = &unit{Context: arena.Context{Path: path, Function: scope.Name, FirstLine: n}}
			us = append(us, now)
		}
		now.LastLine = n
	}
	return us, nil
}

// unitAt returns the smallest unit that holds a line.
func unitAt(us []*unit, n int) *unit {
	var best *unit
	for _, u := range us {
		if n >= u.FirstLine && n <= u.LastLine && (best == nil || u.LastLine-u.FirstLine < best.LastLine-best.FirstLine) {
			best = u
		}
	}
	return best
}

// takenOut names a function that a tree had and an edited one has not: the
// quickest way to silence what a test complains of, and hardly ever its repair.
func takenOut(from, to *tree.Tree) (string, error) {
	for _, p := range tree.Differ(from, to) {
		now := map[string]bool{}
		if to.Has(p) {
			us, err := unitsOf(to, p)
			if err != nil {
				return "", err
			}
			for _, u := range us {
				now[u.Function] = true
			}
		}
		was, err := unitsOf(from, p)
		if err != nil {
			return "", err
		}
		for _, u := range was {
			if u.function && !now[u.Function] {
				return u.Function, nil
			}
		}
	}
	return "", nil
}
