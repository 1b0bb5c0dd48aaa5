package builtin

import (
	"context"
	"math"
	"syscall"
	"time"

	"breakfix/internal/policy/builtin/network"
)

// Baselines rank with less than the network, taught on the same kind of examples.
type Baselines struct {
	Counts, Linear *Weights // how often each kind is right; a linear model over hashed features
	Examples       int
	Train          []Rate // how fast network and linear model learn from them
}

// Rate is how many candidates a second of processor time, on one thread.
type Rate struct {
	What      string  `json:"what"`
	Kernel    string  `json:"kernel,omitempty"`
	PerSecond float64 `json:"candidates_per_cpu_second"`
}

// again is how often the linear model learns from an example.
const again = 3

// TeachBaselines teaches them from the examples of a course; what comes of the
// network there is thrown away.
func TeachBaselines(ctx context.Context, c Course) (*Baselines, error) {
	next, stop := c.examples(1)
	defer stop()
	count := map[Kind]float64{}
	linear := network.NewLinear()
	var all []*Example
	for len(all) < c.Examples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ex := next()
		if ex == nil {
			break
		}
		all = append(all, ex)
		count[ex.Kind]++
	}
	if len(all) == 0 {
		return nil, ErrNoExample
	}
	b := &Baselines{Examples: len(all)}
	moves := 0
	began := spent()
	for range again {
		for _, ex := range all {
			moves += len(ex.Problem.Moves)
			if _, err := linear.Train(ex.Problem, ex.Targets, 0); err != nil {
				return nil, err
			}
		}
	}
	b.Train = append(b.Train, Rate{What: "linear", PerSecond: perSecond(moves, spent()-began)})
	was, _ := network.Kernel()
	defer network.Use(was)
	for _, kernel := range network.Kernels() {
		if _, err := network.Use(kernel); err != nil {
			return nil, err
		}
		rate, err := trainingRate(all)
		if err != nil {
			return nil, err
		}
		b.Train = append(b.Train, Rate{"network", kernel, rate})
	}
	none := network.Card{cardPrior: priorNone, cardSaid: saidUsed}
	b.Counts = &Weights{version: "builtin-counts", card: none, other: func(cs []Candidate, _ *network.Problem, scores []float32) {
		many := map[Kind]float64{}
		for i := range cs {
			many[cs[i].Kind]++
		}
		for i := range cs {
			scores[i] = float32(math.Log((count[cs[i].Kind] + 0.5) / many[cs[i].Kind]))
		}
	}}
	b.Linear = &Weights{version: "builtin-linear", card: none, other: func(_ []Candidate, p *network.Problem, scores []float32) { linear.Score(p.Moves, scores) }}
	return b, nil
}

// Of the measurement of speeds: examples that are learned from, moves that are
// scored with their context read anew.
const (
	rateBatches, rateBatch = 8, 7
	rateAlone              = 12
)

// trainingRate is how fast a network learns from examples.
func trainingRate(all []*Example) (float64, error) {
	trainer, moves, began := network.NewTrainer(network.New(1), 1), 0, spent()
	for b := range rateBatches {
		for i := range rateBatch {
			ex := all[(b*rateBatch+i)%len(all)]
			moves += len(ex.Problem.Moves)
			if err := trainer.Add(ex.Problem, ex.Targets, 0, nil); err != nil {
				return 0, err
			}
		}
		if _, err := trainer.Step(rate); err != nil {
			return 0, err
		}
	}
	return perSecond(moves, spent()-began), nil
}

// Rates measures how fast the moves of views are ranked, by one thread, while
// nothing else runs in this process: all of it (moves listed, turned into
// numbers, scored), and the scoring alone.
func (w *Weights) Rates(views []View) ([]Rate, error) {
	var problems []*network.Problem
	moves, most := 0, 0
	began := spent()
	for _, v := range views {
		g := generate(v, true)
		if g == nil {
			continue
		}
		cs := g.ranked()
		p := w.pose(g, cs)
		problems = append(problems, p)
		moves, most = moves+len(cs), max(most, len(cs))
	}
	if moves == 0 {
		return nil, nil
	}
	listed := spent() - began
	out := make([]float32, most)
	timed := func(count int, f func()) float64 {
		f() // memory is there
		began, n := spent(), 0
		for ; n == 0 || spent()-began < 300*time.Millisecond; n++ {
			f()
		}
		return perSecond(n*count, spent()-began)
	}
	first := func() {
		for _, p := range problems {
			w.model.Score(w.model.Encode(p), p.Moves, out)
		}
	}
	was, _ := network.Kernel()
	defer network.Use(was)
	var rates []Rate
	for _, kernel := range network.Kernels() {
		if _, err := network.Use(kernel); err != nil {
			return nil, err
		}
		scored := timed(moves, first)
		rates = append(rates, Rate{"ranking: listed, posed, scored", kernel, 1 / (listed.Seconds()/float64(moves) + 1/scored)}, Rate{"network: first look", kernel, scored})
		var es []*network.Encoding
		for _, p := range problems {
			es = append(es, w.model.Encode(p))
		}
		rates = append(rates, Rate{"network: only the failure is new", kernel, timed(moves, func() {
			for i, p := range problems {
				es[i].Say(p.Said, p.Facts)
				w.model.Score(es[i], p.Moves, out)
			}
		})})
		rates = append(rates, Rate{"network: the context read for each move", kernel, timed(rateAlone, func() {
			for i := range rateAlone {
				p := problems[i%len(problems)]
				m := p.Moves[i*len(p.Moves)/rateAlone]
				one := *p
				one.Sites, m.Site = p.Sites[m.Site:m.Site+1], 0
				w.model.Score(w.model.Encode(&one), []network.Move{m}, out)
			}
		})})
	}
	linear := w.model.Linear()
	rates = append(rates, Rate{What: "linear model alone", PerSecond: timed(moves, func() {
		for _, p := range problems {
			linear.Score(p.Moves, out)
		}
	})})
	return rates, nil
}

// spent is the processors' time of this process so far.
func spent() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func perSecond(n int, d time.Duration) float64 { return float64(n) / max(d.Seconds(), 1e-9) }
