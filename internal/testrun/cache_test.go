package testrun

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"

	"database/sql"

	"github.com/google/go-cmp/cmp"
)

func cacheIn(t testing.TB, dir string) *verdictCache {
	t.Helper()
	c := newVerdictCache(dir)
	t.Cleanup(func() { c.close() })
	return c
}

// onDisk returns another cache on the same folder, which has nothing in memory.
func onDisk(t testing.TB, c *verdictCache) *verdictCache {
	t.Helper()
	return cacheIn(t, filepath.Dir(c.db.file))
}

// warnings collects what is logged while a test runs.
func warnings(t *testing.T) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &b
}

func passed(ids ...string) *entry {
	e := &entry{Tests: map[string]record{}}
	for _, id := range ids {
		e.Tests[id] = record{Verdict: outcome.Passed, Seconds: 0.25}
	}
	return e
}

var everything = &entry{
	Tests: map[string]record{
		"a.py::ok":   {Verdict: outcome.Passed, Seconds: 0.25},
		"a.py::red":  {Verdict: outcome.Failed, Seconds: 1.5, Failure: &Failure{Kind: "KeyError", Message: "'x'", Path: "a.py", Line: 3, TestLine: 3, Frames: []Frame{{"a.py", 3, "f"}}, Text: "E  KeyError: 'x'"}},
		"a.py::too":  {Verdict: outcome.Errored, Failure: &Failure{Kind: "KeyError", Message: "'x'"}},
		"a.py::skip": {Verdict: outcome.Skipped}, "a.py::slow": {Verdict: outcome.TimedOut, Seconds: 3}, "a.py::gone": {Verdict: outcome.Absent},
	},
	Uncollected: map[string]Failure{"b.py": {Kind: "SyntaxError", Message: "invalid syntax"}},
	Whole:       true, IDs: []string{"a.py::ok", "a.py::red"},
}

// A load error has a key of its own.
var unloadable = &entry{Tests: map[string]record{}, Uncollected: map[string]Failure{}, Load: "a.py does not load"}

