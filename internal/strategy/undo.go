package strategy

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// reversed is the edit that undoes a hunk in what a file has become: where the
// lines that the hunk left stand today, at whatever line. Context at its ends
// that has changed since is let go, line by line, as long as what the hunk
// added stands in one place only; a hunk that only took lines out must find all
// of its context.
func reversed(src []byte, h tree.Hunk) (tree.Edit, bool) {
	var left, right []string // what stood before and after the hunk's commit
	head, tail, added := 0, 0, false
	for _, l := range h.Body() {
		mark, text := l[:min(1, len(l))], strings.TrimSuffix(l[min(1, len(l)):], "\r")
		switch mark {
		case "+":
			right = append(right, text)
			added = added || strings.TrimSpace(text) != ""
			tail = 0
		case "-":
			left = append(left, text)
			tail = 0
		case "\\":
		default:
			left, right = append(left, text), append(right, text)
			tail++
			if len(left) == len(right) && head == len(left)-1 && slices.Equal(left, right) {
				head++
			}
		}
	}
	starts, lines := linesOf(src)
	for _, s := range slack {
		from, to := s[0], s[1]
		if from > head || to > tail || from+to > 0 && !added {
			continue
		}
		want := right[from : len(right)-to]
		if len(want) == 0 {
			continue
		}
		at := found(lines, want)
		if len(at) == 0 {
			continue
		}
		if len(at) > 1 && from+to > 0 {
			return tree.Edit{}, false
		}
		i := nearest(at, h.NewStart-1+from)
		return replaced(src, starts[i], starts[i+len(want)], left[from:len(left)-to])
	}
	return tree.Edit{}, false
}

// slack lists how much context may be let go before and after, least first; of
// three lines before and three after some must stay.
var slack = [][2]int{{0, 0}, {0, 1}, {1, 0}, {0, 2}, {1, 1}, {2, 0}, {0, 3}, {1, 2}, {2, 1}, {3, 0}, {1, 3}, {2, 2}, {3, 1}}

// replaced is the edit that puts lines in the place of others, false when they
// are the same.
func replaced(src []byte, start, end int, lines []string) (tree.Edit, bool) {
	eol := "\n"
	if bytes.Contains(src, []byte("\r\n")) {
		eol = "\r\n"
	}
	text := ""
	for _, l := range lines {
		text += l + eol
	}
	if end == len(src) && !bytes.HasSuffix(src, []byte("\n")) {
		text = strings.TrimSuffix(text, eol)
	}
	return tree.Edit{Start: start, End: end, New: text}, string(src[start:end]) != text
}

// layout reports whether a hunk changes blank lines, ends of lines and comments
// only: beside others, it would be a hunk that no test needs.
func layout(h tree.Hunk) bool {
	var text [2]strings.Builder
	for _, l := range h.Body() {
		if l == "" || l[0] != '-' && l[0] != '+' || strings.TrimSpace(l[1:]) == "" || strings.HasPrefix(strings.TrimSpace(l[1:]), "#") {
			continue
		}
		side := &text[0]
		if l[0] == '+' {
			side = &text[1]
		}
		side.WriteString(strings.TrimRight(l[1:], " \t\r") + "\n")
	}
	return text[0].String() == text[1].String()
}

// linesOf returns the lines of a file without their ends, and where each
// starts, with the end of the file as the last.
func linesOf(src []byte) (starts []int, lines []string) {
	at := 0
	for _, l := range strings.SplitAfter(string(src), "\n") {
		if l == "" {
			break
		}
		starts = append(starts, at)
		lines = append(lines, strings.TrimRight(l, "\r\n"))
		at += len(l)
	}
	return append(starts, at), lines
}

// found lists the indices at which want stands in lines.
func found(lines, want []string) []int {
	var at []int
	for i := 0; i+len(want) <= len(lines); i++ {
		if slices.Equal(lines[i:i+len(want)], want) {
			at = append(at, i)
		}
	}
	return at
}

func nearest(at []int, to int) int {
	best := at[0]
	for _, i := range at {
		if max(i-to, to-i) < max(best-to, to-best) {
			best = i
		}
	}
	return best
}

// today is the file of today that a file of the past has become: itself, or
// the only one that ends with its folder and name. "" when there is none.
func today(files []string, past string) string {
	if slices.Contains(files, past) {
		return past
	}
	if !strings.HasSuffix(past, ".py") {
		return ""
	}
	end := "/" + path.Join(path.Base(path.Dir(past)), path.Base(past))
	found := ""
	for _, p := range files {
		if strings.HasSuffix("/"+p, end) {
			if found != "" {
				return ""
			}
			found = p
		}
	}
	return found
}
