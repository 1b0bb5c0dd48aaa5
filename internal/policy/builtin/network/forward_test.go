package network

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func randomToken(r *rand.Rand) Token {
	t := Token{Kind: uint8(r.IntN(Kinds))}
	for i := range 1 + r.IntN(Pieces) {
		t.Pieces[i] = uint16(1 + r.IntN(Vocabulary-1))
	}
	return t
}

func randomTokens(r *rand.Rand, n int) []Token {
	tokens := make([]Token, n)
	for i := range tokens {
		tokens[i] = randomToken(r)
	}
	return tokens
}

func fill(r *rand.Rand, facts []float32) {
	for i := range facts {
		facts[i] = float32(r.NormFloat64())
	}
}

// random gives a problem of the sizes asked for, fillers drawn from a few.
func random(r *rand.Rand, code, said, sites, moves int) *Problem {
	p := &Problem{Code: randomTokens(r, code), Said: randomTokens(r, said)}
	fill(r, p.Facts[:])
	for range sites {
		first := r.IntN(code)
		s := Site{First: int32(first), Last: int32(min(first+r.IntN(6), code-1))}
		for i := range s.Syntax {
			s.Syntax[i] = uint8(r.IntN(Syntaxes))
		}
		fill(r, s.Facts[:])
		p.Sites = append(p.Sites, s)
	}
	fillers := make([][]Token, 1+moves/5)
	for i := range fillers {
		fillers[i] = randomTokens(r, r.IntN(5))
	}
	for i := range moves {
		m := Move{Site: int32(i * sites / moves), Action: uint8(r.IntN(Actions)), Old: fillers[r.IntN(len(fillers))], New: fillers[r.IntN(len(fillers))]}
		fill(r, m.Facts[:])
		for range 20 {
			m.Hash = append(m.Hash, r.Uint32())
		}
		p.Moves = append(p.Moves, m)
	}
	return p
}

// shaken gives weights of which none is zero, so that no gradient hides.
func shaken(r *rand.Rand) []float64 {
	w := make([]float64, weights.size)
	for i, v := range begin(1) {
		w[i] = float64(v) + 0.1*r.NormFloat64()
	}
	return w
}

// total is the loss of an example in float64, and its gradient when g is given.
func total(w, g []float64, p *Problem, targets []Target, entropy, solved float32) float64 {
	t := &tape[float64]{w: w, g: g}
	scores, value := t.forward(p)
	grad := make([]float64, len(scores.v))
	loss := choice(scores.v, targets, entropy, grad)
	v, slope := verdict(value.v[0], solved)
	if g != nil {
		copy(scores.g, grad)
		value.g[0] = slope
		t.back()
	}
	return loss + v
}

// The gradient by each matrix of weights, along a random direction, is what
// the loss changes by.
func TestGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	w := shaken(r)
	problems := map[string]*Problem{"real": random(r, 30, 20, 6, 25), "nothing said": random(r, 12, 0, 3, 9), "one token": random(r, 1, 1, 1, 4)}
	for name, p := range problems {
		targets := []Target{{0, 0.5}, {len(p.Moves) - 1, 0.5}, {1, -0.7}}
		g := make([]float64, len(w))
		total(w, g, p, targets, 0.2, 0.3)
		for _, m := range weights.all {
			if name != "real" && len(p.Said) == 0 && silent(m.name) {
				continue
			}
			direction := make([]float64, m.size())
			want, size := 0.0, 0.0
			for i := range direction {
				direction[i] = r.NormFloat64()
				if m.rows >= Kinds { // tables are met in few rows; go where they are met
					direction[i] = math.Copysign(1, g[m.at+i])
					if g[m.at+i] == 0 {
						direction[i] = 0
					}
				}
				want += direction[i] * g[m.at+i]
				size += math.Abs(direction[i] * g[m.at+i])
			}
			if size == 0 {
				t.Errorf("%s: no gradient reaches %s", name, m.name)
				continue
			}
			const step = 1e-7
			along := func(s float64) float64 {
				moved := append([]float64(nil), w...)
				for i, d := range direction {
					moved[m.at+i] += s * d
				}
				return total(moved, nil, p, targets, 0.2, 0.3)
			}
			if got := (along(step) - along(-step)) / (2 * step); math.Abs(got-want) > 1e-5*size+1e-6 {
				t.Errorf("%s: by %s the loss changes by %v, the gradient says %v", name, m.name, got, want)
			}
		}
	}
}

