package export_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/export"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// consumer makes an environment with a package that reads a format, once, in
// breakfix's cache, and returns its interpreter.
func consumer(t *testing.T, name string, requirements ...string) string {
	t.Helper()
	slow(t)
	cache, err := source.CacheDir("")
	if err != nil {
		t.Fatal(err)
	}
	python := newPython(t)
	dir := filepath.Join(cache, "consumers", name+"-"+tree.DigestOf([]byte(python+strings.Join(requirements, "\n"))).Short())
	exe, mark := filepath.Join(dir, "bin", "python"), filepath.Join(dir, ".complete")
	if _, err := os.Stat(mark); err == nil {
		return exe
	}
	uv, err := source.EnsureUV(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"venv", "--quiet", "--clear", "--python", python, dir},
		append([]string{"pip", "install", "--quiet", "--only-binary", ":all:", "--python", exe}, requirements...),
	} {
		cmd := exec.CommandContext(t.Context(), uv, args...)
		cmd.Env = append(os.Environ(), "UV_CACHE_DIR="+filepath.Join(cache, "uv"), "UV_PYTHON_DOWNLOADS=never")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("install %s: %v\n%s", name, err, out)
		}
	}
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return exe
}

// newPython is an interpreter of 3.12 or newer, which Harbor needs.
func newPython(t *testing.T) string {
	t.Helper()
	var places []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.Base(dir) != "shims" {
			places = append(places, dir)
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		more, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", "*", "bin"))
		sort.Strings(more)
		places = append(places, more...)
	}
	for _, name := range []string{"python3.12", "python3.13", "python3.14"} {
		for _, dir := range places {
			if exe := filepath.Join(dir, name); exec.Command(exe, "-c", "").Run() == nil {
				return exe
			}
		}
	}
	t.Skip("Python 3.12 or newer is needed for the packages that read exports")
	return ""
}

// says runs a script of testdata, which asserts and says good at its end.
func says(t *testing.T, exe, script string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), exe, append([]string{filepath.Join("testdata", script)}, args...)...)
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_DATASETS_OFFLINE=1", "HF_HOME="+t.TempDir(), "PYTHONWARNINGS=ignore", "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "good") {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// provedWithLogs checks an export and keeps what its tests printed.
func provedWithLogs(t *testing.T, dir string) (logs string) {
	t.Helper()
	logs = t.TempDir()
	all, err := export.Check(t.Context(), dir, export.CheckOptions{Box: box(t), Logs: logs})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if !v.Good {
			t.Fatalf("%s: %s", v.Instance, v.Reason)
		}
	}
	return logs
}

func TestSWEBenchLoadsAndGradesWhatIsExported(t *testing.T) {
	exe := consumer(t, "swebench", "swebench==5.0.2", "datasets==5.2.0")
	dir := exported(t, "swebench", bugs(t))
	says(t, exe, "read_swebench.py", dir, provedWithLogs(t, dir))
}

// SWE-smith 0.0.9 imports modules of swebench that version 5 does not have.
func TestSWESmithLoadsAndGradesWhatIsExported(t *testing.T) {
	exe := consumer(t, "swesmith", "swesmith==0.0.9", "swebench==4.1.0", "ghapi", "python-dotenv", "unidiff", "docker")
	dir := exported(t, "swesmith", bugs(t))
	says(t, exe, "read_swesmith.py", dir, provedWithLogs(t, dir))
}

func TestHarborLoadsWhatIsExported(t *testing.T) {
	exe := consumer(t, "harbor", "harbor==0.26.0")
	says(t, exe, "read_harbor.py", exported(t, "harbor", bugs(t)))
}

func TestDatasetsLoadsEveryFileOfLines(t *testing.T) {
	exe := consumer(t, "swebench", "swebench==5.0.2", "datasets==5.2.0")
	all := bugs(t)
	says(t, exe, "read_lines.py", filepath.Join(exported(t, "chat", all), "messages.jsonl"), "messages", "2",
		filepath.Join(exported(t, "swesmith", all), "instances.jsonl"), "patch", "2",
		filepath.Join(exported(t, "breakfix", all), "bugs.jsonl"), "bug", "2")
}

// TestBugsOfARealPackageAreExportedAndRead exports the bugs of a run (the folder
// in BREAKFIX_BUGS, of bugs of one source) in every format, checks each from its
// files alone, and has it read by the package that it is for.
func TestBugsOfARealPackageAreExportedAndRead(t *testing.T) {
	slow(t)
	folders, err := filepath.Glob(filepath.Join(os.Getenv("BREAKFIX_BUGS"), "*", "bug.json"))
	if err != nil || len(folders) == 0 {
		t.Skip("set BREAKFIX_BUGS to the folder bugs of a run")
	}
	var all []*bug.Bug
	for _, f := range folders {
		b, err := bug.Load(filepath.Dir(f))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	suite := suiteOf(t, all[0])
	for _, format := range export.Names() {
		dir := filepath.Join(t.TempDir(), "out")
		w, err := export.Write(format, dir, each(all), export.Options{Suite: func(*bug.Bug) (export.Suite, error) { return suite, nil }})
		if err != nil || len(w.Left) > 0 {
			t.Fatalf("%s: %v, left out %v", format, err, w.Left)
		}
		logs := provedWithLogs(t, dir)
		switch format {
		case "swebench":
			says(t, consumer(t, "swebench", "swebench==5.0.2", "datasets==5.2.0"), "read_swebench.py", dir, logs)
		case "swesmith":
			says(t, consumer(t, "swesmith", "swesmith==0.0.9", "swebench==4.1.0", "ghapi", "python-dotenv", "unidiff", "docker"), "read_swesmith.py", dir, logs)
		case "harbor":
			says(t, consumer(t, "harbor", "harbor==0.26.0"), "read_harbor.py", dir)
		}
	}
}

func suiteOf(t *testing.T, b *bug.Bug) export.Suite {
	t.Helper()
	snap, err := b.Open(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	w, err := testrun.Prepare(t.Context(), testrun.Config{Box: box(t), Snapshot: snap, LazyFindings: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return export.SuiteOf(w)
}
