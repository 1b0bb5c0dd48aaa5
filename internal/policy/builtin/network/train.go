package network

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// Trainer teaches a model by Adam (Kingma and Ba, ICLR 2015) on the mean loss
// of a batch, its gradient clipped by norm (Pascanu et al., ICML 2013); the
// linear part by FTRL. Examples are dealt to workers in turn, each with a
// gradient of its own, added up in order: the same weights bit by bit for the
// same examples, number of workers and kernel.
type Trainer struct {
	// Clip is the largest norm of the gradient, 0 for none. Value weighs the
	// loss of the value head beside that of the choice.
	Clip, Value float64

	model   *Model
	workers []*worker
	batch   []example
	steps   int
	m, v    []float32 // Adam's moments
}

// Adam's constants, those of the paper.
const (
	adamFirst  = 0.9
	adamSecond = 0.999
	adamFloor  = 1e-8
)

type example struct {
	problem *Problem
	targets []Target
	entropy float32
	solved  *float32
}

// worker has a gradient of its own.
type worker struct {
	tape          tape[float32]
	linear        sparse
	sights        [Sights]float32
	choice, value float64
}

// Report tells of one step.
type Report struct {
	Examples, Moves int
	Loss            float64 // mean over examples: choice and weighed value
	Choice, Value   float64 // the two parts, the second over examples that have a label
	Norm            float64 // of the gradient, before it was clipped
}

// ErrDiverged says that a gradient was no finite number; the weights are as
// they were before the step, the batch is gone.
var ErrDiverged = errors.New("network: the gradient is no finite number; a lower learning rate may help")

// NewTrainer gives a trainer. It takes 4 bytes a weight for the model, 8 for
// Adam and 4 for each worker, and what an example needs on the way.
func NewTrainer(m *Model, workers int) *Trainer {
	t := &Trainer{Clip: 1, Value: 1, model: m, m: make([]float32, weights.size), v: make([]float32, weights.size)}
	for range max(workers, 1) {
		t.workers = append(t.workers, &worker{tape: tape[float32]{g: make([]float32, weights.size)}})
	}
	return t
}

// Add puts an example into the batch: the problem with what is wanted of its
// moves; how much each nat of entropy of the choice is worth; and, unless nil,
// whether the fixer solved it, 0 to 1. The problem must not change before Step.
func (t *Trainer) Add(p *Problem, targets []Target, entropy float32, solved *float32) error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := checkTargets(targets, len(p.Moves)); err != nil {
		return err
	}
	if !finite([]float32{entropy}) || solved != nil && !(*solved >= 0 && *solved <= 1) {
		return fmt.Errorf("network: the entropy must be a finite number and the value's label between 0 and 1")
	}
	t.batch = append(t.batch, example{p, targets, entropy, solved})
	return nil
}

// Step learns from the batch and empties it. An empty batch changes nothing.
func (t *Trainer) Step(lr float64) (Report, error) {
	r := Report{Examples: len(t.batch)}
	if r.Examples == 0 {
		return r, nil
	}
	labels := 0
	for _, e := range t.batch {
		r.Moves += len(e.problem.Moves)
		if e.solved != nil {
			labels++
		}
	}
	t.each(func(i int, w *worker) {
		clear(w.tape.g)
		w.choice, w.value = 0, 0
		for k := i; k < len(t.batch); k += len(t.workers) {
			w.learn(t.model, &t.batch[k], t.Value)
		}
	})
	t.batch = t.batch[:0]
	for _, w := range t.workers {
		r.Choice += w.choice / float64(r.Examples)
		r.Value += w.value / float64(max(labels, 1))
	}
	r.Loss = r.Choice + t.Value*r.Value*float64(labels)/float64(r.Examples)
	r.Norm = t.gather(1 / float32(r.Examples))
	linear := &t.workers[0].linear
	sights := &t.workers[0].sights
	for _, w := range t.workers[1:] {
		linear.merge(&w.linear)
		for k := range sights {
			sights[k] += w.sights[k]
			w.sights[k] = 0
		}
	}
	if !finite([]float64{r.Norm, r.Loss}) {
		linear.drop()
		clear(sights[:])
		return r, ErrDiverged
	}
	scale := 1.0
	if t.Clip > 0 && r.Norm > t.Clip {
		scale = t.Clip / r.Norm
	}
	t.adam(lr, float32(scale))
	t.model.linear.update(linear, 1/float64(r.Examples))
	t.model.sights.update(sights, 1/float64(r.Examples))
	return r, nil
}

