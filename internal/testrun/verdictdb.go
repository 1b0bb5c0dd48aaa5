package testrun

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"breakfix/internal/outcome"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// verdictSchema makes verdicts.db. A tree is what verdictCache calls a key, by
// the first 16 bytes of its SHA-256; a test is a name. The text of a failure is kept
// once, however many verdicts share it. Every reader and writer names a tree
// by its key within one statement or transaction, so that an id that another
// process gives to another tree in the meantime does no harm.
const verdictSchema = `
CREATE TABLE trees (
  id   INTEGER PRIMARY KEY,
  key  BLOB NOT NULL UNIQUE,
  used INTEGER NOT NULL             -- seconds since 1970, to the nearest ten minutes
) STRICT;
CREATE INDEX trees_used ON trees (used);

CREATE TABLE verdicts (
  tree    INTEGER NOT NULL,
  test    INTEGER NOT NULL,
  tier    INTEGER NOT NULL,
  verdict INTEGER NOT NULL,         -- place in storedVerdicts
  seconds REAL NOT NULL,
  failure INTEGER,
  PRIMARY KEY (tree, test, tier)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_failure ON verdicts (failure) WHERE failure IS NOT NULL;

CREATE TABLE failures (
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,      -- first 16 bytes of the SHA-256 of its JSON
  data   BLOB NOT NULL              -- its JSON, deflated
) STRICT;

CREATE TABLE extras (
  tree INTEGER NOT NULL,
  kind INTEGER NOT NULL,            -- a kind of extra
  name TEXT NOT NULL,               -- the file that did not collect
  tier INTEGER NOT NULL,
  data BLOB NOT NULL,               -- JSON, deflated
  PRIMARY KEY (tree, kind, name, tier)
) STRICT, WITHOUT ROWID;
`

const (
	verdictApplication = 0x62667663 // "bfvc": whose database this is
	verdictFormat      = 1          // of verdictSchema

	// A write waits so long for another process, then it is dropped.
	verdictPatience = 2 * time.Second
	// More rows are not evicted in one merge: some milliseconds.
	mostEvicted = 1500
	// A process begins anew so often, then it goes on in memory.
	mostRestarts = 3
)

// Kinds of extras.
const (
	loadExtra        = 1 // what keeps the files of this key from loading
	wholeExtra       = 2 // the ids of a file of ours
	uncollectedExtra = 3 // the failure of a file that does not collect
)

// storedVerdicts gives verdicts their numbers on disk. Never reorder it.
var storedVerdicts = []outcome.Verdict{"", outcome.Passed, outcome.Failed, outcome.Errored, outcome.Skipped, outcome.TimedOut, outcome.Absent}

// verdictDB is the cache on disk. Nothing that goes wrong with it is an error
// for its user: what cannot be read is not known, and what cannot be written is
// lost. A database that is damaged or not ours is set aside (.aside) and begun anew.
//
// Its size is bounded by reuse of pages: each write that finds more pages in
// use than the bound allows evicts some rows of the trees that were used least
// recently, more than it added, and one that finds an eighth too much adds nothing.
type verdictDB struct {
	file  string
	limit int64 // bytes

	open     sync.RWMutex // guards what is open: held for reading while it is used
	handles  *verdictHandles
	restarts int
	once     sync.Once // the warning that the disk is full, or the like

	mu      sync.Mutex
	touched map[string]bool // keys that were used, to be written down with the next merge
}

// verdictHandles are the open connections: one that writes, others that read
// in the meantime.
type verdictHandles struct {
	r, w *sql.DB
	info fs.FileInfo // of the file that they have open

	tree, one, all, touch, insertTree, has, insert, failure, insertFailure, extra, live, oldest, dropExtras, dropVerdicts, dropFailure, dropTree *sql.Stmt
}

var (
	errForeign = errors.New("it is no verdict cache of this version")
	errContent = errors.New("it holds what nobody wrote")
)

