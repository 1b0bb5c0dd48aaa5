package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// takeLock takes the lock of a run folder and writes this process' id into
// it. The system lets go of it when the process ends, however it ends, so a
// lock file that is left behind locks nothing.
func (s *Store) takeLock(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", name, err)
		}
		who := "another process"
		if b, err := io.ReadAll(io.LimitReader(f, 32)); err == nil && len(b) > 0 {
			who = "process " + strings.TrimSpace(string(b))
		}
		return &RunError{Kind: ErrLocked, Reason: fmt.Sprintf("run folder %s is locked by %s", s.dir, who),
			Next: "wait until it ends, stop it, or name another folder with --run"}
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return err
	}
	s.lock = f
	return nil
}

// release lets go of the lock.
func (s *Store) release() {
	if s.lock != nil {
		s.lock.Truncate(0)
		s.lock.Close()
		s.lock = nil
	}
}
