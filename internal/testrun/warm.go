package testrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/testrun/zygote"
	"breakfix/internal/tree"
)

// The warm processes of a workspace. One kind is a tier and a hash seed; of
// each kind there are as many as runs of it at the same time, at most warmMost,
// started when they are needed and ended when they idle.

const (
	warmIdle  = 90 * time.Second // a process that nobody needed for so long ends
	warmRuns  = 4000             // children of one process, after which a new one takes over
	warmLives = 3                // processes of one kind that may be lost in a row before the tier is given up
)

var warmMost = max(2, runtime.NumCPU())

// kind names warm processes that can stand for each other.
type kind struct {
	tier Tier
	seed int
}

// warm keeps the warm processes of one snapshot in one environment.
type warm struct {
	keeper sandbox.Keeper
	job    func(seed int) job // the process, but for what it serves
	plan   func(Tier) plan
	check  func(Tier, ready) error // says why a process that is ready is not fit

	mu    sync.Mutex
	kinds map[kind]*pool
	unfit map[Tier]string // tiers that cannot be used, and why
	open  map[*warmProcess]bool
	ended Heat // of those that are closed
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

// ready is what a warm process says when it serves.
type ready struct {
	IDs     []string `json:"ids"`
	Lost    []told   `json:"lost"`
	Pytest  string   `json:"pytest"`
	Modules []string `json:"modules"`
	Cover   *loading `json:"cover"`
	Tainted []string `json:"tainted"`
}

// told is a file that did not collect, as the plugin says it.
type told struct {
	File    string     `json:"file"`
	Missing string     `json:"missing"`
	Failure rawFailure `json:"failure"`
}

// errTier says that a tier cannot run what it was asked for; a slower one can.
type errTier struct{ why string }

func (e *errTier) Error() string { return e.why }

func newWarm(keeper sandbox.Keeper, j func(int) job, p func(Tier) plan, check func(Tier, ready) error) *warm {
	return &warm{keeper: keeper, job: j, plan: p, check: check, kinds: map[kind]*pool{}, unfit: map[Tier]string{}, open: map[*warmProcess]bool{}}
}

// why says why a tier is not used, "" when it is.
func (w *warm) why(t Tier) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unfit[t]
}

// giveUp stops using a tier. It reports whether that is news.
func (w *warm) giveUp(t Tier, why string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.unfit[t]; known {
		return false
	}
	w.unfit[t] = why
	slog.Info("a tier is not used", "tier", t, "why", why)
	return true
}

