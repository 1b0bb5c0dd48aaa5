package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatChangedSinceABranchIsWhatThisOneChanged(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	runGit(t, dir, "init", "-q", "-b", "main")
	commit := func(p, text string) {
		lay(t, dir, map[string]string{p: text})
		runGit(t, dir, "add", "-A")
		runGit(t, dir, "commit", "-q", "-m", p)
	}
	commit("pkg/a.py", "a = 1\n")
	runGit(t, dir, "checkout", "-q", "-b", "side")
	commit("pkg/b.py", "b = 1\n")
	runGit(t, dir, "checkout", "-q", "main")
	commit("pkg/a.py", "a = 2\n") // others went on meanwhile
	runGit(t, dir, "checkout", "-q", "side")
	lay(t, dir, map[string]string{"pkg/b.py": "b = 2\n"}) // not committed

	for name, c := range map[string]struct {
		spec, rev string
		o         Options
		a, b      string
	}{
		"a branch":               {dir, "main", Options{}, "a = 1\n", ""},
		"the last commit":        {dir, "HEAD", Options{}, "a = 1\n", "b = 1\n"},
		"of another commit":      {dir, "side", Options{At: "main"}, "a = 1\n", ""},
		"a URL, at a branch":     {"file://" + dir, "main", Options{At: "side"}, "a = 1\n", ""},
		"a URL, the last commit": {"file://" + dir, "HEAD", Options{At: "main"}, "a = 1\n", ""},
		"a part of a repository": {filepath.Join(dir, "pkg"), "main", Options{}, "", ""},
	} {
		c.o.Cache = t.TempDir()
		then, err := Since(context.Background(), c.spec, c.rev, c.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for p, want := range map[string]string{"pkg/a.py": c.a, "pkg/b.py": c.b} {
			got, err := then.Read(p)
			if err != nil && want != "" || string(got) != want {
				t.Errorf("%s: %s is %q (%v), want %q", name, p, got, err, want)
			}
		}
		if name == "a part of a repository" && !then.Has("a.py") {
			t.Errorf("%s: it holds %v", name, then.Paths())
		}
	}
	plain := t.TempDir()
	if err := os.WriteFile(filepath.Join(plain, "x.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]string{dir: "no such commit", plain: "not a git repository", "pypi:toolz==1.2.0": "has no commits", dir + "/nowhere": "does not exist"} {
		_, err := Since(context.Background(), spec, "nothing", Options{Cache: t.TempDir()})
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) || usage.Next == "" {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
