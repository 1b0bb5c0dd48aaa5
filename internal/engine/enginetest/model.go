package enginetest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"

	"breakfix/internal/engine"
)

// The adapter sees the context as five hashed features: nothing, the last one,
// two and three tokens, and how far into which message the context has come.
const (
	rows     = 1 << 12 // of hashed features
	features = 5
	reach    = 3 // the longest context, in tokens, whose earlier followers can be copied
	lora     = 32.0
)

// copyBase is what the frozen model adds to the logit of a token that followed
// the last 1, 2 or 3 tokens before, in the same context.
var copyBase = [reach]float64{1, 1.5, 2}

// adapter is the trainable part: for the features f of a context and the tokens v,
//
//	logit(v) = log p_base(v) + s B[v] . sum_f A[f] + sum_k (copyBase[k] + s sum_f G[f][k]) [v followed the last k tokens before]
//
// with s = 32 / rank. A and G begin at zero, B is drawn: at first the model is the base. All of it is
// one array, so that Adam is one loop.
type adapter struct {
	rank    int
	size    int // of the vocabulary
	unembed bool
	w, g    []float64 // weights, gradients
	m, v    []float64 // Adam's moments
	t       int       // Adam's steps
	passes  float64   // sequences in g, for the mean
}

func newAdapter(size, rank int, seed uint64, unembed bool) *adapter {
	n := rows*(rank+reach) + size*rank
	a := &adapter{rank: rank, size: size, unembed: unembed, w: make([]float64, n), g: make([]float64, n), m: make([]float64, n), v: make([]float64, n)}
	r := rand.New(rand.NewPCG(seed, 0xada9))
	b := a.bAt(0)
	for i := b; i < n; i++ {
		a.w[i] = r.NormFloat64() / math.Sqrt(float64(rank))
	}
	return a
}

func (a *adapter) aAt(feature uint64) int { return int(feature) * (a.rank + reach) } // rank of A, then reach of G
func (a *adapter) bAt(token int) int      { return rows*(a.rank+reach) + token*a.rank }

func (a *adapter) clone() *adapter {
	c := *a
	for _, s := range []*[]float64{&c.w, &c.g, &c.m, &c.v} {
		*s = append([]float64(nil), *s...)
	}
	return &c
}

