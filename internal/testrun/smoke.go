package testrun

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

const (
	smokeBudget = 30 * time.Second // of a whole smoke run; what is left then is not run
	smokeStall  = 10 * time.Second // of one step: a longer one counts as hanging
)

// smokeStep is one thing that a smoke run does: import a module, or call a
// console entry point with --help.
type smokeStep struct {
	Kind   string `json:"kind"`             // "import" or "entry point"
	Name   string `json:"name"`             // module, or the command's name
	Target string `json:"target,omitempty"` // of an entry point: "module:function"
}

func (s smokeStep) label() string { return s.Kind + " " + s.Name }

type smokePlan struct {
	Steps []smokeStep `json:"steps"`
}

// smokeSteps lists what there is to run: every module of the package, packages
// before what they hold, then the console entry points of the target.
func smokeSteps(t *tree.Tree, env *source.Environment) []smokeStep {
	var steps []smokeStep
	names := map[string]bool{}
	for _, f := range codeFiles(t) {
		root := moduleRoot(t, f)
		name := strings.TrimSuffix(f, ".py")
		if root != "." {
			name = strings.TrimPrefix(name, root+"/")
		}
		name = strings.TrimSuffix(strings.ReplaceAll(name, "/", "."), ".__init__")
		if last := name[strings.LastIndex(name, ".")+1:]; last == "__main__" || last == "__init__" {
			continue // a program, not a module
		}
		names[name] = true
	}
	for _, n := range sortedKeys(names) {
		steps = append(steps, smokeStep{Kind: "import", Name: n})
	}
	return append(steps, entryPoints(env, names)...)
}

// smokeStepsOf lists what there is to run of t: everything that the base has,
// also what t lacks, and then the modules that t adds.
func smokeStepsOf(base, t *tree.Tree, env *source.Environment) []smokeStep {
	steps := smokeSteps(base, env)
	known := map[smokeStep]bool{}
	for _, s := range steps {
		known[s] = true
	}
	for _, s := range smokeSteps(t, env) {
		if !known[s] {
			steps = append(steps, s)
		}
	}
	return steps
}

// entryPoints reads the console scripts of installed distributions whose
// module is one of the tree's.
func entryPoints(env *source.Environment, ours map[string]bool) []smokeStep {
	files, _ := filepath.Glob(filepath.Join(env.Dir, "lib", "python3*", "site-packages", "*.dist-info", "entry_points.txt")) // the pattern is valid
	sort.Strings(files)
	var steps []smokeStep
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		section := ""
		for sc := bufio.NewScanner(f); sc.Scan(); {
			line := strings.TrimSpace(sc.Text())
			if strings.HasPrefix(line, "[") {
				section = line
				continue
			}
			command, target, ok := strings.Cut(line, "=")
			if section != "[console_scripts]" || !ok {
				continue
			}
			target, _, _ = strings.Cut(strings.TrimSpace(target), " ")
			module, _, _ := strings.Cut(target, ":")
			if ours[module] {
				steps = append(steps, smokeStep{Kind: "entry point", Name: strings.TrimSpace(command), Target: target})
			}
		}
		f.Close()
	}
	return steps
}

// smoker runs smoke runs of one workspace.
type smoker struct {
	box  sandbox.Sandbox
	env  *source.Environment
	mode mode
	warm *gates // nil: every process is a fresh one
}

// process runs steps in one process, a child of a warm one where that may and can be.
func (s smoker) process(ctx context.Context, t *tree.Tree, steps []smokeStep, handle func(message)) (res sandbox.Result, done, late bool, err error) {
	one := script{name: "breakfix_smoke.py", text: smokeSource, plan: smokePlan{steps}, tree: t, env: s.env, mode: s.mode, wall: smokeStall}
	if s.warm != nil {
		if res, done, late, err = s.warm.run(ctx, one, gateSmoke, gateBody{Steps: steps}, handle); !cold(err) {
			return res, done, late, err
		}
	}
	return one.run(ctx, s.box, handle)
}

