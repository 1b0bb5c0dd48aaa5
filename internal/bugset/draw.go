package bugset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"breakfix/internal/bug"
	"breakfix/internal/spelling"
	"breakfix/internal/strategy"
	"breakfix/internal/testrun"
)

// Share is how often a strategy is drawn, relative to the others.
type Share struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
}

// ParseMix reads name=weight; a name alone has the weight 1, and 0 leaves a
// strategy out. An unknown name is an error that names the nearest.
func ParseMix(words []string) ([]Share, error) {
	var mix []Share
	total := 0.0
	for _, word := range words {
		name, weight, given := strings.Cut(word, "=")
		share := Share{strings.TrimSpace(name), 1}
		if !slices.Contains(strategy.Names(), share.Name) {
			return nil, fmt.Errorf("strategy %q does not exist; did you mean %q?", share.Name, spelling.Nearest(share.Name, strategy.Names()))
		}
		if given {
			w, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			if err != nil || !(w >= 0 && w <= 1e9) {
				return nil, fmt.Errorf("%q is not a weight: it must be a number that is not negative", weight)
			}
			share.Weight = w
		}
		if slices.ContainsFunc(mix, func(s Share) bool { return s.Name == share.Name }) {
			return nil, fmt.Errorf("strategy %q is named twice", share.Name)
		}
		total += share.Weight
		mix = append(mix, share)
	}
	if len(mix) > 0 && total <= 0 {
		return nil, errors.New("every weight is 0")
	}
	return mix, nil
}

// origin is the sequence of candidates of one source.
type origin struct {
	Source
	index     int
	rand      *rand.Rand
	draws     []drawn
	looks     *strategy.Looks
	judged    map[string]int // by key: candidates that an earlier sitting judged and that were not drawn again yet
	ahead     chan draw      // what was drawn and is in no round yet; nil before its first turn
	valid     int            // bugs
	share     int            // of the bugs, when it had its last turn
	exhausted bool
	without   []string // strategies that this source has nothing for
}

type drawn struct {
	from   strategy.Strategy
	weight float64
}

// draw is the next candidate of a sequence, or why there is none.
type draw struct {
	*item
	err error
}

// newOrigin begins the sequence. Its randomness follows from the seed and the
// snapshot, so that a source gives the same candidates in any company. keep is
// told what the screens of its strategies see.
func newOrigin(index int, s Source, c Config, at *semaphore.Weighted, keep func(strategy.Look) error) (*origin, error) {
	digest, err := strconv.ParseUint(string(s.Target.Snapshot.Digest[:16]), 16, 64)
	if err != nil {
		return nil, fmt.Errorf("the snapshot's digest: %w", err)
	}
	o := &origin{Source: s, index: index, rand: rand.New(rand.NewPCG(c.Seed, digest)), looks: strategy.NewLooks(c.Workers, keep), judged: map[string]int{}}
	from := s.Source
	from.Target.Judge, from.Looks = looking{s.Target.Judge, at}, o.looks
	for _, share := range c.Mix {
		if share.Weight <= 0 {
			continue
		}
		from, err := strategy.New(share.Name, from, c.Options)
		if none := (*strategy.UnavailableError)(nil); errors.As(err, &none) {
			o.without = append(o.without, share.Name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("strategy %s: %w", share.Name, err)
		}
		o.draws = append(o.draws, drawn{from, share.Weight})
	}
	return o, nil
}

// next draws a strategy and lets it propose.
func (o *origin) next(ctx context.Context) (strategy.Proposal, error) {
	for len(o.draws) > 0 {
		i := o.pick()
		p, err := o.draws[i].from.Propose(ctx, o.rand)
		if errors.Is(err, strategy.ErrExhausted) {
			o.draws = append(o.draws[:i:i], o.draws[i+1:]...)
			continue
		}
		if err == nil && p.Candidate.Strategy == "" {
			p.Candidate.Strategy = o.draws[i].from.Name()
		}
		return p, err
	}
	return strategy.Proposal{}, strategy.ErrExhausted
}

func (o *origin) pick() int {
	total := 0.0
	for _, d := range o.draws {
		total += d.weight
	}
	x := o.rand.Float64() * total
	for i, d := range o.draws {
		if x -= d.weight; x < 0 {
			return i
		}
	}
	return len(o.draws) - 1
}

// begin draws the sequence while what was drawn is validated: as many
// candidates ahead as there are workers, until ctx is done.
func (o *origin) begin(ctx context.Context, workers int, wg *sync.WaitGroup) {
	o.ahead = make(chan draw, workers)
	wg.Go(func() {
		for {
			it, err := o.unjudged(ctx)
			select {
			case o.ahead <- draw{it, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	})
}

// unjudged draws the next candidate that no earlier sitting has judged.
func (o *origin) unjudged(ctx context.Context) (*item, error) {
	for {
		p, err := o.next(ctx)
		if err != nil {
			return nil, err
		}
		it, err := o.item(p)
		if err != nil {
			return nil, err
		}
		key := it.key()
		if o.judged[key] == 0 {
			return it, nil
		}
		o.judged[key]--
	}
}

// feed hands out n candidates that are to be validated, with those that a
// screen threw away between them, in order. It ends early when stop is done or
// nothing is left.
func (o *origin) feed(ctx, stop context.Context, n int, work, ordered chan<- *item) error {
	for n > 0 && stop.Err() == nil {
		var d draw
		select {
		case d = <-o.ahead:
		case <-stop.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		if errors.Is(d.err, strategy.ErrExhausted) {
			o.exhausted = true
			return nil
		}
		if d.err != nil {
			return d.err
		}
		if d.proposal.Screened != "" {
			close(d.done)
		} else {
			n--
			select {
			case work <- d.item:
			case <-stop.Done():
				return nil
			}
		}
		select {
		case ordered <- d.item:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// looking is the judge that strategies have.
type looking struct {
	bug.Judge
	at *semaphore.Weighted
}

// Run implements testrun.Runner.
func (j looking) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	if err := j.at.Acquire(ctx, 1); err != nil {
		return testrun.Report{}, err
	}
	defer j.at.Release(1)
	return j.Judge.Run(ctx, req)
}
