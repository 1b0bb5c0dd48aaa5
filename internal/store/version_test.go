package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAVersionIsKeptWholeOrNotAtAllAndTheLastAcceptedOnePlays(t *testing.T) {
	s, err := Create(filepath.Join(t.TempDir(), "run"), Run{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put := func(n int, text string, fail error) error {
		return s.PutVersion(n, func(dir string) error {
			if err := os.WriteFile(filepath.Join(dir, "weights"), []byte(text), 0o644); err != nil {
				return err
			}
			return fail
		})
	}
	if err := put(0, "half", errors.New("no")); err == nil || s.HasVersion(0) {
		t.Errorf("half a version was kept: %v", err)
	}
	for n, text := range []string{"zero", "one", "two"} {
		if err := put(n, text, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(1, "one again", nil); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(s.VersionDir(1), "weights")); err != nil || string(b) != "one again" {
		t.Errorf("version 1 holds %q, %v", b, err)
	}
	if left, err := os.ReadDir(filepath.Dir(s.VersionDir(0))); err != nil || len(left) != 3 {
		t.Errorf("%d folders are left, %v; want three", len(left), err)
	}
	yes, no := true, false
	rows := []Version{{Version: "a", Accepted: &yes}, {Version: "b", Accepted: &yes}, {Version: "c", Accepted: &no}}
	if dir, v, err := s.Playing(rows); err != nil || v.Version != "b" || dir != s.VersionDir(1) {
		t.Errorf("%s in %s plays, %v; want b", v.Version, dir, err)
	}
	if _, _, err := s.Playing(nil); !errors.Is(err, ErrAbsent) {
		t.Errorf("of a run that learned nothing: %v", err)
	}
}
