package repair

import (
	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// namesIn returns the identifiers of the file of a test.
func namesIn(t *tree.Tree, test string) (map[string]bool, error) {
	named := map[string]bool{}
	path := fileOf(test)
	l, ok := lang.ForPath(path)
	if !ok || !t.Has(path) {
		return named, nil
	}
	src, err := t.Read(path)
	if err != nil {
		return nil, err
	}
	f, err := l.Parse(src)
	if err != nil {
		return named, nil
	}
	f.Root.Walk(func(n *lang.Node) bool {
		if n.Kind == "identifier" {
			named[f.Text(n)] = true
		}
		return true
	})
	return named, nil
}
