package repair_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/repair"
	"breakfix/internal/tree"
)

func applied(t *testing.T) (dir string, from, to *tree.Tree) {
	t.Helper()
	dir = t.TempDir()
	files := map[string]*tree.File{"a.py": tree.Text("one\n"), "b/c.py": tree.Text("two\n"), "d.py": tree.Text("same\n")}
	from, err := tree.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := from.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "a.py"), 0o750); err != nil {
		t.Fatal(err)
	}
	to, err = from.With(map[string]*tree.File{"a.py": tree.Text("ONE\n"), "b/c.py": tree.Text("TWO\n")})
	if err != nil {
		t.Fatal(err)
	}
	return dir, from, to
}

// contents reads every file of a folder, so that nothing left behind is missed.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		b.WriteString(rel + "=" + strings.TrimSpace(string(text)) + " ")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestARepairIsWrittenWithTheModesThatFilesHad(t *testing.T) {
	dir, from, to := applied(t)
	if err := repair.Apply(dir, from, to); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, dir); got != "a.py=ONE b/c.py=TWO d.py=same " {
		t.Errorf("the folder holds %s", got)
	}
	info, err := os.Stat(filepath.Join(dir, "a.py"))
	if err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode %v, %v, want 0750", info.Mode(), err)
	}
}

func TestNothingIsWrittenOverWhatChangedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"edited":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "b/c.py"), []byte("mine\n"), 0o644) },
		"removed": func(dir string) error { return os.Remove(filepath.Join(dir, "b/c.py")) },
		"a link": func(dir string) error {
			if err := os.Rename(filepath.Join(dir, "b/c.py"), filepath.Join(dir, "b/real.py")); err != nil {
				return err
			}
			return os.Symlink("real.py", filepath.Join(dir, "b/c.py"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, from, to := applied(t)
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			var refused *repair.ApplyError
			if err := repair.Apply(dir, from, to); !errors.As(err, &refused) || !strings.Contains(err.Error(), "b/c.py") {
				t.Errorf("got %v, want a refusal that names the file", err)
			}
			if now := contents(t, dir); now != before {
				t.Errorf("the folder holds %s, before %s", now, before)
			}
		})
	}
}
