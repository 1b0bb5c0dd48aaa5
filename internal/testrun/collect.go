package testrun

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/lang/python"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// mode reads how the target wants pytest to be called, and drops what would
// spoil a run.
func (p *preparer) mode(ctx context.Context) (mode, error) {
	file, addopts, err := configuration(ctx, p.Box, p.env, p.Snapshot.Tree, p.logPath)
	if err != nil {
		return mode{}, err
	}
	own := sortOptions(p.Snapshot.Tree, addopts)
	if slices.Contains(append(slices.Clone(addopts), p.Options.Tests...), "--doctest-modules") {
		p.say("collect", "set aside: doctests in code files")
	}
	user := sortOptions(p.Snapshot.Tree, p.Options.Tests)
	md := mode{Config: file, Args: append(own.keep, user.keep...), Select: append(own.selecting, user.selecting...), Roots: user.paths,
		Autoload: true, Path: p.recipe.Path, Vars: p.vars()}
	if len(md.Roots) == 0 {
		md.Roots = own.paths
	}
	return md, nil
}

var (
	noModule     = regexp.MustCompile(`No module named '([A-Za-z0-9_.]+)'`)
	unrecognized = regexp.MustCompile(`unrecognized arguments: (.*)`)
	// A plugin that warns while it is configured, where warnings are errors.
	fatalWarning = regexp.MustCompile(`INTERNALERROR> ((?:pytest\.)?[A-Z]\w*Warning):`)
	needPlugins  = regexp.MustCompile(`Missing required plugins: (.*)`)
)

// collect collects the suite until nothing new is missing.
func (p *preparer) collect(ctx context.Context, md mode) (mode, error) {
	byName := false
	for pass := 0; ; pass++ {
		j := job{tree: p.Snapshot.Tree, env: p.env, mode: md, collect: true, loading: DefaultBaselineDeadline}
		s, err := j.run(ctx, p.Box)
		if err != nil {
			return md, err
		}
		text := tail(s.box.Stderr, 8000) + tail(s.box.Stdout, 8000)
		fmt.Fprintf(p.log, "--- collected %d tests, %d files do not collect\n%s\n", len(s.ids), len(s.uncollected), text)
		more, changed := p.missing(s, text, &md)
		if (len(more) > 0 || changed) && pass < missingPasses {
			if err := p.install(ctx, more); err != nil {
				return md, err
			}
			continue
		}
		if !s.ready {
			return md, &source.TargetError{Reason: "its tests cannot be collected", First: firstLine(loadError(s, DefaultBaselineDeadline)), Log: p.logPath,
				Next: "see that its tests run with pytest, or say how with --tests"}
		}
		if len(s.ids) == 0 && len(s.uncollected) == 0 && !byName && len(md.Roots) == 0 {
			// Names that pytest does not collect by default.
			byName = true
			if md.Roots = testsByName(p.Snapshot.Tree); len(md.Roots) > 0 {
				p.say("collect", "nothing has a name that pytest collects: trying %d files of the tests by name", len(md.Roots))
				continue
			}
		}
		if len(s.ids) == 0 {
			if len(s.uncollected) > 0 {
				u := s.uncollected[0]
				return md, &source.TargetError{Reason: fmt.Sprintf("none of its %d test files can be collected", len(s.uncollected)),
					First: u.file + ": " + firstLine(u.failure.Kind+": "+u.failure.Message), Log: p.logPath, Next: "repair what the error names, or choose tests with --tests"}
			}
			return md, &source.TargetError{Reason: "it has no tests that pytest finds", Log: p.logPath, Next: "name another version or source that ships tests, or say where they are with --tests"}
		}
		for _, u := range s.uncollected {
			p.say("collect", "set aside: %s does not collect: %s", u.file, firstLine(u.failure.Kind+": "+u.failure.Message))
		}
		p.say("collect", "%d tests", len(s.ids))
		return md, nil
	}
}

