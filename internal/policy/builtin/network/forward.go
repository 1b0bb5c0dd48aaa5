package network

// coded is what depends on the code alone.
type coded[T real] struct {
	sites  mat[T] // sites × inner, before what was said is added
	query  mat[T] // sites × vector
	keys   mat[T] // tokens × vector, for fillers
	values mat[T]
	pooled mat[T] // 1 × trunk
}

// heard is what depends on what was said alone.
type heard[T real] struct {
	siteKeys, siteValues     mat[T] // tokens × vector
	fillerKeys, fillerValues mat[T]
	test                     mat[T] // 1 × queries·vector
}

// placed is what moves need of the sites.
type placed[T real] struct {
	score mat[T] // sites × Actions
	want  mat[T] // sites × vector: which filler it asks for
	meet  mat[T] // sites × vector: its part of the layer where all meet
}

// filled is what moves need of the fillers, a row each.
type filled[T real] struct {
	is   mat[T] // answers to what a site asks for
	in   mat[T] // part of the layer where all meet, as New
	out  mat[T] // the same, as Old
	pair mat[T] // as Old: which New it asks for
}

// read turns tokens into rows that know their neighbours: two residual blocks
// of a depthwise convolution and two layers (ConvNeXt, Liu et al. 2022).
func (t *tape[T]) read(e mat[T], segment int) mat[T] {
	bias := t.param(weights.inBias)
	bias.v, bias.rows = bias.row(segment), 1
	if bias.g != nil {
		bias.g = bias.grad(segment)
	}
	x := t.spread(e.rows, bias)
	t.times(x, e, t.param(weights.in))
	for i, b := range weights.blocks {
		c := t.norm(t.convolve(x, b.taps, b.tapsBias, dilations[i]), b.norm)
		y := t.layer(t.rectify(t.layer(c, b.widen, b.widenBias)), b.narrow, b.narrowBias)
		t.plus(y, x)
		x = y
	}
	return t.norm(x, weights.trunkNorm)
}

func (t *tape[T]) code(p *Problem) coded[T] {
	e := t.embed(p.Code)
	x := t.read(e, 0)
	spans := t.spans(x, p.Sites)
	y := t.layer(spans, weights.siteTokens, weights.siteBias)
	facts := t.constant(len(p.Sites), SiteFacts)
	for i := range p.Sites {
		widen(facts.row(i), p.Sites[i].Facts[:])
	}
	t.times(y, facts, t.param(weights.siteFacts))
	for i, table := range weights.siteSyntax {
		t.look(y, table, func(s int) int { return int(p.Sites[s].Syntax[i]) })
	}
	mean := spans.cut(spanMean*trunk, (spanMean+1)*trunk)
	return coded[T]{y, t.project(mean, weights.siteQuery), t.project(e, weights.codeKey), t.project(x, weights.codeValue), t.mean(x)}
}

func (t *tape[T]) said(said []Token) heard[T] {
	e := t.embed(said)
	x := t.read(e, 1)
	h := heard[T]{
		siteKeys: t.project(x, weights.siteKey), siteValues: t.project(x, weights.siteValue),
		fillerKeys: t.project(e, weights.fillerKey), fillerValues: t.project(x, weights.fillerValue),
	}
	h.test = t.attend(t.param(weights.testQuery), h.siteKeys, h.siteValues, weights.testSink).reshape(1, queries*vector)
	return h
}

// sites adds what was said to the sites: to all alike, and what each reads.
func (t *tape[T]) sites(c coded[T], h heard[T], facts *[ProblemFacts]float32) placed[T] {
	common := t.project(h.test, weights.siteTest)
	t.times(common, t.facts(facts), t.param(weights.siteProblem))
	y := t.spread(c.sites.rows, common)
	t.plus(y, c.sites)
	t.times(y, t.attend(c.query, h.siteKeys, h.siteValues, weights.siteSink), t.param(weights.siteRead))
	v := t.layer(t.rectify(y), weights.siteOut, weights.siteOutBias)
	return placed[T]{t.layer(v, weights.place, weights.placeBias), t.project(v, weights.want), t.layer(v, weights.meet, weights.meetBias)}
}

// fill encodes lists of tokens: each distinct token once, with what it finds
// in the code and in what was said, then each list.
func (t *tape[T]) fill(lists [][]Token, c coded[T], h heard[T]) filled[T] {
	number := map[Token]int32{}
	var tokens []Token
	rows := make([][]int32, len(lists))
	for i, list := range lists {
		rows[i] = make([]int32, len(list))
		for j, token := range list {
			n, ok := number[token]
			if !ok {
				n = int32(len(tokens))
				number[token] = n
				tokens = append(tokens, token)
			}
			rows[i][j] = n
		}
	}
	e := t.embed(tokens)
	z := t.layer(e, weights.tokenSelf, weights.tokenBias)
	said := t.attend(t.project(e, weights.fillerQuery), h.fillerKeys, h.fillerValues, weights.fillerSink)
	t.times(z, said, t.param(weights.tokenSaid))
	used := t.attend(t.project(e, weights.codeQuery), c.keys, c.values, weights.codeSink)
	t.times(z, used, t.param(weights.tokenUsed))
	g := t.rectify(t.layer(t.bag(t.rectify(z), rows, weights.gates), weights.filler, weights.fillerBias))
	y := t.layer(g, weights.fillerOut, weights.fillerOutBias)
	return filled[T]{y.cut(0, vector), y.cut(vector, 2*vector), y.cut(2*vector, 3*vector), t.project(g, weights.fillerPair)}
}

// value gives the logit of the chance that the fixer solves this.
func (t *tape[T]) value(c coded[T], h heard[T], facts *[ProblemFacts]float32) mat[T] {
	y := t.layer(c.pooled, weights.valueCode, weights.valueBias)
	t.times(y, h.test, t.param(weights.valueTest))
	t.times(y, t.facts(facts), t.param(weights.valueFacts))
	return t.layer(t.rectify(y), weights.value, weights.valueOutBias)
}

func (t *tape[T]) facts(facts *[ProblemFacts]float32) mat[T] {
	m := t.constant(1, ProblemFacts)
	widen(m.v, facts[:])
	return m
}

func widen[T real](to []T, from []float32) {
	for i, v := range from {
		to[i] = T(v)
	}
}
