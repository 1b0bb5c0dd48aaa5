package strategy

import (
	"slices"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
)

// place is a function of a file; "" stands for the module's own level.
type place struct{ path, function string }

func before(a, b place) bool { return a.path < b.path || a.path == b.path && a.function < b.function }

// index is the bank by function, and which function calls which.
type index struct {
	from   Source
	places []place // those that have mutations, sorted
	at     map[place][]mutate.Mutation
	near   map[place][]place // callers and callees, sorted
	cover  map[string][]string
	decide map[place][]mutate.Mutation // of at, those that change a decision
	files  map[string]*lang.File       // that were parsed for it
}

// indexed reads the bank, without the operators that are not wanted (none: all).
func indexed(from Source, operators []string) (*index, error) {
	wanted, err := wantedOperators(operators)
	if err != nil {
		return nil, err
	}
	sites, err := from.Bank.Sites()
	if err != nil {
		return nil, err
	}
	x := &index{from: from, at: map[place][]mutate.Mutation{}, cover: map[string][]string{}, decide: map[place][]mutate.Mutation{}, files: map[string]*lang.File{}}
	for _, m := range sites {
		if len(wanted) == 0 || wanted[m.Operator] {
			p := place{m.Path, m.Function}
			x.at[p] = append(x.at[p], m)
		}
	}
	x.places = sorted(x.at, before)
	return x, x.edges()
}

func wantedOperators(names []string) (map[string]bool, error) {
	wanted := map[string]bool{}
	for _, name := range names {
		if _, err := mutate.Lookup(name); err != nil {
			return nil, err
		}
		wanted[name] = true
	}
	return wanted, nil
}

// edges finds calls by name: a function is taken to call every function of the
// code whose own name it calls, as a name or as an attribute. Whether it does
// is seen by the tests that run both.
func (x *index) edges() error {
	x.near = map[place][]place{}
	named := map[string][]place{} // by the last part of the function's name
	for _, p := range x.places {
		if p.function != "" {
			name := p.function[strings.LastIndexByte(p.function, '.')+1:]
			named[name] = append(named[name], p)
		}
	}
	link := func(a, b place) {
		if a != b && !slices.Contains(x.near[a], b) {
			x.near[a], x.near[b] = append(x.near[a], b), append(x.near[b], a)
		}
	}
	for _, path := range x.from.Bank.Files() {
		f, err := x.parse(path)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		a := python.Analyse(f)
		f.Root.Walk(func(n *lang.Node) bool {
			if !n.Is("call") {
				return true
			}
			called := n.Child("function")
			if called.Is("attribute") {
				called = called.Child("attribute")
			}
			if !called.Is("identifier") {
				return true
			}
			caller := place{path, a.ScopeAt(n.Start).Name}
			for _, callee := range named[f.Text(called)] {
				if len(x.at[caller]) > 0 {
					link(caller, callee)
				}
			}
			return true
		})
	}
	for p := range x.near {
		slices.SortFunc(x.near[p], func(a, b place) int {
			return strings.Compare(a.path+"\x00"+a.function, b.path+"\x00"+b.function)
		})
	}
	return nil
}

// parse returns the syntax of a code file, nil when it cannot be broken exactly.
func (x *index) parse(path string) (*lang.File, error) { return parse(x.from, path) }

func parse(from Source, path string) (*lang.File, error) {
	src, err := from.Target.Snapshot.Tree.Read(path)
	if err != nil {
		return nil, err
	}
	l, ok := lang.ForPath(path)
	if !ok || l.Name() != python.Python.Name() {
		return nil, nil
	}
	f, err := l.Parse(src)
	if err != nil || f.HasError {
		return nil, nil
	}
	return f, nil
}

// covering returns the tests that passed on the base and run the mutation's
// lines, sorted.
func (x *index) covering(m mutate.Mutation) []string {
	ids, ok := x.cover[m.ID]
	if !ok {
		for _, id := range x.from.Target.Judge.Covering(m.Path, m.Line, m.LastLine) {
			if x.from.Target.Base.Results.Get(id) == outcome.Passed {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		x.cover[m.ID] = ids
	}
	return ids
}

// apart reports whether two mutations leave each other's bytes alone.
func apart(a, b mutate.Mutation) bool {
	if a.Path != b.Path {
		return true
	}
	for _, e := range a.Edits {
		for _, f := range b.Edits {
			if e.Start <= f.End && f.Start <= e.End {
				return false
			}
		}
	}
	return true
}
