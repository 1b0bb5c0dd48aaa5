package arena

import (
	"slices"
	"sync"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// parsedFiles keeps the syntax of files that steps edit: the attempts at a bug
// edit the same broken file again and again, and to tell whether it parses after
// an edit takes the parsing of one statement then.
var parsedFiles = struct {
	sync.Mutex
	m map[tree.Digest]*lang.File
}{m: map[tree.Digest]*lang.File{}}

const parsedMost = 64

func parsed(l lang.Language, src []byte) (*lang.File, error) {
	d := tree.DigestOf(src)
	parsedFiles.Lock()
	f, ok := parsedFiles.m[d]
	parsedFiles.Unlock()
	if ok {
		return f, nil
	}
	f, err := l.Parse(src)
	if err != nil {
		return nil, err
	}
	parsedFiles.Lock()
	defer parsedFiles.Unlock()
	if len(parsedFiles.m) >= parsedMost {
		clear(parsedFiles.m)
	}
	parsedFiles.m[d] = f
	return f, nil
}

// parsesAfter reports whether src parses with the edits made, out.
func parsesAfter(l lang.Language, src []byte, edits []tree.Edit, out []byte) (bool, error) {
	f, err := parsed(l, src)
	if err != nil {
		return false, err
	}
	if f.HasError {
		now, err := l.Parse(out)
		return err == nil && !now.HasError, err
	}
	c, err := l.Checker(f)
	if err != nil {
		return false, err
	}
	defer c.Close()
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b tree.Edit) int { return a.Start - b.Start })
	return c.Parses(sorted), nil
}
