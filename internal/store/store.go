package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"breakfix/internal/tree"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Names inside a run folder.
const (
	runFile     = "run.json"
	dbFile      = "run.db"
	lockFile    = "lock"
	logFile     = "log.jsonl"
	BlobsDir    = "blobs"
	BugsDir     = "bugs"
	VersionsDir = "versions"
)

// Store is one run folder, open. A Store of Create or Resume writes, one of
// Open only reads. It is safe for concurrent use.
type Store struct {
	dir  string
	run  Run
	r    *sql.DB  // reads; never sees half a round
	w    *sql.DB  // one connection; nil when read only
	lock *os.File // held while writing
	log  *os.File
	mu   sync.Mutex // guards closed
	done bool
}

// NextName returns the first free folder ROOT/NAME-N, one above the highest N
// that is there. Two processes may get the same name; Create lets one have it.
func NextName(root, name string) (string, error) {
	name = unsafeInName.ReplaceAllString(name, "_")
	if name == "" || strings.HasPrefix(name, ".") {
		name = "run" + name
	}
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look for a free run folder: %w", err)
	}
	last := 0
	for _, e := range entries {
		if n, ok := strings.CutPrefix(e.Name(), name+"-"); ok {
			if i, err := strconv.Atoi(n); err == nil && i > last {
				last = i
			}
		}
	}
	return filepath.Join(root, fmt.Sprintf("%s-%d", name, last+1)), nil
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Create makes the run folder dir, which must not exist (or be empty), and
// opens it for writing. Run's Format and, when empty, Name are set. The folder
// appears complete or not at all.
func Create(dir string, run Run) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := free(dir); err != nil {
		return nil, err
	}
	run.Format = Format
	if run.Name == "" {
		run.Name = filepath.Base(dir)
	}
	s := &Store{dir: dir, run: run}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, s.explain("create the run folder", err)
	}
	half, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".new-")
	if err != nil {
		return nil, s.explain("create the run folder", err)
	}
	if err := s.fill(half); err != nil {
		s.release()
		os.RemoveAll(half)
		return nil, s.explain("create the run folder", err)
	}
	// rename(2) puts the folder in place of nothing or of an empty folder only.
	if err := unix.Rename(half, dir); err != nil {
		s.release()
		os.RemoveAll(half)
		if err := free(dir); err != nil {
			return nil, err // somebody else was faster
		}
		return nil, s.explain("create the run folder", err)
	}
	if err := s.open(true); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// free returns an error when something is at dir that Create would cover.
func free(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return &RunError{Kind: ErrExists, Reason: fmt.Sprintf("%s exists and is no folder", dir), Next: "name another folder with --run", Err: err}
	}
	if _, err := os.Stat(filepath.Join(dir, runFile)); err == nil {
		return &RunError{Kind: ErrExists, Reason: fmt.Sprintf("%s holds a run already", dir), Next: "resume it, or name another folder with --run"}
	}
	return &RunError{Kind: ErrExists, Reason: fmt.Sprintf("%s exists and is not a run folder", dir), Next: "name another folder with --run"}
}

// fill makes everything that a run folder has, in dir, and takes its lock.
func (s *Store) fill(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, d := range []string{BlobsDir, BugsDir, VersionsDir} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := s.takeLock(filepath.Join(dir, lockFile)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, logFile), nil, 0o644); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, dbFile), "mode=rwc", "_pragma=journal_mode(WAL)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(schema+`INSERT INTO meta VALUES ('format', ?)`, strconv.Itoa(Format))
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	b, err := json.MarshalIndent(s.run, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", runFile, err)
	}
	return writeFile(filepath.Join(dir, runFile), append(b, '\n'))
}

// Open opens a run folder for reading, also while another process writes.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir}
	if err := s.readRun(); err != nil {
		return nil, err
	}
	if err := s.open(false); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Resume opens a run folder for writing. It is an error when a living process
// has it open for writing.
func Resume(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir}
	if err := s.readRun(); err != nil {
		return nil, err
	}
	if err := s.takeLock(s.path(lockFile)); err != nil {
		return nil, s.explain("lock the run folder", err)
	}
	if err := s.open(true); err != nil {
		s.Close()
		return nil, err
	}
	var check string
	if err := s.w.QueryRow(`PRAGMA quick_check(1)`).Scan(&check); err != nil || check != "ok" {
		s.Close()
		if err == nil {
			err = errors.New(check)
		}
		return nil, &RunError{Kind: ErrDamaged, Reason: fmt.Sprintf("%s is damaged or cut off", s.path(dbFile)),
			Next: "restore it from a copy, or start a new run", Err: err}
	}
	s.dropHalfBlobs()
	return s, nil
}

