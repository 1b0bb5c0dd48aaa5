package builtin

import (
	"math"
	"strconv"
	"strings"

	"breakfix/internal/policy/builtin/network"
)

// posing turns a view and its candidates into the numbers that are learned
// from. It gives names to what can be seen of an edit; how much each is worth
// is learned.
type posing struct {
	view      View
	src       []byte
	root      *node
	span      span
	facts     *facts
	hints     hints
	leaves    []leaf
	params    map[string]bool
	bigrams   map[[2]string]int // neighbouring tokens, of the whole file
	spoken    map[string]int    // words of the red test: 1, of the failure: 2
	told      []string          // relation of the values in the assertion, and the kind of failure
	complains *complaint
	doc       map[string]bool // words of the docstring of the function
}

func newPosing(v View, g *generator) *posing {
	p := &posing{view: v, src: v.Source, root: g.root, span: g.span, facts: g.facts, hints: hintsOf(v), params: map[string]bool{},
		bigrams: map[[2]string]int{}, spoken: map[string]int{}, doc: map[string]bool{}}
	for _, name := range g.facts.params {
		p.params[name] = true
	}
	p.leaves = leavesOf(v.Source, g.root, p.params, g.facts.inScope)
	for i := 1; i < len(p.leaves); i++ {
		p.bigrams[[2]string{p.leaves[i-1].text, p.leaves[i].text}]++
	}
	for _, w := range words(v.RedTest, nil, nil) {
		p.spoken[w.text] |= 1
	}
	for _, w := range words(firstLines(v.Failure.Message, 4), nil, nil) {
		p.spoken[w.text] |= 2
	}
	p.told = append(relation(v.Failure.Message), "kind "+v.Failure.Kind)
	if v.Failure.Message != "" {
		p.complains = g.complaint()
	}
	if p.hints.timeout {
		p.told = append(p.told, "timeout")
	}
	if f := g.facts.function; f != nil {
		if b := f.child("body"); b != nil {
			if ps := b.parts(); len(ps) > 0 && docstring(ps[0]) {
				for _, w := range words(strings.Trim(ps[0].text(v.Source), `"'`), nil, nil) {
					p.doc[w.text] = true
				}
			}
		}
	}
	return p
}

// hasher makes the hashed features of one move.
type hasher struct{ out []uint32 }

// fnv is FNV-1a over 64 bits (Fowler, Noll and Vo).
const fnvOffset, fnvPrime = 14695981039346656037, 1099511628211

func hashOf(parts ...string) uint64 {
	h := uint64(fnvOffset)
	for _, s := range parts {
		for i := 0; i < len(s); i++ {
			h = (h ^ uint64(s[i])) * fnvPrime
		}
		h = (h ^ 0xff) * fnvPrime
	}
	return h
}

func (h *hasher) put(parts ...string) {
	x := hashOf(parts...)
	h.out = append(h.out, uint32(x^x>>32))
}

