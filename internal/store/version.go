package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// gateFile is what a version's folder says of its match.
const gateFile = "gate.json"

// VersionDir returns the folder of a version of the weights; the first, which
// the run began with, is 0.
func (s *Store) VersionDir(n int) string {
	return filepath.Join(s.dir, VersionsDir, strconv.Itoa(n))
}

// HasVersion reports whether a version was kept.
func (s *Store) HasVersion(n int) bool {
	_, err := os.Stat(s.VersionDir(n))
	return err == nil
}

// PutVersion keeps a version: write fills an empty folder, which then takes its
// place whole or not at all. What a run that was cut off left there is replaced.
func (s *Store) PutVersion(n int, write func(dir string) error) error {
	if s.w == nil {
		return errors.New("this run folder was opened for reading; resume it to write")
	}
	half, err := os.MkdirTemp(s.path(VersionsDir), halfPrefix)
	if err == nil {
		if err = write(half); err == nil {
			err = errors.Join(os.Chmod(half, 0o755), os.RemoveAll(s.VersionDir(n)))
		}
		if err == nil {
			err = os.Rename(half, s.VersionDir(n))
		}
		if err != nil {
			os.RemoveAll(half)
		}
	}
	return s.explain(fmt.Sprintf("keep version %d", n), err)
}

// PutGate keeps the numbers of a version's match beside its weights.
func (s *Store) PutGate(n int, b []byte) error {
	return s.explain(fmt.Sprintf("keep what the gate says of version %d", n), writeFile(filepath.Join(s.VersionDir(n), gateFile), b))
}

// Versions returns what was kept under MetaVersions, in order; nil when nothing was.
func (s *Store) Versions(ctx context.Context) ([]Version, error) {
	b, err := s.Meta(ctx, MetaVersions)
	if err != nil || b == nil {
		return nil, err
	}
	var rows []Version
	if err := json.Unmarshal(b, &rows); err != nil {
		return nil, &RunError{Kind: ErrDamaged, Reason: "the versions in " + s.path(dbFile) + " are damaged", Err: err}
	}
	return rows, nil
}

// Playing returns the folder and the row of the last version that was accepted.
// The error is ErrAbsent when the run keeps none.
func (s *Store) Playing(rows []Version) (dir string, v Version, err error) {
	for n := len(rows) - 1; n >= 0; n-- {
		if rows[n].Accepted != nil && *rows[n].Accepted && s.HasVersion(n) {
			return s.VersionDir(n), rows[n], nil
		}
	}
	return "", v, absent("run %s keeps no version of its own: it learned nothing", s.run.Name)
}
