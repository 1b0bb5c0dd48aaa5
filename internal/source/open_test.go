package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lay writes files below dir.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for p, text := range files {
		name := filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// runGit runs git as a user would, with an identity of its own.
func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// small is a folder that can be played.
var small = map[string]string{
	"pkg/__init__.py":   "def one():\n    return 1\n",
	"tests/test_one.py": "from pkg import one\n\ndef test_one():\n    assert one() == 1\n",
}

func open(t *testing.T, spec string, o Options) *Snapshot {
	t.Helper()
	if o.Cache == "" {
		o.Cache = t.TempDir()
	}
	s, err := Open(context.Background(), spec, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// state describes every file of a folder: mode, times, content.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		body := ""
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			body = string(b)
		}
		out[name] = fmt.Sprint(info.Mode(), info.ModTime().UnixNano(), info.Size(), body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheOriginalFolderIsLeftByteIdenticalWithItsTimes(t *testing.T) {
	for _, at := range []string{"", "HEAD", "random"} {
		dir := t.TempDir()
		lay(t, dir, small)
		runGit(t, dir, "init", "-q")
		runGit(t, dir, "add", ".")
		runGit(t, dir, "commit", "-qm", "one")
		// A stale index is what git would refresh on any other occasion.
		later := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(dir, "pkg/__init__.py"), later, later); err != nil {
			t.Fatal(err)
		}
		before := state(t, dir)
		open(t, dir, Options{At: at})
		if d := cmp.Diff(before, state(t, dir)); d != "" {
			t.Errorf("--at %q changed the original:\n%s", at, d)
		}
	}
}

func TestAWorkingTreeIsTakenWithoutIgnoredFilesAndCaches(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{".gitignore": "*.secret\n", "gone.py": "x = 1\n"})
	runGit(t, dir, "init", "-q")
	runGit(t, dir, "add", ".")
	runGit(t, dir, "commit", "-qm", "one")
	lay(t, dir, map[string]string{"pkg/new.py": "y = 1\n", "a.secret": "s", "pkg/__pycache__/x.pyc": "c", ".venv/pyvenv.cfg": "", "pkg/__init__.py": "changed = 1\n"})
	if err := os.Remove(filepath.Join(dir, "gone.py")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{})
	want := []string{".gitignore", "pkg/__init__.py", "pkg/new.py", "tests/test_one.py"}
	if d := cmp.Diff(want, s.Tree.Paths()); d != "" {
		t.Error(d)
	}
	if b, _ := s.Tree.Read("pkg/__init__.py"); string(b) != "changed = 1\n" {
		t.Errorf("the working tree was not taken as it is: %q", b)
	}
	if s.Revision != "" || !s.Local || s.Source != dir {
		t.Errorf("snapshot says %+v", s)
	}
}

func TestAPlainFolderIsTakenWithoutEnvironmentsAndMetadata(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{"myenv/pyvenv.cfg": "", "myenv/lib/x.py": "", "pkg.egg-info/PKG-INFO": "", "node_modules/a.js": "", ".tox/x.py": ""})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pkg", filepath.Join(dir, "in")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"in", "pkg/__init__.py", "tests/test_one.py"}, open(t, dir, Options{}).Tree.Paths()); d != "" {
		t.Error(d)
	}
}

func TestACommitIsTakenRawFromFolderBareRepositoryAndURL(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	// export-ignore would take the tests out of an archive, crlf would change bytes.
	lay(t, dir, map[string]string{".gitattributes": "tests export-ignore\n*.py text eol=crlf\n"})
	runGit(t, dir, "init", "-q", "-b", "trunk")
	runGit(t, dir, "add", ".")
	runGit(t, dir, "commit", "-qm", "one")
	first := runGit(t, dir, "rev-parse", "HEAD")
	runGit(t, dir, "tag", "v1")
	lay(t, dir, map[string]string{"pkg/more.py": "z = 1\n"})
	runGit(t, dir, "add", ".")
	runGit(t, dir, "commit", "-qm", "two")
	head := runGit(t, dir, "rev-parse", "HEAD")
	bare := filepath.Join(t.TempDir(), "thing.git")
	runGit(t, dir, "clone", "-q", "--bare", ".", bare)
	cache := t.TempDir()
	for _, spec := range []string{dir, bare, "file://" + bare} {
		now := open(t, spec, Options{At: "HEAD", Cache: cache})
		if now.Revision != head || !now.Tree.Has("pkg/more.py") || !now.Tree.Has("tests/test_one.py") {
			t.Errorf("%s at HEAD is %s with %v", spec, now.Revision, now.Tree.Paths())
		}
		old := open(t, spec, Options{At: "v1", Cache: cache})
		if old.Revision != first || old.Tree.Has("pkg/more.py") {
			t.Errorf("%s at v1 is %s with %v", spec, old.Revision, old.Tree.Paths())
		}
		if b, _ := old.Tree.Read("pkg/__init__.py"); string(b) != small["pkg/__init__.py"] {
			t.Errorf("%s: the committed bytes were changed: %q", spec, b)
		}
		if old.Tree.Dir() == "" || old.Digest != old.Tree.Digest() {
			t.Errorf("%s: the snapshot does not rest on the cache", spec)
		}
	}
	if s := open(t, bare, Options{}); s.Revision != head || s.Name != "thing" {
		t.Errorf("a bare repository gave %s %s", s.Name, s.Revision)
	}
}

