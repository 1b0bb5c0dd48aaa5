package testrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun/zygote"
	"breakfix/internal/tree"
)

// gate names a sort of warm process that answers what a gate asks.
type gate string

const (
	gatePylint gate = "pylint"
	gateMypy   gate = "mypy"
	gateSmoke  gate = "smoke"
)

const (
	gateMost  = 2
	gateIdle  = 5 * time.Minute
	gateAhead = 2 * time.Minute // of reading the snapshot's package, before it serves
	// maxAhead is how much code, in bytes, pylint reads to find out what the
	// package needs; what it did not find costs time in each child.
	maxAhead = 1 << 20
	// gateMemory is what modules that are read ahead may make of a process.
	gateMemory = 200 << 20
)

// gateAfter is how many calls of a gate are made in fresh processes before a
// warm one is started: about as many as its start costs, so that a few calls
// cost at most twice what they need.
var gateAfter = map[gate]int{gatePylint: 2, gateMypy: 2, gateSmoke: 8}

// gates keeps the warm processes of one workspace's linters and smoke runs. An
// *errTier says that a fresh process has to do it.
type gates struct {
	pools[gate]
	keeper  sandbox.Keeper
	base    *tree.Tree
	lint    linters
	smoke   smoker
	types   Findings // mypy's of the snapshot
	preload []string // modules outside of the tree that the suite loads

	after map[gate]int
	calls map[gate]int // guarded by mu
}

// newGates returns nil where the sandbox cannot keep boxes open.
func newGates(w *Workspace) *gates {
	keeper, ok := w.Box.(sandbox.Keeper)
	if !ok {
		return nil
	}
	g := &gates{keeper: keeper, base: w.Snapshot.Tree, lint: w.lint, smoke: smoker{box: w.Box, env: w.Env, mode: w.mode}, types: w.Base.Types, preload: w.Base.Modules,
		after: gateAfter, calls: map[gate]int{}}
	g.lint.warm = nil
	g.pools = pools[gate]{most: gateMost, idle: gateIdle, sort: func(k gate) string { return string(k) }, open: g.start}
	return g
}

// due counts a call and tells whether a warm process is to answer it.
func (g *gates) due(k gate) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls[k]++
	return g.calls[k] > g.after[k]
}

// gatePlan is what a program that serves a gate reads in the box.
type gatePlan struct {
	Tool    gate        `json:"tool"`
	Argv    []string    `json:"argv"`
	Canary  []string    `json:"canary"`
	Files   []string    `json:"files"` // of the snapshot, to be read ahead
	Avoid   []string    `json:"avoid"` // top names of the tree's modules
	Seconds int         `json:"seconds"`
	Memory  int64       `json:"memory"` // bytes; nothing more is read ahead above
	Python  string      `json:"python"`
	Steps   []smokeStep `json:"steps"`
	Serve   bool        `json:"serve"`
	Preload []string    `json:"preload"`
}

// gateBody is what a child is asked for.
type gateBody struct {
	Files   []string    `json:"files"`
	Changed []string    `json:"changed"`
	Steps   []smokeStep `json:"steps"`
}

func (g *gates) start(ctx context.Context, k gate) (*warmProcess, error) {
	p := gatePlan{Tool: k, Files: []string{}, Seconds: int(gateAhead.Seconds()), Memory: gateMemory, Python: source.EnvAt + "/bin/python", Serve: true, Preload: g.preload}
	var spec sandbox.Spec
	program, text := "breakfix_lint.py", lintSource
	switch k {
	case gateSmoke:
		program, text = "breakfix_smoke.py", smokeSource
		spec = script{tree: g.base, env: g.smoke.env, mode: g.smoke.mode}.spec()
	case gatePylint:
		c := g.lint.pylintCall(nil)
		p.Argv, p.Avoid = append(c.args, c.canary), topNames(g.base)
		size := int64(0)
		for _, f := range codeFiles(g.base) {
			if size += g.base.Size(f); size > maxAhead {
				break
			}
			p.Files = append(p.Files, f)
		}
		spec = g.lint.spec(g.base, nil, c.env...)
	case gateMypy:
		c := g.lint.mypyCall(nil)
		p.Argv, p.Canary, p.Files = append(c.args, "--cache-dir="+mypyCacheAt+newNonce()), []string{c.canary}, codeFiles(g.base)
		spec = g.lint.spec(g.base, nil, c.env...)
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write the plan of a warm process: %w", err)
	}
	if spec.Extra == nil {
		spec.Extra = map[string]*tree.File{}
	}
	for name, text := range map[string]string{"breakfix_channel.py": channelSource, "breakfix_cage.py": zygote.CageSource, program: text, "plan.json": string(data)} {
		spec.Extra[path.Join(insideAt, name)] = tree.Text(text)
	}
	python := source.ToolsAt
	if k == gateSmoke {
		python = source.EnvAt
	}
	spec.Argv = []string{python + "/bin/python", path.Join(insideAt, program)}
	spec.Limits.Wall = 0 // as long as it is wanted
	if spec.Limits.Memory == 0 {
		spec.Limits.Memory = 3 << 30
	}
	w, err := openWarm(ctx, g.keeper, spec, gateAhead+time.Minute, func(ready) error { return nil })
	if err == nil && k == gateMypy {
		if err = g.agrees(ctx, w); err != nil {
			w.Close()
			return nil, err
		}
	}
	return w, err
}

