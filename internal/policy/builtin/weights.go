package builtin

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/tree"
)

// Weights are what was learned of ranking moves. They do not change: learning
// makes new ones.
type Weights struct {
	model   *network.Model
	card    network.Card
	version policy.Version
	// other scores in the place of the network: baselines.
	other func(cs []Candidate, p *network.Problem, scores []float32)
}

// VersionScratch names weights that nothing was learned into: all moves alike.
const VersionScratch policy.Version = "builtin-scratch"

//go:embed weights/fixer.safetensors.gz
var shipped []byte

// Shipped gives the weights that come with breakfix.
var Shipped = sync.OnceValues(func() (*Weights, error) {
	w, err := ReadWeights(bytes.NewReader(shipped))
	if err != nil {
		return nil, fmt.Errorf("the weights that come with breakfix: %w", err)
	}
	return w, nil
})

// Scratch gives weights that rank all moves alike.
func Scratch(seed uint64) *Weights {
	return &Weights{model: network.New(seed), version: VersionScratch, card: network.Card{cardPrior: priorNone, cardSaid: saidUsed}}
}

// maxWeights bounds a file of weights, in bytes.
const maxWeights = 64 << 20

// ReadWeights reads a safetensors file, as it is or compressed with gzip. What
// it cannot use is one error that says why.
func ReadWeights(r io.Reader) (*Weights, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxWeights+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxWeights {
		return nil, fmt.Errorf("more than %d MB are no weights of ours", maxWeights>>20)
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return ReadWeights(z)
	}
	m, card, err := network.Load(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return &Weights{model: m, card: card, version: versionOf(data)}, nil
}

// versionOf names weights by their bytes.
func versionOf(file []byte) policy.Version {
	return policy.Version("builtin-" + string(tree.DigestOf(file))[:8])
}

// Write writes the weights with their card as safetensors.
func (w *Weights) Write(to io.Writer) error { return w.model.Save(to, w.card) }

// Version names them.
func (w *Weights) Version() policy.Version { return w.version }

// Card says what they were trained on.
func (w *Weights) Card() map[string]string { return w.card }

// pose gives what can be learned from each of some candidates, as far as these
// weights look.
func (w *Weights) pose(g *generator, cs []Candidate) *network.Problem {
	return g.poseAs(w.sees(g.view), cs)
}

// sees is what these weights look at of a view.
func (w *Weights) sees(v View) View {
	if w.card[cardSaid] == saidUsed {
		return v
	}
	return silenced(v)
}

// posedAtOnce is how many moves are posed before they are scored and forgotten: one takes
// some 400 bytes, and weights that do without the prior score all of a view, up to 50,000. A
// multiple of what the network scores at once, whose sums are then the same as of all moves.
const posedAtOnce = 1024

// score has the network score each candidate, and gives the value of the view.
func (w *Weights) score(g *generator, cs []Candidate, scores []float32) (value float64) {
	p, problem, sites := g.scene(w.sees(g.view), cs)
	code := w.model.Encode(problem)
	moves := make([]network.Move, 0, min(len(cs), posedAtOnce))
	for from := 0; from < len(cs); from += posedAtOnce {
		to := min(from+posedAtOnce, len(cs))
		w.model.Score(code, p.moves(moves, cs[from:to], sites[from:to]), scores[from:to])
	}
	return float64(w.model.Value(code))
}

// What a card says of the prior that was set by hand: weights that began from
// nothing do without it.
const (
	cardPrior = "prior"
	priorNone = "none"
	priorHand = "hand"
)

// What a card says of the red test: weights that were taught on too few
// failures rank better when they do not look at it (methods.md).
const (
	cardSaid = "said"
	saidUsed = "used"
)

// byHand reports whether these weights stand on the prior that was set by hand.
func (w *Weights) byHand() bool { return w.card[cardPrior] != priorNone }

// How the scores are blended, chosen on a hundred real bugs (methods.md).
const (
	handWeight  = 1.25 // of the log prior that was set by hand: a product of experts (Hinton 2002)
	placeWeight = 0.5  // of the log prior of the place by spectra, for weights that do without that prior
	sameWeight  = 0.7  // what each better move of the same kind at the same site costs the next
)

// blend adds to the scores what was set by hand, what spectra say of the
// place, and what spreads the front of the list over sites and kinds.
func (w *Weights) blend(g *generator, cs []Candidate, scores []float32) {
	for i := range cs {
		if w.byHand() { // the place is in it
			scores[i] += float32(handWeight * cs[i].LogPrior)
		} else if g.span.lines != nil { // the weights were taught without spectra
			scores[i] += float32(placeWeight * cs[i].place)
		}
	}
	order := make([]int, len(cs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	type group struct {
		kind       Kind
		start, end int
	}
	better := map[group]int{}
	for _, i := range order {
		k := group{cs[i].Kind, cs[i].start, cs[i].end}
		scores[i] -= float32(sameWeight * float64(better[k]))
		better[k]++
	}
}

// maxScored is how many candidates are scored, the likeliest by the prior that was set by
// hand, where that prior counts. In the lists of 31 bugs of cachetools, of 765 to 52,147
// candidates, the first 64 were within the first 1,600 by it, the first 256 of all but two
// within 5,000.
const maxScored = 6000

// most is how many of some candidates are scored.
func (w *Weights) most(of int) int {
	if w.version != VersionScratch && w.byHand() {
		return min(of, maxScored)
	}
	return of
}

// mass is the logarithm of what candidates, not yet ranked, weigh together: by the prior that
// was set by hand, where that counts, else each alike.
func (w *Weights) mass(cs []Candidate) float64 {
	if len(cs) == 0 {
		return 0
	}
	if w.version == VersionScratch || !w.byHand() {
		return math.Log(float64(len(cs)))
	}
	return massOf(cs)
}

// massOf is the logarithm of what candidates, the likeliest first, weigh together.
func massOf(cs []Candidate) float64 {
	if len(cs) == 0 {
		return 0
	}
	best, sum := cs[0].LogPrior, 0.0
	for i := range cs {
		sum += math.Exp(cs[i].LogPrior - best)
	}
	return best + math.Log(sum)
}

// rank gives each candidate its log-probability among all of them and returns the first keep,
// the likeliest first. What is alike is in an order that has nothing to do with the order in
// which moves are thought of. Value is the chance that an attempt from here repairs, by the
// value head; a half where nothing knows.
func (w *Weights) rank(g *generator, cs []Candidate, keep int) (out []Candidate, value float64) {
	value = noValue
	if len(cs) == 0 {
		return cs, value
	}
	scores := make([]float32, len(cs))
	if w.version != VersionScratch {
		if w.other != nil {
			w.other(cs, w.pose(g, cs), scores)
		} else {
			value = w.score(g, cs, scores)
		}
		w.blend(g, cs, scores)
	}
	best, sum := scores[0], 0.0
	for _, s := range scores {
		best = max(best, s)
	}
	for _, s := range scores {
		sum += math.Exp(float64(s - best))
	}
	keys, order := make([]uint64, len(cs)), make([]int, len(cs)) // a candidate is large: their numbers are sorted
	for i := range cs {
		cs[i].LogPrior = float64(scores[i]-best) - math.Log(sum)
		keys[i], order[i] = editKey(cs[i].Edits), i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(cs[j].LogPrior, cs[i].LogPrior), cmp.Compare(keys[i], keys[j]))
	})
	order = order[:min(keep, len(order))]
	out = make([]Candidate, len(order))
	for i, at := range order {
		out[i] = cs[at]
	}
	return out, value
}

// noValue is the value of what nothing is known of.
const noValue = 0.5
