package check

import (
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// Reach counts, for every function of the code files, the functions from which
// it can be reached, itself included. A function reaches what the names that
// it uses can stand for: functions and classes of its own file and of the
// files that it imports, directly or not; an attribute can be any method of
// that name there. imports maps a file to the files that it imports.
//
// Code outside of functions (the key "path::", and "path::Class" for the body
// of a class) is reached from every function of a file that imports its file.
func Reach(t *tree.Tree, code []string, imports map[string][]string) (map[string]int, error) {
	g := newGraph()
	for _, p := range code {
		src, err := t.Read(p)
		if err != nil {
			return nil, err
		}
		f, err := python.Python.Parse(src)
		if err != nil || f.HasError {
			continue // nothing of it is mutated
		}
		g.add(p, f)
	}
	g.connect(imports)
	counts := map[string]int{}
	for i, fn := range g.functions {
		counts[reachKey(fn.path, fn.name)] = g.reaching(i)
	}
	for p, classes := range g.classes {
		n := 0
		for _, q := range g.importers(p, imports) {
			n += len(g.byFile[q])
		}
		for _, class := range append([]string{""}, classes...) {
			counts[reachKey(p, class)] = n
		}
	}
	return counts, nil
}

func reachKey(path, function string) string { return path + "::" + function }

// ReachPath is the file of a key of Reach.
func ReachPath(key string) string {
	path, _, _ := strings.Cut(key, "::")
	return path
}

// graph is who uses what, by names.
type graph struct {
	functions []function
	byFile    map[string][]int    // functions
	classes   map[string][]string // by file: qualified names
	named     map[string][]int    // functions by the last part of their name
	usedBy    [][]int             // functions that use a function
	seen      []int               // when reaching last came to a function
	round     int
}

type function struct {
	path, name string
	plain      map[string]bool // names that it uses
	attributes map[string]bool
}

func newGraph() *graph {
	return &graph{byFile: map[string][]int{}, classes: map[string][]string{}, named: map[string][]int{}}
}

// add enters the functions of a file with the names that they use.
func (g *graph) add(path string, f *lang.File) {
	a := python.Analyse(f)
	scopes := map[*lang.Node]*python.Scope{}
	for _, s := range a.Scopes {
		scopes[s.Node] = s
	}
	g.classes[path] = nil
	var visit func(n *lang.Node, in int)
	visit = func(n *lang.Node, in int) {
		if s := scopes[n]; s != nil && s.Parent != nil {
			if s.Function {
				in = len(g.functions)
				g.functions = append(g.functions, function{path, s.Name, map[string]bool{}, map[string]bool{}})
				g.byFile[path] = append(g.byFile[path], in)
				last := s.Name[strings.LastIndexByte(s.Name, '.')+1:]
				g.named[last] = append(g.named[last], in)
			} else {
				g.classes[path] = append(g.classes[path], s.Name)
			}
		}
		if in >= 0 && n.Is("identifier") {
			if n.Field == "attribute" {
				g.functions[in].attributes[f.Text(n)] = true
			} else {
				g.functions[in].plain[f.Text(n)] = true
			}
		}
		for _, c := range n.Children {
			visit(c, in)
		}
	}
	visit(f.Root, -1)
}

// connect finds out who uses whom.
func (g *graph) connect(imports map[string][]string) {
	g.usedBy, g.seen = make([][]int, len(g.functions)), make([]int, len(g.functions))
	special := map[string][]int{} // methods that Python calls itself, by class
	for i, fn := range g.functions {
		parts := strings.Split(fn.name, ".")
		if last := parts[len(parts)-1]; len(parts) > 1 && strings.HasPrefix(last, "__") {
			special[parts[len(parts)-2]] = append(special[parts[len(parts)-2]], i)
		}
	}
	for path, own := range g.byFile {
		near := reachable(path, imports)
		for _, i := range own {
			use := func(targets []int, attribute bool) {
				for _, k := range targets {
					fn := g.functions[k]
					if near[fn.path] && (attribute || !strings.Contains(fn.name, ".") || fn.path == path) && k != i {
						g.usedBy[k] = append(g.usedBy[k], i)
					}
				}
			}
			for name := range g.functions[i].plain {
				use(g.named[name], false)
				use(special[name], true)
			}
			for name := range g.functions[i].attributes {
				use(g.named[name], true)
				use(special[name], true)
			}
		}
	}
}

// reaching counts the functions from which function i can be reached.
func (g *graph) reaching(i int) int {
	g.round++
	g.seen[i] = g.round
	todo := []int{i}
	for n := 0; n < len(todo); n++ {
		for _, k := range g.usedBy[todo[n]] {
			if g.seen[k] != g.round {
				g.seen[k] = g.round
				todo = append(todo, k)
			}
		}
	}
	return len(todo)
}

// importers are the code files that import a file, directly or not, and itself.
func (g *graph) importers(path string, imports map[string][]string) []string {
	back := map[string][]string{}
	for from, to := range imports {
		for _, p := range to {
			back[p] = append(back[p], from)
		}
	}
	var out []string
	for p := range reachable(path, back) {
		if _, ok := g.classes[p]; ok {
			out = append(out, p)
		}
	}
	sort.Strings(out)
	return out
}

// reachable follows edges from a file, itself included.
func reachable(path string, edges map[string][]string) map[string]bool {
	seen := map[string]bool{path: true}
	todo := []string{path}
	for n := 0; n < len(todo); n++ {
		for _, p := range edges[todo[n]] {
			if !seen[p] {
				seen[p] = true
				todo = append(todo, p)
			}
		}
	}
	return seen
}
