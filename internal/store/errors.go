package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What can be wrong with a run folder; a RunError wraps one of these.
var (
	ErrExists  = errors.New("exists already")
	ErrNoRun   = errors.New("no run folder")
	ErrLocked  = errors.New("locked by a living process")
	ErrNewer   = errors.New("written by a newer breakfix")
	ErrDamaged = errors.New("damaged or cut off")
	ErrFull    = errors.New("disk full")
	ErrTwice   = errors.New("recorded already")
	ErrAbsent  = errors.New("not in this run")
)

// RunError says what is wrong with a run folder and what to do next, each in
// one clause. errors.Is tells which of the package's errors it is.
type RunError struct {
	Kind   error  // one of the errors above
	Reason string // what is wrong, with the folder's name
	Next   string // what to do
	Err    error  // what the system said, may be nil
}

// Error gives reason, cause and next step in one line.
func (e *RunError) Error() string {
	s := e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Next != "" {
		s += "; " + e.Next
	}
	return s
}

// Unwrap gives the kind and the cause.
func (e *RunError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

func absent(format string, a ...any) error {
	return &RunError{Kind: ErrAbsent, Reason: fmt.Sprintf(format, a...)}
}

// explain turns what SQLite and the system say into a RunError where the
// person can do something about it.
func (s *Store) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var known *RunError
	if errors.As(err, &known) {
		return err
	}
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	damaged := false
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			full = true
		case sqlite3.SQLITE_IOERR:
			// SQLite reports a full disk as an input/output error when it cannot
			// grow its shared-memory or log file.
			full = full || noSpace(s.dir)
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			damaged = true
		case sqlite3.SQLITE_ERROR: // a table or column of the format is missing
			damaged = strings.Contains(se.Error(), "no such ")
		}
	}
	switch {
	case full:
		return &RunError{Kind: ErrFull, Reason: fmt.Sprintf("the disk that holds %s is full: cannot %s", s.dir, doing),
			Next: "everything stored before is whole: free some space and resume the run", Err: err}
	case damaged:
		return &RunError{Kind: ErrDamaged, Reason: fmt.Sprintf("%s is damaged or cut off: cannot %s", s.path(dbFile), doing),
			Next: "restore it from a copy, or start a new run", Err: err}
	}
	return fmt.Errorf("%s in %s: %w", doing, s.dir, err)
}

func noSpace(dir string) bool {
	var fs syscall.Statfs_t
	return syscall.Statfs(dir, &fs) == nil && fs.Bavail*uint64(fs.Bsize) < 256<<10
}
