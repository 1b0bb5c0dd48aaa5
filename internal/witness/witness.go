// Package witness makes tests for what no test notices: calls that the suite
// makes are recorded, varied, made on the base and on the broken tree, and the
// smallest whose results differ becomes a test of its own. The invariants that
// its tests check: a test that Find gives back passes on the base in fresh
// processes under several hash seeds and is red on the broken tree, twice; what
// the recorded or the broken code does cannot make it otherwise.
package witness

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Target is what finding a test needs of a prepared workspace.
type Target interface {
	testrun.Runner
	// Covering returns the tests that run one of the lines, fastest first.
	Covering(path string, firstLine, lastLine int) []string
	// Play runs a program of ours where tests run.
	Play(ctx context.Context, p testrun.Program, say func([]byte)) (ended bool, err error)
}

// Paths tells what the files of a tree are for.
type Paths interface {
	IsCode(path string) bool
	IsTest(path string) bool
}

// Options bound the work; a zero field means the default.
type Options struct {
	Calls   int           // calls that are made for one function; default 600
	Seconds time.Duration // of making calls on one tree; default 6 s
	Tests   int           // of the suite that are recorded for one function; default 25
	Tries   int           // tests that are confirmed for one broken tree; default 3
}

func (o Options) orDefault() Options {
	if o.Calls <= 0 {
		o.Calls = 600
	}
	if o.Seconds <= 0 {
		o.Seconds = 6 * time.Second
	}
	if o.Tests <= 0 {
		o.Tests = 25
	}
	if o.Tries <= 0 {
		o.Tries = 3
	}
	return o
}

// Test is a test of its own that tells a broken tree from the base.
type Test struct {
	Path       string          `json:"path"`       // where it is laid in the tree, "test_breakfix_<id>.py"
	Code       string          `json:"code"`       // its file
	Test       string          `json:"test"`       // its test id
	Statements int             `json:"statements"` // of its function
	Like       string          `json:"like"`       // the test of the suite whose call it is made of
	Failure    testrun.Failure `json:"-"`          // on the broken tree
}

// place is where something changed: the lines of a function of the base, or of
// a statement that stands in none, which all tests of the file may come to.
type place struct {
	Path   string `json:"path"`
	First  int    `json:"first"`
	Last   int    `json:"last"`
	Module bool   `json:"module,omitempty"`
}

// Finder finds tests for broken trees of one base. What was recorded of a
// function is kept, for the next one that breaks there. Safe for concurrent use.
type Finder struct {
	target Target
	base   *tree.Tree
	code   []string
	o      Options

	recorded memo[*recording]
	varied   memo[*known]
}

// New returns a Finder for a base.
func New(t Target, base *tree.Tree, paths Paths, o Options) *Finder {
	f := &Finder{target: t, base: base, o: o.orDefault()}
	for _, p := range base.Paths() {
		if strings.HasSuffix(p, ".py") && paths.IsCode(p) && !paths.IsTest(p) {
			f.code = append(f.code, p)
		}
	}
	return f
}

// Find looks for a test that passes on the base and is red on the broken tree.
// The reason says why there is none: which does not mean that there can be none.
func (f *Finder) Find(ctx context.Context, broken *tree.Tree) (t *Test, reason string, err error) {
	return f.find(ctx, broken, func(call) bool { return true })
}

// Beside looks for one as Find does, which tells more than another test: it makes
// no call that stands in that one's code, and none that was recorded of the tests
// and not varied.
func (f *Finder) Beside(ctx context.Context, broken *tree.Tree, code string, tests []string) (t *Test, reason string, err error) {
	code = bare(code)
	return f.find(ctx, broken, func(c call) bool {
		return !strings.Contains(code, bare(c.Call)) && !(c.Kind == recorded && slices.Contains(tests, c.Test))
	})
}

// bare is a text without what two ways to write a call differ in.
func bare(code string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(code), ""), `"`, "'")
}

func (f *Finder) find(ctx context.Context, broken *tree.Tree, want func(call) bool) (t *Test, reason string, err error) {
	patch, err := tree.Diff(f.base, broken)
	if err != nil {
		return nil, "", fmt.Errorf("find a witness: %w", err)
	}
	spans, err := tree.ChangedSpans(patch)
	if err != nil {
		return nil, "", fmt.Errorf("find a witness: %w", err)
	}
	places, lines := f.around(spans)
	if len(places) == 0 {
		return nil, "nothing of the code changed", nil
	}
	k, err := f.knownAt(ctx, places, lines)
	if err != nil {
		return nil, "", err
	}
	if len(k.calls) == 0 {
		return nil, k.reason, nil
	}
	if k = k.only(want); len(k.calls) == 0 {
		return nil, "every call is one that is made already", nil
	}
	found, made, differ, err := f.differing(ctx, broken, k)
	if err != nil {
		return nil, "", err
	}
	if made == 0 {
		return nil, "the broken tree makes no call: it does not load, or hangs", nil
	}
	if len(found) == 0 && differ > 0 {
		return nil, fmt.Sprintf("%d of %d calls differ, in nothing that a short test can say", differ, made), nil
	}
	if len(found) == 0 {
		return nil, fmt.Sprintf("no difference in %d calls", made), nil
	}
	for i, c := range found {
		if i == f.o.Tries {
			break
		}
		if t, err = f.confirm(ctx, broken, k, c); t != nil || err != nil {
			return t, "", err
		}
	}
	return nil, fmt.Sprintf("calls differ in %d places, and none of them repeatably in a test of its own", len(found)), nil
}

// around widens spans to the functions that hold them: what was recorded of a
// function serves every change in it. Of places outside of functions it also
// returns the lines themselves.
func (f *Finder) around(spans []tree.Span) (places []place, lines []place) {
	for _, s := range spans {
		if !slices.Contains(f.code, s.Path) {
			continue
		}
		src, err := f.base.Read(s.Path)
		if err != nil {
			continue
		}
		p := enclosing(s, src)
		if !slices.Contains(places, p) {
			places = append(places, p)
		}
		if p.Module {
			lines = append(lines, place{Path: s.Path, First: s.First, Last: s.Last})
		}
	}
	sort.Slice(places, func(i, j int) bool {
		a, b := places[i], places[j]
		if a.Path != b.Path {
			return a.Path < b.Path
		}
		return a.First < b.First
	})
	return places, lines
}

// covering are the tests that come to the places, fastest first.
func (f *Finder) covering(places []place) []string {
	var tests []string
	for _, p := range places {
		if p.Module {
			p.First, p.Last = 1, 1<<30
		}
		for _, id := range f.target.Covering(p.Path, p.First, p.Last) {
			if !slices.Contains(tests, id) {
				tests = append(tests, id)
			}
		}
	}
	return tests
}
