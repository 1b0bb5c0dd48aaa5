package builtin

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
)

// Course is what weights are taught on.
type Course struct {
	Texts    []policy.Text // code of which functions are damaged; nothing is run
	Solved   []View        // broken files with what their red test says, and
	Right    [][]byte
	Silent   bool     // what red tests say is left out
	From     *Weights // to go on from; nil: from nothing
	Seed     uint64
	Examples int // damages to learn from
	Workers  int
	Card     map[string]string
	Progress func(Lesson)
}

// ErrNoExample says that no function of a course can be damaged so that the
// grammar knows the way back.
var ErrNoExample = errors.New("no function of the code gives an example to learn from")

// Lesson tells how far teaching is.
type Lesson struct {
	Done, Of int     // examples
	Loss     float64 // mean over the latest ones, in nats
	First    float64 // share of the latest fresh examples whose right move was ranked first before it was learned
	Eight    float64 // ranked among the first eight
	Solved   int     // of the examples: broken files with a red test
}

// Rates of teaching.
const (
	rate      = 1e-3 // of Adam; falls to a tenth along a half cosine
	fresh     = 2    // new examples a step
	replayed  = 5    // examples of the pool a step
	poolLimit = 1500 // examples that may be replayed; packed they hold some 25 KB each
	latestOf  = 500
	// Broken files with a red test are this share of the examples where there
	// are many, and half of it where there are halfOf.
	solvedShare = 0.75
	halfOf      = 400
)

// kept is an example that waits to be learned from.
type kept struct {
	problem *network.Packed
	targets []network.Target
}

func keep(ex *Example) kept { return kept{network.Pack(ex.Problem), ex.Targets} }

func (k kept) example() *Example { return &Example{Problem: k.problem.Unpack(), Targets: k.targets} }

// Teach learns to rank repairs: from code that it damages itself, and from
// broken files whose right text is known. With the same course and number of
// workers the weights are the same, byte for byte.
func Teach(ctx context.Context, c Course) (*Weights, Lesson, error) {
	said := Lesson{Of: c.Examples}
	model := network.New(c.Seed)
	if c.From != nil {
		model = c.From.model.Clone()
	}
	workers := max(1, c.Workers)
	trainer := network.NewTrainer(model, workers)
	r := rand.New(rand.NewPCG(c.Seed, 0x7465616368))
	next, stop := c.examples(workers)
	defer stop()
	var pool []kept
	var ranks []int
	loss, steps := 0.0, 0
	for said.Done < c.Examples {
		if err := ctx.Err(); err != nil {
			return nil, said, err
		}
		var batch []*Example
		for range min(fresh, c.Examples-said.Done) {
			ex := next()
			if ex == nil {
				return nil, said, ErrNoExample
			}
			ranks = append(ranks, rankIn(model, ex))
			batch = append(batch, ex)
			if ex.solved {
				said.Solved++
			}
			if len(pool) < poolLimit {
				pool = append(pool, keep(ex))
			} else {
				pool[r.IntN(poolLimit)] = keep(ex)
			}
			said.Done++
		}
		for range replayed {
			batch = append(batch, pool[r.IntN(len(pool))].example())
		}
		for _, ex := range batch {
			if err := trainer.Add(ex.Problem, ex.Targets, 0, nil); err != nil {
				return nil, said, err
			}
		}
		rep, err := trainer.Step(falling(rate, said.Done, c.Examples))
		if err != nil {
			return nil, said, err
		}
		loss, steps = loss+rep.Choice, steps+1
		if said.Done%latestOf < fresh || said.Done == c.Examples {
			said.Loss, said.First, said.Eight = loss/float64(steps), within(ranks, 1), within(ranks, 8)
			loss, steps, ranks = 0, 0, nil
			if c.Progress != nil {
				c.Progress(said)
			}
		}
	}
	card := network.Card{"examples": strconv.Itoa(c.Examples), "seed": strconv.FormatUint(c.Seed, 10), "workers": strconv.Itoa(workers)}
	for k, v := range c.Card {
		card[k] = v
	}
	if len(c.Solved) > 0 && !c.Silent {
		card[cardSaid] = saidUsed
	}
	w := &Weights{model: model, card: card}
	var file bytes.Buffer
	if err := w.Write(&file); err != nil {
		return nil, said, err
	}
	w.version = versionOf(file.Bytes())
	return w, said, nil
}

// examples returns a function that gives example after example, made ahead by
// workers and taken from them in turn: damages of the texts, and the broken
// files, each worker with its own part of them.
func (c *Course) examples(workers int) (next func() *Example, stop func()) {
	all := NewCorruptor(c.Texts, c.Seed)
	done := make(chan struct{})
	lines := make([]chan *Example, workers)
	for w := range lines {
		lines[w] = make(chan *Example, 8)
		own := NewCorruptor(nil, c.Seed+uint64(w)+1)
		own.of = all.of
		var part []int
		for i := w; i < len(c.Solved); i += workers {
			if !heldOut[FunctionDigest(c.Right[i])] {
				part = append(part, i)
			}
		}
		go func() {
			defer close(lines[w])
			share := solvedShare * float64(len(c.Solved)) / float64(len(c.Solved)+halfOf)
			at := 0
			for {
				var ex *Example
				if len(own.ready) == 0 && len(part) > 0 && own.random.Float64() < share {
					if at == 0 {
						own.random.Shuffle(len(part), func(i, k int) { part[i], part[k] = part[k], part[i] })
					}
					i := part[at]
					at = (at + 1) % len(part)
					if ex = own.recall(c.Solved[i], c.Right[i], c.Silent); ex == nil {
						continue
					}
				} else if ex = own.Next(); ex == nil {
					return
				}
				select {
				case lines[w] <- ex:
				case <-done:
					return
				}
			}
		}()
	}
	turn := -1
	return func() *Example {
		turn++
		return <-lines[turn%workers]
	}, func() { close(done) }
}

// rankIn is the place of the best right move among all moves that those of an example stand for.
func rankIn(m *network.Model, ex *Example) int {
	moves := ex.Problem.Moves
	scores := make([]float32, len(moves))
	m.Score(m.Encode(ex.Problem), moves, scores)
	for i := range moves {
		scores[i] -= moves[i].Base
	}
	best := scores[ex.Targets[0].Move]
	for _, t := range ex.Targets {
		best = max(best, scores[t.Move])
	}
	better := 0.0
	for i, s := range scores {
		if s > best {
			better += math.Exp(float64(moves[i].Base))
		}
	}
	return 1 + int(math.Round(better))
}

func within(ranks []int, n int) float64 {
	if len(ranks) == 0 {
		return 0
	}
	sort.Ints(ranks)
	return float64(sort.SearchInts(ranks, n+1)) / float64(len(ranks))
}

// falling is a rate that falls to a tenth along a half cosine (Loshchilov and
// Hutter, SGDR, ICLR 2017).
func falling(rate float64, done, of int) float64 {
	return rate * (0.1 + 0.9*(1+math.Cos(math.Pi*float64(done)/float64(max(of, 1))))/2)
}
