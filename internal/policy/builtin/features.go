package builtin

import (
	"math"
	"strconv"
	"strings"

	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/testrun"
)

// posing turns a view and its candidates into the numbers that are learned
// from. It gives names to what can be seen of an edit; how much each is worth
// is learned.
type posing struct {
	view    View
	src     []byte
	root    *node
	span    span
	facts   *facts
	hints   hints
	leaves  []leaf
	params  map[string]bool
	bigrams map[[2]string]int // shapes of neighbours, of the whole file
	spoken  map[string]int    // words of the red test: 1, of the failure: 2
	told    []string          // relation of the values in the assertion, and the kind of failure
	doc     map[string]bool   // words of the docstring of the function
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
	var chain []string
	if s.first > 0 {
		chain = append(chain, p.leaves[s.first-1].text)
	}
	from := len(chain)
	_ = from
	tail := ""
	if s.end < len(p.leaves) {
		tail = p.leaves[s.end].text
	}
	rarest := func(ls []leaf, less int) int {
		least := 1 << 20
		prev := ""
		if len(chain) > 0 {
			prev = chain[0]
		}
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

// actions numbers the kinds of repair for the network.
var actions = func() map[Kind]uint8 {
	m := map[Kind]uint8{}
	for i, k := range kinds {
		m[k] = uint8(i + 1)
	}
	return m
}()

// kinds in an order that never changes: weights refer to it. New ones come last.
var kinds = []Kind{kindCompare, kindArith, kindBool, kindNegate, kindLiteral, kindOffset, kindDropTerm, kindAddTerm, kindDropCond, kindAddCond,
	kindSwap, kindArgs, kindName, kindAttr, kindKeyword, kindString, kindUnwrap, kindWrap, kindAugment, kindValue, kindReturn, kindInsert, kindGuard,
	kindDelete, kindOrder, kindBranches, kindJump, kindAwait, kindException, kindWith, kindCondition, kindArgument, kindElement, kindNone, kindBank,
	kindDecorator, kindHandler}

func actionOf(k Kind) uint8 { return actions[k] }

// piecesOf cuts a word at its underscores and capitals and hashes the parts.
func piecesOf(text string) (out [network.Pieces]uint16) {
	n := 0
	put := func(s string) {
		if s != "" && n < network.Pieces {
			out[n] = uint16(1 + hashOf("piece", strings.ToLower(s))%(network.Vocabulary-1))
			n++
		}
	}
	from := 0
	for i := 1; i < len(text); i++ {
		c := text[i]
		if c == '_' || c >= 'A' && c <= 'Z' && text[i-1] >= 'a' && text[i-1] <= 'z' {
			put(strings.Trim(text[from:i], "_"))
			from = i
		}
	}
	put(strings.Trim(text[from:], "_"))
	if n == 0 {
		put("_" + text)
	}
	return out
}

func tokenOf(l *leaf) network.Token {
	return network.Token{Pieces: piecesOf(l.text), Kind: uint8(l.class)}
}

func tokensOf(ls []leaf, most int) []network.Token {
	out := make([]network.Token, 0, min(len(ls), most))
	for i := range ls {
		if i == most {
			break
		}
		out = append(out, tokenOf(&ls[i]))
	}
	return out
}

// Pose lists the candidates of a view with what can be learned from each. The
// i-th move of the problem is the i-th candidate. nil where nothing parses.
func Pose(v View) ([]Candidate, *network.Problem) {
	g := generate(v, true)
	if g == nil {
		return nil, nil
	}
	cs := g.ranked()
	return cs, g.pose(cs)
}

// pose gives what can be learned from each of some candidates.
func (g *generator) pose(cs []Candidate) *network.Problem { return g.poseAs(g.view, cs) }

// poseSilent is pose as if there were no test: for weights that were not
// taught what tests say.
func (g *generator) poseSilent(cs []Candidate) *network.Problem {
	v := g.view
	v.RedTest, v.Failure = "", testrun.Failure{}
	return g.poseAs(v, cs)
}

func (g *generator) poseAs(v View, cs []Candidate) *network.Problem {
	p := newPosing(v, g)
	problem := &network.Problem{Moves: make([]network.Move, 0, len(cs)), Said: p.said(), Facts: p.problemFacts()}
	from := p.frame(cs)
	to := min(len(p.leaves), from+network.MaxCode)
	for i := from; i < to; i++ {
		problem.Code = append(problem.Code, tokenOf(&p.leaves[i]))
	}
	type span struct{ start, end int }
	sites := map[span]int32{}
	for i := range cs {
		m := p.move(&cs[i])
		at := span{cs[i].start, cs[i].end}
		site, ok := sites[at]
		if !ok {
			site = int32(len(problem.Sites))
			sites[at] = site
			problem.Sites = append(problem.Sites, p.site(&cs[i], from, to))
		}
		m.Site = site
		problem.Moves = append(problem.Moves, m)
	}
	return problem
}

// frame is the first of the tokens that the network reads: all that moves
// touch where they fit, else those around the place that is suspected most.
func (p *posing) frame(cs []Candidate) int {
	if len(cs) == 0 || len(p.leaves) <= network.MaxCode {
		return 0
	}
	first, last, best := len(p.leaves), 0, 0
	for i := range cs {
		first = min(first, leafAt(p.leaves, cs[i].start))
		last = max(last, leafAt(p.leaves, max(cs[i].end-1, cs[i].start)))
		if cs[i].place > cs[best].place {
			best = i
		}
	}
	middle := (first + last) / 2
	if last-first >= network.MaxCode {
		middle = leafAt(p.leaves, cs[best].start)
	}
	return max(0, min(middle-network.MaxCode/2, len(p.leaves)-network.MaxCode))
}

// site is the place of a candidate; from and to bound the tokens that are read.
func (p *posing) site(c *Candidate, from, to int) network.Site {
	first, last := leafAt(p.leaves, c.start), leafAt(p.leaves, max(c.end-1, c.start))
	inside := func(i int) int32 { return int32(max(0, min(i, to-1)-from)) }
	s := network.Site{First: inside(first), Last: max(inside(first), inside(last))}
	n := nodeOver(p.root, c.start, c.end)
	loop, depth := n.up("for_statement", "while_statement", "list_comprehension", "generator_expression") != nil, 0
	for i, k := 0, n; k != nil; i, k = i+1, k.parent {
		if i < len(s.Syntax) {
			s.Syntax[i] = uint8(1 + hashOf("syntax", k.kind)%(network.Syntaxes-1))
		}
		depth++
	}
	at := float32(0)
	if f := p.facts.function; f != nil && f.last > f.row {
		at = min(1, max(0, float32(n.row-f.row)/float32(f.last-f.row)))
	}
	s.Facts = [network.SiteFacts]float32{float32(p.place(c)) / 4, yes(p.place(c) >= 0), yes(p.place(c) > -4), yes(p.hints.lines[c.Line]), float32(depth) / 16, at,
		yes(loop), yes(n.up("if_statement", "elif_clause", "while_statement") != nil), yes(n.up("return_statement") != nil), yes(n.up("argument_list") != nil),
		yes(n.up("subscript") != nil), yes(to <= first || first < from)}
	return s
}

// said is the red test, then how it fails; a word of the failure has a kind of
// its own.
func (p *posing) said() []network.Token {
	const ofTest = network.MaxSaid - 64
	test, failure := words(p.view.RedTest, nil, nil), words(p.view.Failure.Kind+" "+firstLines(p.view.Failure.Message, 4), nil, nil)
	if len(test) > ofTest {
		test = test[len(test)-ofTest:] // the end is nearer to what fails
	}
	var out []network.Token
	for i := range test {
		out = append(out, tokenOf(&test[i]))
	}
	for i := range failure {
		if len(out) == network.MaxSaid {
			break
		}
		t := tokenOf(&failure[i])
		t.Kind += uint8(classText)
		out = append(out, t)
	}
	return out
}

// problemFacts says what kind of failure it is, and how the values of the
// assertion differ.
func (p *posing) problemFacts() (f [network.ProblemFacts]float32) {
	for i, kind := range [...]string{"AssertionError", "TypeError", "ValueError", "IndexError", "KeyError", "AttributeError", "NameError"} {
		f[i] = yes(p.view.Failure.Kind == kind)
	}
	f[7], f[8] = yes(p.hints.timeout), yes(p.view.RedTest != "")
	for _, t := range p.told {
		for i, tag := range [...]string{"one more", "one less", "more", "less", "reversed", "none"} {
			if t == tag {
				f[9+i] = 1
			}
		}
		if strings.HasPrefix(t, "truth ") {
			f[15] = 1
		}
	}
	return f
}
