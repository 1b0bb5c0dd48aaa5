package testrun

import (
	"compress/gzip"
	"container/list"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// record is one verdict as the cache keeps it.
type record struct {
	Verdict outcome.Verdict `json:"v"`
	Seconds float64         `json:"s,omitempty"`
	Failure *Failure        `json:"f,omitempty"`
}

// entry is what is known of one tree's own tests, or of one file of ours on
// one tree.
type entry struct {
	Tests       map[string]record  `json:"tests"`
	Uncollected map[string]Failure `json:"uncollected,omitempty"`
	Load        string             `json:"load,omitempty"`  // these files keep a process from getting to its tests
	Whole       bool               `json:"whole,omitempty"` // a file of ours: IDs is all that it holds
	IDs         []string           `json:"ids,omitempty"`
}

const (
	entriesInMemory = 96
	verdictDisk     = 128 << 20 // bytes of one workspace's verdicts on disk, beyond which the oldest go
)

// verdictCache keeps verdicts of one workspace, by tree: the last used entries
// in memory, all of them as compressed files in a bounded folder. A file that
// cannot be read counts as not known; two processes may share the folder.
type verdictCache struct {
	dir string

	mu      sync.Mutex
	recent  *list.List // of *held, most recent first
	byKey   map[string]*list.Element
	flights map[string]chan struct{}
}

type held struct {
	key string
	e   *entry
}

// newVerdictCache opens a cache; without a folder it lives in memory only.
func newVerdictCache(dir string) (*verdictCache, error) {
	if err := openFolder(dir, verdictDisk); err != nil {
		return nil, err
	}
	return &verdictCache{dir: dir, recent: list.New(), byKey: map[string]*list.Element{}, flights: map[string]chan struct{}{}}, nil
}

// lock waits until nobody else runs what key names.
func (c *verdictCache) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		c.mu.Lock()
		busy, ok := c.flights[key]
		if !ok {
			mine := make(chan struct{})
			c.flights[key] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.flights, key)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *verdictCache) file(key string) string {
	return filepath.Join(c.dir, string(tree.DigestOf([]byte(key)))[:32]+".gz")
}

// get returns what is known, nil when nothing is. The entry must not be changed.
func (c *verdictCache) get(key string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byKey[key]; ok {
		c.recent.MoveToFront(el)
		return el.Value.(*held).e
	}
	var e entry
	if c.dir == "" || !readGzipJSON(c.file(key), &e) {
		return nil
	}
	c.hold(key, &e)
	return &e
}

func (c *verdictCache) hold(key string, e *entry) {
	if el, ok := c.byKey[key]; ok {
		el.Value.(*held).e = e
		c.recent.MoveToFront(el)
		return
	}
	c.byKey[key] = c.recent.PushFront(&held{key, e})
	for c.recent.Len() > entriesInMemory {
		last := c.recent.Back()
		delete(c.byKey, last.Value.(*held).key)
		c.recent.Remove(last)
	}
}

// merge adds to what is known. Failing to write to disk loses only speed.
func (c *verdictCache) merge(key string, add *entry) {
	old := c.get(key)
	e := &entry{Tests: map[string]record{}, Uncollected: map[string]Failure{}, Load: add.Load, Whole: add.Whole, IDs: add.IDs}
	if old != nil {
		for id, r := range old.Tests {
			e.Tests[id] = r
		}
		for f, u := range old.Uncollected {
			e.Uncollected[f] = u
		}
		if e.Load == "" {
			e.Load = old.Load
		}
		if old.Whole {
			e.Whole, e.IDs = true, old.IDs
		}
	}
	for id, r := range add.Tests {
		e.Tests[id] = r
	}
	for f, u := range add.Uncollected {
		e.Uncollected[f] = u
	}
	c.mu.Lock()
	c.hold(key, e)
	c.mu.Unlock()
	if c.dir != "" {
		_ = writeGzipJSON(c.file(key), e)
	}
}

// openFolder makes a bounded folder of the cache; "" is none.
func openFolder(dir string, bound int64) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	prune(dir, bound)
	return nil
}

func readGzipJSON(name string, v any) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return false
	}
	return json.NewDecoder(z).Decode(v) == nil
}

// writeGzipJSON replaces the file whole or not at all.
func writeGzipJSON(name string, v any) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	z, _ := gzip.NewWriterLevel(f, gzip.BestSpeed) // the level is valid
	err = json.NewEncoder(z).Encode(v)
	if e := z.Close(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// prune removes the oldest files of a folder until it holds at most limit bytes.
func prune(dir string, limit int64) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var infos []fs.FileInfo
	var total int64
	for _, d := range list {
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			infos = append(infos, info)
			total += info.Size()
		}
	}
	sort.Slice(infos, func(i, j int) bool { return infos[i].ModTime().Before(infos[j].ModTime()) })
	for _, info := range infos {
		if total <= limit {
			return
		}
		if os.Remove(filepath.Join(dir, info.Name())) == nil {
			total -= info.Size()
		}
	}
}