// readRun reads run.json.
func (s *Store) readRun() error {
	info, err := os.Stat(s.dir)
	if err != nil {
		return &RunError{Kind: ErrNoRun, Reason: fmt.Sprintf("there is no run folder %s", s.dir), Next: "look into ./runs for those that exist"}
	}
	name := s.path(runFile)
	b, err := os.ReadFile(name)
	if !info.IsDir() || errors.Is(err, fs.ErrNotExist) {
		return &RunError{Kind: ErrNoRun, Reason: fmt.Sprintf("%s is not a run folder", s.dir), Next: "name one that holds " + runFile}
	}
	if err != nil {
		return s.explain("read "+runFile, err)
	}
	var head struct {
		Format int `json:"format"`
	}
	err = json.Unmarshal(b, &head)
	if err == nil && head.Format > Format {
		return &RunError{Kind: ErrNewer, Reason: fmt.Sprintf("%s was written by a newer breakfix (format %d; this one knows up to %d)", s.dir, head.Format, Format),
			Next: "use a newer breakfix"}
	}
	if err == nil {
		err = json.Unmarshal(b, &s.run)
	}
	if err == nil && head.Format < 1 {
		err = errors.New("it names no format")
	}
	if err != nil {
		return &RunError{Kind: ErrDamaged, Reason: fmt.Sprintf("%s is damaged or cut off", name), Next: "restore it from a copy, or start a new run", Err: err}
	}
	return nil
}

// open opens the database, and for writing the log.
func (s *Store) open(write bool) error {
	if _, err := os.Stat(s.path(dbFile)); err != nil {
		return &RunError{Kind: ErrDamaged, Reason: fmt.Sprintf("%s is missing", s.path(dbFile)), Next: "restore it from a copy, or start a new run", Err: err}
	}
	var err error
	if write {
		if s.w, err = sql.Open("sqlite", dsn(s.path(dbFile), "mode=rw", "_txlock=immediate", "_pragma=synchronous(FULL)")); err != nil {
			return s.explain("open "+dbFile, err)
		}
		s.w.SetMaxOpenConns(1)
		if s.log, err = os.OpenFile(s.path(logFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return s.explain("open "+logFile, err)
		}
		if err := s.checkFormat(s.w); err != nil {
			return err
		}
		if _, err := s.w.Exec(tiers); err != nil {
			return s.explain("open "+dbFile, err)
		}
	}
	return s.openReader()
}

func (s *Store) openReader() error {
	var err error
	if s.r, err = sql.Open("sqlite", dsn(s.path(dbFile), "mode=ro")); err != nil {
		return s.explain("open "+dbFile, err)
	}
	s.r.SetMaxOpenConns(2)
	err = s.checkFormat(s.r)
	var se *sqlite.Error
	if errors.As(err, &se) && (se.Code()&0xff == sqlite3.SQLITE_CANTOPEN || se.Code()&0xff == sqlite3.SQLITE_READONLY) {
		// A folder that nobody can write to: without a log file beside it the
		// database is whole and needs no shared memory.
		if _, walErr := os.Stat(s.path(dbFile + "-wal")); walErr != nil {
			s.r.Close()
			if s.r, err = sql.Open("sqlite", dsn(s.path(dbFile), "mode=ro", "immutable=1")); err != nil {
				return s.explain("open "+dbFile, err)
			}
			err = s.checkFormat(s.r)
		}
	}
	return err
}

func (s *Store) checkFormat(db *sql.DB) error {
	var format string
	if err := db.QueryRow(`SELECT value FROM meta WHERE key = 'format'`).Scan(&format); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return &RunError{Kind: ErrDamaged, Reason: fmt.Sprintf("%s names no format", s.path(dbFile)), Next: "restore it from a copy, or start a new run"}
		}
		return s.explain("read "+dbFile, err)
	}
	if n, err := strconv.Atoi(format); err != nil || n > Format {
		return &RunError{Kind: ErrNewer, Reason: fmt.Sprintf("%s has format %s; this breakfix knows up to %d", s.path(dbFile), format, Format), Next: "use a newer breakfix"}
	}
	return nil
}

func dsn(name string, options ...string) string {
	options = append(options, "_pragma=busy_timeout(20000)", "_pragma=foreign_keys(1)", "_pragma=cache_size(-2000)")
	return (&url.URL{Scheme: "file", Path: name, RawQuery: strings.Join(options, "&")}).String()
}

// Dir returns the absolute path of the run folder.
func (s *Store) Dir() string { return s.dir }

// Run returns run.json.
func (s *Store) Run() Run { return s.run }

// BugDir returns the folder of a bug's artifact.
func (s *Store) BugDir(id string) string { return filepath.Join(s.dir, BugsDir, filepath.Base(id)) }

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// Size returns how many bytes the files of the run folder hold, for the cap on
// disk use.
func (s *Store) Size() (int64, error) {
	var total int64
	err := filepath.WalkDir(s.dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while we looked: a temporary file
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("measure the run folder: %w", err)
	}
	return total, nil
}

// Close releases the lock. It may be called more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return nil
	}
	s.done = true
	var errs []error
	// The writer closes last, so that it folds the write-ahead log in.
	for _, db := range []*sql.DB{s.r, s.w} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	s.release()
	return errors.Join(errs...)
}

// begin starts a transaction that writes.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	if s.w == nil {
		return nil, errors.New("this run folder was opened for reading; resume it to write")
	}
	return s.w.BeginTx(ctx, nil)
}

// digestOf names a blob.
func digestOf(b []byte) string { return string(tree.DigestOf(b)) }
