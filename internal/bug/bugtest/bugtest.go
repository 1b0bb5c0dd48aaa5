// Package bugtest prepares tiny targets for the tests of bug and grade: real
// trees whose tests are really run, by pytest in a folder of their own, without
// a box and without an environment to build. It is for tests only: it runs
// nothing but the code that the tests write themselves.
package bugtest

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/lang"
	_ "breakfix/internal/lang/python" // registers the language
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

//go:embed report.py
var reporter string

// Judge runs tests on the host.
type Judge struct {
	plugin string // folder that holds the reporter
	base   *testrun.Baseline
	lines  map[string]testrun.Lines
}

// Prepare measures the baseline of a tree.
func Prepare(t testing.TB, files map[string]string) bug.Target {
	t.Helper()
	m := map[string]*tree.File{}
	for p, s := range files {
		m[p] = tree.Text(s)
	}
	tr, err := tree.FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	return PrepareTree(t, tr)
}

// PrepareTree measures the baseline of a tree.
func PrepareTree(t testing.TB, tr *tree.Tree) bug.Target {
	t.Helper()
	plugin, err := os.MkdirTemp("", "bugtest-plugin-") // outlives t: targets are shared between tests
	if err != nil {
		t.Fatal(err)
	}
	j := &Judge{plugin: plugin, base: &testrun.Baseline{}}
	if err := os.WriteFile(filepath.Join(j.plugin, "bugtest_report.py"), []byte(reporter), 0o644); err != nil {
		t.Fatal(err)
	}
	rep, err := j.run(context.Background(), testrun.Request{Tree: tr}, true)
	if err != nil {
		t.Fatal(err)
	}
	j.base.Results, j.base.Seconds = rep.Results, rep.Seconds
	l, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	return bug.Target{Judge: j, Paths: l, Base: j.base,
		Snapshot: &source.Snapshot{Source: "/made/by/a/test", Name: "tiny", Local: true, Tree: tr, Digest: tr.Digest()}}
}

// interpreter is the real python3: what is first on the path may be a script
// that looks for it every time.
var interpreter = sync.OnceValue(func() string {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return "python3"
	}
	return strings.TrimSpace(string(out))
})

