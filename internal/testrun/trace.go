package testrun

import (
	"slices"
	"sort"

	"breakfix/internal/tree"
)

// edges maps a file of the tree to the files of the tree that it imports; ""
// stands for importers outside of the tree.
type edges map[string][]string

// Trace is what the suite does beyond running lines, as far as it decides
// which tests a change can affect and how they are run. Tests by id, files by
// path in the tree; an absent entry means "nothing".
type Trace struct {
	Edges   edges               `json:"edges"`   // imports while the suite was loaded and while tests ran
	Imports map[string][]string `json:"imports"` // files that a test imports when it runs
	Reads   map[string][]string `json:"reads"`   // code that a test reads as text; "" while loading
	Signals []string            `json:"signals"` // tests that send signals
	Sockets []string            `json:"sockets"` // tests that open a connection or listen; "" while loading
}

// trace collects what processes with coverage told.
type trace struct {
	Trace
	lines  map[string][]Lines // by test; "" while loading
	spawns map[string]bool
	ended  map[string]bool // tests that told all they had
}

func newTrace() *trace {
	return &trace{Trace: Trace{Edges: edges{}, Imports: map[string][]string{}, Reads: map[string][]string{}},
		lines: map[string][]Lines{}, spawns: map[string]bool{}, ended: map[string]bool{}}
}

// loading is what a warm process with coverage says of loading the suite.
type loading struct {
	Lines   Lines    `json:"lines"`
	Edges   edges    `json:"edges"`
	Reads   []string `json:"reads"`
	Spawns  bool     `json:"spawns"`
	Sockets bool     `json:"sockets"`
}

func (t *trace) addLoading(l loading) {
	t.lines[""] = append(t.lines[""], l.Lines)
	t.addEdges(l.Edges)
	t.Reads[""] = union(t.Reads[""], l.Reads)
	t.spawns[""] = t.spawns[""] || l.Spawns
	if l.Sockets {
		t.Sockets = union(t.Sockets, []string{""})
	}
}

func (t *trace) addEdges(e edges) {
	for from, to := range e {
		t.Edges[from] = union(t.Edges[from], to)
	}
}

func (t *trace) addTraits(m message) {
	for _, what := range m.Traits {
		switch what {
		case "spawns":
			t.spawns[m.ID] = true
		case "signals":
			t.Signals = union(t.Signals, []string{m.ID})
		case "sockets":
			t.Sockets = union(t.Sockets, []string{m.ID})
		}
	}
	if len(m.Reads) > 0 {
		t.Reads[m.ID] = union(t.Reads[m.ID], m.Reads)
	}
	if len(m.Imports) > 0 {
		t.Imports[m.ID] = union(t.Imports[m.ID], m.Imports)
	}
	t.ended[m.ID] = true
}

func (t *trace) merge(o *trace) {
	for id, l := range o.lines {
		t.lines[id] = append(t.lines[id], l...)
	}
	t.addEdges(o.Edges)
	for id, l := range o.Imports {
		t.Imports[id] = union(t.Imports[id], l)
	}
	for id, l := range o.Reads {
		t.Reads[id] = union(t.Reads[id], l)
	}
	for id := range o.spawns {
		t.spawns[id] = true
	}
	for id := range o.ended {
		t.ended[id] = true
	}
	t.Signals = union(t.Signals, o.Signals)
	t.Sockets = union(t.Sockets, o.Sockets)
}

// union returns the sorted union of two lists.
func union(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	out := append(slices.Clone(a), b...)
	sort.Strings(out)
	return slices.Compact(out)
}

// reach returns every file that loading one of the given files loads, they
// included.
func (e edges) reach(files ...string) map[string]bool {
	seen := map[string]bool{}
	for len(files) > 0 {
		f := files[len(files)-1]
		files = files[:len(files)-1]
		if seen[f] {
			continue
		}
		seen[f] = true
		files = append(files, e[f]...)
	}
	return seen
}

// importers returns every file of the tree that loads path, directly or not,
// path included.
func (e edges) importers(path string) map[string]bool {
	back := map[string][]string{}
	for from, to := range e {
		if from == "" {
			continue
		}
		for _, t := range to {
			back[t] = append(back[t], from)
		}
	}
	return edges(back).reach(path)
}

// conftests returns the conftest files that pytest loads for a test file.
func conftests(t *tree.Tree, file string) []string {
	var out []string
	for dir := file; dir != ""; {
		i := len(dir) - 1
		for i >= 0 && dir[i] != '/' {
			i--
		}
		if i < 0 {
			dir = ""
		} else {
			dir = dir[:i]
		}
		p := "conftest.py"
		if dir != "" {
			p = dir + "/conftest.py"
		}
		if t.Has(p) {
			out = append(out, p)
		}
	}
	return out
}
