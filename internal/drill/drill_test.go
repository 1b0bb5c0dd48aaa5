package drill

import (
	"context"
	"strings"
	"testing"

	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

const module = `import helper
from helper import twice


def quadruple(x):
    """Four times x.

    >>> quadruple(2)
    8
    >>> quadruple(-1)
    -4
    """
    y = twice(x)
    return twice(y)


def clock():
    """
    >>> clock()
    1.5
    """
    import time
    t = time.time()
    return t


def shown_by_none(x):
    return x
`

func TestDamagedFunctionsGetShownCallsWrong(t *testing.T) {
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	python, _, binds, err := source.Bare(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := tree.FromFiles(map[string]*tree.File{
		"m.py":       tree.Text(module),
		"helper.py":  tree.Text("def twice(x):\n    return 2 * x\n"),
		"missing.py": tree.Text("import nothing_of_that_name\n\n\ndef f():\n    \"\"\"\n    >>> f()\n    1\n    \"\"\"\n    x = 1\n    return x\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	b := Box{Sandbox: box, Python: python, Binds: binds, Workers: 2}
	fs, err := b.Show(ctx, tr, []string{"m.py", "helper.py", "missing.py"})
	if err != nil {
		t.Fatal(err)
	}
	if len(fs) != 1 || fs[0].Name != "quadruple" || strings.Contains(fs[0].Source, `"""`) || len(fs[0].Calls) != 2 || fs[0].Calls[1] != [2]string{"quadruple(-1)", "-4"} {
		t.Fatalf("shown are %+v, want quadruple alone: the other one differs from itself", fs)
	}
	f := &fs[0]
	damaged := func(old, new string) Damage { return Damage{f, strings.Replace(f.Source, old, new, 1)} }
	got, err := b.Fail(ctx, tr, []Damage{
		damaged("twice(y)", "twice(x)"), damaged("twice(y)", "twice(y) + 0"), damaged("y = twice(x)", "y = twice(z)"),
		damaged("y = twice(x)", "y = abs(twice(x))"), damaged("return twice(y)", "while y: pass"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, g := range got {
		said = append(said, g.Failure.Kind+": "+g.Failure.Message)
	}
	want := []string{"AssertionError: assert 4 == 8\n +  where 4 = quadruple(2)", "NameError: name 'z' is not defined",
		"AssertionError: assert 4 == -4\n +  where 4 = quadruple(-1)", "TimedOut: the test did not end"}
	if strings.Join(said, "|") != strings.Join(want, "|") {
		t.Errorf("failures are\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if len(got) == 4 && (got[2].Lines[2] == 0 || got[2].Lines[2] >= 1 || got[1].Failure.Frames[0].Line != 2) {
		t.Errorf("lines %v and the frame %v, want a line that a right call ran too", got[2].Lines, got[1].Failure.Frames)
	}
	if test := f.Test(); test != "def test_quadruple():\n    assert quadruple(2) == 8\n    assert quadruple(-1) == -4\n" {
		t.Errorf("the test is\n%s", test)
	}
}
