package mutate

import (
	"fmt"
	"strconv"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// shifts offers n + 1 and n - 1 in the place of n, folded where n is a literal
// or already has such a term.
func (p *pass) shifts(site, n *lang.Node) {
	t := p.text(n)
	offer := func(variant, new string) {
		p.offer(site, variant, tree.Edit{Start: n.Start, End: n.End, New: new})
	}
	if v, err := strconv.Atoi(t); err == nil && n.Is("integer", "unary_operator") {
		for _, d := range []int{1, -1} {
			if v >= 0 == (v+d >= 0) { // 0 to -1 and -1 to 0 change the end that is counted from
				offer(fmt.Sprintf("%s → %d", t, v+d), strconv.Itoa(v+d))
			}
		}
		return
	}
	if left, _, ok := p.plusOne(n); ok {
		offer("drop the ± 1", p.text(left))
		return
	}
	o := t
	if !n.Is("binary_operator") || !n.Child("operator").Is("+", "-", "*", "/", "//", "%") {
		o = p.operand(n)
	}
	offer("+ 1", o+" + 1")
	offer("- 1", o+" - 1")
}

// plusOne takes "left + 1" and "left - 1" apart.
func (p *pass) plusOne(n *lang.Node) (left *lang.Node, sign string, ok bool) {
	if !n.Is("binary_operator") || p.text(n.Child("right")) != "1" || !n.Child("operator").Is("+", "-") {
		return nil, "", false
	}
	return n.Child("left"), n.Child("operator").Kind, true
}

func shiftSubscript(p *pass, n *lang.Node) {
	for _, i := range n.ChildrenOf("subscript") {
		switch {
		case i.Is("slice"):
			part := 0
			for _, c := range i.Children {
				if c.Kind == ":" {
					part++
				} else if c.Named && part < 2 {
					p.bound(i, c, p.text(n.Child("value")), part == 1)
				}
			}
		case p.isNumeric(i) && !typeLike(p.text(n.Child("value"))):
			p.shifts(n, i)
		}
	}
}

// bound shifts an end of a slice. Behind the last element there is nothing to add.
func (p *pass) bound(site, n *lang.Node, of string, stop bool) {
	if stop && p.text(n) == "len("+of+")" {
		p.replace(n, "- 1", p.text(n)+" - 1")
		return
	}
	p.shifts(site, n)
}

func shiftRange(p *pass, n *lang.Node) {
	if name := p.text(n.Child("function")); name != "range" && name != "islice" && name != "itertools.islice" {
		return
	}
	as := positional(n)
	if len(as) > 0 && p.text(n.Child("function")) != "range" {
		as = as[1:]
	}
	for i, a := range as {
		if i < 2 && !a.Is("none", "list_splat") {
			p.shifts(n, a)
		}
	}
}

// shiftLen looks at len(x) where its value decides: not as an index or range
// bound, which have their own rules, and not as an argument.
func shiftLen(p *pass, n *lang.Node) {
	if p.text(n.Child("function")) != "len" {
		return
	}
	if n.Parent.Is("comparison_operator", "assignment", "return_statement", "binary_operator") {
		if _, _, ok := p.plusOne(n.Parent); !ok {
			for _, by := range []string{" - 1", " + 1"} {
				edits := []tree.Edit{{Start: n.End, End: n.End, New: by}}
				if n.Parent.Is("binary_operator") && !n.Parent.Child("operator").Is("+", "-") {
					// A tighter operator would take the 1 alone.
					edits = []tree.Edit{{Start: n.Start, End: n.Start, New: "("}, {Start: n.End, End: n.End, New: by + ")"}}
				}
				p.offer(n.Parent, p.text(n)+by, edits...)
			}
		}
	}
}

func shiftUndo(p *pass, n *lang.Node) {
	if left, sign, ok := p.plusOne(n); ok {
		p.replace(n, "drop "+sign+" 1", p.text(left))
	}
}

func shiftCounter(p *pass, n *lang.Node) {
	right := n.Child("right")
	if !n.Child("operator").Is("+=", "-=") {
		return
	}
	if v, err := strconv.Atoi(p.text(right)); err == nil {
		p.replace(right, fmt.Sprintf("step %d → %d", v, v+1), strconv.Itoa(v+1))
	} else if p.isNumeric(n.Child("left")) && right.Is("identifier", "attribute", "call", "binary_operator") {
		p.shifts(n, right)
	}
}

var boundary = map[string]string{"<": "<=", "<=": "<", ">": ">=", ">=": ">"}

func relational(p *pass, n *lang.Node) {
	for _, c := range n.Children {
		if to := boundary[c.Kind]; to != "" && !c.Named && !p.tie(n) {
			p.offer(n, c.Kind+" → "+to, tree.Edit{Start: c.Start, End: c.End, New: to})
		}
	}
}

func literalChange(p *pass, n *lang.Node) {
	t := p.text(n)
	if p.tuning(n) {
		return
	}
	if n.Kind == "float" {
		if v, err := strconv.ParseFloat(t, 64); err == nil {
			p.replace(n, "neighbour", floatText(v+1))
			if v != 0 {
				p.replace(n, "0.0", "0.0")
				p.negate(n)
			}
		}
		return
	}
	v, err := strconv.ParseInt(strings.ReplaceAll(t, "_", ""), 0, 62)
	if err != nil {
		return // complex, long of Python 2, or beyond what matters
	}
	format := "%d"
	if len(t) > 1 && t[0] == '0' {
		format = map[byte]string{'x': "0x%x", 'X': "0X%X", 'o': "0o%o", 'b': "0b%b"}[t[1]]
	}
	if format == "" {
		return
	}
	p.replace(n, "+ 1", fmt.Sprintf(format, v+1))
	switch {
	case v > 1:
		p.replace(n, "- 1", fmt.Sprintf(format, v-1))
		p.replace(n, "0", fmt.Sprintf(format, 0))
	case v == 1:
		p.replace(n, "0", fmt.Sprintf(format, 0))
		p.negate(n)
	}
}

// tuning reports whether a literal is a time, a size of a buffer, or the like:
// with a neighbour of it a program does the same, sooner or later.
func (p *pass) tuning(n *lang.Node) bool {
	q := n.Parent
	name := ""
	switch {
	case q.Is("keyword_argument", "default_parameter", "typed_default_parameter"):
		name = p.text(q.Child("name"))
	case q.Is("assignment"):
		name = p.text(q.Child("left"))
	case q.Is("argument_list"):
		name = p.text(callee(q.Parent))
	}
	switch strings.ToLower(name[strings.LastIndexByte(name, '.')+1:]) {
	case "stacklevel", "buffering", "bufsize", "buffer_size", "chunksize", "chunk_size", "blocksize", "block_size", "cache_size", "timeout", "delay", "interval",
		"sleep", "daemon", "flush", "lru_cache":
		return true
	case "maxsize":
		return q.Is("keyword_argument") && p.text(callee(q.Parent.Parent)) == "lru_cache"
	}
	return false
}

// negate offers a literal with a minus, unless it has one.
func (p *pass) negate(n *lang.Node) {
	if !n.Parent.Is("unary_operator") && !p.hasPower(n) {
		p.replace(n, "negation", "-"+p.text(n))
	}
}

// hasPower: "-2 ** x" would not be what it looks like.
func (p *pass) hasPower(n *lang.Node) bool {
	return n.Parent.Is("binary_operator") && n.Parent.Child("operator").Is("**") || n.Parent.Is("attribute")
}

func floatText(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(s, ".en") {
		s += ".0"
	}
	return s
}

func booleanFlip(p *pass, n *lang.Node) {
	if n.Parent.Is("if_statement", "elif_clause", "while_statement") || p.tuning(n) {
		return // condition_force is that
	}
	if q := n.Parent; q.Is("keyword_argument") && p.text(q.Child("name")) == "return_exceptions" {
		return // await_composition_change is that
	}
	p.replace(n, "negation", map[string]string{"true": "False", "false": "True"}[n.Kind])
}
