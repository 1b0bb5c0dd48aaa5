package testrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/source"
)

// measure finds out how the suite is run and measures it.
func (p *preparer) measure(ctx context.Context, detected source.Recipe) (state, error) {
	coverage, err := source.CoverageDir(ctx, p.Box, p.recipe, p.Options, p.log)
	if err != nil {
		return state{}, err
	}
	var b *Baseline
	var md mode
	var runs []*tally
	for {
		if md, err = p.mode(ctx); err != nil {
			return state{}, err
		}
		if md, err = p.collect(ctx, md); err != nil {
			return state{}, err
		}
		p.say("baseline", "%d whole runs, and one with coverage", baselineRuns)
		m := measurement{box: p.Box, env: p.env, tree: p.Snapshot.Tree, mode: md, coverage: coverage, deadline: p.Deadline}
		var more []string
		m.look = func(r *tally) bool {
			more = p.lacking(r)
			return len(more) == 0
		}
		b, md, runs, err = m.run(ctx)
		for _, r := range runs {
			fmt.Fprintf(p.log, "--- one run: %d verdicts, complete %v, %s\n%s\n", len(r.results), r.complete, r.loadError, r.output)
		}
		if err != nil {
			return state{}, err
		}
		if len(more) == 0 {
			break
		}
		if err := p.install(ctx, more); err != nil {
			return state{}, err
		}
	}
	if err := p.judge(b, runs); err != nil {
		return state{}, err
	}
	var more []string
	for _, q := range p.recipe.Requirements {
		if !slices.Contains(detected.Requirements, q) {
			more = append(more, q)
		}
	}
	md.Vars = nil // values of the host's variables stay out of the cache
	return state{Version: stateVersion, More: more, Env: p.env.Digest, Mode: md, Baseline: b, Red: p.Red}, nil
}

// judge refuses a suite that nothing can be measured with.
func (p *preparer) judge(b *Baseline, runs []*tally) error {
	first := runs[0]
	if first.loadError != "" {
		return &source.TargetError{Reason: "its tests do not load", First: firstLine(first.loadError), Log: p.logPath, Next: "repair what the error names"}
	}
	passed, counted := 0, len(b.Flaky)
	var red []string
	for id, v := range b.Results {
		switch {
		case v == outcome.Passed:
			passed++
			counted++
		case v != outcome.Skipped:
			counted++
			red = append(red, id)
		}
	}
	sort.Strings(red)
	if len(red) > 0 && p.Red {
		return nil
	}
	if passed == 0 || 2*passed < counted {
		e := &source.TargetError{Reason: fmt.Sprintf("only %d of %d tests pass on the base, fewer than half", passed, counted), Log: p.logPath,
			Next: "repair the suite first, or choose tests that pass with --tests"}
		if counted == 0 {
			e.Reason = fmt.Sprintf("none of its %d tests runs: all are skipped", len(b.Results))
		}
		if len(red) > 0 {
			names := red[:min(len(red), 3)]
			e.First = "red are " + strings.Join(names, ", ")
			if len(red) > 3 {
				e.First += fmt.Sprintf(" and %d more", len(red)-3)
			}
			e.First += ": " + firstLine(first.failures[red[0]].Kind+": "+first.failures[red[0]].Message)
		}
		return e
	}
	return nil
}

// findings makes the linters of w and, unless a start before this one has done
// so, runs them and the smoke run on the base, and keeps what they say in stored.
func (p *preparer) findings(ctx context.Context, w *Workspace, st state, stored string) error {
	toolDir, err := source.Tools(ctx, p.Box, p.recipe, p.Options, p.log)
	if err != nil {
		return err
	}
	code := codeFiles(p.Snapshot.Tree)
	w.lint = linters{box: p.Box, env: p.env, dir: toolDir, path: moduleRoots(p.Snapshot.Tree, code)}
	if !st.Unlinted {
		w.lint.warm = newGates(w)
		return nil
	}
	began := time.Now()
	p.say("lint", "pylint and mypy on %d files", len(code))
	type answer struct {
		f   Findings
		err error
	}
	types := make(chan answer, 1)
	go func() {
		f, err := w.lint.mypy(ctx, p.Snapshot.Tree, code)
		types <- answer{f, err}
	}()
	w.Base.Lint, err = w.lint.pylint(ctx, p.Snapshot.Tree, code)
	t := <-types
	w.Base.Types = t.f
	if err = errors.Join(err, t.err); err != nil {
		return err
	}
	w.spent("lint", began)
	began = time.Now()
	p.say("smoke", "importing every module")
	failed, err := smoker{box: p.Box, env: p.env, mode: w.mode}.run(ctx, p.Snapshot.Tree, smokeSteps(p.Snapshot.Tree, p.env), false)
	if err != nil {
		return err
	}
	w.Base.RunLeft = nil // a measurement that was cut off may have left some
	for _, f := range failed {
		w.Base.RunLeft = append(w.Base.RunLeft, f.step.label())
		p.say("smoke", "left out: %s %s", f.step.label(), f.why)
	}
	w.spent("smoke", began)
	st.Baseline, st.Unlinted = w.Base, false
	if err := writeGzipJSON(stored, st); err != nil {
		return fmt.Errorf("keep the findings of the base in %s: %w", stored, err)
	}
	w.lint.warm = newGates(w)
	return nil
}

// report says what a person wants to know of the baseline.
func (p *preparer) report(b *Baseline) {
	counts := map[string]int{}
	for _, v := range b.Results {
		counts[string(v)]++
	}
	var parts []string
	for _, v := range sortedKeys(counts) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[v], strings.ReplaceAll(v, "_", " ")))
	}
	if n := len(b.Ordered); n > 0 {
		p.say("baseline", "%d of %d tests depend on tests before them (%s): all runs are in fresh processes", n, len(b.Results), b.Ordered[0])
	}
	p.say("baseline", "%d tests: %s; one run takes %.1f s", len(b.Results), strings.Join(parts, ", "), b.Wall)
}
