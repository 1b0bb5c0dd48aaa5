package arena

import (
	"fmt"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// Contexts says where a change lies in the broken tree, a place for each hunk
// of its diff. Nothing but line numbers of the broken tree leaves it: neither
// the lines that the change removed nor what it put in their place.
func Contexts(inject []byte, broken *tree.Tree) ([]Context, error) {
	hunks, err := tree.Hunks(inject)
	if err != nil {
		return nil, fmt.Errorf("read the diff of the change: %w", err)
	}
	var cs []Context
	for _, h := range hunks {
		if !broken.Has(h.Path) {
			continue // the change removed the file: there is no place to show
		}
		src, err := broken.Read(h.Path)
		if err != nil {
			return nil, err
		}
		c := Context{Path: h.Path, WindowFirst: max(h.NewStart, 1), WindowLast: max(h.NewStart+h.NewLines-1, 1)}
		c.FirstLine, c.LastLine = c.WindowFirst, c.WindowLast
		if l, ok := lang.ForPath(h.Path); ok {
			if f, err := lang.Parsed(l, src); err == nil {
				enclose(l, f, &c)
			}
		}
		cs = append(cs, c)
	}
	if len(cs) == 0 {
		return nil, fmt.Errorf("the change leaves no file to show")
	}
	return cs, nil
}

// enclose fills in the innermost function or class around the middle of the window.
func enclose(l lang.Language, f *lang.File, c *Context) {
	middle := (c.WindowFirst + c.WindowLast) / 2
	at := f.LineStart(middle)
	for at < len(f.Source) && (f.Source[at] == ' ' || f.Source[at] == '\t') {
		at++
	}
	if s, ok := l.Enclosing(f, at); ok {
		c.Function, c.FirstLine, c.LastLine = s.Name, s.FirstLine, s.LastLine
	}
}

// Whole is the context without the place of the change: all of the function is
// suspected alike.
func (c Context) Whole() Context {
	c.WindowFirst, c.WindowLast = c.FirstLine-3, c.LastLine+3
	return c
}