// silent reports whether weights matter only when something was said.
func silent(name string) bool {
	switch name {
	case "site.query", "site.key", "site.value", "site.sink", "site.read", "test.query", "test.sink", "filler.query", "filler.key",
		"filler.value", "filler.sink", "token.said", "site.test", "value.test":
		return true
	}
	return false
}

// The same weights give the same scores on every kernel, in float64, and when
// scored in parts, to 1e-3 of the scores' spread.
func TestKernelsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	w := shaken(r)
	m := New(1)
	for i, v := range w {
		m.w[i] = float32(v)
		w[i] = float64(m.w[i])
	}
	p := random(r, 150, 80, 20, 600)
	exact, value := (&tape[float64]{w: w}).forward(p)
	spread := 0.0
	for _, s := range exact.v {
		spread = max(spread, math.Abs(s-exact.v[0]))
	}
	if spread < 1 {
		t.Fatalf("scores are only %v apart", spread)
	}
	chance := 1 / (1 + math.Exp(-value.v[0]))
	with(t, func(name string) {
		for _, part := range []int{600, 7} {
			e := m.Encode(p)
			out := make([]float32, len(p.Moves))
			for i := 0; i < len(out); i += part {
				to := min(i+part, len(out))
				m.Score(e, p.Moves[i:to], out[i:to])
			}
			worst := 0.0
			for i := range out {
				worst = max(worst, math.Abs(float64(out[i])-exact.v[i]))
			}
			if worst > 1e-3*spread || math.Abs(float64(m.Value(e))-chance) > 1e-3 {
				t.Errorf("%s, in parts of %d: scores differ by %v of %v, the value is %v, want %v", name, part, worst, spread, m.Value(e), chance)
			}
		}
	})
}

// Say gives what a fresh encoding gives.
func TestSayIsAsGoodAsEncode(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	m := New(1)
	for i, v := range shaken(r) {
		m.w[i] = float32(v)
	}
	p, q := random(r, 40, 30, 5, 50), random(r, 40, 17, 5, 50)
	score := func(e *Encoding) string {
		out := make([]float32, len(p.Moves))
		m.Score(e, p.Moves, out)
		return fmt.Sprint(out, m.Value(e))
	}
	e := m.Encode(p)
	before := score(e)
	e.Say(q.Said, q.Facts)
	between := score(e)
	e.Say(p.Said, p.Facts)
	if after := score(e); before != after || before == between {
		t.Error("saying the same again gives other scores, or saying something else gives the same")
	}
	mixed := *p
	mixed.Said, mixed.Facts = q.Said, q.Facts
	if fresh := score(m.Encode(&mixed)); fresh != between {
		t.Error("Say and Encode give different scores")
	}
}

// TestAnEncodingForgetsFillers: the moves of a large function have so many that they took 150 MB.
func TestAnEncodingForgetsFillers(t *testing.T) {
	const part = 1024
	r := rand.New(rand.NewPCG(8, 8))
	m := New(1)
	for i, v := range shaken(r) {
		m.w[i] = float32(v)
	}
	p := random(r, 40, 30, 5, mostKnown+4*part)
	for i := range p.Moves {
		p.Moves[i].New = randomTokens(r, 1+r.IntN(3))
	}
	e, out, fresh := m.Encode(p), make([]float32, len(p.Moves)), make([]float32, part)
	forgot := false
	for from := 0; from+part <= len(p.Moves); from += part {
		known := len(e.known.lists)
		m.Score(e, p.Moves[from:from+part], out[from:from+part])
		forgot = forgot || len(e.known.lists) < known
		if n := len(e.known.lists); n > mostKnown+2*part || e.filled.is.rows != n {
			t.Fatalf("%d fillers are known and %d encoded", n, e.filled.is.rows)
		}
		m.Score(m.Encode(p), p.Moves[from:from+part], fresh)
		for i, want := range fresh {
			if out[from+i] != want {
				t.Fatalf("move %d: %v, %v by an encoding that knows no other", from+i, out[from+i], want)
			}
		}
	}
	if !forgot {
		t.Error("nothing was forgotten")
	}
}

