// Package bugset makes many bugs and keeps them as one set: a folder with the
// artifacts, every candidate with what became of it, and a dataset card.
//
// Candidates of a source are one sequence that follows from the seed and the
// snapshot alone. It is drawn, and screened, a little ahead of what is
// validated; a round of it is validated by as many workers as there are and
// taken in the order of the sequence, so that the same seed and source give the
// same bugs whatever the number of workers. A set that was cut off draws its
// sequence again, from what its screens saw then, and skips what it has judged.
// No bug is held in memory: what is remembered of one is its digests and a few
// numbers.
package bugset

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unique"

	"golang.org/x/sync/semaphore"

	"breakfix/internal/bug"
	"breakfix/internal/faults"
	"breakfix/internal/strategy"
	"breakfix/internal/testrun"
)

// roundSize is how many candidates of one source are validated before the
// next source has its turn. A bug is known to the candidates of later rounds
// only; a round never has more candidates than bugs are missing.
const roundSize = 32

// New gives every source its sequence of candidates. A source for which no
// strategy has anything is a *SetError.
func New(sources []Source, c Config) (*Maker, error) {
	c.Workers = max(1, c.Workers)
	m := &Maker{c: c, known: &bug.Known{}, slots: semaphore.NewWeighted(int64(testrun.AtOnce(c.Workers)))}
	for i, s := range sources {
		o, err := newOrigin(i, s, c, m.slots, func(l strategy.Look) error { return m.set.putLook(i, l) })
		if err != nil {
			return nil, err
		}
		if len(o.draws) == 0 {
			return nil, &SetError{fmt.Sprintf("%s has nothing for the strategy %s", s.Target.Snapshot.Source, strings.Join(o.without, ", ")), "name others with --strategy"}
		}
		m.origins = append(m.origins, o)
	}
	return m, nil
}

// Without says which sources have nothing for a strategy, a line each.
func (m *Maker) Without() []string {
	var lines []string
	for _, o := range m.origins {
		for _, name := range o.without {
			lines = append(lines, fmt.Sprintf("%s has nothing for the strategy %s", o.Target.Snapshot.Source, name))
		}
	}
	return lines
}

// Make makes bugs until the set has as many as were asked for. Once drain is
// done or the limit has passed it finishes what is being validated; when ctx is
// done it stops at once, with an error. The set is whole after each. It is
// called once.
func (m *Maker) Make(ctx, drain context.Context, set *Set) (Ending, error) {
	m.set, m.began = set, time.Now()
	if err := m.takeUp(); err != nil {
		return "", err
	}
	c := m.c
	drawing, enough := context.WithCancel(ctx)
	var drawers sync.WaitGroup
	defer drawers.Wait()
	defer enough()
	stop, cancel := context.WithCancel(drain)
	defer cancel()
	if c.Limit > 0 {
		timer := time.AfterFunc(c.Limit, cancel)
		defer timer.Stop()
	}
	for {
		o := m.turn()
		ending := Ending("")
		switch {
		case m.tally.valid() >= c.Bugs:
			ending = Done
		case o == nil:
			ending = Exhausted
		case drain.Err() != nil:
			ending = Interrupted
		case stop.Err() != nil:
			ending = TimeIsUp
		}
		if ending != "" {
			return ending, m.save(ending)
		}
		if o.ahead == nil {
			o.begin(drawing, c.Workers, &drawers)
		}
		err := m.round(ctx, stop, o)
		if err := errors.Join(err, m.save("")); err != nil {
			return "", err
		}
	}
}

// Maker makes the bugs of one sitting.
type Maker struct {
	set     *Set
	c       Config
	origins []*origin
	slots   *semaphore.Weighted // of what runs tests: each validation has one, and each run of a screen
	last    int                 // index of the origin that had the last turn
	known   *bug.Known
	fresh   *bug.Known // bugs of the open round
	tally   *tally
	began   time.Time
	first   time.Duration // until the first bug of this sitting
	made    int           // bugs of this sitting
	faults  faults.Window
}

// takeUp takes in what the set has already.
func (m *Maker) takeUp() error {
	m.tally = newTally(m.set, m.c)
	for _, o := range m.origins {
		m.tally.watch(o.Source)
	}
	for rec, err := range m.set.candidates() {
		if err != nil {
			return err
		}
		if rec.Number == 0 || rec.Origin >= len(m.origins) {
			return damaged(m.set.path(candidatesFile), "a candidate of no source")
		}
		o := m.origins[rec.Origin]
		o.judged[rec.key()]++
		var b *bug.Bug
		if rec.Bug != "" {
			if b, err = bug.Load(m.set.BugDir(rec.Bug)); err != nil {
				return damaged(m.set.BugDir(rec.Bug), err.Error())
			}
			m.known.Add(b)
			o.valid++
		}
		m.tally.add(rec, b)
	}
	for rec, err := range m.set.looks() {
		if err != nil {
			return err
		}
		if rec.Origin < 0 || rec.Origin >= len(m.origins) {
			return damaged(m.set.path(looksFile), "a look at no source")
		}
		for i, id := range rec.Red {
			rec.Red[i] = unique.Make(id).Value() // the same tests again and again
		}
		m.origins[rec.Origin].looks.Remember(rec.Look)
	}
	m.last = len(m.origins) - 1
	return m.set.mend(m.tally.ids)
}

