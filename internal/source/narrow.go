package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// part is one source of requirements that may be dropped.
type part struct {
	label string
	extra string   // an extra of the package itself
	lines []string // requirements
}

// unpinned returns the part without its version numbers, which may ask for
// what does not exist for this Python, or contradict another part.
func (p part) unpinned() (loose part, changed bool) {
	loose = part{label: p.label}
	for _, line := range p.lines {
		req, marker, has := strings.Cut(line, ";")
		m := requirementName.FindStringSubmatch(strings.TrimSpace(req))
		if m == nil {
			return p, false
		}
		name := m[1] + m[2]
		changed = changed || name != strings.TrimSpace(req)
		if has {
			name += " ; " + strings.TrimSpace(marker)
		}
		loose.lines = append(loose.lines, name)
	}
	return loose, changed
}

// parts lists what may be dropped when it does not install.
func (b *builder) parts() (parts []part, notes []string) {
	p := readProject(b.snap.Tree)
	known := p.extras()
	extras := append([]string(nil), b.recipe.Extras...)
	add := func(label string, n needs) {
		notes = append(notes, n.notes...)
		extras = append(extras, n.extras...)
		if len(n.requirements) > 0 {
			parts = append(parts, part{label: label, lines: n.requirements})
		}
	}
	for _, g := range b.recipe.Groups {
		lines, err := p.group(g)
		if err != nil {
			notes = append(notes, err.Error())
			continue
		}
		add("dependency group "+g, screen("dependency group "+g, lines, nil))
	}
	for _, f := range b.recipe.Files {
		add(f, requirementsFile(b.snap.Tree, f))
	}
	always := map[string]bool{}
	for _, r := range alwaysInstalled {
		always[r] = true
	}
	for _, r := range b.recipe.Requirements {
		if !always[r] {
			parts = append(parts, part{label: "requirement " + r, lines: []string{r}})
		}
	}
	if b.recipe.Install {
		for _, x := range unique(extras) {
			parts = append(parts, part{label: "extra " + x, extra: x, lines: screen("", known[x], nil).requirements})
		}
	}
	return parts, notes
}

// narrow finds the parts that install: the package alone first, whose failure
// is the target's, then one part after the other; of a part that fails, line
// after line.
func (b *builder) narrow(ctx context.Context, parts []part, env *Environment) ([]part, error) {
	all := b.last
	ok, err := b.install(ctx, nil)
	if err != nil {
		return nil, err
	}
	if !ok {
		reason := b.snap.Name + " " + b.snap.Version + " cannot be installed"
		if !b.recipe.Install {
			reason = "pytest cannot be installed for " + b.snap.Name
		}
		return nil, &TargetError{Reason: reason, First: firstError(b.last), Log: b.logFile, Next: "see the log; an environment that you made yourself is named with --python"}
	}
	fmt.Fprintf(b.people, "some test dependencies do not install (%s); trying them one by one\n", firstError(all))
	drop := func(label string) {
		note := fmt.Sprintf("%s is left out: it does not install (%s)", label, firstError(b.last))
		env.Dropped = append(env.Dropped, note)
		fmt.Fprintln(b.people, note)
	}
	var kept []part
	settled := true // whether the venv holds exactly what was kept
	for _, p := range parts {
		ok, err := b.install(ctx, append(kept[:len(kept):len(kept)], p))
		if err != nil {
			return nil, err
		}
		if settled = ok; ok {
			kept = append(kept, p)
			continue
		}
		loose, changed := p.unpinned()
		if changed {
			ok, err := b.install(ctx, append(kept[:len(kept):len(kept)], loose))
			if err != nil {
				return nil, err
			}
			if settled = ok; ok {
				kept = append(kept, loose)
				note := p.label + ": its versions do not install together and are not followed"
				env.Dropped = append(env.Dropped, note)
				fmt.Fprintln(b.people, note)
				continue
			}
		}
		if len(p.lines) < 2 {
			drop(p.label)
			continue
		}
		for _, line := range p.lines {
			one := part{label: p.label + ": " + line, lines: []string{line}}
			ok, err := b.install(ctx, append(kept[:len(kept):len(kept)], one))
			if err != nil {
				return nil, err
			}
			if settled = ok; ok {
				kept = append(kept, one)
			} else {
				drop(one.label)
			}
		}
	}
	if !settled {
		if ok, err := b.install(ctx, kept); err != nil || !ok {
			return nil, errors.Join(err, fmt.Errorf("install again what installed before: %s (log: %s)", firstError(b.last), b.logFile))
		}
	}
	return kept, nil
}
