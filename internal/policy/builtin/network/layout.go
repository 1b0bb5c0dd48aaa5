package network

import (
	"math"
	"math/rand/v2"
)

// Widths of the layers.
const (
	embedding = 64
	trunk     = 128
	wide      = 256 // inside a block
	blocks    = 2
	taps      = 5
	inner     = 128 // inside the site's layer
	vector    = 64  // what a site, a filler and an action meet in
	queries   = 2   // ways to read the test as a whole
)

// dilations reach two tokens, then two blocks of five: twelve on each side.
var dilations = [blocks]int{1, taps}

// param is a matrix of weights within the one slice of all.
type param struct {
	name       string
	rows, cols int
	at         int
	spread     float64 // standard deviation at the start
	start      float64 // mean at the start
}

func (p param) size() int { return p.rows * p.cols }

type block struct{ taps, tapsBias, norm, widen, widenBias, narrow, narrowBias param }

// layout is every matrix of weights by what it is for.
type layout struct {
	all  []param
	size int

	pieces, kinds param
	in, inBias    param // a row of bias for code, one for what was said
	blocks        [blocks]block
	trunkNorm     param

	siteTokens, siteBias, siteFacts, siteTest, siteProblem, siteRead param
	siteSyntax                                                       [3]param
	siteQuery, siteKey, siteValue, siteSink, siteOut, siteOutBias    param
	testQuery, testSink                                              param

	fillerQuery, fillerKey, fillerValue, fillerSink                                  param
	codeQuery, codeKey, codeValue, codeSink                                          param
	tokenSelf, tokenSaid, tokenUsed, tokenBias, gates                                param
	filler, fillerBias, fillerOut, fillerOutBias, fillerPair                         param
	place, placeBias, want, meet, meetBias, actionMeet, actionGate, actionWant, fact param
	out                                                                              param

	valueCode, valueTest, valueFacts, valueBias, value, valueOutBias param
}

var weights = plan()

