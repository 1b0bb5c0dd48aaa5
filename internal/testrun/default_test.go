package testrun

import (
	"context"
	"os"
	"testing"
	"time"

	"breakfix/internal/source"
	"breakfix/internal/tree"
)

func TestTheDefaultTargetIsPreparedAndReused(t *testing.T) {
	if os.Getenv("BREAKFIX_SLOW") == "" {
		t.Skip("set BREAKFIX_SLOW=1: it installs a package")
	}
	ctx := context.Background()
	snap, err := source.Open(ctx, "pypi:cachetools==8.0.1", source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Box: testBox(t), Snapshot: snap, Progress: func(stage, detail string) { t.Logf("%s: %s", stage, detail) }}
	for range 2 {
		began := time.Now()
		w, err := Prepare(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("prepared in %.2f s; autoload %v; %d lint, %d type findings; left out %q; stats %+v", time.Since(began).Seconds(), w.mode.Autoload,
			len(w.Base.Lint), len(w.Base.Types), w.Base.RunLeft, w.Stats())
		if n := len(w.Base.Results.Passed()); n != 465 {
			t.Errorf("%d tests pass", n)
		}
		if ids := w.Covering("src/cachetools/__init__.py", 1, 10000); len(ids) < 100 {
			t.Errorf("%d tests cover the package", len(ids))
		}
		id := w.Base.Results.Passed()[0]
		for _, q := range []struct {
			name string
			req  Request
		}{{"one", Request{Tree: snap.Tree, Tests: []string{id}, Fresh: true}}, {"suite", Request{Tree: snap.Tree, Fresh: true}},
			{"suite, kept", Request{Tree: snap.Tree}}, {"suite, cached", Request{Tree: snap.Tree}}} {
			name, req := q.name, q.req
			began := time.Now()
			rep, err := w.Run(ctx, req)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %.2f s, ran %d, cached %d, peak %d", name, time.Since(began).Seconds(), rep.Ran, rep.Cached, rep.PeakMemory)
			for id, v := range rep.Results {
				if v != w.Base.Results[id] {
					t.Errorf("%s: %s is %s", name, id, v)
				}
			}
		}
		text, err := snap.Tree.Read("src/cachetools/__init__.py")
		if err != nil {
			t.Fatal(err)
		}
		broken, err := snap.Tree.With(map[string]*tree.File{"src/cachetools/__init__.py": {Kind: tree.Regular,
			Data: []byte(string(text) + "\n\ndef added(x: int) -> str:\n    unused = undefined_thing\n    return x\n")}})
		if err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		lint, err := w.Lint(ctx, broken)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("lint %.2f s: %v", time.Since(began).Seconds(), NewFindings(w.Base.Lint, lint))
		began = time.Now()
		types, err := w.Types(ctx, broken)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("types %.2f s: %v", time.Since(began).Seconds(), NewFindings(w.Base.Types, types))
		began = time.Now()
		why, err := w.Smoke(ctx, broken, true)
		if err != nil || why != "" {
			t.Errorf("smoke: %q %v", why, err)
		}
		t.Logf("smoke %.2f s", time.Since(began).Seconds())
	}
}
