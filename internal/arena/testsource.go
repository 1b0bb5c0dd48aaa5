package arena

import (
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// Bounds of what is shown of a test file.
const (
	wholeFile = 150 // lines up to which it is shown whole
	shownMost = 5   // red tests that are shown of a longer one
)

// testSource returns the file of the first test, as far as it concerns the
// tests: of a long one the imports, the tests' functions and what these name in
// it. Lines keep their numbers; what is left out is blank.
func testSource(t *tree.Tree, tests []string) (path, code string, err error) {
	path, _, _ = strings.Cut(tests[0], "::")
	if !t.Has(path) {
		return path, "", nil // it stands in no file that we know
	}
	src, err := t.Read(path)
	if err != nil {
		return path, "", err
	}
	l, ok := lang.ForPath(path)
	if !ok || strings.Count(string(src), "\n") <= wholeFile {
		return path, string(src), nil
	}
	f, err := lang.Parsed(l, src)
	if err != nil || f.HasError {
		return path, string(src), nil
	}
	wanted := map[string]bool{}
	for _, id := range tests {
		if rest, ok := strings.CutPrefix(id, path+"::"); ok && len(wanted) < shownMost {
			name, _, _ := strings.Cut(rest, "[")
			wanted[strings.ReplaceAll(name, "::", ".")] = true
		}
	}
	return path, excerpt(l, f, wanted), nil
}

// excerpt blanks what neither is one of the functions wanted, by qualified name,
// nor concerns them.
func excerpt(l lang.Language, f *lang.File, wanted map[string]bool) string {
	lines := strings.SplitAfter(string(f.Source), "\n")
	keep := make([]bool, len(lines)+1)
	mark := func(first, last int) {
		for i := first; i <= min(last, len(lines)); i++ {
			keep[i] = true
		}
	}
	named := map[string]bool{}
	names := func(n *lang.Node) {
		n.Walk(func(k *lang.Node) bool {
			if k.Kind == "identifier" {
				named[f.Text(k)] = true
			}
			return true
		})
	}
	span := func(n *lang.Node) (int, int) { return f.Line(n.Start), f.LastLine(n.Start, n.End) }
	f.Root.Walk(func(n *lang.Node) bool {
		switch n.Kind {
		case "import_statement", "import_from_statement", "future_import_statement":
			mark(span(n))
		case "class_definition":
			first, _ := span(n)
			if body := n.Child("body"); body != nil && holds(f, n, wanted) {
				mark(first, max(first, f.Line(body.Start)-1))
			}
		case "function_definition":
			s, ok := l.Enclosing(f, n.Start)
			name := f.Text(n.Child("name"))
			class, _, method := cutLast(s.Name)
			if !ok || !(wanted[s.Name] || method && setsUp[name] && holdsName(class, wanted)) {
				return n.Child("body") == nil
			}
			mark(s.FirstLine, s.LastLine)
			names(n)
			return false
		}
		return true
	})
	for _, n := range f.Root.NamedChildren() { // helpers and constants that the tests name
		var name *lang.Node
		switch d := n; d.Kind {
		case "decorated_definition":
			name = d.Child("definition").Child("name")
		case "function_definition":
			name = d.Child("name")
		case "expression_statement":
			if a := d.First("assignment"); a != nil {
				name = a.Child("left")
			}
		}
		if name != nil && named[f.Text(name)] {
			mark(span(n))
		}
	}
	var b strings.Builder
	for i, line := range lines {
		if keep[i+1] {
			b.WriteString(line)
		} else if strings.HasSuffix(line, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// setsUp are methods that run before each test of their class.
var setsUp = map[string]bool{"setUp": true, "setup_method": true, "setUpClass": true, "setup_class": true, "asyncSetUp": true}

func cutLast(name string) (head, tail string, cut bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// holds reports whether one of the wanted functions stands in a class.
func holds(f *lang.File, class *lang.Node, wanted map[string]bool) bool {
	name := class.Child("name")
	return name != nil && holdsName(f.Text(name), wanted)
}

func holdsName(class string, wanted map[string]bool) bool {
	for w := range wanted {
		if head, _, ok := cutLast(w); ok && (head == class || strings.HasSuffix(head, "."+class)) {
			return true
		}
	}
	return false
}
