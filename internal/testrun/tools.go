package testrun

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// script is one of our own programs, run with the environment's interpreter in
// a box, that reports over the channel.
type script struct {
	name, text string
	plan       any
	tree       *tree.Tree
	env        *source.Environment
	mode       mode
	wall       time.Duration // until the first message, and from each message to the next
}

// run passes each message to handle. It returns what the process did, whether
// the completion mark arrived, and whether it was killed because it was silent
// for too long.
func (s script) run(ctx context.Context, box sandbox.Sandbox, handle func(message)) (res sandbox.Result, done, late bool, err error) {
	p, err := json.Marshal(s.plan)
	if err != nil {
		return res, false, false, fmt.Errorf("write the plan of %s: %w", s.name, err)
	}
	nonce := newNonce()
	boxCtx, kill := context.WithCancel(ctx)
	defer kill()
	w := newWatch(kill, s.wall)
	defer w.stop()
	spec := s.spec()
	spec.Extra = map[string]*tree.File{
		path.Join(insideAt, "breakfix_channel.py"): tree.Text(channelSource),
		path.Join(insideAt, s.name):                tree.Text(s.text),
		path.Join(insideAt, "plan.json"):           {Kind: tree.Regular, Data: p},
	}
	spec.Secret, spec.Report = []byte(nonce), s.follow(nonce, w, &done, handle)
	res, err = box.Run(boxCtx, spec)
	w.stop()
	if err != nil && ctx.Err() != nil {
		return res, false, false, ctx.Err()
	}
	if err != nil && !w.fired() {
		return res, false, false, fmt.Errorf("run %s in the sandbox: %w", s.name, err)
	}
	return res, done, w.fired() && !done, nil
}

// spec is the box of a script, without its program.
func (s script) spec() sandbox.Spec {
	spec := sandbox.Spec{
		Tree:   s.tree,
		Argv:   []string{source.EnvAt + "/bin/python", path.Join(insideAt, s.name)},
		Env:    job{mode: s.mode}.environ(),
		Binds:  environmentBinds(s.env),
		Limits: sandbox.Limits{Wall: 10 * time.Minute},
	}
	if s.env.Built != "" {
		spec.Layers = []string{s.env.Built}
	}
	return spec
}

// follow reads what a script says until it is done.
func (s script) follow(nonce string, w *watch, done *bool, handle func(message)) *reader {
	return &reader{nonce: nonce, handle: func(m message) error {
		w.allow(s.wall)
		if m.Kind == "done" {
			*done = true
			return errEnough
		}
		handle(m)
		return nil
	}}
}

// configuration asks pytest which configuration file it uses and returns its addopts.
func configuration(ctx context.Context, box sandbox.Sandbox, env *source.Environment, t *tree.Tree, logPath string) (file string, addopts []string, err error) {
	var broken string
	res, done, _, err := script{name: "breakfix_config.py", text: configSource, plan: struct{}{}, tree: t, env: env, wall: time.Minute}.run(ctx, box,
		func(m message) {
			if m.Kind == "config" {
				file, addopts, broken = m.File, m.IDs, m.Reason
			}
		})
	switch {
	case err != nil:
		return "", nil, err
	case broken != "":
		return "", nil, &source.TargetError{Reason: "pytest cannot read " + file, First: broken, Log: logPath, Next: "repair the file"}
	case !done:
		return "", nil, &source.TargetError{Reason: "pytest does not run in the environment", First: lastLines(tail(res.Stderr, 2000), 3), Log: logPath,
			Next: "see that pytest 6 or later is installed in it"}
	}
	return file, addopts, nil
}
