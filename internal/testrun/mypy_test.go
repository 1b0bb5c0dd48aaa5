package testrun

import (
	"context"
	"testing"

	"breakfix/internal/tree"
)

func TestAFileThatMypyCannotReadDoesNotHideTheOthers(t *testing.T) {
	w := stock(t)
	for name, bad := range map[string]map[string]*tree.File{
		"not UTF-8":            {"stock/bytes.py": tree.Text("x = \"\xe9\"\n")},
		"a syntax error":       {"stock/two.py": tree.Text("print 1\n")},
		"a module name, twice": {"one/same.py": tree.Text("x = 1\n"), "two/same.py": tree.Text("x = 1\n")},
	} {
		bad["stock/typed.py"] = tree.Text("number: int = \"text\"\n")
		l := w.lint
		l.warm = nil
		broken, err := w.Snapshot.Tree.With(bad)
		if err != nil {
			t.Fatal(err)
		}
		l.path = moduleRoots(broken, codeFiles(broken))
		found, err := l.mypy(context.Background(), broken, codeFiles(broken))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rules := map[string]bool{}
		for f := range found {
			rules[f.Rule] = true
		}
		if !rules["assignment"] {
			t.Errorf("%s: the type error of another file is not found: %v", name, found)
		}
		if !rules["blocking"] && !rules["syntax"] {
			t.Errorf("%s: the file that mypy cannot read is no finding: %v", name, found)
		}
	}
}
