package strategy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/testrun"
)

// removal takes code away: the body of a function (its signature and docstring
// stay), a guard, a definition with all that uses it in another file, or the
// bodies of two functions in two files of which one calls the other. All four
// forms are drawn alike, and in a form the functions are.
type removal struct {
	*judging
	left map[string][]loss // by form
}

// loss is what one candidate takes away, as edits in one file or two.
type loss []mutate.Mutation

// The forms of removal, as they are named where a candidate is described.
const (
	bodyForm       = "body"
	guardForm      = "guard"
	definitionForm = "definition"
	bodiesForm     = "bodies"
)

// Removal proposes each removal once.
func Removal(from Source) (Strategy, error) {
	x, err := indexed(from, nil)
	if err != nil {
		return nil, err
	}
	s := &removal{judging: newJudging(from), left: map[string][]loss{}}
	files := map[string]*python.Analysis{}
	bodies := map[place]mutate.Mutation{}
	for _, path := range from.Bank.Files() {
		f, err := x.parse(path)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		files[path] = python.Analyse(f)
		for _, m := range emptied(files[path], path) {
			if x.isCovered(m) {
				bodies[place{path, m.Function}] = m
				s.left[bodyForm] = append(s.left[bodyForm], loss{m})
			}
		}
		for _, m := range unguarded(files[path], path) {
			if x.isCovered(m) {
				s.left[guardForm] = append(s.left[guardForm], loss{m})
			}
		}
	}
	for _, p := range sorted(bodies, before) {
		for _, q := range x.near[p] {
			if m, ok := bodies[q]; ok && p.path < q.path && common(x.covering(bodies[p]), x.covering(m)) > 0 {
				s.left[bodiesForm] = append(s.left[bodiesForm], loss{bodies[p], m})
			}
		}
	}
	if s.left[definitionForm], err = definitions(x, files); err != nil {
		return nil, err
	}
	for form, all := range s.left {
		if len(all) == 0 {
			delete(s.left, form)
		}
	}
	return s, nil
}

// isCovered reports whether a test that passes on the base runs the lines.
func (x *index) isCovered(m mutate.Mutation) bool { return len(x.covering(m)) > 0 }

// Name implements Strategy.
func (*removal) Name() string { return "removal" }

// Propose implements Strategy.
func (s *removal) Propose(ctx context.Context, r *rand.Rand) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	forms := sorted(s.left, func(a, b string) bool { return a < b })
	if len(forms) == 0 {
		return Proposal{}, ErrExhausted
	}
	form := forms[r.IntN(len(forms))]
	all := s.left[form]
	i := r.IntN(len(all))
	taken := all[i]
	if s.left[form] = slices.Delete(all, i, i+1); len(s.left[form]) == 0 {
		delete(s.left, form)
	}
	broken, err := mutate.Apply(s.from.Target.Snapshot.Tree, taken...)
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{Candidate: bug.Candidate{Tree: broken, Tier: testrun.CodeSwap, Strategy: s.Name(), Seed: r.Uint64(), Order: 1}}
	if form == bodiesForm {
		p.Screened, p.Reason, err = s.bothNeeded(ctx, taken)
	}
	return p, err
}

// bothNeeded is the cheap look at two bodies: each of the two must make a test
// red that the other does not.
func (s *removal) bothNeeded(ctx context.Context, l loss) (screened, reason string, err error) {
	if err := s.ahead(ctx, l[:1], l[1:]); err != nil {
		return "", "", err
	}
	a, err := s.at(ctx, l[0])
	if err != nil {
		return "", "", err
	}
	b, err := s.at(ctx, l[1])
	if err != nil {
		return "", "", err
	}
	switch n := common(a.Red, b.Red); {
	case a.Trouble != "":
		return a.Trouble, a.Reason, nil
	case b.Trouble != "":
		return b.Trouble, b.Reason, nil
	case n == len(b.Red):
		return PartNotNeeded, fmt.Sprintf("%s alone makes the tests of %s red", l[0].Function, l[1].Function), nil
	case n == len(a.Red):
		return PartNotNeeded, fmt.Sprintf("%s alone makes the tests of %s red", l[1].Function, l[0].Function), nil
	}
	return "", "", nil
}

// cut is a removal in one file as a mutation of no operator.
func cut(a *python.Analysis, path, form, function string, start, end int, with string) mutate.Mutation {
	m := mutate.Mutation{Variant: form, Path: path, Function: function, Line: a.File.Line(start), LastLine: a.File.LastLine(start, end)}
	m.Edits = append(m.Edits, edit(start, end, with))
	m.ID = strings.Join([]string{form, path, fmt.Sprint(start), fmt.Sprint(end)}, "\x00")
	return m
}
