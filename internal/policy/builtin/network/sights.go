package network

// sights are what each kind of what was seen of a move is worth, in nats: a part of its
// score. They are few and met in every problem, so they learn faster than hashed features do.
type sights struct{ weight, z, n []float32 }

// FTRL's α and β for them. Few moves of a problem are seen to be wrong, so that gradients are
// small: with the usual β of 1 nothing is learned of them in a hundred bugs.
const (
	sightRate  = 1.5
	sightStart = 0.05
)

func newSights() *sights {
	return &sights{weight: make([]float32, Sights), z: make([]float32, Sights), n: make([]float32, Sights)}
}

func (s *sights) clone() *sights {
	out := newSights()
	copy(out.weight, s.weight)
	copy(out.z, s.z)
	copy(out.n, s.n)
	return out
}

// add adds what was seen of each move, and the score beneath it.
func (s *sights) add(moves []Move, out []float32) {
	for i := range moves {
		out[i] += moves[i].Base
		if k := moves[i].Seen; k > 0 {
			out[i] += s.weight[k]
		}
	}
}

// update takes one step against scale times the gradient, and empties it.
func (s *sights) update(grad *[Sights]float32, scale float64) {
	for k, g := range grad {
		if g != 0 && k > 0 {
			ftrl(&s.weight[k], &s.z[k], &s.n[k], float64(g)*scale, sightRate, sightStart, 0, decay)
		}
	}
	clear(grad[:])
}

// Seen is what a kind of what was seen adds to the score of a move.
func (m *Model) Seen(kind uint8) float32 {
	if kind == 0 || kind >= Sights {
		return 0
	}
	return m.sights.weight[kind]
}

func (s *sights) all() []tensor {
	shape := []int{Sights}
	return []tensor{{"sights.weight", shape, s.weight, false, true}, {"sights.z", shape, s.z, false, true}, {"sights.n", shape, s.n, true, true}}
}
