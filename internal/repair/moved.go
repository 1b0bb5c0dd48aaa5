package repair

import (
	"fmt"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/tree"
)

// shift returns where a line of one tree is in another one, which edits made of it.
func shift(from, to *tree.Tree) (func(path string, line int) int, error) {
	if from.Digest() == to.Digest() {
		return func(_ string, line int) int { return line }, nil
	}
	diff, err := tree.Diff(from, to)
	if err != nil {
		return nil, fmt.Errorf("compare two trees: %w", err)
	}
	hunks, err := tree.Hunks(diff)
	if err != nil {
		return nil, fmt.Errorf("compare two trees: %w", err)
	}
	return func(path string, line int) int {
		by := 0
		for _, h := range hunks {
			if h.Path == path && line >= h.OldStart+h.OldLines/2 { // of a line in the hunk: near enough
				by = h.NewStart + h.NewLines - h.OldStart - h.OldLines
			}
		}
		return line + by
	}, nil
}

// moved puts places where they are now.
func moved(cs []arena.Context, all []arena.Suspect, to func(string, int) int) {
	for i, c := range cs {
		cs[i].FirstLine = to(c.Path, c.FirstLine)
		cs[i].LastLine = max(cs[i].FirstLine, to(c.Path, c.LastLine+1)-1)
	}
	for i, s := range all {
		all[i].Line = to(s.Path, s.Line)
	}
}

// fileOf is the file that a test's id names.
func fileOf(id string) string {
	f, _, _ := strings.Cut(id, "::")
	return f
}

// lastName is the last part of a qualified name.
func lastName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