// Covering implements bug.Judge.
func (j *Judge) Covering(path string, first, last int) []string {
	var ids []string
	for id, files := range j.lines {
		if id != "" && id != "-" && slices.ContainsFunc(files[path], func(l int) bool { return first <= l && l <= last }) {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Imported implements bug.Judge.
func (j *Judge) Imported(path string, first, last int) bool {
	return slices.ContainsFunc(j.lines[""][path], func(l int) bool { return first <= l && l <= last })
}

// Run implements testrun.Runner.
func (j *Judge) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	return j.run(ctx, req, false)
}

func (j *Judge) run(ctx context.Context, req testrun.Request, trace bool) (testrun.Report, error) {
	dir, err := os.MkdirTemp("", "bugtest-")
	if err != nil {
		return testrun.Report{}, err
	}
	defer os.RemoveAll(dir)
	work := filepath.Join(dir, "work")
	files := map[string]*tree.File{}
	for p, s := range req.Files {
		if req.Tree.Has(p) {
			return testrun.Report{}, fmt.Errorf("%s is in the tree already", p)
		}
		files[p] = tree.Text(s)
	}
	t, err := req.Tree.With(files)
	if err != nil {
		return testrun.Report{}, err
	}
	if err := t.WriteTo(work); err != nil {
		return testrun.Report{}, err
	}
	wanted := append([]string(nil), req.Tests...)
	if req.Tests == nil && !req.FilesOnly {
		for id := range j.base.Results {
			wanted = append(wanted, id)
		}
	}
	names := make([]string, 0, len(req.Files))
	for p := range req.Files {
		names = append(names, p)
	}
	sort.Strings(names)
	r := testrun.Report{Results: outcome.Results{}, Failures: map[string]testrun.Failure{}, Seconds: map[string]float64{},
		Uncollected: map[string]testrun.Failure{}, Loaded: true, Complete: true}
	var list any
	var args []string
	if trace {
		list = nil
	} else {
		sort.Strings(wanted)
		list = append(slices.Clone(wanted), names...)
		seen := map[string]bool{}
		for _, id := range append(slices.Clone(wanted), names...) {
			f, _, _ := strings.Cut(id, "::")
			if !seen[f] && t.Has(f) {
				seen[f] = true
				args = append(args, f)
			}
		}
		if len(args) == 0 {
			args = []string{"."}
		}
	}
	if err := j.process(ctx, work, dir, req, list, args, trace, &r); err != nil {
		return r, err
	}
	for _, id := range wanted {
		if _, ok := r.Results[id]; !ok {
			r.Results[id] = outcome.Absent
		}
	}
	return r, nil
}

// process starts pytest; a test that hangs is killed and the rest run again
// without it, up to three times.
func (j *Judge) process(ctx context.Context, work, dir string, req testrun.Request, list any, args []string, trace bool, r *testrun.Report) error {
	hung, giveUp := 0, 3
	if req.GiveUp > 0 {
		giveUp = req.GiveUp
	}
	for {
		report := filepath.Join(dir, fmt.Sprintf("report-%d", hung))
		tests, err := json.Marshal(list)
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, interpreter(), append([]string{"-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "bugtest_report",
			"--continue-on-collection-errors"}, args...)...)
		cmd.Dir = work
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		cmd.Env = append(os.Environ(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", "PYTHONDONTWRITEBYTECODE=1", "BUGTEST_REPORT="+report, "BUGTEST_TESTS="+string(tests),
			fmt.Sprintf("PYTHONHASHSEED=%d", req.HashSeed), "PYTHONPATH="+j.plugin+":"+work+":"+filepath.Join(work, "src"))
		if trace {
			cmd.Env = append(cmd.Env, "BUGTEST_TRACE=1")
		}
		if req.Reverse {
			cmd.Env = append(cmd.Env, "BUGTEST_REVERSE=1")
		}
		if err := os.WriteFile(report, nil, 0o644); err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		killed := false
		size, since := int64(0), time.Now()
	wait:
		for {
			select {
			case <-ended:
				break wait
			case <-time.After(20 * time.Millisecond):
				info, err := os.Stat(report)
				if err == nil && info.Size() != size {
					size, since = info.Size(), time.Now()
				}
				limit := 1500 * time.Millisecond
				if size == 0 || trace {
					limit = time.Minute // it has not begun
				}
				if time.Since(since) > limit && !killed {
					killed = true
					if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
						return err
					}
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		at, done, err := j.read(report, r)
		if err != nil {
			return err
		}
		if done {
			return nil
		}
		if at == "" || hung+1 >= giveUp {
			r.GaveUp = at != ""
			r.Complete, r.Loaded = false, at != ""
			r.LoadError = "the process ended before any test"
			if at != "" {
				r.Results[at], r.Failures[at] = outcome.TimedOut, testrun.Failure{Kind: testrun.KindTimedOut}
			}
			return nil
		}
		hung++
		r.Results[at], r.Failures[at] = outcome.TimedOut, testrun.Failure{Kind: testrun.KindTimedOut}
		if !killed {
			r.Results[at], r.Failures[at] = outcome.Errored, testrun.Failure{}
		}
		old, ok := list.([]string)
		if !ok {
			return errors.New("a test of the base hangs or ends its process")
		}
		list = append(slices.Clone(old), "-"+at)
	}
}

// read takes a report; at is the test that was running when it ended.
func (j *Judge) read(name string, r *testrun.Report) (at string, done bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var m struct {
			Start, Test, Phase, Verdict, Kind, Message, Uncollected, Error string
			Seconds                                                        float64
			Line, Done                                                     int
			Lines                                                          *string
			Files                                                          testrun.Lines
		}
		if err := json.Unmarshal(s.Bytes(), &m); err != nil {
			return at, false, nil // cut off
		}
		switch {
		case m.Done == 1:
			return "", true, nil
		case m.Start != "":
			at = m.Start
		case m.Lines != nil:
			if j.lines == nil {
				j.lines = map[string]testrun.Lines{}
			}
			j.lines[*m.Lines] = m.Files
		case m.Uncollected != "":
			if len(j.base.Results) > 0 && !strings.Contains(m.Uncollected, "test_breakfix_") {
				r.Loaded, r.LoadError = false, m.Error
			}
		case m.Kind != "":
			r.Failures[m.Test] = testrun.Failure{Kind: m.Kind, Message: m.Message, TestLine: m.Line}
		case m.Verdict != "":
			r.Seconds[m.Test] += m.Seconds
			if v := outcome.Verdict(m.Verdict); r.Results.Get(m.Test) == outcome.Absent || v != outcome.Passed {
				r.Results[m.Test] = v
			}
		}
	}
	return at, false, s.Err()
}
