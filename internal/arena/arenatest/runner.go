// Package arenatest holds what tests of arenas and players share: a runner
// that runs pytest directly, without a box, and a bug made from a small
// package. It is for trusted code in tests only.
package arenatest

import (
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Runner runs tests, of the tree or of extra files, with python3 -m pytest.
type Runner struct {
	Dir  string // a folder of the test
	Runs int    // so far
}

var testLine = regexp.MustCompile(`(?m)^(\S+\.py):(\d+): ?(\w*)`)

// Run runs the tests one by one, on the tree with the extra files.
func (r *Runner) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	r.Runs++
	dir, err := os.MkdirTemp(r.Dir, "run")
	if err != nil {
		return testrun.Report{}, err
	}
	defer os.RemoveAll(dir)
	if err := req.Tree.WriteTo(dir); err != nil {
		return testrun.Report{}, err
	}
	report := testrun.Report{Results: outcome.Results{}, Failures: map[string]testrun.Failure{}, Loaded: true, Complete: true}
	for path, code := range req.Files {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(code), 0o600); err != nil {
			return report, err
		}
	}
	for _, id := range req.Tests {
		path, _, _ := strings.Cut(id, "::")
		deadline := 10 * time.Second
		if req.Deadline != nil {
			deadline = req.Deadline(id)
		}
		within, cancel := context.WithTimeout(ctx, deadline)
		start := time.Now()
		cmd := exec.CommandContext(within, "python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=out.xml", id)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput() // the exit status says no more than the report
		expired := within.Err() != nil
		cancel()
		report.Wall += time.Since(start)
		report.Ran++
		if expired {
			report.Results[id] = outcome.TimedOut
			continue
		}
		v, f, err := read(filepath.Join(dir, "out.xml"), path)
		if err != nil {
			return report, fmt.Errorf("pytest: %w\n%s", err, out)
		}
		report.Results[id] = v
		if v != outcome.Passed {
			report.Failures[id] = f
		}
	}
	return report, nil
}

func read(name, test string) (outcome.Verdict, testrun.Failure, error) {
	var doc struct {
		Cases []struct {
			Failure, Error *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			}
		} `xml:"testsuite>testcase"`
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return "", testrun.Failure{}, err
	}
	b = []byte(strings.NewReplacer("<failure", "<Failure", "</failure", "</Failure", "<error", "<Error", "</error", "</Error").Replace(string(b)))
	if err := xml.Unmarshal(b, &doc); err != nil || len(doc.Cases) != 1 {
		return "", testrun.Failure{}, fmt.Errorf("report has %d tests: %v", len(doc.Cases), err)
	}
	c := doc.Cases[0]
	bad, v := c.Failure, outcome.Failed
	if bad == nil {
		bad, v = c.Error, outcome.Errored
	}
	if bad == nil {
		return outcome.Passed, testrun.Failure{}, nil
	}
	f := testrun.Failure{Message: bad.Message, Text: bad.Text, Kind: "AssertionError"}
	if kind, rest, ok := strings.Cut(bad.Message, ": "); ok && !strings.Contains(kind, " ") {
		f.Kind, f.Message = kind, rest
	}
	for _, m := range testLine.FindAllStringSubmatch(bad.Text, -1) {
		line, _ := strconv.Atoi(m[2])
		f.Path, f.Line = m[1], line
		f.Frames = append(f.Frames, testrun.Frame{Path: m[1], Line: line})
		if m[1] == test {
			f.TestLine = line
		}
	}
	return v, f, nil
}

// Bug breaks files: old is replaced by new in the file at path. The red test
// is laid at test_red.py and its function is test_red.
func Bug(t testing.TB, r *Runner, files map[string]string, path, old, now, redTest string) (*bug.Bug, *tree.Tree) {
	t.Helper()
	base := map[string]*tree.File{}
	for p, s := range files {
		base[p] = tree.Text(s)
	}
	before, err := tree.FromFiles(base)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(files[path], old) != 1 {
		t.Fatalf("%q occurs %d times in %s", old, strings.Count(files[path], old), path)
	}
	broken, err := before.With(map[string]*tree.File{path: tree.Text(strings.Replace(files[path], old, now, 1))})
	if err != nil {
		t.Fatal(err)
	}
	inject, err := tree.Diff(before, broken)
	if err != nil {
		t.Fatal(err)
	}
	b := &bug.Bug{ID: "b", Order: 1, Inject: inject, Red: []string{"tests/test_x.py::test_secret"}, Hidden: []string{"tests/test_x.py::test_secret"},
		Operators: []string{"secret_operator"}, RedTest: bug.RedTest{Path: "test_red.py", Code: redTest, Test: "test_red.py::test_red"}}
	req := testrun.Request{Tree: broken, Tests: []string{b.RedTest.Test}, FilesOnly: true, Files: map[string]string{b.RedTest.Path: redTest},
		Deadline: func(string) time.Duration { return 10 * time.Second }}
	report, err := r.Run(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if v := report.Results.Get(b.RedTest.Test); !v.Red() {
		t.Fatalf("the red test is %s on the broken tree", v)
	}
	b.RedTest.Failure = report.Failures[b.RedTest.Test]
	return b, broken
}
