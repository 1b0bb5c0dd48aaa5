package builtin

import (
	"regexp"
	"strings"

	"breakfix/internal/tree"
)

// What an exception complains of: a repair that changes just that is likelier by this much, in
// nats.
const (
	complaintBonus = 4.0
	raisedBonus    = 2.0 // a condition that leads to the raise that ended the red test
)

var (
	noAttribute  = regexp.MustCompile(`has no attribute '(\w+)'`)
	mangled      = regexp.MustCompile(`^_[A-Za-z0-9_]*[A-Za-z0-9](__\w+)$`)
	wrongCall    = regexp.MustCompile(`^([\w.<>]+)\(\) (?:missing|got an unexpected|got multiple|got some|takes)\b`)
	didNotRaise  = regexp.MustCompile(`DID NOT RAISE (?:any of )?\(?(?:<class ')?(?:\w+\.)*(\w+)`)
	wasNotRaised = regexp.MustCompile(`^(\w+) not raised`)
)

// complaint is what the failure of the red test says is not as the code takes it to be.
type complaint struct {
	g         *generator
	attribute string  // that an object lacks
	asked     []*node // where the line that raised asks for it, and
	call      []*node // calls of that line with arguments that do not suit
	missed    string  // the exception that was to be raised
	deciding  []*node // conditions of what raises it, or
	raising   []*node // those that lead to the raise that ended the test
}

// complaint reads the failure; nil where it says nothing of the kind.
func (g *generator) complaint() *complaint {
	f := g.view.Failure
	c := &complaint{g: g}
	line := g.raisedAt()
	var callee string
	if m := noAttribute.FindStringSubmatch(f.Message); m != nil && f.Kind == "AttributeError" {
		c.attribute = m[1]
		if own := mangled.FindStringSubmatch(c.attribute); own != nil {
			c.attribute = own[1]
		}
	} else if m := wrongCall.FindStringSubmatch(f.Message); m != nil && f.Kind == "TypeError" {
		names := strings.Split(m[1], ".")
		if n := len(names); n > 1 && names[n-1] == "__init__" {
			names = names[:n-1]
		}
		callee = names[len(names)-1]
	} else if m := didNotRaise.FindStringSubmatch(f.Message); m != nil {
		c.missed = m[1]
	} else if m := wasNotRaised.FindStringSubmatch(f.Message); m != nil && f.Kind == "AssertionError" {
		c.missed = m[1]
	}
	g.root.walk(func(n *node) bool {
		switch n.kind {
		case "attribute":
			if a := n.child("attribute"); c.attribute != "" && n.last >= line && n.row <= line && a != nil && a.text(g.src) == c.attribute {
				c.asked = append(c.asked, n)
			}
		case "call":
			if at := n.child("function"); callee != "" && n.row <= line && n.last >= line && at != nil && lastName(at.text(g.src)) == callee {
				c.call = append(c.call, n)
			}
		case "raise_statement":
			missed := c.missed != "" && mentions(g.src, n, c.missed)
			if !missed && (n.row != line || c.missed != "") {
				break
			}
			for p := n; p != nil && p.kind != "function_definition"; p = p.parent {
				if p.kind != "if_statement" && p.kind != "elif_clause" {
					continue
				}
				if at := p.child("condition"); at != nil && missed {
					c.deciding = append(c.deciding, at)
				} else if at != nil {
					c.raising = append(c.raising, at)
				}
			}
		}
		return true
	})
	if c.attribute == "" && len(c.call) == 0 && c.missed == "" && len(c.raising) == 0 {
		return nil
	}
	return c
}

// raisedAt is the line of the file that raised; 0 where the exception came from elsewhere.
func (g *generator) raisedAt() (line int) {
	for _, f := range g.view.Failure.Frames { // the innermost is the last
		if f.Path == g.view.Path {
			line = f.Line
		}
	}
	return line
}

// met is what it adds to the log prior of a move that changes what is complained of.
func (c *complaint) met(edits []tree.Edit) float64 {
	if c == nil {
		return 0
	}
	bonus := 0.0
	for _, e := range edits {
		e = c.g.wholeWords(e)
		old := string(c.g.src[e.Start:e.End])
		switch {
		case c.attribute != "" && c.gives(e, old), inside(c.asked, e) && !hasWord(e.New, c.attribute):
			return complaintBonus
		case c.missed != "" && (inside(c.deciding, e) || strings.Contains(e.New, "raise "+c.missed) && !strings.Contains(old, "raise "+c.missed)):
			return complaintBonus
		case inside(c.raising, e):
			bonus = raisedBonus
		}
		for _, n := range c.call {
			if e.Start < n.start || e.End > n.end {
				continue
			}
			if at := n.child("function"); e.Start < at.end || old == "" || e.New == "" || strings.Count(old, ",") != strings.Count(e.New, ",") {
				return complaintBonus
			}
		}
	}
	return bonus
}

// wholeWords is an edit of the same effect that begins and ends between words.
func (g *generator) wholeWords(e tree.Edit) tree.Edit {
	from, to := e.Start, e.End
	for from > 0 && isWord(rune(g.src[from-1])) {
		from--
	}
	for to < len(g.src) && isWord(rune(g.src[to])) {
		to++
	}
	return tree.Edit{Start: from, End: to, New: string(g.src[from:e.Start]) + e.New + string(g.src[e.End:to])}
}

// gives reports whether an edit sets the attribute that is lacking, or defines it.
func (c *complaint) gives(e tree.Edit, old string) bool {
	if hasWord(old, c.attribute) || !hasWord(e.New, c.attribute) {
		return false
	}
	rest := strings.TrimLeft(string(c.g.src[e.End:lineEnd(c.g.src, e.End)]), " ")
	text := e.New + " " + rest
	at := strings.Index(text, c.attribute) + len(c.attribute)
	after := strings.TrimLeft(text[at:], " ")
	return strings.HasPrefix(after, "=") && !strings.HasPrefix(after, "==") || strings.HasPrefix(after, ":") || strings.Contains(e.New, "def "+c.attribute+"(")
}

// inside reports whether an edit is in one of some nodes.
func inside(of []*node, e tree.Edit) bool {
	for _, n := range of {
		if e.Start >= n.start && e.End <= n.end {
			return true
		}
	}
	return false
}

// hasWord reports whether a text has a name as a whole.
func hasWord(text, name string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(name)
		if (from == 0 || !isWord(rune(text[from-1]))) && (to == len(text) || !isWord(rune(text[to]))) {
			return true
		}
		at = to
	}
}

// lastName is the name that a dotted text ends with.
func lastName(text string) string { return text[strings.LastIndexByte(text, '.')+1:] }
