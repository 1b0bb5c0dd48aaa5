package witness

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"breakfix/internal/lang/python"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

//go:embed inside/*.py
var inside embed.FS

// programs are our own files in the box, by name.
var programs = func() map[string]string {
	list, err := inside.ReadDir("inside")
	if err != nil {
		panic(err) // embedded
	}
	m := map[string]string{}
	for _, e := range list {
		text, err := inside.ReadFile(path.Join("inside", e.Name()))
		if err != nil {
			panic(err)
		}
		m[e.Name()] = string(text)
	}
	return m
}()

// enclosing widens a span to the innermost function that holds it, or to the
// statement of the module.
func enclosing(s tree.Span, src []byte) place {
	out := place{Path: s.Path, First: s.First, Last: s.Last, Module: true}
	f, err := python.Python.Parse(src)
	if err != nil || f.HasError {
		return out
	}
	at := f.LineStart(min(s.First, f.Lines()))
	for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
		at++ // white space in front of a definition is not the function's
	}
	for sc := python.Analyse(f).ScopeAt(at); sc != nil && sc.Parent != nil; sc = sc.Parent {
		if sc.Function && sc.FirstLine <= s.First && s.Last <= sc.LastLine {
			return place{Path: s.Path, First: sc.FirstLine, Last: sc.LastLine}
		}
	}
	for _, st := range python.Statements(f, f.Root) {
		if st.FirstLine <= s.Last && s.First <= st.LastLine {
			out.First, out.Last = min(out.First, st.FirstLine), max(out.Last, st.LastLine)
		}
	}
	return out
}

// recording is what the suite calls to come to places.
type recording struct {
	records []json.RawMessage
	path    []string // folders of the tree from which modules are loaded
}

// known are the calls that are made for a place, or why there are none.
type known struct {
	reason string
	calls  []call
	path   []string
}

// only returns the calls that are wanted.
func (k *known) only(want func(call) bool) *known {
	out := &known{reason: k.reason, path: k.path}
	for _, c := range k.calls {
		if want(c) {
			out.calls = append(out.calls, c)
		}
	}
	return out
}

// recorded is the kind of a call that was not varied.
const recorded = "recorded"

// call is a call that does the same on the base however often it is made.
type call struct {
	Setup   []string          `json:"setup"`
	Call    string            `json:"call"`
	Imports map[string]string `json:"imports"`
	Defs    map[string]string `json:"defs"`
	Title   string            `json:"title"`
	Name    string            `json:"name"`
	Test    string            `json:"test"`
	Kind    string            `json:"kind"`
	Cost    int               `json:"cost"`
	Outcome json.RawMessage   `json:"outcome,omitempty"`
}

// plan is what our programs read in the box.
type plan struct {
	Mode       string            `json:"mode"` // "make", "again", "bug"
	Code       []string          `json:"code"`
	Places     []place           `json:"places"`
	Lines      []place           `json:"lines"`
	Tests      []string          `json:"tests,omitempty"`
	Records    []json.RawMessage `json:"records,omitempty"`
	Candidates []call            `json:"candidates,omitempty"`
	Path       []string          `json:"path"`
	Calls      int               `json:"calls"`
	Seconds    float64           `json:"seconds"`
	Enough     int               `json:"enough"` // tests, after which no more calls are made
	Watch      bool              `json:"watch,omitempty"`
}

// said is any line of our programs.
type said struct {
	Ended     *string         `json:"ended"`
	Path      []string        `json:"path"`
	Call      string          `json:"call"`
	Candidate *call           `json:"candidate"`
	I         int             `json:"i"`
	Outcome   json.RawMessage `json:"outcome"`
	Unfit     string          `json:"unfit"`
	Tests     []string        `json:"tests"`
}

// Silences after which a program is killed: loading the target counts.
const (
	silent = 20 * time.Second
	wall   = 40 * time.Second
	plenty = 1 << 30
)

// knownAt returns the calls for a change in places. What is recorded of a place
// is shared by all changes in it; outside of functions the literals of the changed
// lines make calls of their own.
func (f *Finder) knownAt(ctx context.Context, places, lines []place) (*known, error) {
	return f.varied.get(ctx, fmt.Sprint(places, lines), func() (*known, error) {
		tests := f.covering(places)
		if len(tests) == 0 {
			return &known{reason: "no test of the suite comes there"}, nil
		}
		r, err := f.recorded.get(ctx, fmt.Sprint(places), func() (*recording, error) {
			n := f.o.Tests
			if len(lines) > 0 {
				n *= 2
			}
			return f.record(ctx, places, sampleOf(tests, n))
		})
		if err != nil {
			return nil, err
		}
		if len(r.records) == 0 {
			return &known{reason: "no recorded call that can be written down comes there"}, nil
		}
		return f.vary(ctx, places, lines, r)
	})
}