func TestCacheGivesBackWhatItWasGivenAlsoAfterReopening(t *testing.T) {
	c := cacheIn(t, t.TempDir())
	c.merge("tree", FreshProcess, everything)
	c.merge("load", FreshProcess, unloadable)
	for name, c := range map[string]*verdictCache{"memory": c, "disk": onDisk(t, c)} {
		for range 2 { // what was read stays as it was
			if diff := cmp.Diff(unloadable, c.get("load", FreshProcess, nil)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			want := &entry{Tests: everything.Tests, Uncollected: everything.Uncollected}
			if diff := cmp.Diff(want, c.get("tree", FreshProcess, append(sortedKeys(everything.Tests), "a.py::unknown", "b.py::in a file that does not collect"))); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			one := &entry{Tests: map[string]record{"a.py::red": everything.Tests["a.py::red"]}, Uncollected: everything.Uncollected}
			if diff := cmp.Diff(one, c.get("tree", FreshProcess, []string{"a.py::red"})); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			whole := c.get("tree", FreshProcess, nil)
			if diff := cmp.Diff(everything.IDs, whole.IDs); diff != "" || !whole.Whole || len(whole.Tests) != 2 {
				t.Errorf("%s: %+v", name, whole)
			}
		}
		if e := c.get("another tree", CodeSwap, []string{"a.py::ok"}); e != nil {
			t.Errorf("%s: another tree has %+v", name, e)
		}
	}
}

func TestCacheAnswersARequestWithAVerdictOfItsTierOrASlowerOne(t *testing.T) {
	tiers := []Tier{CodeSwap, LazyImport, FreshProcess}
	for _, ran := range tiers {
		c := cacheIn(t, t.TempDir())
		c.merge("tree", ran, everything)
		c.merge("load", ran, unloadable)
		for name, c := range map[string]*verdictCache{"memory": c, "disk": onDisk(t, c)} {
			for _, want := range tiers {
				one, whole, load := c.get("tree", want, []string{"a.py::ok"}), c.get("tree", want, nil), c.get("load", want, nil)
				if want <= ran && (one == nil || one.Tests["a.py::ok"].Verdict != outcome.Passed || len(one.Uncollected) != 1 || whole == nil || !whole.Whole || load == nil) {
					t.Errorf("%s: a request for %v is not answered from %v: %+v", name, want, ran, one)
				}
				if want > ran && (one != nil || whole != nil || load != nil) {
					t.Errorf("%s: a request for %v is answered from %v: %+v %+v", name, want, ran, one, whole)
				}
			}
		}
	}
}

func TestCachePrefersTheSlowerTierInWhateverOrderTheyRan(t *testing.T) {
	fast, slow := passed("a.py::x"), &entry{Tests: map[string]record{"a.py::x": {Verdict: outcome.Failed}}}
	for _, slowFirst := range []bool{false, true} {
		c := cacheIn(t, t.TempDir())
		if slowFirst {
			c.merge("tree", FreshProcess, slow)
		}
		c.merge("tree", CodeSwap, fast)
		if !slowFirst {
			if got := onDisk(t, c).get("tree", CodeSwap, []string{"a.py::x"}); got.Tests["a.py::x"].Verdict != outcome.Passed {
				t.Errorf("only the fast tier ran: %+v", got)
			}
			c.merge("tree", FreshProcess, slow)
		}
		for name, c := range map[string]*verdictCache{"memory": c, "disk": onDisk(t, c)} {
			for _, want := range []Tier{CodeSwap, FreshProcess} {
				if got := c.get("tree", want, []string{"a.py::x"}); got.Tests["a.py::x"].Verdict != outcome.Failed {
					t.Errorf("%s, slow first %v, for %v: %+v", name, slowFirst, want, got)
				}
			}
		}
		c.merge("tree", FreshProcess, &entry{Uncollected: map[string]Failure{"b.py": {Kind: "SyntaxError"}}})
		c.merge("tree", CodeSwap, passed("b.py::y"))
		if got := c.get("tree", CodeSwap, []string{"b.py::y"}); len(got.Tests) != 0 || len(got.Uncollected) != 1 {
			t.Errorf("a file that a fresh process does not collect has a verdict: %+v", got)
		}
	}
}

// ask is what a Run does with the cache: the report so far, and what is left to be run.
func ask(c *verdictCache, w *Workspace, req Request) (Report, []string) {
	rep := Report{Results: outcome.Results{}, Failures: map[string]Failure{}, Seconds: map[string]float64{}, Uncollected: map[string]Failure{}, Loaded: true, Complete: true}
	q := w.newQuestion(req, req.Tests)
	q.answerFromCache(c, &rep)
	return rep, q.tests
}

func TestCacheKeepsNoTimeoutOfTheCallersOwnNoFlakyTestAndNothingThatDidNotRun(t *testing.T) {
	w, c := &Workspace{}, cacheIn(t, t.TempDir())
	tests := []string{"a.py::ok", "a.py::slow", "a.py::coin", "a.py::after"}
	req := Request{Tree: treeOf(t, map[string]string{"a.py": ""}), Tests: tests, Tier: CodeSwap, Deadline: func(string) time.Duration { return time.Second }}
	said := &tally{results: outcome.Results{"a.py::ok": outcome.Passed, "a.py::slow": outcome.TimedOut, "a.py::coin": outcome.Failed}}
	w.newQuestion(req, tests).remember(c, LazyImport, said, map[string]bool{"a.py::coin": true})
	for name, c := range map[string]*verdictCache{"memory": c, "disk": onDisk(t, c)} {
		rep, left := ask(c, w, req)
		if diff := cmp.Diff(tests[1:], left); diff != "" || rep.Cached != 1 || rep.Results["a.py::ok"] != outcome.Passed {
			t.Errorf("%s: %+v, left %v", name, rep, left)
		}
	}
	req.Tier = 0 // a fresh process
	if rep, left := ask(c, w, req); rep.Cached != 0 || len(left) != len(tests) {
		t.Errorf("a fresh process is answered from a lazy import: %+v", rep)
	}
}

func TestCacheKeepsThatATreeDoesNotLoadUnlessItHadNoTimeTo(t *testing.T) {
	for _, late := range []bool{false, true} {
		w, c := &Workspace{}, cacheIn(t, t.TempDir())
		tests := []string{"a.py::x"}
		req := Request{Tree: treeOf(t, map[string]string{"a.py": ""}), Tests: tests, Tier: CodeSwap}
		w.newQuestion(req, tests).remember(c, FreshProcess, &tally{loadError: "why", loadLate: late}, nil)
		if rep, left := ask(c, w, req); rep.Loaded != late || (len(left) == 1) != late {
			t.Errorf("late %v: %+v, left %v", late, rep, left)
		}
	}
}

func TestCacheInMemoryOnlyWritesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	c := cacheIn(t, "")
	c.merge("tree", FreshProcess, everything)
	if got := c.get("tree", CodeSwap, []string{"a.py::ok"}); got == nil {
		t.Error("nothing is known")
	}
	if got := cacheIn(t, "").get("tree", CodeSwap, []string{"a.py::ok"}); got != nil {
		t.Errorf("another one knows %+v", got)
	}
	if list, _ := os.ReadDir(dir); len(list) != 0 {
		t.Errorf("files: %v", list)
	}
}

