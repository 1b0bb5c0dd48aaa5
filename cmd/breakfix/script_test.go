package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"breakfix": main})
}

// The scripts in testdata read like a manual: what a person types, what
// breakfix answers, with which exit code.
func TestTheCommandLineDoesWhatTheScriptsSay(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			cache, err := os.UserCacheDir()
			if err != nil {
				return err
			}
			// Environments and tools are shared between scripts and kept, as a
			// person's are; verdicts and baselines too, which are keyed by content.
			e.Setenv("BREAKFIX_CACHE", filepath.Join(cache, "breakfix"))
			// Where the command under test lies, for scripts that set PATH.
			e.Setenv("COMMANDS", strings.SplitN(e.Getenv("PATH"), ":", 2)[0])
			for _, kv := range os.Environ() {
				name, value, _ := strings.Cut(kv, "=")
				switch {
				case name == "HOME", strings.HasPrefix(name, "PYENV"), strings.Contains(name, "CERT"),
					strings.HasPrefix(name, "PIP_"), strings.HasPrefix(name, "UV_"), strings.HasSuffix(strings.ToUpper(name), "_PROXY"):
					e.Setenv(name, value)
				}
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "waitfor": waitfor, "interrupt": interrupt, "smalldisk": smalldisk,
		},
	})
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

// waitfor waits until a file is there: waitfor FILE.
func waitfor(ts *testscript.TestScript, neg bool, args []string) {
	for range 1200 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear within a minute", args[0])
}

// interrupt sends a background command SIGINT, as a person at the terminal
// does, and waits for it: interrupt CODE RUN. The process is found by the lock
// of its run folder.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	pid := 0
	lock := ts.ReadFile(args[0] + "/lock")
	if _, err := fmt.Sscanf(lock, "%d", &pid); err != nil {
		ts.Fatalf("no process number in the lock of %s: %v", args[0], err)
	}
	ts.Check(syscall.Kill(pid, syscall.SIGINT))
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