// vary makes calls like the recorded ones, and keeps those that do the same on the
// base each time they are made: in two processes with other hash seeds, in
// another order, in another folder.
func (f *Finder) vary(ctx context.Context, places, lines []place, r *recording) (*known, error) {
	k := &known{path: r.path}
	var made []call
	first := map[int]json.RawMessage{}
	err := f.play(ctx, f.base, plan{Mode: "make", Records: r.records, Places: places, Lines: lines, Path: k.path, Enough: plenty}, 0, func(s said) {
		switch {
		case s.Candidate != nil:
			made = append(made, *s.Candidate)
		case s.Outcome != nil:
			first[s.I] = s.Outcome
		}
	})
	if err != nil {
		return nil, err
	}
	var fit []call
	for i, c := range made {
		if o, ok := first[i]; ok {
			c.Outcome = o
			fit = append(fit, c)
		}
	}
	stable := map[int]bool{}
	bare := slices.Clone(fit)
	for i := range bare {
		bare[i].Outcome = nil
	}
	err = f.play(ctx, f.base, plan{Mode: "again", Candidates: bare, Path: k.path, Enough: plenty, Watch: true}, otherHashSeed, func(s said) {
		if s.Outcome != nil && s.I >= 0 && s.I < len(fit) {
			stable[s.I] = bytes.Equal(s.Outcome, fit[s.I].Outcome)
		}
	})
	if err != nil {
		return nil, err
	}
	for i, c := range fit {
		if stable[i] {
			c.Cost += burden(c.Outcome)
			k.calls = append(k.calls, c)
		}
	}
	sort.SliceStable(k.calls, func(i, j int) bool { return k.calls[i].Cost < k.calls[j].Cost })
	switch {
	case len(made) == 0:
		k.reason = "no call could be made of those that were recorded"
	case len(k.calls) == 0:
		k.reason = fmt.Sprintf("none of %d calls does the same each time", len(made))
	}
	return k, nil
}

// burden ranks calls behind longer ones that show something plainer.
func burden(o json.RawMessage) int {
	var v struct{ Error, Source string }
	_ = json.Unmarshal(o, &v) // of our own making
	switch _, name, _ := strings.Cut(v.Error, "."); {
	case v.Error == "" && v.Source != "":
		return len(v.Source) / 2
	case v.Error == "":
		return 60
	case name == "TypeError" || name == "AttributeError" || name == "NameError" || name == "RecursionError":
		return 100
	}
	return 25
}

// record runs tests on the base and returns the calls by which they come to the places.
func (f *Finder) record(ctx context.Context, places []place, tests []string) (*recording, error) {
	p := plan{Code: f.code, Places: places, Tests: tests, Path: []string{}}
	r := &recording{}
	_, err := f.target.Play(ctx, testrun.Program{Files: programs, Main: "breakfix_record.py", Plan: p, Tree: f.base, Tests: tests, Silence: silent, Wall: wall}, func(b []byte) {
		var s said
		switch {
		case json.Unmarshal(b, &s) != nil:
		case s.Call != "":
			r.records = append(r.records, slices.Clone(b))
		case s.Path != nil:
			r.path = s.Path
		}
	})
	if r.path == nil {
		r.path = []string{".", "src"} // it did not come to its end
	}
	return r, err
}

// differing makes the calls on the broken tree and returns those that do
// something else there, the plainest first, each with a test that tells it.
func (f *Finder) differing(ctx context.Context, broken *tree.Tree, k *known) (found []difference, made, differ int, err error) {
	err = f.play(ctx, broken, plan{Mode: "bug", Candidates: k.calls, Path: k.path, Enough: f.o.Tries}, 0, func(s said) {
		if s.Unfit == "" && s.I >= 0 && s.I < len(k.calls) {
			made++
		}
		if s.Tests != nil {
			differ++
		}
		if len(s.Tests) > 0 && s.I >= 0 && s.I < len(k.calls) {
			found = append(found, difference{k.calls[s.I], s.Tests[0]})
		}
	})
	return found, made, differ, err
}

type difference struct {
	call
	code string
}

func (f *Finder) play(ctx context.Context, t *tree.Tree, p plan, seed int, say func(said)) error {
	p.Code, p.Calls, p.Seconds = f.code, f.o.Calls, f.o.Seconds.Seconds()
	p.Path = append([]string{}, p.Path...)
	p.Places, p.Lines = append([]place{}, p.Places...), append([]place{}, p.Lines...)
	_, err := f.target.Play(ctx, testrun.Program{Files: programs, Main: "breakfix_try.py", Plan: p, Tree: t, HashSeed: seed, Silence: silent, Wall: wall}, func(b []byte) {
		var s said
		if json.Unmarshal(b, &s) == nil {
			say(s)
		}
	})
	return err
}

// sampleOf returns at most n tests: the fastest ones, and of the rest some
// evenly spaced.
func sampleOf(tests []string, n int) []string {
	if len(tests) <= n {
		return tests
	}
	out := slices.Clone(tests[:n/2])
	rest := tests[n/2:]
	for i := range n - n/2 {
		out = append(out, rest[i*len(rest)/(n-n/2)])
	}
	return out
}
