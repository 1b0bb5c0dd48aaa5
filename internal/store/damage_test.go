package store_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/outcome"
	"breakfix/internal/store"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("BREAKFIX_TEST_WRITE_RUN"); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled stores rounds of three episodes and says when each is
// stored.
func writeUntilKilled(dir string) {
	s, err := store.Resume(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for n := 1; ; n += 3 {
		var round []store.Episode
		for i := range 3 {
			e := episode(n + i)
			for j := range 200 {
				e.Attempts[0].Verdicts[fmt.Sprint("t.py::", j)] = outcome.Failed
			}
			round = append(round, e)
		}
		if err := s.PutRound(context.Background(), round, json.RawMessage(fmt.Sprint(n+2))); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n + 2)
	}
}

func TestAKilledProcessLosesNothingStoredAndLeavesNothingHalf(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	create(t, dir).Close()
	last := 0
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "BREAKFIX_TEST_WRITE_RUN="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
			t.Fatalf("the child said %q", lines.Text())
		}
		if last >= 30 {
			if _, err := store.Resume(dir); !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", child.Process.Pid)) {
				t.Errorf("while the child writes, Resume says %v", err)
			}
			child.Process.Kill() // SIGKILL, somewhere inside a later round
			break
		}
	}
	for lines.Scan() { // what it had said before it died
		fmt.Sscan(lines.Text(), &last)
	}
	child.Wait()

	r, err := store.Open(dir) // to look at what was left does not need to resume it
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := r.Numbers(t.Context()); err != nil || len(seen) < last {
		t.Errorf("a reader sees %d episodes of %d after the kill: %v", len(seen), last, err)
	}
	r.Close()

	s, err := store.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := 0
	for e, err := range s.Episodes(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if e.Number != n || e.Break.Evidence != store.BreakEvidence(e) || e.Attempts[0].Evidence != store.AttemptEvidence(n, e.Attempts[0]) {
			t.Fatalf("episode %d is not whole", n)
		}
	}
	state, err := s.State(t.Context())
	if err != nil || string(state) != fmt.Sprint(n) {
		t.Errorf("%d episodes, but the state is that after %s (%v)", n, state, err)
	}
	// The child may have stored one more round than it lived to tell.
	if n < 30 || n%3 != 0 || n < last {
		t.Errorf("%d episodes after a kill; the child had stored %d", n, last)
	}
	if err := s.PutEpisode(t.Context(), episode(n+1)); err != nil {
		t.Errorf("the resumed run does not go on: %v", err)
	}
}

func TestWhatIsWrongWithARunFolderIsSaidInOneSentence(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string) error
		kind  error
		says  string
	}{
		"no folder":        {func(d string) error { return os.RemoveAll(d) }, store.ErrNoRun, "there is no run folder"},
		"not a run":        {func(d string) error { return os.Remove(filepath.Join(d, "run.json")) }, store.ErrNoRun, "is not a run folder"},
		"run.json cut off": {func(d string) error { return os.Truncate(filepath.Join(d, "run.json"), 40) }, store.ErrDamaged, "run.json is damaged or cut off"},
		"run.json empty":   {func(d string) error { return os.Truncate(filepath.Join(d, "run.json"), 0) }, store.ErrDamaged, "run.json is damaged or cut off"},
		"newer": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "run.json"), []byte(`{"format":2,"seed":"new"}`), 0o644)
		}, store.ErrNewer, "newer breakfix (format 2; this one knows up to 1)"},
		"run.db missing": {func(d string) error { return os.Remove(filepath.Join(d, "run.db")) }, store.ErrDamaged, "run.db is missing"},
		"run.db not a database": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "run.db"), []byte(strings.Repeat("garbage ", 999)), 0o644)
		}, store.ErrDamaged, "run.db is damaged or cut off"},
		"run.db empty": {func(d string) error { return os.Truncate(filepath.Join(d, "run.db"), 0) }, store.ErrDamaged, "run.db is damaged or cut off"},
		"run.db half":  {func(d string) error { return os.Truncate(filepath.Join(d, "run.db"), 20000) }, store.ErrDamaged, "run.db is damaged or cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "x")
			s := create(t, dir)
			if err := s.PutEpisode(t.Context(), episode(1)); err != nil {
				t.Fatal(err)
			}
			s.Close()
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			for how, open := range map[string]func(string) (*store.Store, error){"Open": store.Open, "Resume": store.Resume} {
				s, err := open(dir)
				if err == nil && how == "Open" { // a reader may notice only when it gets there
					for _, e := range s.Episodes(t.Context()) {
						if e != nil {
							err = e
						}
					}
					s.Close()
				}
				var re *store.RunError
				if !errors.Is(err, c.kind) || !errors.As(err, &re) || re.Next == "" || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s says %v, want %q and what to do next", how, err, c.says)
				}
			}
		})
	}
}

func TestCreateNeverCoversWhatExists(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "x")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	create(t, dir).Close() // an empty folder is taken
	if _, err := store.Create(dir, store.Run{}); !errors.Is(err, store.ErrExists) || !strings.Contains(err.Error(), "holds a run already") {
		t.Errorf("over a run: %v", err)
	}
	if _, err := store.Create(parent, store.Run{}); !errors.Is(err, store.ErrExists) || !strings.Contains(err.Error(), "is not a run folder") {
		t.Errorf("over something else: %v", err)
	}
	file := filepath.Join(dir, "run.json")
	if _, err := store.Create(file, store.Run{}); !errors.Is(err, store.ErrExists) {
		t.Errorf("over a file: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(parent, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAFullDiskIsAClearErrorAndLosesNothing(t *testing.T) {
	mount := t.TempDir()
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("needs the right to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(mount, unix.MNT_DETACH) })
	dir := filepath.Join(mount, "x")
	s := create(t, dir)
	stored := 0
	var err error
	for n := 1; err == nil && n < 1000; n++ {
		e := episode(n)
		e.Break.Diff = strings.Repeat("x", 100_000)
		if err = s.PutEpisode(t.Context(), e); err == nil {
			stored = n
		}
	}
	var re *store.RunError
	if !errors.Is(err, store.ErrFull) || !errors.As(err, &re) || !strings.Contains(re.Next, "resume") {
		t.Fatalf("after %d episodes: %v", stored, err)
	}
	if stored == 0 {
		t.Fatal("nothing could be stored at all")
	}
	if _, err := s.PutBlob(make([]byte, 8<<20)); !errors.Is(err, store.ErrFull) {
		t.Errorf("a blob: %v", err)
	}
	if _, err := store.Create(filepath.Join(mount, "y"), store.Run{}); err != nil && !errors.Is(err, store.ErrFull) {
		t.Errorf("another run: %v", err)
	}
	s.Close()
	if err := unix.Mount("tmpfs", mount, "tmpfs", unix.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Resume(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n, err := s.Numbers(t.Context()); err != nil || len(n) != stored {
		t.Errorf("of %d stored episodes %d are there: %v", stored, len(n), err)
	}
	if err := s.PutEpisode(t.Context(), episode(stored+1)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestAFolderThatNobodyMayWriteCanBeRead(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "x")
	s := create(t, dir)
	if err := s.PutEpisode(t.Context(), episode(1)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("needs the right to mount read-only: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("needs the right to mount read-only: %v", err)
	}
	r, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := r.Numbers(t.Context()); err != nil || len(n) != 1 {
		t.Errorf("got %v, %v", n, err)
	}
}
