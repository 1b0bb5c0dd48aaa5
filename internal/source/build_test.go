package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/sandbox"
)

// sharedCache holds uv, its downloads and the environments of this run of the
// tests. BREAKFIX_TEST_CACHE keeps it between runs.
var sharedCache string

func TestMain(m *testing.M) {
	if spec := os.Getenv("BREAKFIX_TEST_BUILD"); spec != "" {
		os.Exit(buildForAnother(spec))
	}
	sharedCache = os.Getenv("BREAKFIX_TEST_CACHE")
	if sharedCache != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "breakfix-source-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sharedCache = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// buildForAnother is the second process of the test about two processes.
func buildForAnother(folder string) int {
	ctx := context.Background()
	o := Options{Cache: os.Getenv("BREAKFIX_TEST_CACHE")}
	box, err := sandbox.New(sandbox.Options{})
	if err == nil {
		var s *Snapshot
		if s, err = Open(ctx, folder, o); err == nil {
			var r Recipe
			if r, err = Detect(ctx, s, o); err == nil {
				var env *Environment
				if env, err = Build(ctx, box, s, r, o, os.Stderr); err == nil {
					fmt.Println(env.Digest, env.Reused)
					return 0
				}
			}
		}
	}
	fmt.Println(err)
	return 1
}

func newBox(t *testing.T) sandbox.Sandbox {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func build(t *testing.T, box sandbox.Sandbox, s *Snapshot, o Options, log io.Writer) (*Environment, error) {
	t.Helper()
	r, err := Detect(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return Build(context.Background(), box, s, r, o, log)
}

// inBox runs Python in a box with the environment, without network.
func inBox(t *testing.T, box sandbox.Sandbox, env *Environment, s *Snapshot, args ...string) sandbox.Result {
	t.Helper()
	spec := sandbox.Spec{Tree: s.Tree, Binds: env.Binds(), Argv: append([]string{EnvAt + "/bin/python"}, args...),
		Env: []string{"PATH=" + EnvAt + "/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=" + strings.Join(env.SearchPath(), ":")}}
	if env.Built != "" {
		spec.Layers = []string{env.Built}
	}
	res, err := box.Run(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestARealPackageIsPreparedAndItsTestsRun(t *testing.T) {
	o := Options{Cache: sharedCache}
	box := newBox(t)
	s := open(t, "pypi:cachetools==8.0.1", o)
	env, err := build(t, box, s, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(env.Lock, " "), "cachetools==8.0.1") {
		t.Errorf("the lock lacks the package: %v", env.Lock)
	}
	res := inBox(t, box, env, s, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_lru.py")
	if res.Exit != 0 {
		t.Errorf("its tests ended with %d:\n%s", res.Exit, res.Stdout)
	}
	res = inBox(t, box, env, s, "-c", "import cachetools; print(cachetools.__file__)")
	if got := strings.TrimSpace(string(res.Stdout)); got != sandbox.TreeAt+"/src/cachetools/__init__.py" {
		t.Errorf("the package is imported from %s", got)
	}
	again, err := build(t, box, s, o, nil)
	if err != nil || !again.Reused || again.Digest != env.Digest || again.Seconds != 0 {
		t.Errorf("the second start did not reuse it: %+v, %v", again, err)
	}
}

// nosy is a package whose build looks for what it must not see, and writes
// files into the tree as builds do.
var nosy = map[string]string{
	"setup.py": `
import os, sys
from setuptools import setup
seen = [k for k in os.environ if "SECRET" in k or "TOKEN" in k]
assert not seen, seen
for place in (%q, os.path.expanduser("~/.ssh"), os.path.expanduser("~/.netrc")):
    assert not os.path.exists(place), place
open("pkg/_generated.py", "w").write("made = 42\n")
open("pkg/__init__.py", "a").write("# touched\n")
setup(name="nosy", version="1.0", packages=["pkg"], extras_require={"test": ["pluggy"]})
`,
	"pyproject.toml":        "[build-system]\nrequires=['setuptools']\nbuild-backend='setuptools.build_meta'\n",
	"pkg/__init__.py":       "",
	"tests/test_it.py":      "from pkg._generated import made\n\ndef test_made():\n    assert made == 42\n",
	"requirements-test.txt": "no-such-project-of-breakfix-tests\niniconfig\n",
}

func TestABuildSeesNoCredentialsItsFilesAreKeptAndWhatDoesNotInstallIsDropped(t *testing.T) {
	t.Setenv("MY_SECRET_TOKEN", "x")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lay(t, dir, nosy)
	lay(t, dir, map[string]string{"setup.py": fmt.Sprintf(nosy["setup.py"], secret)})
	o := Options{Cache: sharedCache}
	box := newBox(t)
	s := open(t, dir, o)
	var log bytes.Buffer
	env, err := build(t, box, s, o, &log)
	if err != nil {
		t.Fatal(err)
	}
	if res := inBox(t, box, env, s, "-m", "pytest", "-q", "-p", "no:cacheprovider"); res.Exit != 0 {
		t.Errorf("the test that needs a generated file ended with %d:\n%s", res.Exit, res.Stdout)
	}
	if _, err := os.Stat(filepath.Join(env.Built, "pkg/_generated.py")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(env.Built, "pkg/__init__.py")); err == nil {
		t.Error("a file that the tree has was taken from the build")
	}
	if _, err := os.Stat(filepath.Join(dir, "pkg/_generated.py")); err == nil {
		t.Error("the build wrote into the original")
	}
	lock := strings.Join(env.Lock, " ")
	for _, want := range []string{"pluggy==", "iniconfig=="} {
		if !strings.Contains(lock, want) {
			t.Errorf("%s was dropped with the others: %s", want, lock)
		}
	}
	if dropped := strings.Join(env.Dropped, "\n"); !strings.Contains(dropped, "no-such-project-of-breakfix-tests") || !strings.Contains(log.String(), "left out") {
		t.Errorf("nothing says what was dropped: %s", dropped)
	}
}

func TestVersionsThatContradictEachOtherAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{"requirements-test.txt": "iniconfig==2.0.0\npluggy==1.5.0 ; python_version >= '3'\n", "requirements.txt": "iniconfig==2.1.0\n"})
	o := Options{Cache: sharedCache}
	env, err := build(t, newBox(t), open(t, dir, o), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lock := strings.Join(env.Lock, " "); !strings.Contains(lock, "iniconfig==2.0.0") || !strings.Contains(lock, "pluggy==1.5.0") {
		t.Errorf("the first file's versions were not kept: %s", lock)
	}
	if len(env.Dropped) != 1 || !strings.Contains(env.Dropped[0], "requirements.txt: its versions") {
		t.Errorf("noted: %v", env.Dropped)
	}
}

func TestAPackageThatDoesNotInstallIsTheTargetsFault(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{"setup.py": "raise RuntimeError('no compiler for you')\n"})
	o := Options{Cache: sharedCache}
	_, err := build(t, newBox(t), open(t, dir, o), o, nil)
	var target *TargetError
	if !errors.As(err, &target) || !strings.Contains(target.First, "no compiler for you") {
		t.Fatalf("got %v", err)
	}
	if b, err := os.ReadFile(target.Log); err != nil || !strings.Contains(string(b), "no compiler for you") {
		t.Errorf("the log at %q: %v", target.Log, err)
	}
}

func TestATreeThatIsNoPackageRunsFromTheSearchPath(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{"requirements.txt": "iniconfig\n"})
	o := Options{Cache: sharedCache}
	box := newBox(t)
	s := open(t, dir, o)
	env, err := build(t, box, s, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res := inBox(t, box, env, s, "-m", "pytest", "-q", "-p", "no:cacheprovider"); res.Exit != 0 {
		t.Errorf("ended with %d:\n%s", res.Exit, res.Stdout)
	}
	// What was left half-made by a process that died is made again.
	if err := os.Remove(filepath.Join(filepath.Dir(env.Dir), "env.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(env.Dir, "lib")); err != nil {
		t.Fatal(err)
	}
	again, err := build(t, box, s, o, nil)
	if err != nil || again.Reused || again.Digest != env.Digest {
		t.Fatalf("a half-made environment gave %+v, %v", again, err)
	}
	if res := inBox(t, box, again, s, "-c", "import iniconfig, pytest, hypothesis"); res.Exit != 0 {
		t.Errorf("%s", res.Stderr)
	}
}

func TestTwoProcessesMakeOneEnvironment(t *testing.T) {
	if _, err := EnsureUV(context.Background(), sharedCache); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lay(t, dir, small)
	lay(t, dir, map[string]string{"requirements.txt": "pluggy\n"})
	type answer struct {
		out, log string
		err      error
	}
	answers := make(chan answer)
	for range 2 {
		go func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "BREAKFIX_TEST_BUILD="+dir, "BREAKFIX_TEST_CACHE="+sharedCache)
			var out, log bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &log
			err := cmd.Run()
			answers <- answer{out.String(), log.String(), err}
		}()
	}
	a, b := <-answers, <-answers
	if a.err != nil || b.err != nil {
		t.Fatalf("%v %s\n%v %s", a.err, a.out, b.err, b.out)
	}
	first, second := strings.Fields(a.out), strings.Fields(b.out)
	if first[0] != second[0] {
		t.Errorf("two environments were made: %s and %s", first[0], second[0])
	}
	if (first[1] == "true") == (second[1] == "true") {
		t.Errorf("it was made by %q and %q; one of them should have reused it", a.out, b.out)
	}
	if !strings.Contains(a.log+b.log, "waiting: another breakfix (process ") {
		t.Errorf("nobody said that it waits:\n%s%s", a.log, b.log)
	}
}

func TestAnExistingEnvironmentIsUsedAsItIs(t *testing.T) {
	venv := filepath.Join(t.TempDir(), "venv")
	uv, err := EnsureUV(context.Background(), sharedCache)
	if err != nil {
		t.Fatal(err)
	}
	host := func(args ...string) {
		t.Helper()
		cmd := exec.Command(uv, args...)
		cmd.Env = append(os.Environ(), "UV_CACHE_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("uv %v: %v\n%s", args, err, out)
		}
	}
	host("venv", "-q", "--no-project", venv)
	python := filepath.Join(venv, "bin", "python")
	dir := t.TempDir()
	lay(t, dir, small)
	o := Options{Cache: sharedCache, Python: python}
	s := open(t, dir, o)
	_, err = Detect(context.Background(), s, o)
	var u *UsageError
	if !errors.As(err, &u) || !strings.Contains(u.Next, python+" -m pip install pytest") {
		t.Errorf("without pytest: %v", err)
	}
	host("pip", "install", "-q", "--python", python, "pytest")
	before := state(t, venv)
	box := newBox(t)
	env, err := build(t, box, s, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res := inBox(t, box, env, s, "-m", "pytest", "-q", "-p", "no:cacheprovider"); res.Exit != 0 {
		t.Errorf("ended with %d:\n%s%s", res.Exit, res.Stdout, res.Stderr)
	}
	if len(before) != len(state(t, venv)) {
		t.Error("the environment was written to")
	}
	_, err = Detect(context.Background(), s, Options{Cache: sharedCache, Python: "/bin/true"})
	if !errors.As(err, &u) {
		t.Errorf("a program that is no Python: %v", err)
	}
}

func TestLintersAndCoverageLieInToolEnvironmentsOfTheirOwn(t *testing.T) {
	o := Options{Cache: sharedCache}
	box := newBox(t)
	r := detected(t, small)
	ctx := context.Background()
	tools, err := Tools(ctx, box, r, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	cover, err := CoverageDir(ctx, box, r, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  []string
		argv []string
		want string
	}{
		{nil, []string{ToolsAt + "/bin/python", "-m", "pylint", "--version"}, "pylint 4.1.4"},
		{nil, []string{ToolsAt + "/bin/mypy", "--version"}, "mypy 2.4.1"},
		{[]string{"PYTHONPATH=/cover"}, []string{r.Python, "-c", "import coverage.tracer; print(coverage.__version__)"}, "7.17.3"},
	} {
		res, err := box.Run(ctx, sandbox.Spec{
			Binds: append([]sandbox.Bind{{Host: tools, Inside: ToolsAt}, {Host: cover, Inside: "/cover"}}, baseBinds(r.Base)...),
			Argv:  c.argv, Env: append(c.env, "PATH=/usr/bin:/bin"),
		})
		if err != nil || !strings.Contains(string(res.Stdout), c.want) {
			t.Errorf("%v: %v %s%s", c.argv, err, res.Stdout, res.Stderr)
		}
	}
	again, err := Tools(ctx, box, r, o, nil)
	if err != nil || again != tools {
		t.Errorf("made again at %s: %v", again, err)
	}
}

func TestTheFirstErrorOfALogIsTheOneThatSaysWhy(t *testing.T) {
	for log, want := range map[string]string{
		"  × Failed to build `x`\n  ├─▶ The build backend returned an error\n  ╰─▶ Call failed\n      [stderr]\n      Traceback (most recent call last):\n        File \"x\"\n      ModuleNotFoundError: No module named 'cffi'\n": "ModuleNotFoundError: No module named 'cffi'",
		"  × No solution found:\n  ╰─▶ Because x was not found in the package\n      registry, no way.\n":                                                                                                                          "Because x was not found in the package registry, no way.",
		"x.c:1:2: fatal error: foo.h: No such file\n": "fatal error: foo.h: No such file",
		"something odd\n": "something odd",
	} {
		if got := firstError(log); got != want {
			t.Errorf("of\n%s\ngot %q", log, got)
		}
	}
	if ours("error: No space left on device (os error 28)", "l") == nil || ours("dns error: failed", "l") == nil || ours("RuntimeError: bad", "l") != nil {
		t.Error("our failures and the target's are mixed up")
	}
}
