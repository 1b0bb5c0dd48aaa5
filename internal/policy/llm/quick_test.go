package llm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/grade"
	"breakfix/internal/lang"
	_ "breakfix/internal/lang/python" // registers the language
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// quick judges trees in one warm process, some hundred a second: the real checks
// and gates, with plain Python in the place of a boxed pytest.
type quick struct {
	mu   sync.Mutex
	in   io.Writer
	out  *bufio.Reader
	base *testrun.Baseline
	runs int
}

// quickTarget prepares a target for bug.Validate and grade.Grade.
func quickTarget(t testing.TB, files map[string]string) (bug.Target, grade.Target, *arena.Bank) {
	t.Helper()
	m := map[string]*tree.File{}
	for p, s := range files {
		m[p] = tree.Text(s)
	}
	base, err := tree.FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-B", "testdata/quick.py")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	q := &quick{in: in, out: bufio.NewReaderSize(out, 1<<20), base: &testrun.Baseline{}}
	rep, err := q.Run(context.Background(), testrun.Request{Tree: base})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(rep.Results.Passed()); n == 0 || n < len(rep.Results) {
		t.Fatalf("%d of %d tests pass on the base", n, len(rep.Results))
	}
	q.base.Results, q.base.Seconds = rep.Results, map[string]float64{}
	python, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	return bug.Target{Judge: q, Paths: python, Base: q.base, Snapshot: &source.Snapshot{Source: "/made/by/a/test", Name: "small", Local: true, Tree: base, Digest: base.Digest()}},
		grade.Target{Judge: q, Paths: python, Base: q.base, Tree: base}, arena.NewBank(base, nil, nil)
}

func (q *quick) Covering(path string, _, _ int) []string {
	var ids []string
	for id := range q.base.Results {
		if strings.HasPrefix(id, "tests/test_"+strings.TrimSuffix(strings.TrimPrefix(path, "small/"), ".py")+".py::") {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}
func (q *quick) Imported(string, int, int) bool { return false }
func (q *quick) Lint(context.Context, *tree.Tree) (testrun.Findings, error) {
	return testrun.Findings{}, nil
}
func (q *quick) Types(context.Context, *tree.Tree) (testrun.Findings, error) {
	return testrun.Findings{}, nil
}
func (q *quick) Smoke(context.Context, *tree.Tree, bool) (string, error) { return "", nil }

func (q *quick) Run(_ context.Context, req testrun.Request) (testrun.Report, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.runs++
	want := struct {
		Files   map[string]string `json:"files"`
		Tests   []string          `json:"tests"`
		Only    []string          `json:"only"`
		Reverse bool              `json:"reverse"`
	}{Files: map[string]string{}, Tests: req.Tests, Only: []string{}, Reverse: req.Reverse}
	for _, p := range req.Tree.Paths() {
		src, err := req.Tree.Read(p)
		if err != nil {
			return testrun.Report{}, err
		}
		want.Files[p] = string(src)
	}
	for p, s := range req.Files {
		if req.FilesOnly {
			want.Only = append(want.Only, p)
		}
		want.Files[p] = s
	}
	slices.Sort(want.Only)
	b, err := json.Marshal(want)
	if err != nil {
		return testrun.Report{}, err
	}
	if _, err := q.in.Write(append(b, '\n')); err != nil {
		return testrun.Report{}, err
	}
	line, err := q.out.ReadBytes('\n')
	if err != nil {
		return testrun.Report{}, errors.Join(errors.New("the process that runs tests has ended"), err)
	}
	var got struct {
		Results     outcome.Results
		Failures    map[string]testrun.Failure
		Uncollected map[string]testrun.Failure
	}
	if err := json.Unmarshal(line, &got); err != nil {
		return testrun.Report{}, err
	}
	rep := testrun.Report{Results: got.Results, Failures: got.Failures, Uncollected: got.Uncollected, Seconds: map[string]float64{}, Loaded: true, Complete: true,
		Ran: len(got.Results), Tier: testrun.CodeSwap}
	for p, f := range got.Uncollected {
		if _, ours := req.Files[p]; !ours {
			rep.Loaded, rep.LoadError = false, f.Text
		}
	}
	wanted := req.Tests
	if wanted == nil && !req.FilesOnly && q.base.Results != nil {
		for id := range q.base.Results {
			wanted = append(wanted, id)
		}
	}
	for _, id := range wanted {
		if _, ok := rep.Results[id]; !ok {
			rep.Results[id] = outcome.Absent
		}
	}
	for id := range rep.Results {
		if !strings.Contains(id, "::") {
			delete(rep.Results, id)
		}
	}
	return rep, nil
}
