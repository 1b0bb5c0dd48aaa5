package testrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/testrun/zygote"
	"breakfix/internal/tree"
)

// The warm processes that run tests of a workspace. One kind is a tier and a
// hash seed.

const (
	warmIdle = 90 * time.Second // a process that nobody needed for so long ends
	warmRuns = 4000             // children of one process, after which a new one takes over
)

// warmMost is of one kind: more than there are cores, since a process is taken while its child waits for a test that hangs.
var warmMost = max(3, AtOnce(runtime.NumCPU()))

// AtOnce is how much that runs tests some workers do at the same time: for two of them one
// more, since tests that hang wait for seconds and leave their core to others.
func AtOnce(workers int) int { return max(1, workers+workers/2) }

// kind names warm processes that can stand for each other.
type kind struct {
	tier Tier
	seed int
}

// warm keeps the warm processes of one snapshot in one environment.
type warm struct {
	pools[kind]
	keeper sandbox.Keeper
	job    func(seed int) job // the process, but for what it serves
	plan   func(Tier) plan
	check  func(Tier, ready) error // says why a process that is ready is not fit
}

// ready is what a warm process says when it serves.
type ready struct {
	IDs     []string `json:"ids"`
	Pytest  string   `json:"pytest"`
	Modules []string `json:"modules"`
	Cover   *loading `json:"cover"`
	Tainted []string `json:"tainted"`
}

func newWarm(keeper sandbox.Keeper, j func(int) job, p func(Tier) plan, check func(Tier, ready) error) *warm {
	w := &warm{keeper: keeper, job: j, plan: p, check: check}
	w.pools = pools[kind]{most: warmMost, idle: warmIdle, sort: func(k kind) string { return k.tier.String() }, open: w.start}
	return w
}

// why says why a tier is not used, "" when it is.
func (w *warm) why(t Tier) string { return w.pools.why(t.String()) }

// giveUp stops using a tier.
func (w *warm) giveUp(t Tier, why string) { w.pools.giveUp(t.String(), why) }

// start starts a process.
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
	return openWarm(ctx, w.keeper, spec, 3*max(j.loading, 20*time.Second), func(r ready) error { return w.check(k.tier, r) })
}

// openWarm starts the process of a specification and waits until it serves and
// is found fit.
func openWarm(ctx context.Context, keeper sandbox.Keeper, spec sandbox.Spec, within time.Duration, fit func(ready) error) (*warmProcess, error) {
	s, text, err := zygote.Start(ctx, keeper, spec, within)
	if err != nil {
		var se *zygote.StartError
		if errors.As(err, &se) {
			err = fmt.Errorf("%w: %s", err, lastLines(tail(se.Stderr, 2000)+tail(se.Stdout, 2000), 4))
		}
		return nil, err
	}
	p := &warmProcess{Server: s}
	if err = json.Unmarshal(text, &p.ready); err == nil {
		err = fit(p.ready)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return p, nil
}

// body is what serve returns in a child.
type body struct {
	Tests   []string               `json:"tests"`
	Files   []string               `json:"files"` // of ours, in which every test is wanted
	Own     []string               `json:"own"`   // collected: files of ours to be collected
	Decide  bool                   `json:"decide"`
	Reverse bool                   `json:"reverse"`
	Brief   bool                   `json:"brief"`
	Direct  bool                   `json:"direct,omitempty"`
	Paths   []string               `json:"paths"`             // bare: what to collect
	Few     bool                   `json:"few,omitempty"`     // bare: no item is made but for the tests
	Rewrite []string               `json:"rewrite,omitempty"` // bare: test files to be prepared before
	Swap    map[string][]statement `json:"swap,omitempty"`    // collected: by file
}

// run runs one job in a child of a warm process. An *errTier means that a
// slower tier has to; other errors are ours.
func (w *warm) run(ctx context.Context, k kind, j job, req zygote.Request) (s *session, err error) {
	err = w.with(ctx, k, func(p *warmProcess) error {
		s, err = runOnce(ctx, p, j, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func runOnce(ctx context.Context, p *warmProcess, j job, req zygote.Request) (*session, error) {
	s := newSession()
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
	exit, err := p.child(ctx, childCtx, req)
	watch.stop()
	if err != nil {
		return nil, err
	}
	if s.fault != "" {
		return nil, &errLost{fmt.Errorf("a child of a warm process could not begin: %s", s.fault)}
	}
	s.box = resultOf(exit)
	if childCtx.Err() != nil && !watch.fired() && !exit.Told && !exit.Memory {
		s.box.Stopped = sandbox.Deadline
	}
	s.follow(watch, rd)
	return s, nil
}

// resultOf tells the end of a child as that of a box.
func resultOf(exit zygote.Exit) sandbox.Result {
	res := sandbox.Result{Stopped: sandbox.Exited, Exit: exit.Status, Signal: exit.Signal, Wall: exit.Wall, CPU: exit.CPU, PeakMemory: exit.Peak}
	switch {
	case exit.Told:
		res.Stopped = sandbox.Told
	case exit.Memory:
		res.Stopped = sandbox.Memory
	case exit.Signal != 0:
		res.Stopped = sandbox.Signaled
	}
	return res
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