func TestARandomCommitIsTheSameForTheSameSeedAndReachesAll(t *testing.T) {
	dir := t.TempDir()
	runGit(t, dir, "init", "-q")
	for i := range 5 {
		lay(t, dir, small)
		lay(t, dir, map[string]string{"pkg/n.py": fmt.Sprintf("n = %d\n", i)})
		runGit(t, dir, "add", ".")
		runGit(t, dir, "commit", "-qm", "c")
	}
	seen := map[string]bool{}
	repo := repository{dir: dir}
	for seed := range uint64(60) {
		a, err := repo.commit(context.Background(), "random", seed)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := repo.commit(context.Background(), "random", seed)
		if a != b {
			t.Fatalf("seed %d drew %s and %s", seed, a, b)
		}
		seen[a] = true
	}
	if len(seen) != 5 {
		t.Errorf("60 seeds reached %d of 5 commits", len(seen))
	}
}

func TestARepositorysConfigurationRunsNothing(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{".gitattributes": "*.py filter=evil\n"})
	runGit(t, dir, "init", "-q")
	runGit(t, dir, "add", ".")
	runGit(t, dir, "commit", "-qm", "one")
	mark := filepath.Join(t.TempDir(), "ran")
	script := "touch " + mark
	for _, kv := range [][2]string{{"core.fsmonitor", script}, {"core.sshCommand", script}, {"filter.evil.smudge", script}, {"filter.evil.clean", script}, {"core.pager", script}} {
		runGit(t, dir, "config", kv[0], kv[1])
	}
	lay(t, dir, map[string]string{".git/hooks/post-checkout": "#!/bin/sh\n" + script + "\n"})
	if err := os.Chmod(filepath.Join(dir, ".git/hooks/post-checkout"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"", "HEAD", "random"} {
		open(t, dir, Options{At: at})
	}
	open(t, "file://"+dir, Options{})
	if _, err := os.Stat(mark); err == nil {
		t.Error("a command of the repository's configuration ran")
	}
}

func TestWhatIsNotThereIsBadUsageWithTheNextStep(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	repo := t.TempDir()
	lay(t, repo, small)
	runGit(t, repo, "init", "-q")
	runGit(t, repo, "add", ".")
	runGit(t, repo, "commit", "-qm", "one")
	t.Chdir(t.TempDir())
	for _, c := range []struct{ spec, at, say, next string }{
		{"", "", "no source", "pypi:NAME==VERSION"},
		{"./nowhere", "", "does not exist", "folder"},
		{"cachetools", "", "does not exist", "pypi:cachetools==VERSION"},
		{"cachetools==8.0.1", "", "does not exist", "pypi:cachetools==8.0.1"},
		{filepath.Join(dir, "pkg/__init__.py"), "", "is not a folder", "folder"},
		{"go:example.org/x@v1", "", "only Python", "pypi:"},
		{"pypi:a b==1", "", "names no package", "pypi:NAME==VERSION"},
		{"pypi:cachetools==not/a/version", "", "no version", "pypi:NAME==VERSION"},
		{"pypi:cachetools==1", "HEAD", "no commits", "--at"},
		{dir, "HEAD", "not a git repository", "--at"},
		{repo, "nosuchbranch", "no such commit", "git log"},
		{repo, "--output=x", "no such commit", "git log"},
		{"file://" + dir + "/none.git", "", "cannot be cloned", "git clone"},
		{"ext::sh -c true", "", "does not exist", "folder"},
	} {
		_, err := Open(context.Background(), c.spec, Options{At: c.at, Cache: t.TempDir()})
		var u *UsageError
		if !errors.As(err, &u) {
			t.Errorf("%s --at %q: %v", c.spec, c.at, err)
			continue
		}
		if !strings.Contains(u.Reason, c.say) || !strings.Contains(u.Next, c.next) {
			t.Errorf("%s --at %q says %q, next %q", c.spec, c.at, u.Reason, u.Next)
		}
	}
}