func TestCacheHoldsABoundedNumberOfBytesInMemory(t *testing.T) {
	c := cacheIn(t, "")
	long := strings.Repeat("x", 8<<10)
	for i := range 3000 { // 24 MB
		c.merge("tree "+strconv.Itoa(i), FreshProcess, &entry{Tests: map[string]record{"a.py::x": {Verdict: outcome.Failed, Failure: &Failure{Text: long}}}})
	}
	sum := 0
	for el := c.recent.Front(); el != nil; el = el.Next() {
		sum += el.Value.(*held).size
	}
	if sum != c.memory || sum > verdictMemory || sum < verdictMemory/2 || len(c.byKey) != c.recent.Len() {
		t.Errorf("%d entries of %d bytes, counted as %d", len(c.byKey), sum, c.memory)
	}
	if c.get("tree 2999", FreshProcess, []string{"a.py::x"}) == nil || c.get("tree 0", FreshProcess, []string{"a.py::x"}) != nil {
		t.Error("the oldest do not go first")
	}
}

func TestCacheThatIsDamagedOrForeignOrUnreadableIsSetAsideAndBegunAnew(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"no database": func(f string) error { return os.WriteFile(f, []byte(strings.Repeat("no database\n", 1000)), 0o644) },
		"a folder":    func(f string) error { os.Remove(f); return os.MkdirAll(filepath.Join(f, "x"), 0o755) },
		"cut off":     func(f string) error { return os.Truncate(f, 5000) },
		"another program's": func(f string) error {
			os.Remove(f)
			return execIn(f, `CREATE TABLE trees (id INTEGER PRIMARY KEY); INSERT INTO trees VALUES (1)`)
		},
		"another version's":    func(f string) error { return execIn(f, `PRAGMA user_version = 999`) },
		"a table is gone":      func(f string) error { return execIn(f, `DROP TABLE extras`) },
		"numbers of nobody":    func(f string) error { return execIn(f, `UPDATE verdicts SET verdict = 99`) },
		"failures of nobody":   func(f string) error { return execIn(f, `UPDATE failures SET data = x'ffff'`) },
		"failures that are no": func(f string) error { return execIn(f, `DELETE FROM failures`) },
		"pages of zeros": func(f string) error {
			b, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			clear(b[4096:])
			return os.WriteFile(f, b, 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			said := warnings(t)
			dir := t.TempDir()
			c := cacheIn(t, dir)
			c.merge("tree", FreshProcess, everything)
			c.close()
			if err := spoil(filepath.Join(dir, "verdicts.db")); err != nil {
				t.Fatal(err)
			}
			c = cacheIn(t, dir)
			if got := c.get("tree", FreshProcess, sortedKeys(everything.Tests)); got != nil {
				t.Errorf("known: %+v", got)
			}
			if !strings.Contains(said.String(), "level=WARN") || !strings.Contains(said.String(), "set aside") {
				t.Errorf("logged: %s", said)
			}
			if _, err := os.Stat(filepath.Join(dir, "verdicts.db.aside")); err != nil {
				t.Error(err)
			}
			c.merge("tree", FreshProcess, everything)
			if got := onDisk(t, c).get("tree", FreshProcess, []string{"a.py::red"}); got == nil || got.Tests["a.py::red"].Failure == nil {
				t.Errorf("begun anew, it keeps nothing: %+v", got)
			}
		})
	}
}

