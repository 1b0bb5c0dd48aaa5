package arena

import (
	"slices"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// parsesAfter reports whether src parses with the edits made, out.
func parsesAfter(l lang.Language, src []byte, edits []tree.Edit, out []byte) (bool, error) {
	f, err := lang.Parsed(l, src)
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