// agrees asks a warm mypy about the snapshot itself, of which is known what a
// fresh one says.
func (g *gates) agrees(ctx context.Context, p *warmProcess) error {
	c := g.lint.mypyCall(codeFiles(g.base))
	var a answer
	res, done, _, err := g.ask(ctx, p, c.script(g.base), c.tool, gateBody{Files: c.files}, nil, a.take)
	if err == nil {
		res, err = a.result(res, done)
	}
	if err != nil {
		return err
	}
	found, ended, err := mypySaid(g.base, res)
	if err == nil && (ended != nil || !maps.Equal(found, g.types)) {
		err = errors.New("a warm mypy says something else of the snapshot than a fresh one")
	}
	return err
}

// call runs one call of a linter in a child of a warm process.
func (g *gates) call(ctx context.Context, t *tree.Tree, c call) (sandbox.Result, error) {
	var a answer
	res, done, _, err := g.run(ctx, c.script(t), c.tool, gateBody{Files: c.files}, a.take)
	if err != nil {
		return res, err
	}
	return a.result(res, done)
}

func (c call) script(t *tree.Tree) script {
	return script{name: string(c.tool), tree: t, wall: lintWall}
}

// answer is what the tool said in a child, in pieces.
type answer struct {
	stdout, stderr bytes.Buffer
	status         int
}

func (a *answer) take(m message) {
	switch m.Kind {
	case "answer": // of another child where one was lost
		a.stdout.Reset()
		a.stderr.Reset()
	case "stdout":
		a.stdout.WriteString(m.Reason)
	case "stderr":
		a.stderr.WriteString(m.Reason)
	case "status":
		a.status = m.Ended
	}
}

// result is the child's end as that of the tool alone in a box. What ended a
// child that did not answer, a fresh box says.
func (a *answer) result(res sandbox.Result, done bool) (sandbox.Result, error) {
	if !done {
		return res, &errTier{"the child ended without an answer: " + deathOf(res)}
	}
	res.Stopped, res.Exit, res.Signal = sandbox.Exited, a.status, 0
	res.Stdout, res.Stderr = a.stdout.Bytes(), a.stderr.Bytes()
	return res, nil
}

// run is script.run in a child of a warm process.
func (g *gates) run(ctx context.Context, s script, k gate, b gateBody, handle func(message)) (res sandbox.Result, done, late bool, err error) {
	changes, err := changesOf(g.base, s.tree)
	if err != nil {
		return res, false, false, err
	}
	err = g.with(ctx, k, func(p *warmProcess) error {
		if n := shadowed(s.tree, p.ready.Modules); n != "" {
			return &errTier{"the tree has a module by the name of " + n + ", which was read ahead"}
		}
		res, done, late, err = g.ask(ctx, p, s, k, b, changes, handle)
		return err
	})
	return res, done, late, err
}

// ask has one child of a process run a script on the snapshot with changes.
func (g *gates) ask(ctx context.Context, p *warmProcess, s script, k gate, b gateBody, changes map[string]*tree.File, handle func(message)) (res sandbox.Result, done, late bool, err error) {
	b.Changed = sortedKeys(changes)
	fault := ""
	childCtx, kill := context.WithCancel(ctx)
	defer kill()
	w := newWatch(kill, s.wall)
	defer w.stop()
	// Where code of the target runs, signals and orphans are to be as in a fresh box.
	req := zygote.Request{Body: b, Nonce: newNonce(), Changes: changes, Init: k == gateSmoke, Network: k == gateSmoke}
	req.Report = s.follow(req.Nonce, w, &done, func(m message) {
		if m.Kind == "fault" {
			fault = m.Reason
			return
		}
		handle(m)
	})
	exit, err := p.child(ctx, childCtx, req)
	w.stop()
	if err != nil {
		return res, false, false, err
	}
	if fault != "" {
		return res, false, false, &errLost{fmt.Errorf("a child of a warm process could not begin: %s", fault)}
	}
	return resultOf(exit), done, w.fired() && !done, nil
}

// cold tells whether an error of a warm process says that a fresh one has to do it.
func cold(err error) bool {
	var other *errTier
	return errors.As(err, &other)
}

// topNames returns the names of what can be imported from a folder of the tree
// that holds modules or outermost packages, sorted.
func topNames(t *tree.Tree) []string {
	var modules []string
	roots := map[string]bool{}
	for _, p := range t.Paths() {
		if ext := path.Ext(p); ext == ".py" || ext == ".pyi" || ext == ".so" {
			modules = append(modules, p)
			roots[moduleRoot(t, p)] = true
		}
	}
	names := map[string]bool{}
	for _, p := range modules {
		for below, dir := path.Base(p), path.Dir(p); ; below, dir = path.Base(dir), path.Dir(dir) {
			if roots[dir] {
				name, _, _ := strings.Cut(below, ".")
				names[name] = true
			}
			if dir == "." {
				break
			}
		}
	}
	return sortedKeys(names)
}

// shadowed returns a module of the tree that has the name of one of those that
// a warm process has read, which would stand for it; "" when there is none.
func shadowed(t *tree.Tree, read []string) string {
	if len(read) == 0 {
		return ""
	}
	known := map[string]bool{}
	for _, m := range read {
		first, _, _ := strings.Cut(m, ".")
		known[first] = true
	}
	for _, n := range topNames(t) {
		if known[n] {
			return n
		}
	}
	return ""
}
