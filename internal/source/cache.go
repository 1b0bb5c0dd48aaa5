package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// CacheDir returns breakfix's cache folder, absolute: the one given, else
// $BREAKFIX_CACHE, else "breakfix" in the user's cache folder. It is made when
// it is missing.
func CacheDir(given string) (string, error) {
	dir := given
	if dir == "" {
		dir = os.Getenv("BREAKFIX_CACHE")
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the user's cache folder (set BREAKFIX_CACHE to name one): %w", err)
		}
		dir = filepath.Join(user, "breakfix")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	return dir, nil
}

// completeMark is written last into a folder of the cache; a folder without
// it was left half-made by a process that died, and is made again.
const completeMark = ".complete"

func isComplete(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, completeMark))
	return err == nil && info.Mode().IsRegular()
}

func markComplete(dir string) error {
	return os.WriteFile(filepath.Join(dir, completeMark), nil, 0o644)
}

// lockPoll is how often a process looks whether the lock became free.
const lockPoll = 100 * time.Millisecond

// lock takes the lock file, which also excludes other processes, and returns
// the function that gives it back. While another process holds it, one line
// about what is awaited goes to log. The kernel frees the lock of a process
// that died.
func lock(ctx context.Context, file, what string, log io.Writer) (func(), error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock of %s: %w", what, err)
	}
	said := false
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", file, err)
		}
		if !said {
			said = true
			owner, _ := os.ReadFile(file)
			pid := strings.TrimSpace(string(owner))
			if pid == "" {
				pid = "unknown"
			}
			fmt.Fprintf(log, "waiting: another breakfix (process %s) is making %s\n", pid, what)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
	// Who holds it is a courtesy to those who wait; the lock itself is flock's.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(fmt.Sprintf("%d\n", os.Getpid())), 0)
	}
	return func() { f.Close() }, nil
}

// tempDir makes an empty folder in the cache, on the same file system as what
// it is renamed to.
func tempDir(cache, name string) (string, error) {
	parent := filepath.Join(cache, "tmp")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, name+"-*")
}
