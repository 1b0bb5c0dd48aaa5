package testrun

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"breakfix/internal/source"
)

func TestFindingsLeftForLaterAreThoseOfABaselineThatHasThem(t *testing.T) {
	w, err := preparedLazily(t, "", unseen(map[string]string{"pkg.py": "import os\nx: int = ''\n", "bad.py": "raise ValueError\n",
		"test_a.py": "import pkg\ndef test_1(): pass\n"}))
	if err != nil {
		t.Fatal(err)
	}
	if w.Base.Lint != nil || w.Base.Types != nil || w.Base.RunLeft != nil {
		t.Errorf("the linters have run: %+v", w.Base)
	}
	ctx := context.Background()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if lint, err := w.Lint(ctx, w.Snapshot.Tree); err != nil || len(NewFindings(w.Base.Lint, lint)) != 0 || len(lint) == 0 {
				t.Errorf("lint %v, %v", lint, err)
			}
		})
		wg.Go(func() {
			if types, err := w.Types(ctx, w.Snapshot.Tree); err != nil || len(types) != 1 {
				t.Errorf("types %v, %v", types, err)
			}
		})
		wg.Go(func() {
			if why, err := w.Smoke(ctx, w.Snapshot.Tree, true); err != nil || why != "" || len(w.Base.RunLeft) != 1 {
				t.Errorf("smoke %q, %v", why, err)
			}
		})
	}
	wg.Wait()
	again, err := Prepare(ctx, Config{Box: w.Box, Snapshot: w.Snapshot})
	if err != nil || len(again.Base.Lint) != len(w.Base.Lint) || len(again.Base.Types) != 1 || len(again.Base.RunLeft) != 1 {
		t.Errorf("the findings were not kept: %v", err)
	}
}

// prepared opens a folder with the given files and prepares it.
func prepared(t *testing.T, cache string, files map[string]string, o source.Options) (*Workspace, error) {
	t.Helper()
	return preparedAs(t, cache, unseen(files), o, false)
}

// unseen adds to files a content of its own, so that the baseline is measured
// in each run of the tests.
func unseen(files map[string]string) map[string]string {
	var nonce [8]byte
	_, _ = rand.Read(nonce[:])
	files = maps.Clone(files)
	files["NOTES"] = hex.EncodeToString(nonce[:])
	return files
}

// preparedLazily is prepared without linters, and without measuring again what
// an earlier run of the tests has measured.
func preparedLazily(t *testing.T, cache string, files map[string]string) (*Workspace, error) {
	t.Helper()
	return preparedAs(t, cache, files, source.Options{}, true)
}

func preparedAs(t *testing.T, cache string, files map[string]string, o source.Options, lazy bool) (*Workspace, error) {
	t.Helper()
	dir := writtenTo(t, files)
	o.Cache = cache
	snap, err := source.Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return Prepare(context.Background(), Config{Box: testBox(t), Snapshot: snap, Options: o, LazyFindings: lazy, Uncalibrated: lazy,
		Progress: func(stage, detail string) { t.Logf("%s: %s", stage, detail) }})
}

// writtenTo writes files into a folder of the test.
func writtenTo(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for p, s := range files {
		name := filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