func shapes(ls []leaf, most int) string {
	var b strings.Builder
	for i := range ls {
		if i == most {
			b.WriteString("…")
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(ls[i].shape())
	}
	return b.String()
}

func texts(ls []leaf, most int) string {
	var b strings.Builder
	for i := range ls {
		if i == most {
			return ""
		}
		b.WriteString(ls[i].text)
		b.WriteByte(' ')
	}
	return b.String()
}

func bucket(n int) string {
	switch {
	case n < 4:
		return strconv.Itoa(n)
	case n < 8:
		return "4+"
	case n < 16:
		return "8+"
	}
	return "16+"
}

// move gives the features of one candidate.
func (p *posing) move(c *Candidate) network.Move {
	s := p.look(c)
	k := string(c.Kind)
	old, now := shapes(s.old, 5), shapes(s.now, 7)
	change := old + " → " + now
	h := &hasher{out: make([]uint32, 0, 40)}
	h.put("k", k)
	h.put("c", change)
	h.put("kn", k, texts(s.now, 6))
	h.put("ko", k, texts(s.old, 6))
	parent, grand := s.node, s.node
	if s.node.parent != nil {
		parent = s.node.parent
		grand = parent
		if parent.parent != nil {
			grand = parent.parent
		}
	}
	h.put("ks", k, s.node.kind, s.node.field)
	h.put("kp", k, s.node.kind, parent.kind, grand.kind)
	h.put("cs", change, s.node.kind, parent.kind)
	before, after := "", ""
	if s.first > 0 {
		before = p.leaves[s.first-1].shape()
	}
	if s.end < len(p.leaves) {
		after = p.leaves[s.end].shape()
	}
	h.put("cb", change, before)
	h.put("ca", change, after)
	h.put("cba", change, before, after)
	place := p.placeOf(c)
	h.put("p", place)
	h.put("kpl", k, place)
	stmt := ""
	if st := s.node.statement(); st != nil {
		stmt = st.kind
		if ps := st.parts(); st.kind == "expression_statement" && len(ps) == 1 {
			stmt = ps[0].kind
		}
	}
	loop := "-"
	if s.node.up("for_statement", "while_statement", "list_comprehension", "generator_expression") != nil {
		loop = "loop"
	}
	h.put("kst", k, stmt, loop)
	h.put("cst", change, stmt)
	for _, t := range p.told {
		h.put("kt", k, t)
		h.put("ct", change, t)
		h.put("tst", t, stmt, k)
	}
	// How natural the joints are before and after, by what else stands in the file.
	gain, loss := p.joints(s)
	h.put("j", bucket(gain), bucket(loss))
	h.put("kj", k, bucket(gain), bucket(loss))
	h.put("sh", k, bucket(int(-2*math.Log2(math.Max(c.share, 1e-4)))))
	trace := "-"
	if p.hints.lines[c.Line] {
		trace = "trace"
	}
	h.put("tr", trace)
	h.put("ktr", k, trace)
	if p.complains.met(c.Edits) > 0 {
		h.put("met")
		h.put("kmet", k)
	}
	known, heard, spokenOld := p.fillers(h, k, s)
	m := network.Move{Action: actionOf(c.Kind), Hash: h.out}
	m.Facts = [network.MoveFacts]float32{
		float32(p.place(c)) / 4, float32(math.Log(math.Max(c.share, 1e-4))) / 4, float32(len(s.old)) / 8, float32(len(s.now)) / 8,
		logCount(gain), logCount(loss), known, heard, spokenOld, yes(trace == "trace"), yes(loop == "loop"), yes(stmt == "return_statement")}
	m.Old, m.New = tokensOf(s.old, network.MaxFiller), tokensOf(s.now, network.MaxFiller)
	return m
}

func yes(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

func logCount(n int) float32 { return float32(math.Log1p(float64(n))) / 3 }

// fillers adds what is known of the names and values that a move puts in.
func (p *posing) fillers(h *hasher, k string, s seen) (known, heard, spokenOld float32) {
	beside := map[string]bool{}
	for i := max(0, s.first-3); i < min(len(p.leaves), s.end+3); i++ {
		if i < s.first || i >= s.end {
			beside[p.leaves[i].text] = true
		}
	}
	for _, l := range s.old {
		if p.spoken[l.text] > 0 && l.class != classMark && l.class != classWord {
			spokenOld = 1
			h.put("so", k, itoa(p.spoken[l.text]))
		}
	}
	fresh := 0
	for i := range s.now {
		l := &s.now[i]
		switch l.class {
		case classMark, classWord:
			continue
		}
		fresh++
		if fresh > 4 {
			break
		}
		uses := p.facts.inScope[l.text]
		if uses > 0 {
			known++
		}
		cl := strconv.Itoa(int(l.class))
		h.put("u", k, cl, bucket(uses))
		if sp := p.spoken[l.text]; sp > 0 {
			heard++
			h.put("sp", k, cl, itoa(sp))
		} else if p.view.RedTest != "" {
			h.put("sp", k, cl, "0")
		}
		if p.doc[l.text] {
			h.put("doc", k, cl)
		}
		if beside[l.text] {
			h.put("bs", k, cl)
		}
		if near := p.nearest(l.text, s); near >= 0 {
			h.put("nr", k, cl, bucket(near))
		}
		if len(s.old) == 1 && len(s.now) == 1 {
			if similar(s.old[0].text, l.text) {
				h.put("sim", k, cl)
			}
			h.put("on", k, s.old[0].text, l.text)
		}
	}
	h.put("fr", k, bucket(fresh), bucket(len(s.now)), bucket(len(s.old)))
	return known / 4, heard / 4, spokenOld
}

// nearest is how many lines away a name is used; -1: not in the function.
func (p *posing) nearest(name string, s seen) int {
	row := 0
	if s.first < len(p.leaves) {
		row = p.leaves[s.first].row
	}
	best := -1
	for _, r := range p.facts.lastUse[name] {
		d := r - row
		if d < 0 {
			d = -d
		}
		if best < 0 || d < best {
			best = d
		}
	}
	return best
}

// joints counts how often the new joints of a move stand elsewhere in the
// file (the rarest one counts), and how often the old ones do.
func (p *posing) joints(s seen) (gain, loss int) {
	head, tail := "", ""
	if s.first > 0 {
		head = p.leaves[s.first-1].text
	}
	if s.end < len(p.leaves) {
		tail = p.leaves[s.end].text
	}
	rarest := func(ls []leaf, less int) int {
		least := 1 << 20
		prev := head
		step := func(x string) {
			if prev != "" && x != "" {
				least = min(least, p.bigrams[[2]string{prev, x}]-less)
			}
			prev = x
		}
		for i := range ls {
			step(ls[i].text)
		}
		step(tail)
		return max(0, least)
	}
	return rarest(s.now, 0), rarest(s.old, 1)
}

// placeOf says where a move is, relative to what is known of the change.
func (p *posing) placeOf(c *Candidate) string {
	at := p.place(c)
	switch {
	case at >= 0:
		return "core"
	case at > -2:
		return "edge"
	case at > -4:
		return "window " + strconv.Itoa(int(-at))
	}
	return "far"
}

// place is the log prior of a candidate's place by its distance from the
// change. Where only spectra tell, all that red tests run is alike: what is
// suspected of each line is added to what the network says (weights.go).
func (p *posing) place(c *Candidate) float64 {
	if p.span.lines == nil {
		return c.place
	}
	if c.place <= notRun {
		return notRun
	}
	return 0
}