// learn adds the gradient of one example.
func (w *worker) learn(m *Model, e *example, valueWeight float64) {
	t := &w.tape
	t.w = m.w
	t.reset()
	scores, value := t.forward(e.problem)
	m.linear.add(e.problem.Moves, scores.v)
	m.sights.add(e.problem.Moves, scores.v)
	w.choice += choice(scores.v, e.targets, e.entropy, scores.g)
	if e.solved != nil {
		var loss float64
		loss, value.g[0] = verdict(value.v[0], *e.solved)
		value.g[0] *= float32(valueWeight)
		w.value += loss
	}
	for i := range e.problem.Moves {
		w.linear.add(e.problem.Moves[i].Hash, scores.g[i])
		w.sights[e.problem.Moves[i].Seen] += scores.g[i]
	}
	t.back()
}

// forward scores all moves of a problem, without the linear part, and gives
// the logit of its value.
func (t *tape[T]) forward(p *Problem) (scores, value mat[T]) {
	c, h := t.code(p), t.said(p.Said)
	var known catalog
	fillings := make([]filling, len(p.Moves))
	for i := range p.Moves {
		fillings[i] = filling{known.find(p.Moves[i].Old), known.find(p.Moves[i].New)}
	}
	scores = t.moves(p.Moves, fillings, t.sites(c, h, &p.Facts), t.fill(known.lists, c, h))
	return scores, t.value(c, h, &p.Facts)
}

// verdict gives the cross-entropy of a chance by its logit, and its slope.
func verdict[T real](logit T, label float32) (float64, T) {
	x, y := float64(logit), float64(label)
	loss := max(x, 0) - x*y + math.Log1p(math.Exp(-math.Abs(x)))
	return loss, T(1/(1+math.Exp(-x)) - y)
}

// gather adds the workers' gradients up in the first one's, scaled, and gives
// the norm. Parts of fixed size are summed apart, so that it is the same
// number whoever sums them.
func (t *Trainer) gather(scale float32) float64 {
	const part = 1 << 14
	sums := make([]float64, (weights.size+part-1)/part)
	sum := t.workers[0].tape.g
	t.each(func(i int, _ *worker) {
		for k := i; k < len(sums); k += len(t.workers) {
			from, to := k*part, min((k+1)*part, weights.size)
			for _, w := range t.workers[1:] {
				axpy(1, w.tape.g[from:to], sum[from:to])
			}
			for j, g := range sum[from:to] {
				g *= scale
				sum[from+j] = g
				sums[k] += float64(g) * float64(g)
			}
		}
	})
	norm := 0.0
	for _, s := range sums {
		norm += s
	}
	return math.Sqrt(norm)
}

// adam takes a step, with the mean gradient scaled.
func (t *Trainer) adam(lr float64, scale float32) {
	t.steps++
	c := constants(lr, scale, float64(t.steps))
	t.each(func(i int, _ *worker) {
		from, to := i*weights.size/len(t.workers), (i+1)*weights.size/len(t.workers)
		adam(t.model.w[from:to], t.workers[0].tape.g[from:to], t.m[from:to], t.v[from:to], c)
	})
}

// constants of step n: the gradient's scale, β1, 1−β1, β2, 1−β2, the second
// moment's correction, the rate with the first's, and the floor.
func constants(lr float64, scale float32, n float64) *[8]float32 {
	return &[8]float32{scale, adamFirst, 1 - adamFirst, adamSecond, 1 - adamSecond,
		float32(1 / (1 - math.Pow(adamSecond, n))), float32(lr / (1 - math.Pow(adamFirst, n))), adamFloor}
}

// adam takes a step of some weights.
func adam(w, g, m, v []float32, c *[8]float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	if current.vector && len(w) >= 8 {
		n := len(w) &^ 7
		adam8(n, &w[0], &g[0], &m[0], &v[0], c)
		w, g, m, v = w[n:], g[n:], m[n:], v[n:]
	}
	for j, d := range g {
		d *= c[0]
		m[j] = c[1]*m[j] + c[2]*d
		v[j] = c[3]*v[j] + c[4]*d*d
		w[j] -= c[6] * m[j] / (float32(math.Sqrt(float64(v[j]*c[5]))) + c[7])
	}
}

// each runs all workers at once.
func (t *Trainer) each(f func(i int, w *worker)) {
	if len(t.workers) == 1 {
		f(0, t.workers[0])
		return
	}
	var all sync.WaitGroup
	for i, w := range t.workers {
		all.Go(func() { f(i, w) })
	}
	all.Wait()
}
