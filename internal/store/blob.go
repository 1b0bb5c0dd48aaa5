package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// PutBlob keeps b and returns its digest. The same content is kept once.
func (s *Store) PutBlob(b []byte) (string, error) {
	if s.w == nil {
		return "", errors.New("this run folder was opened for reading; resume it to write")
	}
	d := digestOf(b)
	name := s.blobPath(d)
	if info, err := os.Stat(name); err == nil && info.Size() == int64(len(b)) {
		return d, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return "", s.explain("keep a blob", err)
	}
	if err := writeFile(name, b); err != nil {
		return "", s.explain("keep a blob", err)
	}
	return d, nil
}

// Blob returns the content of that digest; content that no longer has its
// digest is an error.
func (s *Store) Blob(digest string) ([]byte, error) {
	if len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" {
		return nil, absent("%q is no digest", digest)
	}
	b, err := os.ReadFile(s.blobPath(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, absent("there is no blob %s", digest)
	}
	if err != nil {
		return nil, s.explain("read a blob", err)
	}
	if digestOf(b) != digest {
		return nil, &RunError{Kind: ErrDamaged, Reason: fmt.Sprintf("blob %s was changed or cut off", digest), Next: "restore it from a copy"}
	}
	return b, nil
}

func (s *Store) blobPath(digest string) string {
	return filepath.Join(s.dir, BlobsDir, digest[:2], digest)
}

// halfPrefix begins the names of files that are being written.
const halfPrefix = ".half-"

// writeFile writes name whole or not at all.
func writeFile(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), halfPrefix)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// dropHalfBlobs removes what a killed process was writing.
func (s *Store) dropHalfBlobs() {
	half, _ := filepath.Glob(filepath.Join(s.dir, BlobsDir, "*", halfPrefix+"*"))
	for _, name := range half {
		os.Remove(name)
	}
}
