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

// score has the network score each pick, and gives the value of the view.
func (w *Weights) score(g *generator, ps []pick, scores []float32) (value float64) {
	spots := make([]spot, len(ps))
	for i := range ps {
		d := g.drafts.at(ps[i].draft)
		spots[i] = spot{int(d.start), int(d.end), d.line}
	}
	p, problem, sites := g.scene(w.sees(g.view), spots, func(i int) *Candidate {
		c := g.candidate(&ps[i], i)
		return &c
	})
	code := w.model.Encode(problem)
	moves, cs := make([]network.Move, 0, min(len(ps), posedAtOnce)), make([]Candidate, min(len(ps), posedAtOnce))
	for from := 0; from < len(ps); from += posedAtOnce {
		to := min(from+posedAtOnce, len(ps))
		for i := from; i < to; i++ {
			cs[i-from] = g.candidate(&ps[i], i)
		}
		w.model.Score(code, p.moves(moves, cs[:to-from], sites[from:to]), scores[from:to])
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
func (w *Weights) blend(g *generator, ps []pick, scores []float32) {
	for i := range ps {
		if w.byHand() { // the place is in it
			scores[i] += float32(handWeight * ps[i].prior)
		} else if g.span.lines != nil { // the weights were taught without spectra
			scores[i] += float32(placeWeight * g.drafts.at(ps[i].draft).line)
		}
	}
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	type group struct {
		kind       Kind
		start, end int32
	}
	better := map[group]int{}
	for _, i := range order {
		d := g.drafts.at(ps[i].draft)
		k := group{d.kind, d.start, d.end}
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

// mass is the logarithm of what picks weigh together: by the prior that was set by hand, where
// that counts, else each alike.
func (w *Weights) mass(ps []pick) float64 {
	if len(ps) == 0 {
		return 0
	}
	if w.version == VersionScratch || !w.byHand() {
		return math.Log(float64(len(ps)))
	}
	logs := make([]float64, len(ps))
	for i := range ps {
		logs[i] = ps[i].prior
	}
	return massOf(logs)
}

// massOf is the logarithm of the sum of what logs, the largest first, are the logarithms of.
func massOf(logs []float64) float64 {
	if len(logs) == 0 {
		return 0
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - logs[0])
	}
	return logs[0] + math.Log(sum)
}

// rank gives each pick its log-probability among all of them and makes candidates of the first
// keep, the likeliest first. What is alike is in an order that has nothing to do with the order
// in which moves are thought of. Value is the chance that an attempt from here repairs, by the
// value head; a half where nothing knows.
func (w *Weights) rank(g *generator, ps []pick, keep int) (out []Candidate, value float64) {
	value = noValue
	if len(ps) == 0 {
		return nil, value
	}
	scores := make([]float32, len(ps))
	if w.version != VersionScratch {
		if w.other != nil {
			cs := g.candidates(ps)
			w.other(cs, w.pose(g, cs), scores)
		} else {
			value = w.score(g, ps, scores)
		}
		w.blend(g, ps, scores)
	}
	best, sum := slices.Max(scores), 0.0
	for _, s := range scores {
		sum += math.Exp(float64(s - best))
	}
	logs, order := make([]float64, len(ps)), make([]int, len(ps))
	for i, s := range scores {
		logs[i], order[i] = float64(s-best)-math.Log(sum), i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(logs[j], logs[i]), cmp.Compare(ps[i].key, ps[j].key))
	})
	out = make([]Candidate, min(keep, len(order)))
	for i, at := range order[:len(out)] {
		out[i] = g.candidate(&ps[at], at)
		out[i].LogPrior = logs[at]
	}
	return out, value
}

// noValue is the value of what nothing is known of.
const noValue = 0.5
