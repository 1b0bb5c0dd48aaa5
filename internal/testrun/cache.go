package testrun

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"breakfix/internal/outcome"
)

// record is one verdict as the cache keeps it.
type record struct {
	Verdict outcome.Verdict
	Seconds float64
	Failure *Failure
}

// entry is what is known of one tree's own tests, or of one file of ours on
// one tree.
type entry struct {
	Tests       map[string]record
	Uncollected map[string]Failure
	Load        string   // these files keep a process from getting to its tests
	Whole       bool     // a file of ours: IDs is all that it holds
	IDs         []string // of Whole, as collected
}

const (
	verdictDisk   = 256 << 20 // bytes of one workspace's verdicts on disk
	verdictMemory = 16 << 20  // bytes of the entries in memory, as sizeOf estimates them
	// A tree whose last use is older than this is written down as used again:
	// the order of eviction need not be finer, and most hits write nothing.
	touchAfter = 10 * time.Minute
	// Up to so many tests are looked up one by one; for more of them all that
	// is known of the tree is read at once.
	lookUpSingly = 8
)

// verdictCache is the cache of one workspace. It is safe for concurrent use.
type verdictCache struct {
	db  *verdictDB // nil: memory only
	now func() time.Time

	mu      sync.Mutex
	memory  int        // bytes of all that is held
	recent  *list.List // of *held, most recent first
	byKey   map[string]*list.Element
	flights map[string]chan struct{}
}

// newVerdictCache opens the cache in a folder, "" for one in memory only. What
// is wrong with the database is no error: the cache then begins anew, or does
// without.
func newVerdictCache(dir string) *verdictCache {
	c := &verdictCache{now: time.Now, recent: list.New(), byKey: map[string]*list.Element{}, flights: map[string]chan struct{}{}}
	if dir == "" {
		return c
	}
	// Earlier versions kept a file a tree, which nobody reads any more.
	if old, err := filepath.Glob(filepath.Join(dir, "*.gz")); err == nil {
		for _, f := range old {
			os.Remove(f)
		}
	}
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		c.db, err = openVerdictDB(filepath.Join(dir, "verdicts.db"), verdictDisk)
	}
	if err != nil {
		slog.Warn("verdicts are kept in memory only", "folder", dir, "error", err)
	}
	return c
}

