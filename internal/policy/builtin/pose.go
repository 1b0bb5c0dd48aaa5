package builtin

import (
	"strings"

	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/testrun"
)

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

// silenced is a view as if there were no test: for weights that were not taught what tests say.
func silenced(v View) View {
	v.RedTest, v.Failure = "", testrun.Failure{}
	return v
}

func (g *generator) poseAs(v View, cs []Candidate) *network.Problem {
	spots := make([]spot, len(cs))
	for i := range cs {
		spots[i] = spot{cs[i].start, cs[i].end, cs[i].place}
	}
	p, problem, sites := g.scene(v, spots, func(i int) *Candidate { return &cs[i] })
	problem.Moves = p.moves(make([]network.Move, 0, len(cs)), cs, sites)
	return problem
}

// spot is where a candidate is: its site, and the log prior of the place.
type spot struct {
	start, end int
	place      float64
}

// scene is the problem of some candidates without its moves, of which a view can have so many
// that they take more memory than all else: the site of each is told instead. It asks for the
// first candidate at each site alone.
func (g *generator) scene(v View, spots []spot, at func(i int) *Candidate) (*posing, *network.Problem, []int32) {
	p := newPosing(v, g)
	problem := &network.Problem{Said: p.said(), Facts: p.problemFacts()}
	from := p.frame(spots)
	to := min(len(p.leaves), from+network.MaxCode)
	for i := from; i < to; i++ {
		problem.Code = append(problem.Code, tokenOf(&p.leaves[i]))
	}
	type span struct{ start, end int }
	known, sites := map[span]int32{}, make([]int32, len(spots))
	for i, s := range spots {
		site, ok := known[span{s.start, s.end}]
		if !ok {
			site = int32(len(problem.Sites))
			known[span{s.start, s.end}] = site
			problem.Sites = append(problem.Sites, p.site(at(i), from, to))
		}
		sites[i] = site
	}
	return p, problem, sites
}

// moves appends the moves of some candidates, whose sites are known.
func (p *posing) moves(to []network.Move, cs []Candidate, sites []int32) []network.Move {
	for i := range cs {
		m := p.move(&cs[i])
		m.Site = sites[i]
		to = append(to, m)
	}
	return to
}

// frame is the first of the tokens that the network reads: all that moves
// touch where they fit, else those around the place that is suspected most.
func (p *posing) frame(cs []spot) int {
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
