package builtin

import (
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// with offers to take the body out of a with block, and other contexts.
func (g *generator) with(n *node) {
	body := n.child("body")
	if body == nil {
		return
	}
	place := g.span.line(n.row, n.row)
	for _, k := range n.kids {
		if k.kind != "with_clause" {
			continue
		}
		items := k.parts()
		if len(items) == 2 {
			g.swap(kindWith, k, items[0], items[1], "exchange the two contexts", 2)
		}
		for i, w := range g.facts.withItems {
			if len(items) == 1 && w != items[0].text(g.src) {
				g.offer(kindWith, k.start, k.end, place, items[0].replace(w), "with "+clip(w), 0.5/float64(1+i/4))
			}
			if len(items) == 1 {
				g.offer(kindWith, k.start, k.end, place, []tree.Edit{{Start: items[0].end, End: items[0].end, New: ", " + w}}, "with … , "+clip(w), 0.1)
			}
		}
	}
	from, to := indentAt(g.src, body.start), indentAt(g.src, n.start)
	g.offer(kindWith, n.start, n.end, place, n.replace(reindent(body.text(g.src), from, to)), "take out the with", 0.5)
	if ps := body.parts(); len(ps) == 1 && ps[0].kind == "with_statement" { // nested the wrong way round
		a, b := headOf(n), headOf(ps[0])
		if a != nil && b != nil {
			g.offer(kindWith, n.start, n.end, max(place, g.span.line(ps[0].row, ps[0].row)), []tree.Edit{{Start: a.start, End: a.end, New: b.text(g.src)}, {Start: b.start, End: b.end, New: a.text(g.src)}}, "exchange the two contexts", 2)
		}
	}
}

func headOf(n *node) *node {
	for _, k := range n.kids {
		if k.kind == "with_clause" {
			return k
		}
	}
	return nil
}

// withMost bounds what the file holds with blocks for that others are put into.
const withMost = 8

// enclose offers to put runs of statements of a block into a with block.
func (g *generator) enclose() {
	items := slices.Clone(g.facts.withItems[:min(len(g.facts.withItems), withMost)])
	if g.windowed() {
		for _, l := range g.locks() {
			if !slices.Contains(items, l) {
				items = append(items, l)
			}
		}
	}
	g.root.walk(func(b *node) bool {
		if !g.reaches(b) {
			return false
		}
		if b.kind != "block" {
			return true
		}
		ps := b.parts()
		for i := range ps {
			for j := i; j < len(ps); j++ {
				if j < i+6 || g.windowed() && ps[i].row == g.span.coreFirst && ps[j].last == g.span.coreLast {
					g.encloseRun(ps[i:j+1], items, j-i == len(ps)-1)
				}
			}
		}
		return true
	})
}

func (g *generator) encloseRun(run []*node, items []string, whole bool) {
	first, last := run[0], run[len(run)-1]
	if strings.TrimSpace(string(g.src[lineStart(g.src, first.start):first.start])) != "" || docstring(first) {
		return
	}
	indent := indentAt(g.src, first.start)
	step := "    "
	if strings.Contains(indent, "\t") {
		step = "\t"
	}
	// Taking the with out moves each line of its body: they are the core.
	place := -4.0
	if g.span.lines != nil {
		place += g.span.line(first.row, last.last)
	} else if first.row == g.span.coreFirst && last.last == g.span.coreLast {
		place = 0
	} else if first.row > g.span.coreLast+1 || last.last < g.span.coreFirst-1 {
		return
	}
	put := func(item string, body *node, weight float64) {
		lines := strings.Split(string(g.src[body.start:last.end]), "\n")
		for i := range lines {
			if lines[i] != "" {
				lines[i] = step + lines[i]
			}
		}
		text := "with " + item + ":\n" + indent + strings.Join(lines, "\n")
		g.offer(kindWith, first.start, last.end, place, []tree.Edit{{Start: first.start, End: last.end, New: text}}, "with "+clip(item), weight)
	}
	for i, w := range items {
		weight := 1.0 / float64(1+i/2)
		if !whole {
			weight *= 0.8
		}
		put(w, first, weight)
	}
	if of := acquired(first, g.src); of != "" && len(run) > 1 && g.windowed() { // and releases it behind the run
		put(of, run[1], 0.5)
	}
	if ps := first.parts(); first.kind == "expression_statement" && len(ps) == 1 && ps[0].kind == "call" && len(run) > 1 && g.windowed() { // and what it makes holds for the run
		put(ps[0].text(g.src), run[1], 0.5)
	}
	if target := targetOf(first); target != nil && target.kind == "identifier" && len(run) > 1 && g.windowed() { // what it opens is closed behind the run
		if value := target.parent.child("right"); value.kind == "call" || value.kind == "parenthesized_expression" {
			put(value.text(g.src)+" as "+target.text(g.src), run[1], 0.5)
		}
	}
}