// Lists that share a digest are still told apart.
func TestListsAreNumberedByWhatTheyHold(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	a, b, long := randomTokens(r, 2), randomTokens(r, 2), randomTokens(r, MaxFiller+3)
	var c catalog
	first := c.find(a)
	c.number[digest(b)] = first
	if c.find(b) == first || c.find(b) != c.find(b) || c.find(a) != first {
		t.Error("two lists with one digest are mixed up")
	}
	if c.find(long) != c.find(long[:MaxFiller]) {
		t.Error("tokens count beyond the most that count")
	}
	turned := []Token{a[1], a[0]}
	if c.find(turned) == first || c.find(nil) == first {
		t.Error("the order of tokens, or their number, does not count")
	}
	if len(c.lists) != 5 {
		t.Errorf("%d lists, want 5", len(c.lists))
	}
}

func TestANewModelRanksAllMovesAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	m := New(3)
	p := random(r, 40, 30, 5, 50)
	e := m.Encode(p)
	out := make([]float32, len(p.Moves))
	m.Score(e, p.Moves, out)
	for i, s := range out {
		if s != 0 {
			t.Fatalf("move %d scores %v", i, s)
		}
	}
	if v := m.Value(e); v != 0.5 {
		t.Errorf("the value is %v", v)
	}
	if n := Parameters(); n < 500_000 || n > 1_000_000 {
		t.Errorf("%d parameters", n)
	}
}

func TestProblemsThatCannotBeRead(t *testing.T) {
	good := func() *Problem { return random(rand.New(rand.NewPCG(9, 9)), 20, 10, 3, 6) }
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	for name, spoil := range map[string]func(p *Problem){
		"site beyond the code":   func(p *Problem) { p.Sites[1].Last = 20 },
		"site turned around":     func(p *Problem) { p.Sites[1].First = p.Sites[1].Last + 1 },
		"move at no site":        func(p *Problem) { p.Moves[2].Site = 3 },
		"action too large":       func(p *Problem) { p.Moves[2].Action = Actions },
		"syntax kind too large":  func(p *Problem) { p.Sites[0].Syntax[2] = Syntaxes },
		"token kind too large":   func(p *Problem) { p.Code[0].Kind = Kinds },
		"sub-word too large":     func(p *Problem) { p.Said[3].Pieces[1] = Vocabulary },
		"too much code":          func(p *Problem) { p.Code = make([]Token, MaxCode+1) },
		"too much said":          func(p *Problem) { p.Said = make([]Token, MaxSaid+1) },
		"a filler's sub-word":    func(p *Problem) { p.Moves[0].New = []Token{{Pieces: [4]uint16{Vocabulary}}} },
		"a move's fact":          func(p *Problem) { p.Moves[0].Facts[3] = nan },
		"a site's fact":          func(p *Problem) { p.Sites[0].Facts[3] = nan },
		"a fact of the problem":  func(p *Problem) { p.Facts[3] = nan },
		"a negative first token": func(p *Problem) { p.Sites[0].First = -1 },
	} {
		p := good()
		spoil(p)
		if err := p.Check(); err == nil {
			t.Errorf("%s: not refused", name)
		}
		if err := NewTrainer(New(1), 1).Add(p, nil, 0, nil); err == nil {
			t.Errorf("%s: taken for training", name)
		}
	}
	m := New(1)
	e := m.Encode(&Problem{})
	m.Score(e, nil, nil)
	if v := m.Value(e); v != 0.5 {
		t.Errorf("of nothing the value is %v", v)
	}
}