func plan() *layout {
	l := &layout{}
	add := func(to *param, name string, rows, cols int, spread, start float64) {
		*to = param{name: name, rows: rows, cols: cols, at: l.size, spread: spread, start: start}
		l.size += to.size()
		l.all = append(l.all, *to)
	}
	// Weights in front of a rectifier keep the variance (He et al. 2015), others
	// too (Glorot and Bengio 2010); what ends in a score begins at zero.
	before := func(to *param, name string, rows, cols int) {
		add(to, name, rows, cols, math.Sqrt(2/float64(rows)), 0)
	}
	matrix := func(to *param, name string, rows, cols int) {
		add(to, name, rows, cols, math.Sqrt(1/float64(rows)), 0)
	}
	zero := func(to *param, name string, rows, cols int) { add(to, name, rows, cols, 0, 0) }

	add(&l.pieces, "embed.pieces", Vocabulary, embedding, 1, 0)
	add(&l.kinds, "embed.kinds", Kinds, embedding, 0.25, 0)
	matrix(&l.in, "trunk.in", embedding, trunk)
	zero(&l.inBias, "trunk.in.bias", 2, trunk)
	for i := range l.blocks {
		b, name := &l.blocks[i], "trunk."+string(rune('0'+i))
		add(&b.taps, name+".taps", taps, trunk, math.Sqrt(1.0/taps), 0)
		zero(&b.tapsBias, name+".taps.bias", 1, trunk)
		add(&b.norm, name+".norm", 1, trunk, 0, 1)
		before(&b.widen, name+".widen", trunk, wide)
		zero(&b.widenBias, name+".widen.bias", 1, wide)
		matrix(&b.narrow, name+".narrow", wide, trunk)
		zero(&b.narrowBias, name+".narrow.bias", 1, trunk)
	}
	add(&l.trunkNorm, "trunk.norm", 1, trunk, 0, 1)

	before(&l.siteTokens, "site.tokens", spanParts*trunk, inner)
	zero(&l.siteBias, "site.bias", 1, inner)
	add(&l.siteFacts, "site.facts", SiteFacts, inner, 0.3, 0)
	for i := range l.siteSyntax {
		add(&l.siteSyntax[i], "site.syntax."+string(rune('0'+i)), Syntaxes, inner, 0.3, 0)
	}
	add(&l.siteTest, "site.test", queries*vector, inner, 0.1, 0)
	add(&l.siteProblem, "site.problem", ProblemFacts, inner, 0.1, 0)
	matrix(&l.siteRead, "site.read", vector, inner)
	matrix(&l.siteQuery, "site.query", trunk, vector)
	matrix(&l.siteKey, "site.key", trunk, vector)
	matrix(&l.siteValue, "site.value", trunk, vector)
	add(&l.siteSink, "site.sink", 1, 1, 0, 2)
	matrix(&l.siteOut, "site.out", inner, vector)
	zero(&l.siteOutBias, "site.out.bias", 1, vector)
	add(&l.testQuery, "test.query", queries, vector, 1, 0)
	add(&l.testSink, "test.sink", 1, 1, 0, 0)

	add(&l.fillerQuery, "filler.query", embedding, vector, 0, 0) // see begin
	add(&l.fillerKey, "filler.key", embedding, vector, 0, 0)
	matrix(&l.fillerValue, "filler.value", trunk, vector)
	add(&l.fillerSink, "filler.sink", 1, 1, 0, 7)
	add(&l.codeQuery, "filler.code.query", embedding, vector, 0, 0)
	add(&l.codeKey, "filler.code.key", embedding, vector, 0, 0)
	matrix(&l.codeValue, "filler.code.value", trunk, vector)
	add(&l.codeSink, "filler.code.sink", 1, 1, 0, 7)
	before(&l.tokenSelf, "token.self", embedding, vector)
	before(&l.tokenSaid, "token.said", vector, vector)
	before(&l.tokenUsed, "token.used", vector, vector)
	zero(&l.tokenBias, "token.bias", 1, vector)
	add(&l.gates, "filler.gates", MaxFiller, vector, 0.5, 0)
	before(&l.filler, "filler.bag", 2*vector, vector)
	zero(&l.fillerBias, "filler.bag.bias", 1, vector)
	matrix(&l.fillerOut, "filler.out", vector, 3*vector)
	zero(&l.fillerOutBias, "filler.out.bias", 1, 3*vector)
	zero(&l.fillerPair, "filler.pair", vector, vector)

	zero(&l.place, "place", vector, Actions)
	zero(&l.placeBias, "place.bias", 1, Actions)
	zero(&l.want, "site.want", vector, vector)
	matrix(&l.meet, "site.meet", vector, vector)
	zero(&l.meetBias, "site.meet.bias", 1, vector)
	add(&l.actionMeet, "action.meet", Actions, vector, 0.5, 0)
	zero(&l.actionGate, "action.gate", Actions, vector)
	zero(&l.actionWant, "action.want", Actions, vector)
	add(&l.fact, "move.facts", MoveFacts, vector, 0.3, 0)
	zero(&l.out, "move.out", 1, vector)

	matrix(&l.valueCode, "value.code", trunk, vector)
	matrix(&l.valueTest, "value.test", queries*vector, vector)
	add(&l.valueFacts, "value.facts", ProblemFacts, vector, 0.3, 0)
	zero(&l.valueBias, "value.bias", 1, vector)
	zero(&l.value, "value.out", vector, 1)
	zero(&l.valueOutBias, "value.out.bias", 1, 1)
	return l
}

// begin draws the weights of a model that ranks all moves alike.
func begin(seed uint64) []float32 {
	w := make([]float32, weights.size)
	for i, p := range weights.all {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		for j := range w[p.at:][:p.size()] {
			w[p.at+j] = float32(p.start + p.spread*r.NormFloat64())
		}
	}
	// Queries and keys begin alike, so that a token finds its like in the code
	// and in what was said before anything is learned: with a logit of about 12
	// for fillers. Begun at random, copying was not found in ten times the steps.
	copy(w[weights.siteKey.at:][:weights.siteKey.size()], w[weights.siteQuery.at:])
	for i := range vector {
		for _, p := range []param{weights.fillerQuery, weights.codeQuery} {
			w[p.at+i*vector+i] = math.Sqrt2
		}
		for _, p := range []param{weights.fillerKey, weights.codeKey} {
			w[p.at+i*vector+i] = 1
		}
	}
	return w
}