// run runs steps on a tree in as many processes as it takes, and returns what
// failed, in order. It stops at the first failure when first is set.
func (s smoker) run(ctx context.Context, t *tree.Tree, steps []smokeStep, first bool) (failed []smokeFailure, err error) {
	if s.warm != nil && !s.warm.due(gateSmoke) {
		s.warm = nil
	}
	if s.warm != nil {
		// Its start is not the code's time. Where it does not come up, fresh ones serve.
		_ = s.warm.with(ctx, gateSmoke, func(*warmProcess) error { return nil })
	}
	over := time.Now().Add(smokeBudget)
	for len(steps) > 0 && time.Now().Before(over) {
		byLabel := map[string]int{}
		for i, st := range steps {
			byLabel[st.label()] = i
		}
		running, ended := -1, -1
		budget, stop := context.WithDeadline(ctx, over)
		res, done, late, err := s.process(budget, t, steps, func(m message) {
			i, known := byLabel[m.Step]
			switch {
			case !known || i <= ended:
			case m.Kind == "step":
				running = i
			case m.Kind == "stepped" && i == running:
				ended = i
				if m.Reason != "" {
					failed = append(failed, smokeFailure{steps[i], maskAddresses(clip(m.Reason, 500))})
				}
			}
		})
		spent := budget.Err() != nil
		stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && !spent {
			return nil, err
		}
		if first && len(failed) > 0 {
			return failed[:1], nil
		}
		if done && ended == len(steps)-1 || spent {
			return failed, nil
		}
		// Something hung or took the process with it: name it, go on after it.
		at := max(running, ended+1)
		why := "the process died: " + deathOf(res)
		if late {
			why = fmt.Sprintf("hangs (nothing for %.0f s)", smokeStall.Seconds())
		}
		if at >= len(steps) {
			return failed, nil
		}
		failed = append(failed, smokeFailure{steps[at], why})
		if first {
			return failed, nil
		}
		steps = steps[at+1:]
	}
	return failed, nil
}

type smokeFailure struct {
	step smokeStep
	why  string
}

// Smoke runs the package of t for up to 30 seconds: it imports every module
// and calls the console entry points with --help, leaving out what fails on
// the base; modules that t adds are imported too. It returns "" or what crashed or hung.
// fresh wants processes of its own, for code that anybody may have written:
// otherwise children of a warm process do, which has loaded modules that the
// tree needs and nothing of the tree.
func (w *Workspace) Smoke(ctx context.Context, t *tree.Tree, fresh bool) (string, error) {
	if err := w.haveFindings(ctx); err != nil {
		return "", err
	}
	key := "smoke of all modules " + string(t.Digest())
	s := smoker{box: w.Box, env: w.Env, mode: w.mode}
	if !fresh && w.lint.warm != nil {
		if said, ok := fact[string](w.facts, key); ok {
			return said, nil
		}
		key, s.warm = "warm "+key, w.lint.warm
	}
	unlock, err := w.cache.lock(ctx, key)
	if err != nil {
		return "", err
	}
	defer unlock()
	if said, ok := fact[string](w.facts, key); ok {
		return said, nil
	}
	began := time.Now()
	steps := slices.DeleteFunc(smokeStepsOf(w.Snapshot.Tree, t, w.Env), func(st smokeStep) bool { return slices.Contains(w.Base.RunLeft, st.label()) })
	failed, err := s.run(ctx, t, steps, true)
	if err != nil {
		return "", err
	}
	w.spent("smoke", began)
	why := ""
	if len(failed) > 0 {
		why = failed[0].step.label() + " " + failed[0].why
	}
	setFact(w.facts, key, why)
	return why, nil
}

// lastLines returns the last n lines of a text that are not empty, on one line.
func lastLines(s string, n int) string {
	var keep []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			keep = append(keep, l)
		}
	}
	if len(keep) > n {
		keep = keep[len(keep)-n:]
	}
	return strings.Join(keep, " | ")
}
