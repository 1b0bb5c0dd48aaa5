package testrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
	"github.com/google/go-cmp/cmp"
)

// coldly is a copy of a workspace's linters that starts the tool anew each time.
func coldly(w *Workspace) linters {
	l := w.lint
	l.warm = nil
	return l
}

// gateTarget prepares a published package.
func gateTarget(tb testing.TB, name string) *Workspace {
	tb.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	snap, err := source.Open(context.Background(), name, source.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	w, err := Prepare(context.Background(), Config{Box: box, Snapshot: snap, NoCache: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { w.Close() })
	return eager(tb, w)
}

// eager gives a workspace warm processes of its own until the test ends,
// started for the first call of each gate: others may have closed the shared ones.
func eager(tb testing.TB, w *Workspace) *Workspace {
	tb.Helper()
	if w.lint.warm != nil {
		w.lint.warm.close()
	}
	if g := newGates(w); g != nil {
		g.after = nil
		w.lint.warm = g
		tb.Cleanup(g.close)
	}
	return w
}

// asked is one gate, warm and cold, about a tree.
type asked struct {
	name       string
	warm, cold func(*tree.Tree) (string, error)
}

// gatesOf are the three gates of a workspace; an answer is shown as a text, with
// every finding as often as it is there.
func gatesOf(w *Workspace) []asked {
	ctx := context.Background()
	show := func(f Findings, err error) (string, error) {
		var lines []string
		for _, k := range f.sorted() {
			lines = append(lines, fmt.Sprintf("%d × %s", f[k], k))
		}
		return strings.Join(lines, "\n"), err
	}
	lint := func(l linters) func(*tree.Tree) (string, error) {
		return func(t *tree.Tree) (string, error) { return show(l.pylint(ctx, t, changedCode(w.Snapshot.Tree, t))) }
	}
	types := func(l linters) func(*tree.Tree) (string, error) {
		return func(t *tree.Tree) (string, error) { return show(l.mypy(ctx, t, codeFiles(t))) }
	}
	smoke := func(g *gates) func(*tree.Tree) (string, error) {
		s := smoker{box: w.Box, env: w.Env, mode: w.mode, warm: g}
		return func(t *tree.Tree) (string, error) {
			steps := slices.DeleteFunc(smokeStepsOf(w.Snapshot.Tree, t, w.Env), func(st smokeStep) bool { return slices.Contains(w.Base.RunLeft, st.label()) })
			failed, err := s.run(ctx, t, steps, true)
			return fmt.Sprint(failed), err
		}
	}
	return []asked{{"pylint", lint(w.lint), lint(coldly(w))}, {"mypy", types(w.lint), types(coldly(w))}, {"smoke", smoke(w.lint.warm), smoke(nil)}}
}

func TestWarmGatesSayWhatColdOnesSay(t *testing.T) {
	type target struct {
		name string
		w    *Workspace
		n    int
	}
	targets := []target{{"stock", eager(t, stock(t)), 12}}
	if os.Getenv("BREAKFIX_SLOW") != "" {
		targets = append(targets, target{"cachetools", gateTarget(t, "pypi:cachetools==8.0.1"), 200}, target{"toolz", gateTarget(t, "pypi:toolz==1.2.0"), 60},
			// Typed throughout: mypy reads no body without annotations.
			target{"itsdangerous", gateTarget(t, "pypi:itsdangerous==2.2.0"), 200})
	}
	seed := uint64(1)
	if s := os.Getenv("BREAKFIX_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	for _, tg := range targets {
		t.Run(tg.name, func(t *testing.T) {
			if tg.w.lint.warm == nil {
				t.Skip("this sandbox cannot keep boxes open")
			}
			mutants, err := tg.w.Draw(tg.n, seed, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(mutants) == 0 {
				t.Fatal("no mutant was drawn")
			}
			for _, g := range gatesOf(tg.w) {
				t.Run(g.name, func(t *testing.T) { compareGate(t, tg.w.lint.warm, g, mutants) })
			}
		})
	}
}

// compareGate asks a gate about mutants, warm and cold by turns.
func compareGate(t *testing.T, used *gates, g asked, mutants []Mutant) {
	if _, err := g.warm(mutants[0].Tree); err != nil { // starts it
		t.Fatal(err)
	}
	var warm, cold []float64
	differ, answers := 0, map[string]bool{}
	for _, m := range mutants {
		began := time.Now()
		got, err := g.warm(m.Tree)
		if err != nil {
			t.Fatal(err)
		}
		between := time.Now()
		want, err := g.cold(m.Tree)
		if err != nil {
			t.Fatal(err)
		}
		warm, cold = append(warm, between.Sub(began).Seconds()*1000), append(cold, time.Since(between).Seconds()*1000)
		if answers[want] = true; got != want {
			differ++
			t.Errorf("%s:%d %s %s (- cold, + warm): %s", m.Path, m.Line, m.Operator, m.Variant, cmp.Diff(want, got))
		}
	}
	slices.Sort(warm)
	slices.Sort(cold)
	t.Logf("%d mutants, %d different answers, %d differ; median %.0f ms warm, %.0f ms cold; worst %.0f and %.0f ms", len(mutants), len(answers), differ,
		warm[len(warm)/2], cold[len(cold)/2], warm[len(warm)-1], cold[len(cold)-1])
	if why := used.why(g.name); why != "" {
		t.Fatalf("warm processes were given up: %s", why)
	}
	err := used.with(context.Background(), gate(g.name), func(p *warmProcess) error {
		t.Logf("%d MB at most, %d children, %d modules loaded ahead", p.Peak()>>20, p.Runs(), len(p.ready.Modules))
		if p.Peak() > 300<<20 {
			t.Errorf("a warm process uses %d MB", p.Peak()>>20)
		}
		if p.Runs() < len(mutants) {
			t.Errorf("%d children for %d mutants: some were judged in fresh processes", p.Runs(), len(mutants))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWarmGatesSayWhatColdOnesSayOfOddTrees(t *testing.T) {
	w := eager(t, stock(t))
	for name, files := range map[string]map[string]*tree.File{
		"a file that is not UTF-8":              {"stock/bytes.py": tree.Text("x = \"\xe9\"\n"), "stock/typed.py": tree.Text("number: int = \"text\"\n")},
		"a syntax error":                        {"stock/count.py": tree.Text("print 1\n")},
		"a new module that others use":          {"stock/more.py": tree.Text("def twice(x: int) -> int:\n    return 2 * x\n"), "stock/count.py": tree.Text("from .more import twice, thrice\n\ndef total(items):\n    return twice('x') + thrice(items)\n")},
		"a module that is gone":                 {"stock/count.py": nil},
		"a module called as one of the library": {"typing.py": tree.Text("x = 1\n"), "stock/count.py": tree.Text("import typing\n\ndef total(items):\n    return typing.y\n")},
		"a signature that others call":          {"stock/count.py": tree.Text("def total() -> int:\n    return 1\n"), "stock/user.py": tree.Text("from .count import total\n\ndef use() -> str:\n    return total(1)\n")},
		"a comment that silences":               {"stock/count.py": tree.Text("def total(items):  # pylint: disable=unused-argument\n    return unknown  # type: ignore\n")},
		"a stub beside it":                      {"stock/count.pyi": tree.Text("def total(items: list[int]) -> int: ...\n"), "stock/user.py": tree.Text("from .count import total\nx: str = total([1])\n")},
		"the same size as before":               {"stock/count.py": tree.Text(strings.ReplaceAll(stockFiles["stock/count.py"], "n = 0", "n = m"))},
	} {
		broken, err := w.Snapshot.Tree.With(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range gatesOf(w) {
			got, err := g.warm(broken)
			want, err2 := g.cold(broken)
			if err = errors.Join(err, err2); err != nil {
				t.Errorf("%s: %s: %v", name, g.name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s (- cold, + warm): %s", name, g.name, diff)
			}
		}
	}
}

func TestLintersTakeNoModuleOfTheTreeForTheirOwn(t *testing.T) {
	w := eager(t, stock(t))
	files := map[string]*tree.File{"stock/count.py": tree.Text("def total(items) -> str:\n    return unknown_name + 1\n")}
	for _, name := range []string{"astroid.py", "pylint.py", "mypy.py", "runpy.py"} {
		files[name] = tree.Text("raise SystemExit(0)\n")
	}
	broken, err := w.Snapshot.Tree.With(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]linters{"warm": w.lint, "cold": coldly(w)} {
		found, err := l.pylint(context.Background(), broken, []string{"stock/count.py"})
		if err != nil || found[Finding{File: "stock/count.py", Rule: "undefined-variable", Object: "total", Message: "Undefined variable 'unknown_name'"}] != 1 {
			t.Errorf("%s pylint: %v, %v", name, found, err)
		}
		found, err = l.mypy(context.Background(), broken, []string{"stock/count.py"})
		if err != nil || found[Finding{File: "stock/count.py", Rule: "name-defined", Message: `Name "unknown_name" is not defined`}] != 1 {
			t.Errorf("%s mypy: %v, %v", name, found, err)
		}
	}
}

func TestAWarmLinterThatDiesLeavesItToAFreshOne(t *testing.T) {
	w := stock(t)
	if w.lint.warm == nil {
		t.Skip("this sandbox cannot keep boxes open")
	}
	g := newGates(w)
	g.after = nil
	defer g.close()
	l := w.lint
	l.warm = g
	want, err := coldly(w).pylint(context.Background(), w.Snapshot.Tree, []string{"stock/count.py"})
	if err != nil {
		t.Fatal(err)
	}
	g.lint.dir = t.TempDir() // no python in it
	got, err := l.pylint(context.Background(), w.Snapshot.Tree, []string{"stock/count.py"})
	if err != nil || g.why("pylint") == "" {
		t.Fatalf("%v, given up because %q", err, g.why("pylint"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAWarmMypyThatDisagreesAboutTheSnapshotIsNotUsed(t *testing.T) {
	w := stock(t)
	if w.lint.warm == nil {
		t.Skip("this sandbox cannot keep boxes open")
	}
	g := newGates(w)
	g.after, g.types = nil, Findings{{File: "stock/count.py", Rule: "misc", Message: "a finding that nobody makes"}: 1}
	defer g.close()
	l := w.lint
	l.warm = g
	got, err := l.mypy(context.Background(), w.Snapshot.Tree, codeFiles(w.Snapshot.Tree))
	if err != nil || g.why("mypy") == "" {
		t.Fatalf("%v, given up because %q", err, g.why("mypy"))
	}
	if diff := cmp.Diff(w.Base.Types, got); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkGates asks each gate about mutants, warm and cold by turns.
func BenchmarkGates(b *testing.B) {
	if os.Getenv("BREAKFIX_SLOW") == "" {
		b.Skip("set BREAKFIX_SLOW=1: it installs a package")
	}
	w := gateTarget(b, "pypi:cachetools==8.0.1")
	mutants, err := w.Draw(40, 2, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, g := range gatesOf(w) {
		b.Run(g.name, func(b *testing.B) {
			if _, err := g.warm(mutants[0].Tree); err != nil {
				b.Fatal(err)
			}
			var warm, cold time.Duration
			n := 0
			for b.Loop() {
				m := mutants[n%len(mutants)]
				began := time.Now()
				if _, err := g.warm(m.Tree); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				if _, err := g.cold(m.Tree); err != nil {
					b.Fatal(err)
				}
				warm, cold = warm+between.Sub(began), cold+time.Since(between)
				n++
			}
			b.ReportMetric(warm.Seconds()*1000/float64(n), "warm-ms")
			b.ReportMetric(cold.Seconds()*1000/float64(n), "cold-ms")
			b.ReportMetric(cold.Seconds()/warm.Seconds(), "x")
		})
	}
}
