package bug

import (
	"strings"

	"breakfix/internal/tree"
)

// span is a range of 1-based lines of a file of the base, inclusive.
type span struct {
	path        string
	first, last int
}

// changedSpans returns the lines of the base that a patch removes; for lines
// that are only added, the line before and after the place.
func changedSpans(patch []byte) ([]span, error) {
	hunks, err := tree.Hunks(patch)
	if err != nil {
		return nil, err
	}
	var spans []span
	for _, h := range hunks {
		line := h.OldStart
		replaced := false // the added lines stand for removed ones
		for _, l := range body(h.Patch) {
			switch {
			case strings.HasPrefix(l, "-"):
				spans = append(spans, span{h.Path, line, line})
				line++
				replaced = true
			case strings.HasPrefix(l, "+") && !replaced:
				spans = append(spans, span{h.Path, max(1, line-1), line})
			case strings.HasPrefix(l, " "):
				line++
				replaced = false
			}
		}
	}
	return spans, nil
}

// body returns the lines of a one-hunk patch below its header.
func body(patch []byte) []string {
	lines := strings.Split(strings.TrimSuffix(string(patch), "\n"), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "@@") {
			return lines[i+1:]
		}
	}
	return nil
}

// sizeOf counts what the estimate of difficulty looks at.
func sizeOf(patch []byte, red, order int) (Size, error) {
	hunks, err := tree.Hunks(patch)
	if err != nil {
		return Size{}, err
	}
	s := Size{Hunks: len(hunks), Red: red, Order: order}
	files := map[string]bool{}
	for _, h := range hunks {
		files[h.Path] = true
		for _, l := range body(h.Patch) {
			if strings.HasPrefix(l, "-") {
				s.Lines++
			}
		}
	}
	s.Files = len(files)
	return s, nil
}