func execIn(file, statements string) error {
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statements)
	return err
}

func TestCacheThatIsDamagedWhileItIsOpenIsBegunAnew(t *testing.T) {
	said := warnings(t)
	c := cacheIn(t, t.TempDir())
	other := onDisk(t, c)
	c.merge("tree", FreshProcess, everything)
	if err := execIn(c.db.file, `UPDATE verdicts SET verdict = 99`); err != nil {
		t.Fatal(err)
	}
	reader := onDisk(t, c)
	if got := reader.get("tree", FreshProcess, []string{"a.py::red"}); got != nil {
		t.Errorf("known: %+v", got)
	}
	reader.merge("tree", FreshProcess, everything)
	// The others still have the old one open. They use it, or find it damaged
	// and take the new one, and set that aside in no case.
	for _, c := range []*verdictCache{other, c} {
		c.get("tree", FreshProcess, []string{"a.py::red"})
		c.merge("tree 2", FreshProcess, everything)
	}
	if got := onDisk(t, c).get("tree", FreshProcess, []string{"a.py::red"}); got == nil {
		t.Error("the new one was set aside")
	}
	if n := strings.Count(said.String(), "set aside"); n != 1 {
		t.Errorf("set aside %d times: %s", n, said)
	}
}

func TestCacheWhoseFolderCannotHoldADatabaseDoesWithout(t *testing.T) {
	said := warnings(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cacheIn(t, filepath.Join(file, "no folder")).merge("tree", FreshProcess, everything)
	if !strings.Contains(said.String(), "in memory only") {
		t.Errorf("logged: %s", said)
	}
	said.Reset()
	c := cacheIn(t, dir)
	if err := os.RemoveAll(dir); err != nil { // by hand, to free some space
		t.Fatal(err)
	}
	c.merge("tree", FreshProcess, everything)
	c.db.failed("read", c.db.handles, errContent)
	c.merge("tree 2", FreshProcess, everything)
	for _, key := range []string{"tree", "tree 2"} {
		if c.get(key, FreshProcess, []string{"a.py::ok"}) == nil {
			t.Errorf("%s is not in memory", key)
		}
	}
	if c.get("tree 3", FreshProcess, []string{"a.py::ok"}) != nil || !strings.Contains(said.String(), "in memory only") {
		t.Errorf("logged: %s", said)
	}
}

func TestCacheOfTwoProcessesIsOne(t *testing.T) {
	dir := t.TempDir()
	const n = 40
	var wg sync.WaitGroup
	caches := make([]*verdictCache, 4)
	for i := range caches { // they begin it at the same time, too
		wg.Go(func() { caches[i] = newVerdictCache(dir) })
	}
	wg.Wait()
	for i, c := range caches {
		if c.db == nil {
			t.Fatal("one of them has no database")
		}
		t.Cleanup(func() { c.close() })
		wg.Go(func() {
			for j := range n {
				c.merge("tree "+strconv.Itoa(j), FreshProcess, passed("a.py::x"+strconv.Itoa(i)))
			}
		})
	}
	wg.Wait()
	for i, c := range caches {
		for j := range n {
			e := c.get("tree "+strconv.Itoa(j), FreshProcess, []string{"a.py::x0", "a.py::x1", "a.py::x2", "a.py::x3"})
			if e == nil || len(e.Tests) != len(caches) {
				t.Fatalf("process %d has of tree %d: %+v", i, j, e)
			}
		}
	}
}

func TestCacheDropsAWriteThatAnotherProcessKeepsItFrom(t *testing.T) {
	c := cacheIn(t, t.TempDir())
	other, err := sql.Open("sqlite", "file:"+c.db.file+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	c.merge("tree", FreshProcess, passed("a.py::x"))
	tx.Rollback()
	if c.get("tree", FreshProcess, []string{"a.py::x"}) == nil {
		t.Error("it is not in memory")
	}
	if got := onDisk(t, c).get("tree", FreshProcess, []string{"a.py::x"}); got != nil {
		t.Errorf("it is on disk: %+v", got)
	}
	c.merge("tree", FreshProcess, passed("a.py::x"))
	if got := onDisk(t, c).get("tree", FreshProcess, []string{"a.py::x"}); got == nil {
		t.Error("a later write is dropped too")
	}
}

func TestCacheEvictsTheTreesThatWereNotUsedForLongestAndDoesNotGrow(t *testing.T) {
	for name, c := range map[string]struct {
		trees, tests int
		limit        int64
	}{"small trees": {3000, 3, 512 << 10}, "large trees": {120, 500, 2 << 20}} {
		t.Run(name, func(t *testing.T) {
			limit := c.limit
			clock := time.Unix(1e9, 0)
			cache := cacheIn(t, t.TempDir())
			cache.db.limit = limit
			cache.now = func() time.Time { return clock }
			m := newMix(c.tests, 1)
			var total, largest int64
			for i := range c.trees {
				clock = clock.Add(time.Minute)
				add := m.entry()
				total += 64 // as many as the tree itself takes
				for _, r := range add.Tests {
					total += 32 + int64(sizeOf(r.Failure))/4
				}
				cache.merge("tree "+strconv.Itoa(i), FreshProcess, add)
				if cache.get("tree 0", FreshProcess, m.ids[:1]) == nil {
					t.Fatalf("the tree that is used all the time has gone after %d", i)
				}
				largest = max(largest, onDiskBytes(t, cache))
			}
			if total < limit*3/2 {
				t.Fatalf("only %d bytes were written", total)
			}
			// The log beside it has up to 4 MiB.
			if file, err := os.Stat(cache.db.file); err != nil || file.Size() > limit+limit/8 || largest > limit+limit/8+6<<20 {
				t.Errorf("%d bytes, %d with the log: %v", file.Size(), largest, err)
			}
			again := onDisk(t, cache)
			if again.get("tree 1", FreshProcess, m.ids[:1]) != nil {
				t.Error("the oldest tree is there still")
			}
			if got := again.get("tree "+strconv.Itoa(c.trees-1), FreshProcess, m.ids); got == nil || len(got.Tests) != c.tests {
				t.Error("the youngest tree has gone")
			}
			if again.get("tree 0", FreshProcess, m.ids[:1]) == nil {
				t.Error("the tree that is used all the time has gone from the disk")
			}
			var orphans, dangling int
			if err := cache.db.handles.r.QueryRow(`SELECT (SELECT count(*) FROM failures WHERE id NOT IN (SELECT failure FROM verdicts WHERE failure IS NOT NULL)),
				(SELECT count(*) FROM verdicts WHERE tree NOT IN (SELECT id FROM trees))`).Scan(&orphans, &dangling); err != nil || orphans+dangling > 0 {
				t.Errorf("%d failures and %d verdicts belong to nobody: %v", orphans, dangling, err)
			}
		})
	}
}

func TestCacheGrowsNoFurtherWhenEvictionCannotKeepUp(t *testing.T) {
	const limit = 1 << 20
	c := cacheIn(t, t.TempDir())
	c.db.limit = limit
	random := rand.New(rand.NewPCG(1, 1))
	green := newMix(500, 0)
	green.red = 0
	for i := range 100 { // many small rows, which are freed one by one …
		c.merge("green "+strconv.Itoa(i), FreshProcess, green.entry())
	}
	for i := range 60 { // … and then failures that nothing compresses
		e := &entry{Tests: map[string]record{}}
		for j := range 60 {
			text := make([]byte, 6000)
			for k := range text {
				text[k] = byte(' ' + random.IntN(90))
			}
			e.Tests["a.py::"+strconv.Itoa(j)] = record{Verdict: outcome.Failed, Failure: &Failure{Text: string(text)}}
		}
		c.merge("red "+strconv.Itoa(i), FreshProcess, e)
		if info, err := os.Stat(c.db.file); err != nil || info.Size() > limit+limit/8+500<<10 { // and one write
			t.Fatalf("%d bytes: %v", info.Size(), err)
		}
	}
}

func TestCacheFilesOfEarlierVersionsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, string(tree.DigestOf(nil))[:32]+".gz")
	if err := os.WriteFile(old, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cacheIn(t, dir)
	if _, err := os.Stat(old); err == nil {
		t.Error("it is there still")
	}
}

func TestCacheLockIsHeldByOneAtATime(t *testing.T) {
	c := cacheIn(t, "")
	unlock, err := c.lock(context.Background(), "tree")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.lock(ctx, "tree"); err == nil {
		t.Error("two hold it")
	}
	unlock()
	if unlock, err = c.lock(context.Background(), "tree"); err != nil {
		t.Error(err)
	}
	unlock()
}

// mix makes verdicts as a suite gives them: ids of about 60 bytes, some red,
// with texts of 1 to 4 KB of which four in five are those of another test.
type mix struct {
	ids    []string
	red    float64
	random *rand.Rand
	words  []string
	texts  []Failure
}

func newMix(tests int, seed uint64) *mix {
	m := &mix{red: 0.1, random: rand.New(rand.NewPCG(seed, 1))}
	for range 3000 {
		b := make([]byte, 2+m.random.IntN(12))
		for i := range b {
			b[i] = byte('a' + m.random.IntN(26))
		}
		m.words = append(m.words, string(b))
	}
	for i := range tests {
		m.ids = append(m.ids, fmt.Sprintf("tests/unit/test_%s.py::Test%s::test_%s_%s[%d]", m.word(), m.word(), m.word(), strings.Repeat("x", 12), i))
	}
	return m
}

func (m *mix) word() string { return m.words[m.random.IntN(len(m.words))] }

func (m *mix) failure() *Failure {
	if len(m.texts) > 0 && m.random.IntN(5) > 0 {
		f := m.texts[m.random.IntN(len(m.texts))]
		return &f
	}
	var b strings.Builder
	for size := 900 + m.random.IntN(2800); b.Len() < size; {
		fmt.Fprintf(&b, "src/pkg/%s.py:%d: in %s\n    %s = %s.%s(%s, %d)\n", m.word(), m.random.IntN(900), m.word(), m.word(), m.word(), m.word(), m.word(), m.random.IntN(1e6))
	}
	f := Failure{Kind: "AssertionError", Message: "assert " + m.word() + " == " + m.word(), Path: "src/pkg/" + m.word() + ".py", Line: m.random.IntN(900),
		Frames: []Frame{{"src/pkg/" + m.word() + ".py", m.random.IntN(900), m.word()}}, Text: b.String()}
	m.texts = append(m.texts, f)
	return &f
}

// entry returns verdicts of all tests on one more tree.
func (m *mix) entry() *entry {
	e := &entry{Tests: make(map[string]record, len(m.ids))}
	for _, id := range m.ids {
		r := record{Verdict: outcome.Passed, Seconds: m.random.ExpFloat64() / 50}
		if m.random.Float64() < m.red {
			r.Verdict, r.Failure = outcome.Failed, m.failure()
		}
		e.Tests[id] = r
	}
	return e
}

// onDiskBytes counts everything in the folder.
func onDiskBytes(t testing.TB, c *verdictCache) (total int64) {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(c.db.file))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
	}
	return total
}

