package builtin

import (
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// token is one token of a program; the first one of a statement's line begins
// with the line's indentation.
type token struct {
	text       string
	start, end int
}

// program cuts Python source into tokens. Comments, empty lines, and how lines
// are broken within brackets are left out: the same tokens are the same program.
func program(src []byte) []token {
	all := string(src) // one copy, which the tokens share
	out := make([]token, 0, len(src)/4)
	depth, line := 0, 0 // of brackets; where the line begins
	fresh := true       // no token of the line came
	for i := 0; i < len(src); {
		j := i + 1
		switch c := src[i]; {
		case c == '\n':
			if depth == 0 {
				line, fresh = j, true
			}
			i = j
			continue
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\\':
			if c == '\\' { // goes on in the next line
				for j < len(src) && (src[j] == '\r' || src[j] == '\n') {
					j++
				}
			}
			i = j
			continue
		case c == '#':
			i = lineEnd(src, i)
			continue
		case c == '\'' || c == '"':
			j = stringEnd(src, i)
		case isWord(rune(c)):
			for j < len(src) && (isWord(rune(src[j])) || src[j] == '.' && c >= '0' && c <= '9') {
				j++
			}
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth = max(0, depth-1)
		}
		from := i
		if fresh {
			from, fresh = line, false
		}
		out = append(out, token{all[from:j], from, j})
		i = j
	}
	return out
}

// stringEnd is where the string ends whose first quote stands at i.
func stringEnd(src []byte, i int) int {
	quote, n := src[i], 1
	if i+2 < len(src) && src[i+1] == quote && src[i+2] == quote {
		n = 3
	}
	for j := i + n; j < len(src); j++ {
		switch {
		case src[j] == '\\':
			j++
		case src[j] == '\n' && n == 1:
			return j
		case src[j] == quote && (n == 1 || j+2 < len(src) && src[j+1] == quote && src[j+2] == quote):
			return j + n
		}
	}
	return len(src)
}

func sameToken(a, b token) bool { return a.text == b.text }

// same reports whether two texts are the same program.
func same(a, b []byte) bool { return slices.EqualFunc(program(a), program(b), sameToken) }

// sameProgram returns a function that reports whether edits of src make the
// program that want is.
func sameProgram(src, want []byte) func([]tree.Edit) bool {
	has, wanted := program(src), program(want)
	// Both begin alike and end alike: a way back changes what is between, and
	// may leave a part of the first or the last token that differs.
	first, last := len(src), 0
	for n := 0; ; n++ {
		if n == len(has) {
			break
		}
		if n == len(wanted) || !sameToken(has[n], wanted[n]) {
			first = has[n].end
			break
		}
	}
	for n := 1; n <= len(has); n++ {
		if n > len(wanted) || !sameToken(has[len(has)-n], wanted[len(wanted)-n]) {
			last = has[len(has)-n].start
			break
		}
	}
	text, grows := string(src), inTokens(wanted)-inTokens(has)
	return func(edits []tree.Edit) bool {
		if edits[0].Start > first || edits[len(edits)-1].End < last {
			return false
		}
		n, known := 0, true
		for _, e := range edits {
			old := text[e.Start:e.End]
			n += solid(e.New) - solid(old)
			known = known && !hasComment(e.New) && !hasComment(old)
		}
		if known && n != grows {
			return false
		}
		out, err := tree.ApplyEdits(src, edits)
		return err == nil && slices.EqualFunc(program(out), wanted, sameToken)
	}
}

func hasComment(s string) bool { return strings.IndexByte(s, '#') >= 0 }

// inTokens is how many bytes of tokens are no white space.
func inTokens(ts []token) int {
	n := 0
	for _, t := range ts {
		n += solid(t.text)
	}
	return n
}

// solid is how many bytes are no white space.
func solid(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ', '\t', '\r', '\n', '\f', '\\':
		default:
			n++
		}
	}
	return n
}

// apartMost bounds what the distance of two texts is measured on, in pairs of tokens.
const apartMost = 1 << 16

// apart is how many tokens are to be taken out of one program and put into it
// to make the other one, as far as they differ; and how many bytes lie between
// what both begin and end with alike.
func apart(a, b []byte) (tokens, bytes int) {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	m := 0
	for m < len(a)-n && m < len(b)-n && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	bytes = len(a) + len(b) - 2*(n+m)
	n = lineStart(a, n) // whole lines
	a, b = a[n:], b[n:]
	if m > 0 {
		m = max(0, m-(lineEnd(a, len(a)-m)-(len(a)-m)))
	}
	x, y := program(a[:len(a)-m]), program(b[:len(b)-m])
	if len(x)*len(y) > apartMost {
		return len(x) + len(y), bytes
	}
	row := make([]int, len(y)+1) // of the longest common subsequence
	for i := range x {
		before := 0
		for k := range y {
			was := row[k+1]
			if sameToken(x[i], y[k]) {
				row[k+1] = before + 1
			} else {
				row[k+1] = max(row[k+1], row[k])
			}
			before = was
		}
	}
	return len(x) + len(y) - 2*row[len(y)], bytes
}
