package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"
)

// scriptCommands are what the scripts may say beside testscript's own words.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits": exits, "waitfor": waitfor, "firstline": firstLine, "signal": sendSignal, "smalldisk": smalldisk,
	"sql": changeRow, "spoil": spoil, "samerun": sameRun, "remember": remember, "unchanged": unchanged, "each": each, "clicksthrough": clicksThrough,
}

// exits runs a command and compares its exit code: exits CODE CMD ARGS…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGS]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// waitfor waits until a file is there, and says something: waitfor FILE [TEXT].
func waitfor(ts *testscript.TestScript, neg bool, args []string) {
	for range 1200 {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && strings.Contains(string(b), strings.Join(args[1:], " ")) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear within a minute", strings.Join(args, " with "))
}

// firstLine waits until a file has a whole line, and sets a variable to it:
// firstline VARIABLE FILE.
func firstLine(ts *testscript.TestScript, neg bool, args []string) {
	for range 1200 {
		b, err := os.ReadFile(ts.MkAbs(args[1]))
		if line, _, whole := strings.Cut(string(b), "\n"); err == nil && whole {
			ts.Setenv(args[0], line)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s has no line after a minute", args[1])
}

// sendSignal sends a background command a signal (INT as a person at the terminal
// does, TERM, KILL), once its run has stored some episodes: signal NAME RUN
// EPISODES [again]. The process is found by the lock of its run folder; again sends
// the signal until it has ended.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	sig := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[0]]
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	waitfor(ts, false, []string{args[1] + "/run.db"})
	db, err := sql.Open("sqlite", ts.MkAbs(args[1]+"/run.db"))
	ts.Check(err)
	defer db.Close()
	stored := -1
	for range 1200 {
		if err := db.QueryRow("select count(*) from episodes").Scan(&stored); err == nil && stored >= want {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if stored < want {
		ts.Fatalf("%s holds %d episodes after a minute, want %d", args[1], stored, want)
	}
	pid := 0
	lock := ts.ReadFile(args[1] + "/lock")
	if _, err := fmt.Sscanf(lock, "%d", &pid); err != nil {
		ts.Fatalf("no process number in the lock of %s: %v", args[1], err)
	}
	ts.Check(syscall.Kill(pid, sig))
	if len(args) == 4 && args[3] == "again" {
		// Signals that are not yet taken merge, so one more may be none: they are sent
		// until the process has ended, as by somebody who leans on the key.
		for range 2000 {
			time.Sleep(3 * time.Millisecond)
			if syscall.Kill(pid, sig) != nil {
				return
			}
		}
		ts.Fatalf("process %d goes on after 2000 signals", pid)
	}
}

// smalldisk mounts a file system of a given size: smalldisk DIR SIZE.
func smalldisk(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", dir).CombinedOutput(); err != nil {
		ts.Fatalf("mount: %v: %s", err, out)
	}
	ts.Defer(func() { _ = exec.Command("umount", dir).Run() })
}

// changeRow changes a run's database by hand: sql FILE STATEMENT.
func changeRow(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	res, err := db.Exec(args[1])
	ts.Check(err)
	if n, _ := res.RowsAffected(); n != 1 {
		ts.Fatalf("%d rows changed, want 1", n)
	}
}

// spoil copies the first bug of a folder to ./spoilt and changes one byte in
// the middle of one of its files: spoil BUGS FILE.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	bugs, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*"))
	ts.Check(err)
	if len(bugs) == 0 {
		ts.Fatalf("no bugs in %s", args[0])
	}
	to := ts.MkAbs("spoilt")
	ts.Check(os.RemoveAll(to))
	ts.Check(os.CopyFS(to, os.DirFS(bugs[0])))
	name := filepath.Join(to, args[1])
	b, err := os.ReadFile(name)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(name, b, 0o644))
}

// each runs a command for every match of a pattern, with {} for the match:
// each PATTERN CODE COMMAND ARGS…
func each(ts *testscript.TestScript, _ bool, args []string) {
	matches, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(matches) == 0 {
		ts.Fatalf("nothing matches %s", args[0])
	}
	for _, m := range matches {
		var argv []string
		for _, a := range args[1:] {
			argv = append(argv, strings.ReplaceAll(a, "{}", m))
		}
		exits(ts, false, argv)
	}
}

// sameRun compares two outputs of show --json but for what may differ: the
// name of the run, times, memory, where verdicts came from, and further keys:
// samerun A B [KEY]…
func sameRun(ts *testscript.TestScript, _ bool, args []string) {
	read := func(name string) map[string]any {
		var m map[string]any
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &m))
		for _, k := range append([]string{"run", "seconds", "peak_memory_bytes", "verdicts"}, args[2:]...) {
			delete(m, k)
		}
		return m
	}
	a, b := read(args[0]), read(args[1])
	if len(a) < 10 {
		ts.Fatalf("%s has only %d keys", args[0], len(a))
	}
	if d := cmp.Diff(a, b); d != "" {
		ts.Fatalf("the runs differ:\n%s", d)
	}
}

// remember notes content, mode and time of every file below a folder, and
// unchanged fails when any of it is no longer so: remember DIR; unchanged DIR.
func remember(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(".remembered-"+args[0]), []byte(fingerprint(ts, args[0])), 0o644))
}

func unchanged(ts *testscript.TestScript, _ bool, args []string) {
	before := ts.ReadFile(".remembered-" + args[0])
	if d := cmp.Diff(before, fingerprint(ts, args[0])); d != "" {
		ts.Fatalf("%s changed:\n%s", args[0], d)
	}
}

func fingerprint(ts *testscript.TestScript, dir string) string {
	var lines []string
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content := ""
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			content = string(b)
		}
		lines = append(lines, fmt.Sprintf("%s %v %v %q", p, info.Mode(), info.ModTime().UnixNano(), content))
		return nil
	}))
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}
