package testrun

import (
	"path/filepath"
	"sync"

	"breakfix/internal/tree"
)

const factDisk = 32 << 20 // bytes of one workspace's facts on disk

// factCache keeps what linters and smoke runs said of trees, in memory and on
// disk, by name. Two processes may share the folder.
type factCache struct {
	dir string
	mu  sync.Mutex
	m   map[string]any
}

func newFactCache(dir string) (*factCache, error) {
	if err := openFolder(dir, factDisk); err != nil {
		return nil, err
	}
	return &factCache{dir: dir, m: map[string]any{}}, nil
}

func (f *factCache) file(key string) string {
	return filepath.Join(f.dir, string(tree.DigestOf([]byte(key)))[:32]+".gz")
}

// fact returns what is known under a key.
func fact[T any](f *factCache, key string) (T, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v, ok := f.m[key].(T); ok {
		return v, true
	}
	var v T
	if f.dir == "" || !readGzipJSON(f.file(key), &v) {
		return v, false
	}
	f.keep(key, v)
	return v, true
}

func setFact[T any](f *factCache, key string, v T) {
	f.mu.Lock()
	f.keep(key, v)
	f.mu.Unlock()
	if f.dir != "" {
		_ = writeGzipJSON(f.file(key), v) // losing it costs time only
	}
}

func (f *factCache) keep(key string, v any) {
	if len(f.m) > 2000 {
		clear(f.m) // what is needed again is read from disk
	}
	f.m[key] = v
}