// openVerdictDB opens the database, or begins it. An error means that there is
// no having one here.
func openVerdictDB(file string, limit int64) (*verdictDB, error) {
	d := &verdictDB{file: file, limit: limit, touched: map[string]bool{}}
	var err error
	if d.handles, err = connectVerdicts(file); err != nil && unusable(err) {
		d.restarts++
		if err = d.setAside(nil, err); err == nil {
			d.handles, err = connectVerdicts(file)
		}
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (d *verdictDB) close() error {
	d.open.Lock()
	defer d.open.Unlock()
	h := d.handles
	d.handles = nil
	return h.close()
}

func (h *verdictHandles) close() error {
	if h == nil {
		return nil
	}
	return errors.Join(h.r.Close(), h.w.Close())
}

func verdictSource(file string, options ...string) string {
	options = append([]string{fmt.Sprintf("_pragma=busy_timeout(%d)", verdictPatience.Milliseconds()), "_pragma=cache_size(-2000)"}, options...)
	return (&url.URL{Scheme: "file", Path: file, RawQuery: strings.Join(options, "&")}).String()
}

// connectVerdicts opens a database that is ours, or empty.
func connectVerdicts(file string) (h *verdictHandles, err error) {
	h = &verdictHandles{}
	// NORMAL costs one fsync a megabyte of log. OFF could leave pages of
	// different ages after a power cut, and with them wrong verdicts.
	if h.w, err = sql.Open("sqlite", verdictSource(file, "_txlock=immediate", "_pragma=synchronous(NORMAL)", "_pragma=journal_size_limit(4194304)")); err != nil {
		return nil, err
	}
	if h.r, err = sql.Open("sqlite", verdictSource(file, "mode=ro")); err != nil {
		h.w.Close()
		return nil, err
	}
	defer func() {
		if err != nil {
			h.close()
			h = nil
		}
	}()
	h.w.SetMaxOpenConns(1)
	h.r.SetMaxOpenConns(2)
	h.r.SetMaxIdleConns(2)
	if err := beginVerdicts(h.w); err != nil {
		return nil, err
	}
	if h.info, err = os.Stat(file); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		in   *sql.DB
		to   **sql.Stmt
		text string
	}{
		{h.r, &h.tree, `SELECT t.used, x.kind, x.name, x.tier, x.data FROM trees t LEFT JOIN extras x ON x.tree = t.id WHERE t.key = ?`},
		{h.r, &h.one, `SELECT v.test, v.tier, v.verdict, v.seconds, v.failure, f.data
			FROM trees t CROSS JOIN verdicts v ON v.tree = t.id LEFT JOIN failures f ON f.id = v.failure WHERE t.key = ? AND v.test = ?`},
		{h.r, &h.all, `SELECT v.test, v.tier, v.verdict, v.seconds, v.failure, f.data
			FROM trees t CROSS JOIN verdicts v ON v.tree = t.id LEFT JOIN failures f ON f.id = v.failure WHERE t.key = ?`},
		{h.w, &h.touch, `UPDATE trees SET used = ? WHERE key = ?`},
		{h.w, &h.insertTree, `INSERT INTO trees (key, used) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET used = excluded.used RETURNING id`},
		{h.w, &h.has, `SELECT count(*) FROM verdicts WHERE tree = ? AND test = ? AND tier = ?`},
		{h.w, &h.insert, `INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{h.w, &h.failure, `SELECT id FROM failures WHERE digest = ?`},
		{h.w, &h.insertFailure, `INSERT INTO failures (digest, data) VALUES (?, ?) RETURNING id`},
		{h.w, &h.extra, `INSERT INTO extras VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
		{h.w, &h.live, `SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`},
		{h.w, &h.oldest, `SELECT id FROM trees WHERE id <> ? ORDER BY used, id LIMIT 1`},
		{h.w, &h.dropExtras, `DELETE FROM extras WHERE tree = ?`},
		{h.w, &h.dropVerdicts, `DELETE FROM verdicts WHERE tree = ?1 AND test IN (SELECT test FROM verdicts WHERE tree = ?1 LIMIT ?2) RETURNING failure`},
		{h.w, &h.dropFailure, `DELETE FROM failures WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM verdicts WHERE failure = ?1)`},
		{h.w, &h.dropTree, `DELETE FROM trees WHERE id = ?`},
	} {
		if *s.to, err = s.in.Prepare(s.text); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// beginVerdicts makes the schema in an empty database, and refuses one that is
// not ours before anything in it changes.
func beginVerdicts(db *sql.DB) error {
	state := func(q interface {
		QueryRow(string, ...any) *sql.Row
	}) (begun bool, err error) {
		var application, format, tables int
		err = q.QueryRow(`SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version`).
			Scan(&application, &format, &tables)
		switch {
		case err != nil:
			return false, err
		case application == verdictApplication && format == verdictFormat:
			return true, nil
		case application != 0 || format != 0 || tables != 0:
			return false, errForeign
		}
		return false, nil
	}
	begun, err := state(db)
	if err != nil {
		return err
	}
	// Where the log cannot be had (some network file systems) this leaves the
	// journal that there is.
	if err := retryBusy(func() error { _, err := db.Exec(`PRAGMA journal_mode = WAL`); return err }); err != nil || begun {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if begun, err := state(tx); err != nil || begun { // another process was faster
		return err
	}
	if _, err := tx.Exec(verdictSchema + fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d`, verdictApplication, verdictFormat)); err != nil {
		return err
	}
	return tx.Commit()
}

// retryBusy is for what SQLite does not wait for: a change of the journal's
// kind while another process makes the same.
func retryBusy(do func() error) error {
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if err := do(); code(err) != sqlite3.SQLITE_BUSY || time.Since(began) > verdictPatience {
			return err
		}
	}
}

// code returns SQLite's primary result code, 0 for other errors.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// unusable reports whether an error will stay as long as the file does.
func unusable(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_MISMATCH,
		sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return true
	}
	return errors.Is(err, errForeign) || errors.Is(err, errContent)
}

// setAside moves the file out of the way, unless another process has done so:
// then the one that is there now is not the one that was open.
func (d *verdictDB) setAside(open fs.FileInfo, why error) error {
	there, err := os.Stat(d.file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && open != nil && !os.SameFile(there, open) {
		return nil
	}
	aside := d.file + ".aside"
	slog.Warn("the cache of verdicts is set aside and begun anew; it costs only time", "file", d.file, "aside", aside, "error", why)
	os.RemoveAll(aside)
	if err := os.Rename(d.file, aside); err != nil {
		return err
	}
	os.Remove(d.file + "-shm")
	if err := os.Remove(d.file + "-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // it would be taken for the log of the new one
	}
	return nil
}

// failed does what an error of a read or a write asks for: nothing, or to
// begin anew.
func (d *verdictDB) failed(doing string, used *verdictHandles, err error) {
	switch c := code(err); {
	case c == sqlite3.SQLITE_BUSY || c == sqlite3.SQLITE_LOCKED:
		slog.Debug("another process keeps the cache of verdicts busy", "doing", doing, "file", d.file)
		return
	case !unusable(err):
		d.once.Do(func() {
			slog.Warn("the cache of verdicts does without what it could not "+doing, "file", d.file, "error", err)
		})
		return
	}
	d.open.Lock()
	defer d.open.Unlock()
	if d.handles != used || used == nil {
		return // somebody else began anew, or it was closed
	}
	d.handles = nil
	used.close()
	if d.restarts++; d.restarts > mostRestarts {
		slog.Warn("verdicts are kept in memory only", "file", d.file, "error", err)
		return
	}
	again := d.setAside(used.info, err)
	if again == nil {
		d.handles, again = connectVerdicts(d.file)
	}
	if again != nil {
		d.handles = nil
		slog.Warn("verdicts are kept in memory only", "file", d.file, "error", again)
	}
}

func treeKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:16]
}

// touch notes that a key was used.
func (d *verdictDB) touch(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.touched) < 256 {
		d.touched[key] = true
	}
}