// turn is the origin that has the next round: each in turn that has something
// left and not its share of the bugs yet; nil when there is none.
func (m *Maker) turn() *origin {
	shares := shares(m.c.Bugs, m.origins)
	for step := range m.origins {
		i := (m.last + 1 + step) % len(m.origins)
		if o := m.origins[i]; !o.exhausted && o.valid < shares[i] {
			m.last = i
			o.share = shares[i]
			return o
		}
	}
	return nil
}

// shares spreads n bugs evenly; what an exhausted origin does not make, the
// others do.
func shares(n int, origins []*origin) []int {
	alive := 0
	out := make([]int, len(origins))
	for i, o := range origins {
		if o.exhausted {
			out[i] = o.valid
			n -= o.valid
		} else {
			alive++
		}
	}
	for i, o := range origins {
		if o.exhausted {
			continue
		}
		out[i] = n / alive
		if n%alive > 0 {
			out[i]++
		}
		n -= out[i]
		alive--
	}
	return out
}

// item is one candidate of a round under way.
type item struct {
	Candidate
	proposal strategy.Proposal
	result   bug.Result
	err      error         // a fault of our own
	done     chan struct{} // closed when it is judged
}

// round has candidates of one origin validated while more are drawn, and takes
// each once those before it are taken.
func (m *Maker) round(ctx, stop context.Context, o *origin) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	work, ordered := make(chan *item), make(chan *item, roundSize)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel() // before the wait
	for range m.c.Workers {
		wg.Go(func() {
			for it := range work {
				it.result, it.err = m.judge(inner, o, it)
				close(it.done)
			}
		})
	}
	var drawErr error
	wg.Go(func() {
		defer close(ordered)
		defer close(work)
		drawErr = o.feed(inner, stop, min(roundSize, o.share-o.valid), work, ordered)
	})
	m.fresh = &bug.Known{}
	var taken []*bug.Bug
	for it := range ordered {
		select {
		case <-it.done:
		case <-inner.Done():
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := m.take(o, it)
		if err != nil {
			return err
		}
		if b != nil {
			taken = append(taken, b)
		}
	}
	for _, b := range taken {
		m.known.Add(b)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return drawErr // ordered is closed, so it is written
}

// judge validates one candidate.
func (m *Maker) judge(ctx context.Context, o *origin, it *item) (res bug.Result, err error) {
	if err := m.slots.Acquire(ctx, 1); err != nil {
		return res, err
	}
	defer m.slots.Release(1)
	for range 1 + faults.Retries {
		if res, err = guarded(func() (bug.Result, error) {
			return bug.Validate(ctx, o.Target, it.proposal.Candidate, m.known)
		}); err == nil || ctx.Err() != nil {
			break
		}
	}
	return res, err
}

// guarded calls f; a panic is a fault of our own like any other.
func guarded(f func() (bug.Result, error)) (res bug.Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}

// take keeps what became of a candidate, and its bug when it made a new one.
func (m *Maker) take(o *origin, it *item) (*bug.Bug, error) {
	it.Number = m.tally.Proposals + 1
	if it.proposal.Screened == "" {
		it.judgedAs(it.result, it.err)
		m.faults.Add(it.err)
	}
	b := it.result.Bug
	if b != nil {
		if why := m.fresh.Again(b); why != "" {
			b = nil
			it.again(why)
		} else {
			m.fresh.Add(b)
		}
	}
	if err := m.set.put(it.Candidate, b); err != nil {
		return nil, err
	}
	m.tally.add(it.Candidate, b)
	if b != nil {
		o.valid++
		m.made++
		if m.first == 0 {
			m.first = time.Since(m.began)
		}
		if m.c.Made != nil {
			m.c.Made(Made{
				Bug: b.ID, Source: b.Source.Source, Licence: b.Source.Licence, Strategy: b.Strategy, Operators: b.Operators, Order: b.Order, Red: len(b.Red), Hidden: len(b.Hidden),
				Statements: b.RedTest.Statements, Minutes: b.Difficulty.Minutes, Path: m.set.BugDir(b.ID),
			})
		}
	}
	if m.c.Progress != nil {
		m.c.Progress(m.progress())
	}
	if n, of, last, stop := m.faults.TooMany(); stop {
		return b, &FaultsError{n, of, last}
	}
	return b, nil
}

func (m *Maker) progress() Progress {
	p := Progress{Bugs: m.tally.valid(), Of: m.c.Bugs, Elapsed: time.Since(m.began), Counts: m.tally.Breaks, Screened: m.tally.screened()}
	if m.made > 0 {
		p.Left = p.Elapsed / time.Duration(m.made) * time.Duration(p.Of-p.Bugs)
	}
	if m.c.Limit > 0 {
		p.Left = max(0, min(p.Left, m.c.Limit-p.Elapsed))
	}
	return p
}

// save brings the files about the whole set up to date.
func (m *Maker) save(ending Ending) error {
	return m.set.save(m.tally.summary(m, ending))
}
