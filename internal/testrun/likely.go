package testrun

import (
	"regexp"
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// Where one red test decides, those come first that run what is nearest to the
// change: its own lines, else what uses the name that it binds, else the
// function or class around it. Of a line that runs while the suite is loaded
// this tells apart the few tests that may notice from all that load its file.

// ranges are lines of one file; near holds them from the nearest on.
type (
	ranges struct {
		path  string
		lines [][2]int
	}
	near []ranges
)

// nearTo are the places near an edit, from the nearest on.
func nearTo(f *lang.File, p string, e tree.Edit) near {
	from, to := f.Line(e.Start), f.LastLine(e.Start, e.End)
	places := near{{p, [][2]int{{from, to}}}}
	scope := python.Analyse(f).ScopeAt(e.Start)
	if fn := python.Analyse(f).FunctionAt(e.Start); fn == nil {
		for n := f.Root.At(e.Start, e.End); n != nil; n = n.Parent {
			if n.Is("block", "module") {
				break
			}
			if python.IsStatement(n) {
				if name := boundBy(string(f.Source[n.Start:n.End])); name != "" {
					places = append(places, ranges{p, linesThatName(f.Source, name)})
				}
				break
			}
		}
	}
	for s := scope; s != nil && s.Parent != nil; s = s.Parent {
		places = append(places, ranges{p, [][2]int{{s.FirstLine, s.LastLine}}})
	}
	return append(places, ranges{p, [][2]int{{1, f.Lines()}}})
}

// binder is the head of a statement that binds a name.
var binder = regexp.MustCompile(`^(?:@.*\n\s*)*(?:(?:async\s+)?def\s+|class\s+)?([A-Za-z_]\w*)\s*(?:[:=(]|$)`)

func boundBy(statement string) string {
	if m := binder.FindStringSubmatch(statement); m != nil {
		return m[1]
	}
	return ""
}

func linesThatName(source []byte, name string) [][2]int {
	word := regexp.MustCompile(`\b` + name + `\b`)
	var out [][2]int
	n := 0
	for line := range strings.Lines(string(source)) {
		n++
		if word.MatchString(line) {
			out = append(out, [2]int{n, n})
		}
	}
	return out
}

// likeliestFirst sorts ids by how near to the change is what they run, and of
// equal ones by their time on the base.
func (w *Workspace) likeliestFirst(c *change, ids []string) []string {
	ids = w.fastestFirst(ids)
	if c == nil || w.Base.Cover == nil || len(ids) < 2 {
		return ids
	}
	rank := map[string]int{}
	for _, places := range c.near {
		for i, place := range places {
			for _, l := range place.lines {
				for _, id := range w.Base.Cover.Covering(place.path, l[0], l[1]) {
					if was, ok := rank[id]; !ok || i < was {
						rank[id] = i
					}
				}
			}
		}
	}
	of := func(id string) int {
		if r, ok := rank[id]; ok {
			return r
		}
		return len(ids) + 1<<10
	}
	sort.SliceStable(ids, func(i, j int) bool { return of(ids[i]) < of(ids[j]) })
	return ids
}
