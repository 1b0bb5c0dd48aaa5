package network

import (
	"math"
	"slices"
	"sync"
)

// Model is the network with its linear part. Any number may encode and score
// with it at once, each with an encoding of its own, but nobody while it learns.
type Model struct {
	w       []float32
	linear  *Linear
	sights  *sights
	scratch sync.Pool // of *tape[float32]
}

// New draws a model that ranks all moves alike and gives everything an even
// chance. The same seed gives the same weights.
func New(seed uint64) *Model { return &Model{w: begin(seed), linear: NewLinear(), sights: newSights()} }

// Parameters is how many weights the network has, without its linear part.
func Parameters() int { return weights.size }

// Linear is the linear part, for its rates.
func (m *Model) Linear() *Linear { return m.linear }

// Clone gives a copy that learning does not change.
func (m *Model) Clone() *Model {
	return &Model{w: slices.Clone(m.w), linear: m.linear.Clone(), sights: m.sights.clone()}
}

// Encoding is a problem read by a model, but for its moves. One at a time may
// use it. It holds about 400 KB and 1 KB a distinct filler.
type Encoding struct {
	model    *Model
	facts    [ProblemFacts]float32
	code     coded[float32]
	heard    heard[float32]
	sites    placed[float32]
	value    float32
	known    catalog
	filled   filled[float32] // a row for each list known
	fillings []filling
}

// Encode reads code, sites, facts and what was said. It panics on a problem
// that Check refuses; moves are not looked at.
func (m *Model) Encode(p *Problem) *Encoding {
	must(p.checkContext())
	e := &Encoding{model: m}
	t := m.tape()
	c := t.code(p)
	e.code = coded[float32]{c.sites.keep(), c.query.keep(), c.keys.keep(), c.values.keep(), c.pooled.keep()}
	m.scratch.Put(t)
	e.Say(p.Said, p.Facts)
	return e
}

// Say replaces what was said and the problem's facts, and keeps what was read
// of the code: about a third of the work.
func (e *Encoding) Say(said []Token, facts [ProblemFacts]float32) {
	must(checkSaid(said, &facts))
	t := e.model.tape()
	defer e.model.scratch.Put(t)
	h := t.said(said)
	e.facts = facts
	e.heard = heard[float32]{h.siteKeys.keep(), h.siteValues.keep(), h.fillerKeys.keep(), h.fillerValues.keep(), h.test.keep()}
	s := t.sites(e.code, e.heard, &facts)
	e.sites = placed[float32]{s.score.keep(), s.want.keep(), s.meet.keep()}
	e.value = float32(1 / (1 + math.Exp(-float64(t.value(e.code, e.heard, &facts).v[0]))))
	e.known, e.filled = catalog{}, filled[float32]{}
}

// Value is the chance that the fixer solves this in the steps that remain.
func (m *Model) Value(e *Encoding) float32 { return e.value }

// scoreChunk is how many moves are scored at once: their inner layer then
// stays in the nearest caches.
const scoreChunk = 256

// mostKnown is how many fillers an encoding remembers before it forgets all of them: the moves
// of a large function have a hundred thousand, at more than a kilobyte each.
const mostKnown = 1 << 14

// Score writes the unnormalised log score of each move to out. It panics on
// moves that Check refuses. Fillers are encoded when first seen, or when they were forgotten.
func (m *Model) Score(e *Encoding, moves []Move, out []float32) {
	must(checkMoves(moves, e.sites.score.rows))
	if len(e.known.lists) > mostKnown {
		e.known, e.filled = catalog{}, filled[float32]{}
	}
	out = out[:len(moves)]
	t := m.tape()
	defer m.scratch.Put(t)
	e.fillings = sized(e.fillings, len(moves))
	for i := range moves {
		e.fillings[i] = filling{e.known.find(moves[i].Old), e.known.find(moves[i].New)}
	}
	for from := e.filled.is.rows; from < len(e.known.lists); from = e.filled.is.rows {
		t.reset()
		f := t.fill(e.known.lists[from:min(from+scoreChunk, len(e.known.lists))], e.code, e.heard)
		grow(&e.filled.is, f.is)
		grow(&e.filled.in, f.in)
		grow(&e.filled.out, f.out)
		grow(&e.filled.pair, f.pair)
	}
	for from := 0; from < len(moves); from += scoreChunk {
		to := min(from+scoreChunk, len(moves))
		t.reset()
		copy(out[from:to], t.moves(moves[from:to], e.fillings[from:to], e.sites, e.filled).v)
	}
	m.linear.add(moves, out)
	m.sights.add(moves, out)
}

// grow appends rows.
func grow(m *mat[float32], by mat[float32]) {
	for i := range by.rows {
		m.v = append(m.v, by.row(i)...)
	}
	m.rows, m.cols, m.down = m.rows+by.rows, by.cols, by.cols
}

func (m *Model) tape() *tape[float32] {
	t, ok := m.scratch.Get().(*tape[float32])
	if !ok {
		t = &tape[float32]{}
	}
	t.w = m.w
	t.reset()
	return t
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
