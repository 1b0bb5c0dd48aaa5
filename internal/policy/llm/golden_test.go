package llm

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/arena"
	"breakfix/internal/arena/arenatest"
	"breakfix/internal/bug"
	"breakfix/internal/engine"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

var update = flag.Bool("update", false, "write the golden files anew")

const code = `def clamp(value, low, high):
    """Keep value between low and high."""
    if value < low:
        return low
    if value > high:
        return high
    return value


def never():
    return 1 + 2
`

const redTest = `from pkg.mod import clamp


def test_red():
    assert clamp(5, 1, 3) == 3
`

const suite = "from pkg.mod import clamp\n\n\ndef test_secret():\n    assert clamp(9, 1, 3) == 3\n"

func targetFiles() map[string]string {
	return map[string]string{"pkg/__init__.py": "", "pkg/mod.py": code, "tests/test_mod.py": suite, "conftest.py": ""}
}

// brokenClamp is a bug that was made once, and its runs.
var brokenClamp = sync.OnceValues(func() (*bug.Bug, *memo) {
	dir, err := os.MkdirTemp("", "llm-test-")
	if err != nil {
		panic(err)
	}
	r := &arenatest.Runner{Dir: dir}
	b, broken := arenatest.Bug(&testing.T{}, r, targetFiles(), "pkg/mod.py", "value > high", "value < high", redTest)
	return b, &memo{runner: r, broken: broken, seen: map[tree.Digest]testrun.Report{}}
})

// memo runs the red test on each tree once.
type memo struct {
	runner testrun.Runner
	broken *tree.Tree
	mu     sync.Mutex
	seen   map[tree.Digest]testrun.Report
}

func (m *memo) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := req.Tree.Digest()
	if r, ok := m.seen[d]; ok {
		return r, nil
	}
	r, err := m.runner.Run(ctx, req)
	if err == nil {
		m.seen[d] = r
	}
	return r, err
}

