package bug

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// weakened: without the red tests the suite is green on the bug, so weaken.diff
// hides it. Judged by running what is left of the files that hold the red tests.
func weakened(ctx context.Context, t *trial) (objection, error) {
	if t.witness {
		if t.given != nil && len(t.given.Weaken) > 0 {
			return object("weaken.diff changes a suite that does not notice the bug")
		}
		t.weaken = []byte{}
		return notApplicable("no test of the suite notices it")
	}
	var weak *tree.Tree
	var err error
	if tests := t.cand.Tests; len(tests) > 0 && !slices.ContainsFunc(t.red, func(id string) bool { return slices.Contains(tests, fileOf(id)) }) {
		return object("no test of %s, which was handed in, goes red", strings.Join(tests, ", "))
	}
	if t.given != nil || len(t.cand.Weaken) > 0 {
		t.weaken = t.cand.Weaken
		if t.given != nil {
			t.weaken = t.given.Weaken
		}
		if weak, err = tree.Apply(t.base, t.weaken); err != nil {
			return object("weaken.diff does not apply: %v", err)
		}
	} else {
		if weak, err = withoutTests(t.base, t.red); err != nil {
			return object("%v", err)
		}
		if t.weaken, err = tree.Diff(t.base, weak); err != nil {
			return object("%v", err)
		}
	}
	changed := tree.Differ(t.base, weak)
	for _, p := range changed {
		if !t.t.Paths.IsTest(p) {
			return object("weaken.diff changes %s, which is no test", p)
		}
	}
	on, err := tree.Apply(t.broken, t.weaken)
	if err != nil {
		return object("weaken.diff does not apply to the broken tree: %v", err)
	}
	hidden := map[string]bool{}
	for _, id := range t.red {
		hidden[function(id)] = true
	}
	affected := testFiles(t.red)
	var rest []string
	for id, v := range t.t.Base.Results {
		p := parseID(id)
		if v == outcome.Passed && !hidden[function(id)] && (slices.Contains(changed, p.path) || slices.Contains(affected, p.path)) && weak.Has(p.path) {
			rest = append(rest, id)
		}
	}
	sort.Strings(rest)
	if len(rest) == 0 && !slices.ContainsFunc(affected, weak.Has) {
		return objection{}, nil
	}
	rep, err := t.t.run(ctx, testrun.Request{Tree: on, Tests: append(rest, t.red...)})
	if err != nil {
		return objection{}, err
	}
	for _, id := range rest {
		// What the bug alone makes skipped or absent (a failure that was expected
		// once, a test made of what is gone) shows nobody that something is wrong.
		if v := rep.Results.Get(id); v.Red() || v != outcome.Passed && v != t.whole.Results.Get(id) {
			return object("in the weakened suite %s is %s", id, v)
		}
	}
	if left := redOf(rep, t.red); len(left) > 0 {
		return object("the weakened suite still has %s, which is red", left[0])
	}
	return objection{}, nil
}

// withoutTests returns the tree without the functions of the tests. A function
// is cut from its file; a test that its class inherits is masked by an
// attribute of the same name; a file in which a test cannot be found at all
// (a doctest, a test made while the module is imported) is removed whole.
func withoutTests(base *tree.Tree, tests []string) (*tree.Tree, error) {
	byFile := map[string]map[string]testID{}
	for _, t := range tests {
		id := parseID(t)
		if byFile[id.path] == nil {
			byFile[id.path] = map[string]testID{}
		}
		byFile[id.path][function(t)] = id
	}
	files := map[string]*tree.File{}
	for p, ids := range byFile {
		src, err := base.Read(p)
		if err != nil {
			return nil, fmt.Errorf("the red test's file %s cannot be read: %w", p, err)
		}
		out, ok := cutTests(src, ids)
		if !ok {
			files[p] = nil
			continue
		}
		files[p] = &tree.File{Kind: base.Kind(p), Data: out}
	}
	return base.With(files)
}

func cutTests(src []byte, ids map[string]testID) ([]byte, bool) {
	m, ok := parse(src)
	if !ok {
		return nil, false
	}
	defer m.Close()
	names := make([]string, 0, len(ids))
	for n := range ids {
		names = append(names, n)
	}
	sort.Strings(names)
	var cuts []cut
	seen := map[uintptr]bool{}
	for _, n := range names {
		id := ids[n]
		classes, fn := m.locate(id)
		switch {
		case fn != nil:
			if !seen[fn.Id()] {
				seen[fn.Id()] = true
				cuts = append(cuts, m.cutStatement(fn))
			}
		case len(classes) > 0:
			class := definition(classes[len(classes)-1])
			body := statements(class.ChildByFieldName("body"))
			if body[0].StartPosition().Row == class.StartPosition().Row {
				return nil, false // class X(Y): pass, on one line
			}
			// Below the line that ends the class's header, which no cut touches.
			colon := int(class.ChildByFieldName("body").PrevSibling().EndByte())
			if prev := class.ChildByFieldName("body").PrevSibling(); prev.Kind() == "comment" {
				colon = int(prev.StartByte())
			}
			at := colon + bytes.IndexByte(src[colon:], '\n') + 1
			indent := strings.Repeat(" ", int(body[0].StartPosition().Column))
			cuts = append(cuts, cut{start: at, end: at, with: indent + id.fn + " = None\n"})
		default:
			return nil, false
		}
	}
	return m.apply(cuts)
}