// acquire returns a process of a kind, started if need be; release gives it back.
func (w *warm) acquire(ctx context.Context, k kind) (p *warmProcess, release func(broken bool), err error) {
	w.mu.Lock()
	if why, bad := w.unfit[k.tier]; bad || w.shut {
		w.mu.Unlock()
		return nil, nil, &errTier{why}
	}
	pl := w.kinds[k]
	if pl == nil {
		pl = &pool{slots: make(chan struct{}, warmMost)}
		w.kinds[k] = pl
	}
	w.mu.Unlock()
	select {
	case pl.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	free := func() { <-pl.slots }
	w.mu.Lock()
	for len(pl.idle) > 0 && p == nil {
		p = pl.idle[len(pl.idle)-1]
		pl.idle = pl.idle[:len(pl.idle)-1]
		if !p.timer.Stop() {
			p = nil // it is being closed
			continue
		}
		select {
		case <-p.Gone():
			delete(w.open, p) // nobody can say any more what it used
			p = nil
		default:
		}
	}
	w.mu.Unlock()
	if p == nil {
		if p, err = w.start(ctx, k); err != nil {
			free()
			return nil, nil, err
		}
	}
	return p, func(broken bool) {
		defer free()
		w.mu.Lock()
		if broken {
			pl.lost++
			if pl.lost >= warmLives {
				w.unfit[k.tier] = fmt.Sprintf("%d warm processes in a row were lost", pl.lost)
				slog.Warn("a tier is given up", "tier", k.tier, "why", w.unfit[k.tier])
			}
		} else {
			pl.lost = 0
		}
		keep := !broken && !w.shut && p.Runs() < warmRuns
		if keep {
			p.timer = time.AfterFunc(warmIdle, func() { w.retire(pl, p) })
			pl.idle = append(pl.idle, p)
		}
		w.mu.Unlock()
		if !keep {
			w.end(p)
		}
	}, nil
}

func (w *warm) retire(pl *pool, p *warmProcess) {
	w.mu.Lock()
	pl.idle = slices.DeleteFunc(pl.idle, func(q *warmProcess) bool { return q == p })
	w.mu.Unlock()
	w.end(p)
}

// end closes a process and keeps what it used.
func (w *warm) end(p *warmProcess) {
	w.mu.Lock()
	if w.open[p] {
		delete(w.open, p)
		w.ended = w.ended.and(p)
	}
	w.mu.Unlock()
	p.Close()
}

// and adds what a process has used.
func (h Heat) and(p *warmProcess) Heat {
	return Heat{max(h.Peak, p.Peak()), h.CPU + p.CPU()}
}

// heat tells what all processes have used so far.
func (w *warm) heat() Heat {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.ended
	for p := range w.open {
		h = h.and(p)
	}
	return h
}

// start starts a process. One that cannot be had is an *errTier, and the tier
// is given up: it would be the same the next time.
func (w *warm) start(ctx context.Context, k kind) (*warmProcess, error) {
	j := w.job(k.seed)
	pl := w.plan(k.tier)
	pl.Coverage = j.coverageInside()
	if pl.Warm == "bare" {
		j.tests, j.files = []string{}, []string{}
	}
	spec, err := j.spec(pl)
	if err != nil {
		return nil, err
	}
	if spec.Limits.Memory == 0 {
		spec.Limits.Memory = 3 << 30
	}
	s, text, err := zygote.Start(ctx, w.keeper, spec, 3*max(j.loading, 20*time.Second))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p := &warmProcess{Server: s}
	if err == nil {
		if err = json.Unmarshal(text, &p.ready); err == nil {
			err = w.check(k.tier, p.ready)
		}
		if err != nil {
			s.Close()
		}
	}
	if err != nil {
		var se *zygote.StartError
		if errors.As(err, &se) {
			err = fmt.Errorf("%w: %s", err, lastLines(tail(se.Stderr, 2000)+tail(se.Stdout, 2000), 4))
		}
		w.giveUp(k.tier, err.Error())
		return nil, &errTier{err.Error()}
	}
	w.mu.Lock()
	w.open[p] = true
	w.mu.Unlock()
	return p, nil
}

// body is what serve returns in a child.
type body struct {
	Tests   []string               `json:"tests"`
	Files   []string               `json:"files"` // of ours, in which every test is wanted
	Own     []string               `json:"own"`   // collected: files of ours to be collected
	Decide  bool                   `json:"decide"`
	Collect bool                   `json:"collect_only"`
	Paths   []string               `json:"paths"`             // bare: what to collect
	Rewrite []string               `json:"rewrite,omitempty"` // bare: test files to be prepared before
	Swap    map[string][]statement `json:"swap,omitempty"`    // collected: by file
}

// run runs one job in a child of a warm process. An *errTier means that a
// slower tier has to; other errors are ours.
func (w *warm) run(ctx context.Context, k kind, j job, req zygote.Request) (*session, error) {
	for try := 1; ; try++ {
		s, lost, err := w.runOnce(ctx, k, j, req)
		if err == nil || ctx.Err() != nil || !lost {
			return s, err
		}
		slog.Warn("a warm process was lost", "tier", k.tier, "error", err)
		if try == 2 {
			// Two processes in a row: it may well be what it was asked for. A
			// fresh box tells, and nothing of this is scored.
			return nil, &errTier{err.Error()}
		}
	}
}

func (w *warm) runOnce(ctx context.Context, k kind, j job, req zygote.Request) (s *session, lost bool, err error) {
	p, release, err := w.acquire(ctx, k)
	if err != nil {
		return nil, false, err
	}
	broken := false
	defer func() { release(broken) }()
	s = newSession()
	req.Nonce = newNonce()
	childCtx, kill := context.WithCancel(ctx)
	defer kill()
	if j.wall > 0 {
		var cancel func()
		childCtx, cancel = context.WithTimeout(childCtx, j.wall)
		defer cancel()
	}
	watch := newWatch(kill, j.loading)
	defer watch.stop()
	rd := &reader{nonce: req.Nonce, handle: func(m message) error { return s.take(m, j, watch) }}
	req.Report, req.Started = rd, watch.meter
	exit, err := p.Do(childCtx, req)
	watch.stop()
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	var refused *zygote.RefusedError
	if errors.As(err, &refused) {
		return nil, false, &errTier{refused.Why}
	}
	if err != nil {
		broken = true
		return nil, true, err
	}
	if s.fault != "" {
		broken = true
		return nil, true, fmt.Errorf("a child of a warm process could not begin: %s", s.fault)
	}
	s.box = sandbox.Result{Stopped: sandbox.Exited, Exit: exit.Status, Signal: exit.Signal, Wall: exit.Wall, CPU: exit.CPU, PeakMemory: exit.Peak}
	switch {
	case exit.Told:
		s.box.Stopped = sandbox.Told
	case exit.Memory:
		s.box.Stopped = sandbox.Memory
	case childCtx.Err() != nil && !watch.fired():
		s.box.Stopped = sandbox.Deadline
	case exit.Signal != 0:
		s.box.Stopped = sandbox.Signaled
	}
	s.follow(watch, rd)
	return s, false, nil
}

// close ends every process.
func (w *warm) close() {
	w.mu.Lock()
	w.shut = true
	var all []*warmProcess
	for _, pl := range w.kinds {
		for _, p := range pl.idle {
			p.timer.Stop()
			all = append(all, p)
		}
		pl.idle = nil
	}
	w.mu.Unlock()
	for _, p := range all {
		w.end(p)
	}
}

// changesOf returns what a cage lays over the snapshot's tree.
func changesOf(base, t *tree.Tree) (map[string]*tree.File, error) {
	files := map[string]*tree.File{}
	for _, p := range tree.Differ(base, t) {
		if !t.Has(p) {
			files[p] = nil
			continue
		}
		data, err := t.Read(p)
		if err != nil {
			return nil, err
		}
		files[p] = &tree.File{Kind: t.Kind(p), Data: data}
	}
	return files, nil
}