// fixArena is an attempt at a broken clamp.
func fixArena(t testing.TB, steps int) *arena.FixArena {
	t.Helper()
	b, m := brokenClamp()
	a, err := arena.NewFix(m, b, m.broken, arena.FixOptions{Seed: 1, Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	_, made := brokenClamp()
	os.RemoveAll(made.runner.(*arenatest.Runner).Dir)
	os.Exit(code)
}

func breakArena(t testing.TB, o arena.BreakOptions) *arena.BreakArena {
	t.Helper()
	files := map[string]*tree.File{}
	for p, s := range targetFiles() {
		files[p] = tree.Text(s)
	}
	base, err := tree.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	if o.Runner == nil {
		o.Runner = &arenatest.Runner{Dir: t.TempDir()}
	}
	a, err := arena.NewBreak(arena.NewBank(base, nil, nil), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newPolicy(t testing.TB, s engine.Sampler, o Options) *Policy {
	t.Helper()
	if o.Now == nil {
		o.Now = ticking()
	}
	p, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func unpacked(t testing.TB, data json.RawMessage) *Play {
	t.Helper()
	play, err := Unpack(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return play
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs; go test ./internal/policy/llm -update writes it anew:\n%s", name, d)
	}
}

// sent is everything that a sampler was asked, as one text: the last ask holds
// all the messages of those before.
func sent(t *testing.T, s *script) string {
	t.Helper()
	var b strings.Builder
	last := s.asks[len(s.asks)-1]
	for _, tool := range last.Tools {
		b.WriteString("<tool " + tool.Name + ": " + tool.Description + " " + string(tool.Parameters) + ">\n")
	}
	b.WriteString(rendered(last.Messages))
	return b.String()
}

// story is a trajectory as JSON, tokens left to their numbers.
func story(t *testing.T, p *Play) string {
	t.Helper()
	b, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func TestWhatIsSentAndWhatIsKeptOfAGameAreTheGoldenFiles(t *testing.T) {
	fixes := map[string][]engine.Message{
		"fixer_calls": {use("list", "{}"), use("read", `{"path": "pkg/mod.py", "first": 1, "last": 7}`), use("search", `{"text": "clamp"}`), use("run_tests", "{}"),
			use("edit", `{"path": "pkg/mod.py", "old": "return low", "new": "return value"}`), use("diff", "{}"), use("undo", "{}"),
			use("edit", `{"path": "pkg/mod.py", "old": "value < high", "new": "value > high"}`), use("submit", "{}")},
		"fixer_text": {say("I look first.\n\nread pkg/mod.py 1 7"), say("edit pkg/mod.py\n<<<<\n    if value < high:\n====\n    if value > high:\n>>>>"), say("run_tests"), say("submit")},
	}
	for name, answers := range fixes {
		s := &script{answers: answers}
		o := Options{}
		if strings.HasSuffix(name, "text") {
			o.Protocol = Text
		}
		a := fixArena(t, 64)
		played, err := newPolicy(t, s, o).Fix(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		left, err := a.Result()
		if err != nil {
			t.Fatal(err)
		}
		if left.Ending != arena.Submitted || !strings.Contains(string(left.Patch), "+    if value > high:") || left.Records[len(left.Records)-1].Verdict == outcome.Failed {
			t.Errorf("%s: %s with\n%s", name, left.Ending, left.Patch)
		}
		golden(t, name+".prompt", sent(t, s))
		golden(t, name+".json", story(t, unpacked(t, played.Data)))
	}
	breaks := map[string][]engine.Message{
		"breaker_calls": {use("read", `{"path": "pkg/mod.py"}`), use("edit", `{"path": "pkg/mod.py", "old": "value > high", "new": "value < high"}`),
			use("run_tests", `{"tests": ["tests/test_mod.py::test_secret"]}`), use("submit", `{"tests": ["tests/test_mod.py"]}`),
			use("edit", `{"path": "tests/test_mod.py", "old": "    assert clamp(9, 1, 3) == 3\n", "new": "    pass\n"}`), use("submit", `{"tests": ["tests/test_mod.py"]}`)},
		"breaker_text": {say("choose 99"), say("choose 2")},
	}
	for name, answers := range breaks {
		s := &script{answers: answers}
		o := Options{Strategies: []string{"free"}}
		if strings.HasSuffix(name, "text") {
			o.Protocol, o.Strategies = Text, []string{"operator"}
		}
		a := breakArena(t, arena.BreakOptions{Seed: 3})
		played, err := newPolicy(t, s, o).Break(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		_, chosen, err := a.Result()
		if err != nil {
			t.Fatal(err)
		}
		if w := a.Written(); name == "breaker_calls" && (w == nil || !strings.Contains(string(w.Weaken), "+    pass") || w.Strategy != "free" || len(w.Tests) != 1) ||
			name == "breaker_text" && len(chosen) != 1 {
			t.Errorf("%s: handed in %+v, chose %v", name, w, chosen)
		}
		golden(t, name+".prompt", sent(t, s))
		golden(t, name+".json", story(t, unpacked(t, played.Data)))
	}
}

func TestBriefPromptsAreAFewLines(t *testing.T) {
	s := &script{answers: []engine.Message{say("4"), say("mutate 1")}}
	p := newPolicy(t, s, Options{Protocol: Text, Brief: true, Moves: 4})
	if _, err := p.Fix(context.Background(), fixArena(t, 4)); err != nil {
		t.Fatal(err)
	}
	b := &script{answers: []engine.Message{say("1")}}
	if _, err := newPolicy(t, b, Options{Protocol: Text, Brief: true, Moves: 4, Strategies: []string{"operator"}}).Break(context.Background(), breakArena(t, arena.BreakOptions{Seed: 3})); err != nil {
		t.Fatal(err)
	}
	golden(t, "brief.prompt", sent(t, s)+"-----\n"+sent(t, b))
}
