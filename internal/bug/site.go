package bug

import (
	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/testrun"
)

// marks are lines of a test file that must stay: of the statement in which the
// test failed, as far as that is the file's own, and of the one of the test
// function in which it did. They begin statements; 0 is not known.
type marks [2]int

const (
	ownSite  = 0
	testSite = 1
)

// site is where a failure happened: the same failure is one of the same type at
// the same site. Of a failure inside of the target that is the innermost
// function, of one in the test's file the statement.
type site struct {
	path, fn string // of the tree; "" when the test's own file failed
	loose    bool   // its innermost place is chance, or not known
}

// siteOf tells where a test of the tree failed.
func siteOf(f testrun.Failure, own string) site {
	n := len(f.Frames)
	switch {
	case n == 0 || f.Kind == "" || f.Kind == "RecursionError":
		return site{loose: true}
	case f.Frames[n-1].Path == own:
		return site{}
	}
	return site{path: f.Frames[n-1].Path, fn: f.Frames[n-1].Func}
}

// marksOf finds the statements of a file in which its test failed.
func (m *module) marksOf(id testID, f testrun.Failure, own string) (at marks) {
	if n := len(f.Frames); n > 0 && f.Frames[n-1].Path == own {
		at[ownSite] = m.statementAt(f.Frames[n-1].Line)
	}
	line := f.TestLine
	for _, fr := range f.Frames {
		if fr.Path == own && fr.Func == id.fn {
			line = fr.Line
		}
	}
	at[testSite] = m.statementAt(line)
	return at
}

// statementAt returns the line on which the innermost statement begins that has
// a line, 0 when that line is not its first statement's.
func (m *module) statementAt(line int) int {
	if line <= 0 {
		return 0
	}
	found := 0
	walk(m.root, func(n *sitter.Node) bool {
		first, last := int(n.StartPosition().Row)+1, int(n.EndPosition().Row)+1
		if n.Kind() == "module" || n.Kind() == "block" {
			for _, s := range statements(n) {
				if first, last := int(s.StartPosition().Row)+1, int(s.EndPosition().Row)+1; first <= line && line <= last {
					found = first
				}
			}
		}
		return n.Kind() == "module" || first <= line && line <= last
	})
	if found > 0 && found < line && m.opens(found, line) {
		return 0
	}
	return found
}

// opens tells whether the statement on a line is a compound one and another line
// is none of its head's.
func (m *module) opens(first, line int) bool {
	head := false
	walk(m.root, func(n *sitter.Node) bool {
		if n.Kind() == "block" && n.Parent() != nil && int(n.Parent().StartPosition().Row)+1 == first && int(n.StartPosition().Row)+1 <= line {
			head = true
		}
		return !head
	})
	return head
}

// same tells whether a variant's test failed as the test that it comes from did.
func (z *minimiser) same(v *variant, file string, f testrun.Failure) bool {
	if f.Kind != z.kind {
		return false
	}
	n := len(f.Frames)
	if z.site.loose || n == 0 {
		return true
	}
	last := f.Frames[n-1]
	if z.site.path != "" {
		return last.Path == z.site.path && last.Func == z.site.fn
	}
	if last.Path != file {
		return false
	}
	if v.at[ownSite] == 0 {
		return true
	}
	m, ok := parse(v.src)
	if !ok {
		return false
	}
	defer m.Close()
	return m.statementAt(last.Line) == v.at[ownSite]
}