// close closes the database. A cache that is not closed loses nothing.
func (c *verdictCache) close() error {
	if c.db == nil {
		return nil
	}
	return c.db.close()
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

// get returns what is known under key that a request for a tier may be
// answered with: the verdicts of these tests, and everything else. Without
// tests (nil) it is the verdicts of the entry's IDs. The entry is the caller's
// own, but for the failures, which must not be changed.
func (c *verdictCache) get(key string, want Tier, tests []string) *entry {
	names := namesOf(tests)
	c.mu.Lock()
	h := c.find(key)
	e, missing := h.answer(want, tests, names)
	if h != nil {
		c.use(h)
	}
	c.mu.Unlock()
	if !missing.any() || c.db == nil {
		return e
	}
	found := c.db.read(key, missing)
	if found == nil {
		return e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h = c.hold(key)
	h.add(found)
	h.used = found.used
	c.use(h)
	c.shrink(key)
	e, _ = h.answer(want, tests, names)
	return e
}

// use notes that an entry was used, when the database does not have it so.
func (c *verdictCache) use(h *held) {
	if now := c.now(); c.db != nil && now.Sub(h.used) > touchAfter {
		h.used = now
		c.db.touch(h.key)
	}
}

// merge adds what a run in a tier said to what is known. Failing to write to
// disk loses only speed.
func (c *verdictCache) merge(key string, ran Tier, add *entry) {
	found := heldOf(ran, add)
	found.used = c.now()
	c.mu.Lock()
	h := c.hold(key)
	h.add(found)
	h.used = found.used
	c.shrink(key)
	c.mu.Unlock()
	if c.db != nil {
		c.db.write(key, found)
	}
}

// find returns what is held in memory under a key and makes it the most recent.
func (c *verdictCache) find(key string) *held {
	el, ok := c.byKey[key]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(el)
	return el.Value.(*held)
}

// hold is find, and makes an entry where there is none.
func (c *verdictCache) hold(key string) *held {
	if h := c.find(key); h != nil {
		c.memory -= h.size // shrink adds it again
		return h
	}
	h := newHeld()
	h.key = key
	c.byKey[key] = c.recent.PushFront(h)
	return h
}

// shrink counts the entry of key again after hold, and drops the oldest ones
// beyond the bound, but never that one.
func (c *verdictCache) shrink(key string) {
	c.memory += c.byKey[key].Value.(*held).size
	for c.memory > verdictMemory && c.recent.Len() > 1 {
		last := c.recent.Remove(c.recent.Back()).(*held)
		delete(c.byKey, last.key)
		c.memory -= last.size
	}
}

// name stands for a test's id: the first 64 bits of its SHA-256. Names are
// compared within one tree only; for two of its 10,000 tests to have the same
// one is as likely as 3 in 10^12.
type name int64

func nameOf(id string) name {
	sum := sha256.Sum256([]byte(id))
	return name(binary.BigEndian.Uint64(sum[:]))
}

func namesOf(ids []string) []name {
	names := make([]name, len(ids))
	for i, id := range ids {
		names[i] = nameOf(id)
	}
	return names
}

// ranked is something that a tier said; tier 0 is nothing.
type ranked[T any] struct {
	what T
	tier Tier
}

// or returns the one of the slower tier, r when both have the same.
func (r ranked[T]) or(s ranked[T]) ranked[T] {
	if s.tier > r.tier {
		return s
	}
	return r
}

// held is an entry in memory, or on its way to and from the disk: of
// everything what the slowest tier said.
type held struct {
	key         string
	used        time.Time // as the database has it, about
	size        int       // estimated bytes
	tests       map[name]ranked[record]
	uncollected map[string]ranked[Failure]
	load        ranked[string]
	whole       ranked[[]string]
}

func newHeld() *held {
	return &held{tests: map[name]ranked[record]{}, uncollected: map[string]ranked[Failure]{}, size: 512}
}

// heldOf returns what a tier said.
func heldOf(ran Tier, e *entry) *held {
	h := newHeld()
	for id, r := range e.Tests {
		h.tests[nameOf(id)] = ranked[record]{r, ran}
	}
	for f, u := range e.Uncollected {
		h.uncollected[f] = ranked[Failure]{u, ran}
	}
	if e.Load != "" {
		h.load = ranked[string]{e.Load, ran}
	}
	if e.Whole {
		h.whole = ranked[[]string]{e.IDs, ran}
	}
	return h
}

// add adds what h does not know, or knows of a faster tier only.
func (h *held) add(more *held) {
	for n, r := range more.tests {
		old, known := h.tests[n]
		if h.tests[n] = old.or(r); !known {
			h.size += 128
		}
		if h.tests[n].tier != old.tier {
			h.size += sizeOf(r.what.Failure) - sizeOf(old.what.Failure)
		}
	}
	for f, u := range more.uncollected {
		if old, known := h.uncollected[f]; !known {
			h.size += len(f) + 128 + sizeOf(&u.what)
			h.uncollected[f] = u
		} else {
			h.uncollected[f] = old.or(u)
		}
	}
	if h.load.tier == 0 {
		h.size += len(more.load.what)
	}
	h.load = h.load.or(more.load)
	if h.whole.tier == 0 {
		for _, id := range more.whole.what {
			h.size += len(id) + 16
		}
	}
	h.whole = h.whole.or(more.whole)
}

// sizeOf estimates the bytes that a failure takes in memory.
func sizeOf(f *Failure) int {
	if f == nil {
		return 0
	}
	n := 160 + len(f.Kind) + len(f.Message) + len(f.Path) + len(f.Text)
	for _, fr := range f.Frames {
		n += 40 + len(fr.Path) + len(fr.Func)
	}
	return n
}

// lacking says what memory does not answer.
type lacking struct {
	tests []name
	all   bool // everything under the key is asked for
}

func (l lacking) any() bool { return l.all || len(l.tests) > 0 }

// answer returns what a request for a tier may be answered with, nil when that
// is nothing, and what is missing. h may be nil.
func (h *held) answer(want Tier, tests []string, names []name) (*entry, lacking) {
	if h == nil {
		h = newHeld()
	}
	var missing lacking
	e := &entry{Tests: map[string]record{}, Uncollected: map[string]Failure{}}
	bad := map[string]Tier{}
	for f, u := range h.uncollected {
		if u.tier >= want {
			e.Uncollected[f], bad[f] = u.what, u.tier
		}
	}
	if h.load.tier >= want {
		e.Load = h.load.what
	}
	if tests != nil {
		for i, id := range tests {
			r, ok := h.tests[names[i]]
			switch {
			case ok && r.tier >= want && r.tier >= bad[fileOf(id)]:
				e.Tests[id] = r.what
			case bad[fileOf(id)] == 0:
				missing.tests = append(missing.tests, names[i])
			}
		}
	} else {
		e.Whole = h.whole.tier >= want
		for _, id := range h.whole.what {
			r := h.tests[nameOf(id)]
			if r.tier < want {
				e.Whole = false // some of its verdicts have gone
				break
			}
			e.Tests[id] = r.what
		}
		if e.Whole {
			e.IDs = h.whole.what
		}
		missing.all = !e.Whole && e.Load == ""
	}
	if len(missing.tests) > lookUpSingly {
		missing = lacking{all: true}
	}
	if len(e.Tests)+len(e.Uncollected) == 0 && e.Load == "" && !e.Whole {
		e = nil
	}
	return e, missing
}
