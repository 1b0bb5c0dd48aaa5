// Package report shows what a run folder holds: the summary for programs and
// for people, one episode to follow, the self-contained page, and the replay
// that computes every reward again. It only reads.
//
// Whatever came from a target, a player or a policy passes through Visible
// before it reaches a terminal or a page, so that it can neither move the
// cursor nor forge a line.
package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns s with every control character, terminal escape, byte that
// is not UTF-8 and invisible or direction-changing character written as a
// visible escape (\x1b, \u202e). Newlines and tabs stay.
func Visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// oneLine is Visible for a place that has one line.
func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", " ").Replace(Visible(strings.TrimRight(s, "\n")))
}