// digest tells two states of weights and optimiser apart.
func (a *adapter) digest() string {
	h := sha256.New()
	for _, s := range [][]float64{a.w, a.m, a.v, {float64(a.t)}} {
		_ = binary.Write(h, binary.LittleEndian, s)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// step is Adam with bias correction and decoupled weight decay; it uses the
// gradients up.
func (a *adapter) step(rate, beta1, beta2, eps, decay float64, mean bool) (norm float64) {
	a.t++
	c1, c2 := 1-math.Pow(beta1, float64(a.t)), 1-math.Pow(beta2, float64(a.t))
	scale := 1.0
	if mean && a.passes > 0 {
		scale = 1 / a.passes
	}
	end := len(a.w)
	if !a.unembed {
		end = a.bAt(0)
	}
	for i, g := range a.g[:end] {
		g *= scale
		norm += g * g
		if g == 0 && a.m[i] == 0 && decay == 0 {
			continue
		}
		a.m[i] = beta1*a.m[i] + (1-beta1)*g
		a.v[i] = beta2*a.v[i] + (1-beta2)*g*g
		a.w[i] -= rate * (a.m[i]/c1/(math.Sqrt(a.v[i]/c2)+eps) + decay*a.w[i])
	}
	clear(a.g)
	a.passes = 0
	return math.Sqrt(norm)
}

// reader goes through one context, token by token, and knows what may follow.
type reader struct {
	base   *base
	lora   *adapter // nil: the base model alone
	ids    []int32
	role   int32 // that began the message
	into   int   // tokens since then
	before [reach]map[uint64][]int32

	// Of the position that next was called at.
	at     [features]uint64
	hidden []float64
	copies [reach][]int32
	p      []float64 // p_base, then p
	total  float64
}

func (b *base) read(lora *adapter) *reader {
	r := &reader{base: b, lora: lora, p: make([]float64, b.size), role: -1}
	if lora != nil {
		r.hidden = make([]float64, lora.rank)
	}
	for k := range r.before {
		r.before[k] = map[uint64][]int32{}
	}
	return r
}

const mostFollowers = 64

// take appends a token to the context.
func (r *reader) take(id int32) {
	n := len(r.ids)
	for k := 1; k <= min(reach, n); k++ {
		h := hashOf(r.ids[n-k:], uint64(k))
		known := r.before[k-1][h]
		if len(known) < mostFollowers && !holds(known, id) {
			r.before[k-1][h] = append(known, id)
		}
	}
	r.ids = append(r.ids, id)
	r.into++
	if id >= engine.PieceSystem && id <= engine.PieceTool {
		r.role, r.into = id, 0
	}
}

func holds(ids []int32, id int32) bool {
	for _, other := range ids {
		if other == id {
			return true
		}
	}
	return false
}

// next computes the probabilities of the token that follows.
func (r *reader) next() {
	n := len(r.ids)
	r.base.probabilities(r.ids, r.p)
	var strength [reach]float64
	for k := 1; k <= reach; k++ {
		r.copies[k-1] = nil
		if k <= n {
			r.copies[k-1] = r.before[k-1][hashOf(r.ids[n-k:], uint64(k))]
		}
	}
	strength = copyBase
	if a := r.lora; a != nil {
		r.at = [features]uint64{0, 1, 2, 3, hashOf([]int32{r.role, int32(min(r.into, 31))}, 9) % rows}
		for k := 1; k <= 3; k++ {
			r.at[k] = hashOf(r.ids[max(0, n-k):], uint64(k)+20) % rows
		}
		clear(r.hidden)
		scale := lora / float64(a.rank)
		for _, f := range r.at {
			row := a.w[a.aAt(f):][: a.rank+reach : a.rank+reach]
			for i := range r.hidden {
				r.hidden[i] += row[i]
			}
			for k := range strength {
				strength[k] += scale * row[a.rank+k]
			}
		}
		b := a.w[a.bAt(0):]
		for v := range r.p {
			dot := 0.0
			for i, w := range b[v*a.rank : v*a.rank+a.rank] {
				dot += w * r.hidden[i]
			}
			if dot != 0 {
				r.p[v] *= math.Exp(max(-60, min(60, scale*dot))) // a bound that no sane weights come near
			}
		}
	}
	for k, ids := range r.copies {
		if up := math.Exp(strength[k]); up != 1 {
			for _, id := range ids {
				r.p[id] *= up
			}
		}
	}
	r.total = 0
	for _, p := range r.p {
		r.total += p
	}
}

// logProb of a token at the position that next was called at.
func (r *reader) logProb(id int32) float64 { return math.Log(r.p[id] / r.total) }

// learn adds to the gradient of a loss L that has dL/d logProb(id) = by.
func (r *reader) learn(id int32, by float64) {
	a := r.lora
	scale := lora / float64(a.rank)
	dHidden := make([]float64, a.rank)
	b, gb := a.w[a.bAt(0):], a.g[a.bAt(0):]
	for v, p := range r.p {
		d := -by * p / r.total
		if int32(v) == id {
			d += by
		}
		r.p[v] = d // from here on, dL/d logit(v)
		d *= scale
		row, grow := b[v*a.rank:], gb[v*a.rank:]
		for i := range dHidden {
			dHidden[i] += d * row[i]
			if a.unembed {
				grow[i] += d * r.hidden[i]
			}
		}
	}
	var dStrength [reach]float64
	for k, ids := range r.copies {
		for _, v := range ids {
			dStrength[k] += r.p[v]
		}
	}
	for _, f := range r.at {
		row := a.g[a.aAt(f):]
		for i, d := range dHidden {
			row[i] += d
		}
		for k, d := range dStrength {
			row[a.rank+k] += scale * d
		}
	}
}

// draw samples a token at a temperature; 0 takes the likeliest. The
// log-probability is the policy's own, at temperature 1.
func (r *reader) draw(rng *rand.Rand, temperature float64) int32 {
	if temperature <= 0 {
		best := 0
		for v, p := range r.p {
			if p > r.p[best] {
				best = v
			}
		}
		return int32(best)
	}
	p, total := r.p, r.total
	if temperature != 1 {
		p, total = make([]float64, len(r.p)), 0
		for v, q := range r.p {
			p[v] = math.Pow(q/r.total, 1/temperature)
			total += p[v]
		}
	}
	x := rng.Float64() * total
	for v, q := range p {
		if x -= q; x < 0 {
			return int32(v)
		}
	}
	return int32(len(p) - 1)
}
