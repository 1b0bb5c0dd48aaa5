package testrun

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"breakfix/internal/source"
)

// prepared opens a folder with the given files and prepares it.
func prepared(t *testing.T, cache string, files map[string]string, o source.Options) (*Workspace, error) {
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
	o.Cache = cache
	// A content of its own, so that the baseline is measured in each run of the tests.
	var nonce [8]byte
	_, _ = rand.Read(nonce[:])
	if err := os.WriteFile(filepath.Join(dir, "NOTES"), []byte(hex.EncodeToString(nonce[:])), 0o644); err != nil {
		t.Fatal(err)
	}
	snap, err := source.Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return Prepare(context.Background(), Config{Box: testBox(t), Snapshot: snap, Options: o,
		Progress: func(stage, detail string) { t.Logf("%s: %s", stage, detail) }})
}
