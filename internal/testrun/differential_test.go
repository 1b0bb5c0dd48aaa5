package testrun

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// difference compares one mutant in a fast tier with the truth.
type difference struct {
	tier    Tier
	wrong   bool     // the verdict on the mutant
	labels  int      // tests compared
	differ  []string // tests with another verdict
	seconds float64
}

func compareMutant(w *Workspace, m Mutant, tier Tier) (difference, error) {
	ctx := context.Background()
	began := time.Now()
	fast, err := w.Run(ctx, Request{Tree: m.Tree, Tier: tier, Fresh: true, Unaudited: true})
	if err != nil {
		return difference{}, err
	}
	base := maps.Clone(w.Base.Results)
	maps.DeleteFunc(base, func(id string, _ outcome.Verdict) bool {
		return strings.Contains(id, "test_coin[") // it tosses a coin, and some come out alike in every run of the baseline
	})
	d := difference{tier: fast.Tier, seconds: time.Since(began).Seconds()}
	truth, err := w.Run(ctx, Request{Tree: m.Tree, Fresh: true, GiveUp: 3})
	if err != nil {
		return difference{}, err
	}
	if fast.GaveUp || truth.GaveUp {
		d.wrong = fast.GaveUp != truth.GaveUp && (len(outcome.Red(base, fast.Results)) == 0) != (len(outcome.Red(base, truth.Results)) == 0)
		return d, nil
	}
	if !fast.Loaded && !truth.Loaded {
		return d, nil // that is the verdict; which tests there are is not known: pytest names none where one file does not load
	}
	d.wrong = (len(outcome.Red(base, fast.Results)) == 0) != (len(outcome.Red(base, truth.Results)) == 0) || fast.Loaded != truth.Loaded
	for id := range base {
		d.labels++
		if a, b := fast.Results.Get(id), truth.Results.Get(id); a != b {
			d.differ = append(d.differ, fmt.Sprintf("%s: %s, truly %s", id, a, b))
		}
	}
	return d, nil
}

// TestDifferential draws mutants of a target, and a quarter as many changes
// that no operator makes, and judges each in a fast tier and, whole suite, in a fresh process. BREAKFIX_DIFFERENTIAL names sources for
// the long version, BREAKFIX_MUTANTS how many mutants of each.
func TestDifferentialTiersAgreeWithFreshProcesses(t *testing.T) {
	type target struct {
		name string
		w    *Workspace
	}
	targets := []target{{"stock", stock(t)}}
	n := 12
	if names := os.Getenv("BREAKFIX_DIFFERENTIAL"); names != "" {
		targets, n = nil, 300
		for _, name := range strings.Fields(names) {
			snap, err := source.Open(context.Background(), name, source.Options{})
			if err != nil {
				t.Fatal(err)
			}
			w, err := Prepare(context.Background(), Config{Box: testBox(t), Snapshot: snap, Progress: func(stage, detail string) { t.Logf("%s: %s", stage, detail) }})
			if err != nil {
				t.Fatal(err)
			}
			targets = append(targets, target{name, w})
		}
	}
	if s := os.Getenv("BREAKFIX_MUTANTS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	for _, tg := range targets {
		t.Run(tg.name, func(t *testing.T) {
			if tg.name != "stock" { // other tests use it
				defer tg.w.Close()
			}
			mutants, err := tg.w.Draw(n, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(mutants) == 0 {
				t.Fatal("no mutant was drawn")
			}
			mutants = append(mutants, drawMoves(t, tg.w, n/4, 1)...)
			found := make([]difference, len(mutants))
			var g errgroup.Group
			g.SetLimit(AtOnce(runtime.NumCPU()))
			for i, m := range mutants {
				g.Go(func() error {
					d, err := compareMutant(tg.w, m, CodeSwap)
					if err != nil {
						return err
					}
					found[i] = d
					t.Logf("%-14s %6.1f ms %s:%d %s %s", d.tier, d.seconds*1000, m.Path, m.Line, m.Operator, m.Variant)
					if d.wrong {
						t.Errorf("%s:%d %s %s: the verdict is wrong", m.Path, m.Line, m.Operator, m.Variant)
					}
					if len(d.differ) > 0 {
						t.Logf("%s:%d %s %s: %d labels differ: %s", m.Path, m.Line, m.Operator, m.Variant, len(d.differ), strings.Join(d.differ[:min(5, len(d.differ))], "; "))
					}
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			wrong, labels, differ := 0, 0, 0
			tiers := map[Tier]int{}
			for _, d := range found {
				tiers[d.tier]++
				labels += d.labels
				differ += len(d.differ)
				if d.wrong {
					wrong++
				}
			}
			t.Logf("%d mutants, %d wrong, %d of %d labels differ, tiers %v; not in use: %q %q", len(mutants), wrong, differ, labels, tiers, notUsed(tg.w, CodeSwap), notUsed(tg.w, LazyImport))
			if 1000*differ > labels {
				t.Errorf("%d of %d labels differ", differ, labels)
			}
		})
	}
}

// notUsed says why a tier is not used for a target.
func notUsed(w *Workspace, t Tier) string {
	if w.warm == nil {
		return "no warm process can be had"
	}
	return w.warm.why(t)
}

func TestAFailureReadsTheSameInEveryTier(t *testing.T) {
	w := stock(t)
	for _, c := range []struct{ path, from, to string }{
		{"stock/count.py", "        n += x\n", "        n += x\n        n += 1\n"}, // lines below move
		{"stock/count.py", "        n += x\n", "        n += x.nothing\n"},
		{"stock/__init__.py", "        return x\n", "        raise KeyError(\n            x)\n"},
	} {
		broken := changed(t, w, c.path, c.from, c.to)
		tests := []string{"tests/test_stock.py::test_total", "tests/test_stock.py::test_first", "tests/test_stock.py::test_many[3]"}
		fast := mustReport(t, w, Request{Tree: broken, Tests: tests, Tier: CodeSwap, Fresh: true})
		truth := mustReport(t, w, Request{Tree: broken, Tests: tests, Fresh: true})
		if fast.Tier != CodeSwap || len(truth.Failures) == 0 {
			t.Errorf("%q ran in %v with %d failures", c.to, fast.Tier, len(truth.Failures))
		}
		if diff := cmp.Diff(truth.Failures, fast.Failures); diff != "" {
			t.Errorf("%q: %s", c.to, diff)
		}
	}
}
