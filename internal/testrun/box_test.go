package testrun

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// testPins are what the environment of these tests holds.
var testPins = []string{"pytest==9.0.2", "coverage==7.13.1"}

var (
	testEnvOnce sync.Once
	testEnvErr  error
	testEnvDir  string
)

// testEnvironment makes one virtual environment, kept between runs of the tests.
func testEnvironment(t *testing.T) *source.Environment {
	t.Helper()
	testEnvOnce.Do(func() { testEnvDir, testEnvErr = makeTestEnvironment() })
	if testEnvErr != nil {
		t.Fatal(testEnvErr)
	}
	return &source.Environment{Digest: tree.DigestOf([]byte(strings.Join(testPins, " "))), Dir: testEnvDir, Base: basePrefix(t)}
}

func makeTestEnvironment() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "breakfix", "test", "testrun-"+tree.DigestOf([]byte(strings.Join(testPins, " "))).Short())
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, ".complete")); err == nil {
		return dir, nil
	}
	os.RemoveAll(dir)
	if out, err := exec.Command("python3", "-m", "venv", dir).CombinedOutput(); err != nil {
		return "", &exec.Error{Name: "python3 -m venv: " + string(out), Err: err}
	}
	pip := exec.Command(filepath.Join(dir, "bin", "python"), append([]string{"-m", "pip", "install", "-q"}, testPins...)...)
	if out, err := pip.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: "pip install: " + string(out), Err: err}
	}
	return dir, os.WriteFile(filepath.Join(dir, ".complete"), nil, 0o644)
}

func basePrefix(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import sys; print(sys.base_prefix)").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// oneBox is the sandbox of all tests here: two in one process that run at the
// same time give their cgroups the same names.
var oneBox = sync.OnceValues(func() (sandbox.Sandbox, error) { return sandbox.New(sandbox.Options{}) })

func testBox(t *testing.T) sandbox.Sandbox {
	t.Helper()
	box, err := oneBox()
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func treeOf(t *testing.T, files map[string]string) *tree.Tree {
	t.Helper()
	m := map[string]*tree.File{}
	for p, s := range files {
		m[p] = tree.Text(s)
	}
	tr, err := tree.FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// seriesOf runs the tests of a tiny tree, everything with short deadlines.
func seriesOf(t *testing.T, files map[string]string) series {
	t.Helper()
	return series{box: testBox(t), env: testEnvironment(t), tree: treeOf(t, files), mode: mode{Path: []string{"."}}, loading: 20 * time.Second,
		deadline: func(string) time.Duration { return 2 * time.Second }}
}

func mustRun(t *testing.T, s series) *tally {
	t.Helper()
	got, err := s.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantVerdicts(t *testing.T, got *tally, want outcome.Results) {
	t.Helper()
	for id, v := range want {
		if g := got.results.Get(id); g != v {
			t.Errorf("%s: got %s, want %s (failure %+v)", id, g, v, got.failures[id])
		}
	}
	for id, v := range got.results {
		if _, ok := want[id]; !ok {
			t.Errorf("%s: %s was not expected", id, v)
		}
	}
	if t.Failed() {
		t.Logf("load error %q, uncollected %v, output:\n%s", got.loadError, got.uncollected, got.output)
	}
}