// missing returns the requirements that a collection lacked and that have not
// been tried, and whether the options were changed because pytest does not start with them.
func (p *preparer) missing(s *session, text string, md *mode) (more []string, changed bool) {
	modules := hints(s.hints)
	for _, u := range s.uncollected {
		for m := range hints(u.failure.Kind + ": " + u.failure.Message) {
			modules[m] = true
		}
		if u.missing != "" {
			modules[u.missing] = true
		}
	}
	add := func(requirement string) {
		if requirement != "" && !p.tried[requirement] {
			p.tried[requirement] = true
			more = append(more, requirement)
		}
	}
	if !s.ready { // pytest did not get to a session; only its output tells why
		for m := range hints(text) {
			modules[m] = true
		}
		for _, m := range noModule.FindAllStringSubmatch(text, -1) {
			modules[m[1]] = true
		}
		if m := needPlugins.FindStringSubmatch(text); m != nil {
			for _, q := range strings.Split(m[1], ",") {
				add(strings.TrimSpace(q))
			}
		}
		if m := fatalWarning.FindStringSubmatch(text); m != nil && !p.tried["warning "+m[1]] {
			p.tried["warning "+m[1]] = true
			md.Args = append(slices.Clone(md.Args), "-W", "default::"+m[1])
			p.say("collect", "%s ends pytest before it starts: it is no error from here on", m[1])
			changed = true
		}
		if m := unrecognized.FindStringSubmatch(text); m != nil {
			for _, a := range strings.Fields(m[1]) {
				if i := slices.Index(md.Args, a); i >= 0 {
					md.Args = slices.Delete(slices.Clone(md.Args), i, i+1)
					p.say("collect", "dropped %s: no installed plugin knows it", a)
					changed = true
				}
			}
		}
	}
	for _, m := range sortedKeys(modules) {
		if pkg, ok := source.PackageFor(m); ok {
			add(pkg)
		} else if !p.tried["module "+m] {
			p.tried["module "+m] = true
			p.say("collect", "module %s is missing, and which package brings it is not known", m)
		}
	}
	return more, changed
}

// lacking returns the requirements that tests fail without: fixtures that no
// plugin brings, asynchronous tests that nothing runs.
func (p *preparer) lacking(r *tally) []string {
	var text strings.Builder
	for _, id := range sortedKeys(r.failures) {
		text.WriteString(r.failures[id].Message + "\n" + r.failures[id].Text + "\n")
	}
	text.WriteString(r.hints)
	var more []string
	for _, m := range sortedKeys(hints(text.String())) {
		if pkg, ok := source.PackageFor(m); ok && !p.tried[pkg] {
			p.tried[pkg] = true
			more = append(more, pkg)
		}
	}
	return more
}

// install adds requirements; when they do not install together, those that do
// one by one.
func (p *preparer) install(ctx context.Context, more []string) error {
	if len(more) == 0 {
		return nil
	}
	before, env := p.recipe, p.env
	p.say("environment", "collection lacks %s", strings.Join(more, ", "))
	p.recipe.Requirements = with(before.Requirements, more)
	err := p.build(ctx)
	var target *source.TargetError
	if err == nil || !errors.As(err, &target) {
		return err
	}
	p.recipe, p.env = before, env
	if len(more) == 1 {
		p.say("environment", "%s does not install: %s", more[0], firstLine(target.First))
		return nil
	}
	for _, q := range more {
		if err := p.install(ctx, []string{q}); err != nil {
			return err
		}
	}
	return nil
}

// testsByName lists Python files that look like tests by their place.
func testsByName(t *tree.Tree) []string {
	var files []string
	for _, f := range t.Paths() {
		base := filepath.Base(f)
		if strings.HasSuffix(f, ".py") && python.Python.IsTest(f) && base != "conftest.py" && base != "__init__.py" {
			files = append(files, f)
		}
	}
	return files
}