// resident returns the bytes of this process in memory, what SQLite has
// allocated past Go's heap included.
func resident(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func TestCacheOfAMillionVerdictsTakesUnder200MBOnDiskAnd50MBInMemory(t *testing.T) {
	verdicts := 50_000
	if os.Getenv("BREAKFIX_SLOW") != "" {
		verdicts = 1_000_000
	}
	const tests = 500
	c := cacheIn(t, t.TempDir())
	m := newMix(tests, 2)
	for i := range verdicts / tests {
		c.merge("tree "+strconv.Itoa(i), FreshProcess, m.entry())
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	disk := onDiskBytes(t, c) * 1_000_000 / int64(verdicts)
	m.texts = nil

	before := resident(t)
	again := cacheIn(t, filepath.Dir(c.db.file))
	for range 4000 {
		key := "tree " + strconv.Itoa(m.random.IntN(verdicts/tests))
		if got := again.get(key, FreshProcess, []string{m.ids[m.random.IntN(tests)]}); got == nil || len(got.Tests) != 1 {
			t.Fatalf("%s: %+v", key, got)
		}
	}
	for i := range verdicts / tests {
		if got := again.get("tree "+strconv.Itoa(i), FreshProcess, m.ids); got == nil || len(got.Tests) != tests {
			t.Fatalf("tree %d: %d tests", i, len(got.Tests))
		}
	}
	memory := resident(t) - before
	t.Logf("%d verdicts: a million would take %.1f MB on disk; %.1f MB in memory, of which %.1f MB are entries", verdicts, float64(disk)/1e6, float64(memory)/1e6, float64(again.memory)/1e6)
	if disk > 200e6 {
		t.Errorf("a million verdicts take %d bytes on disk", disk)
	}
	if memory > 50e6 {
		t.Errorf("the cache takes %d bytes in memory", memory)
	}
}

// filled is a cache with 100,000 verdicts of 200 trees.
func filled(b *testing.B) (*verdictCache, *mix) {
	c, m := cacheIn(b, b.TempDir()), newMix(500, 3)
	for i := range 200 {
		c.merge("tree "+strconv.Itoa(i), FreshProcess, m.entry())
	}
	return c, m
}

func BenchmarkCacheHitOfOneTestInMemory(b *testing.B) {
	c, m := filled(b)
	i := 0
	for b.Loop() {
		c.get("tree 199", FreshProcess, m.ids[i%500:i%500+1])
		i++
	}
}

func BenchmarkCacheHitOfOneTestOnDisk(b *testing.B) {
	c, m := filled(b)
	for b.Loop() {
		i := m.random.IntN(200)
		want := lacking{tests: namesOf(m.ids[m.random.IntN(500):][:1])}
		if c.db.read("tree "+strconv.Itoa(i), want) == nil {
			b.Fatal("not known")
		}
	}
}

func BenchmarkCacheMissOfATree(b *testing.B) {
	c, m := filled(b)
	for b.Loop() {
		c.get("no such tree", FreshProcess, m.ids)
	}
}

func BenchmarkCacheHitOf500TestsOnDisk(b *testing.B) {
	c, m := filled(b)
	for b.Loop() {
		if c.db.read("tree "+strconv.Itoa(m.random.IntN(200)), lacking{all: true}) == nil {
			b.Fatal("not known")
		}
	}
}

func BenchmarkCacheMergeOfOneVerdict(b *testing.B) {
	c, m := filled(b)
	m.ids = m.ids[:1]
	i := 0
	for b.Loop() {
		c.merge("new tree "+strconv.Itoa(i), FreshProcess, m.entry())
		i++
	}
}

func BenchmarkCacheMergeOf500Verdicts(b *testing.B) {
	c, m := filled(b)
	i := 0
	for b.Loop() {
		b.StopTimer()
		e := m.entry()
		b.StartTimer()
		c.merge("new tree "+strconv.Itoa(i), FreshProcess, e)
		i++
	}
}

func BenchmarkCacheMergeOf500VerdictsWhileEvicting(b *testing.B) {
	c, m := filled(b)
	c.db.limit = onDiskBytes(b, c)
	i := 0
	for b.Loop() {
		b.StopTimer()
		e := m.entry()
		b.StartTimer()
		c.merge("new tree "+strconv.Itoa(i), FreshProcess, e)
		i++
	}
}
