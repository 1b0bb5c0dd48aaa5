// Package scripts holds nothing but the test of scripts/setup.
package scripts

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// machine makes a PATH that has the named programs and nothing else.
func machine(t *testing.T, programs ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "setup")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		at, err := exec.LookPath(p)
		if err != nil {
			t.Fatalf("this test needs %s: %v", p, err)
		}
		if err := os.Symlink(at, filepath.Join(dir, p)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fake adds a program that prints one line.
func fake(t *testing.T, dir, name, line string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+line+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// setup runs the script as an ordinary user and returns its exit code.
func setup(t *testing.T, path string) (int, string) {
	t.Helper()
	script, err := os.ReadFile("setup")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-s")
	cmd.Stdin = bytes.NewReader(script)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + path, "HOME=" + path, "BREAKFIX_PYTHON=/usr/bin/python3"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

var ordinary = []string{"sh", "sed", "cut", "id", "git", "unshare", "mount", "cc", "ps"}

func TestAnUserWithoutBubblewrapIsToldTheOneLineToType(t *testing.T) {
	path := machine(t, ordinary...)
	fake(t, path, "go", "go1.26.0")
	code, out := setup(t, path)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	last := lines[len(lines)-1]
	if code != 2 || !strings.HasPrefix(last, "type: sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ") || !strings.Contains(last, " bubblewrap") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if strings.Contains(last, " git") || strings.Contains(last, " gcc") {
		t.Errorf("asks for what is there: %s", last)
	}
}

func TestAnOldOrMissingGoIsNamed(t *testing.T) {
	path := machine(t, ordinary...)
	if code, out := setup(t, path); code != 2 || !strings.Contains(out, "Go 1.26 or later is not on the PATH") {
		t.Errorf("without Go: %d %s", code, out)
	}
	fake(t, path, "go", "go1.19.8")
	if code, out := setup(t, path); code != 2 || !strings.Contains(out, "this is go1.19.8") {
		t.Errorf("with Go 1.19: %d %s", code, out)
	}
}
