package testrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"breakfix/internal/testrun/zygote"
)

// warmLives is how many processes of one sort may be lost in a row before it is given up.
const warmLives = 3

// pools keeps warm processes by kind: of each kind as many as are used at the
// same time, started when they are needed and ended when they idle.
type pools[K comparable] struct {
	most int                                            // processes of one kind
	idle time.Duration                                  // a process that nobody needed for so long ends
	sort func(K) string                                 // kinds of one sort are given up together
	open func(context.Context, K) (*warmProcess, error) // an error after which ctx is not over gives the sort up

	mu    sync.Mutex
	kinds map[K]*pool
	unfit map[string]string // sorts that cannot be used, and why
	live  map[*warmProcess]bool
	ended Heat // of those that are closed
	gave  int  // processes that were lost, all in all
	shut  bool
}

// pool is the processes of one kind.
type pool struct {
	slots chan struct{} // one for each process that there may be
	idle  []*warmProcess
	lost  int // in a row
}

type warmProcess struct {
	*zygote.Server
	ready ready
	timer *time.Timer
}

// errTier says that a warm process cannot do what it was asked for; a fresh one
// (or one of a slower tier) can.
type errTier struct{ why string }

func (e *errTier) Error() string { return e.why }

// errLost says that a warm process is gone or not to be trusted any more.
type errLost struct{ error }

// why says why a sort is not used, "" when it is.
func (ps *pools[K]) why(sort string) string {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.unfit[sort]
}

func (ps *pools[K]) giveUp(sort, why string) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if _, known := ps.unfit[sort]; known {
		return
	}
	if ps.unfit == nil {
		ps.unfit = map[string]string{}
	}
	ps.unfit[sort] = why
	slog.Info("warm processes are not used", "for", sort, "why", why)
}

// with lets use have a process of a kind. One that is lost (an *errLost) is
// replaced once; after the second it is an *errTier: it may well be what they
// were asked for, which a fresh box tells.
func (ps *pools[K]) with(ctx context.Context, k K, use func(*warmProcess) error) error {
	for try := 1; ; try++ {
		p, release, err := ps.acquire(ctx, k)
		if err != nil {
			return err
		}
		err = use(p)
		var lost *errLost
		broken := errors.As(err, &lost)
		release(broken || ctx.Err() != nil && p.gone())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !broken {
			return err
		}
		slog.Warn("a warm process was lost", "for", ps.sort(k), "error", err)
		if try == 2 {
			return &errTier{err.Error()}
		}
	}
}

// acquire returns a process of a kind, started if need be; release gives it back.
func (ps *pools[K]) acquire(ctx context.Context, k K) (p *warmProcess, release func(broken bool), err error) {
	sort := ps.sort(k)
	ps.mu.Lock()
	if why, bad := ps.unfit[sort]; bad || ps.shut {
		ps.mu.Unlock()
		return nil, nil, &errTier{why}
	}
	pl := ps.kinds[k]
	if pl == nil {
		if ps.kinds == nil {
			ps.kinds = map[K]*pool{}
		}
		pl = &pool{slots: make(chan struct{}, ps.most)}
		ps.kinds[k] = pl
	}
	ps.mu.Unlock()
	select {
	case pl.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	free := func() { <-pl.slots }
	if p = ps.take(pl); p == nil {
		if p, err = ps.open(ctx, k); err != nil {
			free()
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			ps.giveUp(sort, err.Error())
			return nil, nil, &errTier{err.Error()}
		}
		ps.mu.Lock()
		if ps.live == nil {
			ps.live = map[*warmProcess]bool{}
		}
		ps.live[p] = true
		ps.mu.Unlock()
	}
	return p, func(broken bool) {
		defer free()
		ps.put(sort, pl, p, broken)
	}, nil
}

// take returns an idle process, nil when there is none.
func (ps *pools[K]) take(pl *pool) *warmProcess {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for len(pl.idle) > 0 {
		p := pl.idle[len(pl.idle)-1]
		pl.idle = pl.idle[:len(pl.idle)-1]
		if !p.timer.Stop() {
			continue // it is being closed
		}
		if !p.gone() {
			return p
		}
		delete(ps.live, p) // nobody can say any more what it used
	}
	return nil
}

func (ps *pools[K]) put(sort string, pl *pool, p *warmProcess, broken bool) {
	ps.mu.Lock()
	given := ""
	if broken {
		pl.lost++
		ps.gave++
		if pl.lost >= warmLives {
			given = fmt.Sprintf("%d warm processes in a row were lost", pl.lost)
		}
	} else {
		pl.lost = 0
	}
	keep := !broken && !ps.shut && p.Runs() < warmRuns
	if keep {
		p.timer = time.AfterFunc(ps.idle, func() { ps.retire(pl, p) })
		pl.idle = append(pl.idle, p)
	}
	ps.mu.Unlock()
	if given != "" {
		ps.giveUp(sort, given)
	}
	if !keep {
		ps.end(p)
	}
}

// end closes a process and keeps what it used.
func (ps *pools[K]) end(p *warmProcess) {
	ps.mu.Lock()
	if ps.live[p] {
		delete(ps.live, p)
		ps.ended = ps.ended.and(p)
	}
	ps.mu.Unlock()
	p.Close()
}

// and adds what a process has used.
func (h Heat) and(p *warmProcess) Heat {
	return Heat{max(h.Peak, p.Peak()), h.CPU + p.CPU()}
}

// losses tells how many processes were lost so far.
func (ps *pools[K]) losses() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.gave
}

// heat tells what all processes have used so far.
func (ps *pools[K]) heat() Heat {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	h := ps.ended
	for p := range ps.live {
		h = h.and(p)
	}
	return h
}

func (ps *pools[K]) retire(pl *pool, p *warmProcess) {
	ps.mu.Lock()
	pl.idle = slices.DeleteFunc(pl.idle, func(q *warmProcess) bool { return q == p })
	ps.mu.Unlock()
	ps.end(p)
}

// close ends every process that idles, and the others when they are given back.
func (ps *pools[K]) close() {
	ps.mu.Lock()
	ps.shut = true
	var all []*warmProcess
	for _, pl := range ps.kinds {
		for _, p := range pl.idle {
			p.timer.Stop()
			all = append(all, p)
		}
		pl.idle = nil
	}
	ps.mu.Unlock()
	for _, p := range all {
		ps.end(p)
	}
}

func (p *warmProcess) gone() bool {
	select {
	case <-p.Gone():
		return true
	default:
		return false
	}
}

// child runs one child until it ends or childCtx is over, which is no error. The
// end of ctx is one, a refusal is an *errTier and a lost process an *errLost.
func (p *warmProcess) child(ctx, childCtx context.Context, req zygote.Request) (zygote.Exit, error) {
	exit, err := p.Do(childCtx, req)
	if ctx.Err() != nil {
		if err != nil {
			return exit, &errLost{err}
		}
		return exit, ctx.Err()
	}
	var refused *zygote.RefusedError
	if errors.As(err, &refused) {
		return exit, &errTier{refused.Why}
	}
	if err != nil {
		return exit, &errLost{err}
	}
	return exit, nil
}
