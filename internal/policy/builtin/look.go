package builtin

import "strings"

// seen is one candidate as it is looked at.
type seen struct {
	old, now   []leaf
	first, end int // leaves [first, end) are taken out
	node       *node
}

// look widens the edits of a candidate to whole tokens. Of several edits it
// takes all that lies between the first and the last.
func (p *posing) look(c *Candidate) seen {
	e := c.Edits
	start, end := e[0].Start, e[len(e)-1].End
	first, last := leafAt(p.leaves, start), leafAt(p.leaves, end)
	if first < len(p.leaves) && p.leaves[first].start < start {
		start = p.leaves[first].start
	}
	if last < len(p.leaves) && p.leaves[last].start < end {
		end = p.leaves[last].end
		last++
	}
	if start == e[0].Start && first > 0 && p.leaves[first-1].end == start && glued(p.src, start, e[0].New) {
		first--
		start = p.leaves[first].start
	}
	if last < len(p.leaves) && p.leaves[last].start == end && gluedAfter(p.src, end, e[len(e)-1].New) {
		end = p.leaves[last].end
		last++
	}
	var b strings.Builder
	at := start
	for _, x := range e {
		b.Write(p.src[at:max(at, x.Start)])
		b.WriteString(x.New)
		at = max(at, x.End)
	}
	b.Write(p.src[at:max(at, end)])
	s := seen{first: first, end: max(first, last), now: words(b.String(), p.params, p.facts.inScope)}
	s.old = p.leaves[s.first:s.end]
	// What is alike at both ends does not count.
	for len(s.old) > 0 && len(s.now) > 0 && s.old[0].text == s.now[0].text {
		s.old, s.now, s.first = s.old[1:], s.now[1:], s.first+1
	}
	for len(s.old) > 0 && len(s.now) > 0 && s.old[len(s.old)-1].text == s.now[len(s.now)-1].text {
		s.old, s.now, s.end = s.old[:len(s.old)-1], s.now[:len(s.now)-1], s.end-1
	}
	s.node = nodeOver(p.root, start, max(end, start))
	return s
}

// glued reports whether text put at offset grows into the token before it.
func glued(src []byte, at int, text string) bool {
	if text == "" || at == 0 {
		return false
	}
	return wordly(src[at-1]) && wordly(text[0]) || marky(src[at-1]) && marky(text[0])
}

func gluedAfter(src []byte, at int, text string) bool {
	if text == "" || at >= len(src) {
		return false
	}
	c := text[len(text)-1]
	return wordly(src[at]) && wordly(c) || marky(src[at]) && marky(c)
}

func wordly(c byte) bool { return isWord(rune(c)) }
func marky(c byte) bool  { return strings.IndexByte("<>=!+-*/%&|^:", c) >= 0 }

// nodeOver is the smallest node around a span.
func nodeOver(n *node, start, end int) *node {
	for {
		var in *node
		for _, k := range n.kids {
			if k.start <= start && k.end >= end && k.end > k.start {
				in = k
				break
			}
		}
		if in == nil || len(in.kids) == 0 {
			return n
		}
		n = in
	}
}
