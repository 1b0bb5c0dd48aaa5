package check

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/tree"
)

func TestAMutationIsPutIntoAFolderAndTakenOutAgain(t *testing.T) {
	source := "import os\n\n\n" + stackSource + "\n\ndef last():\n    return os.sep\n"
	for name, c := range map[string]struct {
		edit func(mutated string) string // by a person, meanwhile
		want func(mutated string) string // nil: refused
	}{
		"at once":              {func(s string) string { return s }, func(string) string { return source }},
		"already out":          {func(string) string { return source }, func(string) string { return source }},
		"grown above":          {func(s string) string { return "import re\n" + s }, func(string) string { return "import re\n" + source }},
		"grown below":          {func(s string) string { return s + "# end\n" }, func(string) string { return source + "# end\n" }},
		"changed at the place": {func(s string) string { return strings.Replace(s, "depth=0", "depth=9", 1) }, nil},
	} {
		dir, note := t.TempDir(), filepath.Join(t.TempDir(), "notes", "note.json")
		file := filepath.Join(dir, "stack.py")
		if err := os.WriteFile(file, []byte(source), 0o755); err != nil {
			t.Fatal(err)
		}
		code, err := tree.FromDir(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		ms := mutationsOf(t, code)
		m := ms[len(ms)-1]
		for _, one := range ms {
			if one.Function == "Stack.peek" {
				m = one
			}
		}
		var refused *ApplyError
		if _, err := TakeOut(dir, note); !errors.As(err, &refused) {
			t.Errorf("%s: nothing was put in, and taking it out says %v", name, err)
		}
		put, err := Put(dir, note, code, m)
		if err != nil {
			t.Fatal(err)
		}
		mutated, err := os.ReadFile(file)
		if err != nil || string(mutated) == source || string(mutated) != string(put.After) {
			t.Fatalf("%s: the file is %q, %v", name, mutated, err)
		}
		if _, err := Put(dir, note, code, ms[0]); !errors.As(err, &refused) {
			t.Errorf("%s: a second one says %v", name, err)
		}
		edited := c.edit(string(mutated))
		if err := os.WriteFile(file, []byte(edited), 0o755); err != nil {
			t.Fatal(err)
		}
		_, err = TakeOut(dir, note)
		got, rerr := os.ReadFile(file)
		if rerr != nil {
			t.Fatal(rerr)
		}
		if c.want == nil {
			if !errors.As(err, &refused) || string(got) != edited || !strings.Contains(err.Error(), "@@") {
				t.Errorf("%s: %v, the file is\n%s", name, err, got)
			}
			continue
		}
		if err != nil || string(got) != c.want(string(mutated)) {
			t.Errorf("%s: %v, the file is\n%s", name, err, got)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: the mode is %v, %v", name, info.Mode(), err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".breakfix-*")); len(left) > 0 {
			t.Errorf("%s: %v is left behind", name, left)
		}
	}
}

func TestAFileThatChangedSinceItWasReadIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "stack.py")
	code := treeOf(t, map[string]string{"stack.py": stackSource})
	if err := os.WriteFile(file, []byte("x = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var refused *ApplyError
	if _, err := Put(dir, filepath.Join(t.TempDir(), "n"), code, mutationsOf(t, code)[0]); !errors.As(err, &refused) {
		t.Error(err)
	}
	if b, _ := os.ReadFile(file); string(b) != "x = 1\n" {
		t.Errorf("it holds %q", b)
	}
}
