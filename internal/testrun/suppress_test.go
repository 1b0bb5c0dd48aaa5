package testrun

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/source"
	"breakfix/internal/tree"
)

func textTree(t *testing.T, files map[string]string) *tree.Tree {
	t.Helper()
	m := map[string]*tree.File{}
	for p, text := range files {
		m[p] = tree.Text(text)
	}
	tr, err := tree.FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestANewWordToSilenceALinterIsAFinding(t *testing.T) {
	base := textTree(t, map[string]string{"p/a.py": "x = 1  # type: ignore[misc]\ny = 2  # pylint: disable=C0103\n", "p/b.py": "z = 1\n"})
	now := textTree(t, map[string]string{
		"p/a.py": "# pylint: skip-file\nx = 2  # type: ignore[misc]\ny = 2  # noqa # pylint: disable=C0104\n",
		"p/b.py": "# mypy: ignore-errors\nz = 1  # type:ignore\n@typing.no_type_check\ndef f(): pass\n",
	})
	lint, err := silenced(base, now, silencesPylint)
	if err != nil {
		t.Fatal(err)
	}
	says := func(file, text string) Finding { return Finding{File: file, Rule: "suppressed", Message: text} }
	if diff := cmp.Diff(Findings{says("p/a.py", "# pylint: skip-file"): 1, says("p/a.py", "# noqa # pylint: disable=C#"): 1}, lint); diff != "" {
		t.Error(diff)
	}
	types, err := silenced(base, now, silencesMypy)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Findings{says("p/b.py", "# mypy: ignore-errors"): 1, says("p/b.py", "# type:ignore"): 1, says("p/b.py", "@typing.no_type_check"): 1}, types); diff != "" {
		t.Error(diff)
	}
	if same, err := silenced(base, base, silencesMypy); err != nil || len(same) != 0 {
		t.Errorf("the base against itself: %v, %v", same, err)
	}
}

func TestModulesThatARepairAddsAreImportedInTheSmokeRun(t *testing.T) {
	base := textTree(t, map[string]string{"p/__init__.py": "", "p/a.py": ""})
	now := textTree(t, map[string]string{"p/__init__.py": "", "p/new.py": "raise RuntimeError"})
	var labels []string
	for _, s := range smokeStepsOf(base, now, &source.Environment{Dir: t.TempDir()}) {
		labels = append(labels, s.label())
	}
	if diff := cmp.Diff([]string{"import p", "import p.a", "import p.new"}, labels); diff != "" {
		t.Error(diff)
	}
}