func TestASourceWithoutTestsCannotBePlayed(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, map[string]string{"pkg/__init__.py": "", "pkg/testing.py": "", "tests/__init__.py": "", "conftest.py": ""})
	_, err := Open(context.Background(), dir, Options{Cache: t.TempDir()})
	var target *TargetError
	if !errors.As(err, &target) || !strings.Contains(target.Reason, "ships no tests") {
		t.Errorf("got %v", err)
	}
	lay(t, dir, map[string]string{"pytest.ini": "[pytest]\naddopts = --doctest-modules\n"})
	open(t, dir, Options{})
}

func TestEqualContentIsKeptOnceAndADamagedCopyIsReplaced(t *testing.T) {
	cache, a, b := t.TempDir(), t.TempDir(), t.TempDir()
	lay(t, a, small)
	lay(t, b, small)
	first := open(t, a, Options{Cache: cache})
	second := open(t, b, Options{Cache: cache})
	if first.Digest != second.Digest || first.Tree.Dir() != second.Tree.Dir() {
		t.Errorf("equal folders gave %s and %s", first.Digest, second.Digest)
	}
	lay(t, first.Tree.Dir(), map[string]string{"pkg/__init__.py": "tampered = 1\n"})
	third := open(t, a, Options{Cache: cache})
	if body, err := third.Tree.Read("pkg/__init__.py"); err != nil || string(body) != small["pkg/__init__.py"] {
		t.Errorf("the damaged copy was used: %q %v", body, err)
	}
	left, _ := os.ReadDir(filepath.Join(cache, "tmp"))
	if len(left) != 0 {
		t.Errorf("temporary folders were left: %v", left)
	}
}

func TestCredentialsOfAURLAreNotRecorded(t *testing.T) {
	for in, want := range map[string]string{
		"https://me:token@example.org/a.git": "https://example.org/a.git",
		"https://token@example.org/a.git":    "https://example.org/a.git",
		"ssh://git@example.org/a.git":        "ssh://git@example.org/a.git",
		"git@example.org:a/b.git":            "git@example.org:a/b.git",
	} {
		if got := withoutPassword(in); got != want {
			t.Errorf("%s is recorded as %s", in, got)
		}
	}
}

func TestOnlyAndExcludeSelectCodeByGlobFolderOrName(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{"pkg/a.py": "", "pkg/sub/b.py": "", "other.py": ""})
	tr := open(t, dir, Options{}).Tree
	code := func(p string) bool { return !strings.HasPrefix(p, "tests/") }
	for _, c := range []struct {
		only, exclude, want []string
	}{
		{nil, nil, []string{"other.py", "pkg/__init__.py", "pkg/a.py", "pkg/sub/b.py"}},
		{[]string{"pkg"}, nil, []string{"pkg/__init__.py", "pkg/a.py", "pkg/sub/b.py"}},
		{[]string{"./pkg/sub/"}, nil, []string{"pkg/sub/b.py"}},
		{[]string{"b.py"}, nil, []string{"pkg/sub/b.py"}},
		{[]string{"pkg/*.py"}, nil, []string{"pkg/__init__.py", "pkg/a.py"}},
		{[]string{"pkg/**/*.py"}, []string{"sub"}, []string{"pkg/__init__.py", "pkg/a.py"}},
		{nil, []string{"pkg/**"}, []string{"other.py"}},
	} {
		got, err := Selected(tr, Options{Only: c.only, Exclude: c.exclude}, code)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("--only %v --exclude %v: %v\n%s", c.only, c.exclude, err, d)
		}
	}
	for _, o := range []Options{{Only: []string{"nothing/*"}}, {Only: []string{"tests"}}, {Only: []string{"[a"}}, {Exclude: []string{"."}}} {
		_, err := Selected(tr, o, code)
		var u *UsageError
		if !errors.As(err, &u) || !strings.Contains(u.Next, "pkg/a.py") && !strings.Contains(u.Next, "other.py") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
