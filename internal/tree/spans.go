package tree

import "strings"

// Span is a range of 1-based lines of a file, inclusive.
type Span struct {
	Path        string
	First, Last int
}

// ChangedSpans returns the lines that a patch removes from the tree that it
// applies to; for lines that are only added, the line before and after the place.
func ChangedSpans(patch []byte) ([]Span, error) {
	hunks, err := Hunks(patch)
	if err != nil {
		return nil, err
	}
	var spans []Span
	for _, h := range hunks {
		line := h.OldStart
		replaced := false // the added lines stand for removed ones
		for _, l := range h.Body() {
			switch {
			case strings.HasPrefix(l, "-"):
				spans = append(spans, Span{h.Path, line, line})
				line++
				replaced = true
			case strings.HasPrefix(l, "+") && !replaced:
				spans = append(spans, Span{h.Path, max(1, line-1), line})
			case strings.HasPrefix(l, " "):
				line++
				replaced = false
			}
		}
	}
	return spans, nil
}

// Body returns the lines of a hunk below its header, each with its mark.
func (h Hunk) Body() []string {
	lines := strings.Split(strings.TrimSuffix(string(h.Patch), "\n"), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "@@") {
			return lines[i+1:]
		}
	}
	return nil
}
