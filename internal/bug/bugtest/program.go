package bugtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"breakfix/internal/testrun"
)

// Play implements witness.Target: it runs a program on the host.
func (j *Judge) Play(ctx context.Context, p testrun.Program, say func([]byte)) (ended bool, err error) {
	dir, err := os.MkdirTemp("", "bugtest-program-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	work, ours := filepath.Join(dir, "work"), filepath.Join(dir, "ours")
	if err := p.Tree.WriteTo(work); err != nil {
		return false, err
	}
	files, err := p.Lay()
	if err != nil {
		return false, err
	}
	if err := os.Mkdir(ours, 0o755); err != nil {
		return false, err
	}
	for name, f := range files {
		if err := os.WriteFile(filepath.Join(ours, name), f.Data, 0o644); err != nil {
			return false, err
		}
	}
	argv := []string{filepath.Join(ours, p.Main)}
	if p.Tests != nil {
		argv = []string{"-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", strings.TrimSuffix(p.Main, ".py")}
		for _, id := range p.Tests {
			if f, _, _ := strings.Cut(id, "::"); !slices.Contains(argv, f) {
				argv = append(argv, f)
			}
		}
	}
	report, theirs, err := os.Pipe()
	if err != nil {
		return false, err
	}
	defer report.Close()
	secret := filepath.Join(dir, "nonce")
	if err := os.WriteFile(secret, []byte("nonce"), 0o644); err != nil {
		return false, err
	}
	nonce, err := os.Open(secret)
	if err != nil {
		return false, err
	}
	defer nonce.Close()
	ctx, cancel := context.WithTimeout(ctx, p.Wall)
	defer cancel()
	cmd := exec.CommandContext(ctx, interpreter(), argv...)
	cmd.Dir = work
	cmd.ExtraFiles = []*os.File{theirs, nonce}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", "PYTHONDONTWRITEBYTECODE=1", fmt.Sprintf("PYTHONHASHSEED=%d", p.HashSeed),
		"PYTHONPATH="+ours+":"+work+":"+filepath.Join(work, "src"))
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return false, err
	}
	s := bufio.NewScanner(report)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var m struct{ N, K, Reason string }
		if json.Unmarshal(s.Bytes(), &m) != nil || m.N != "nonce" {
			continue
		}
		switch m.K {
		case "said":
			say([]byte(m.Reason))
		case "done":
			ended = true
		}
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left
	_ = cmd.Wait()                                      // how it ended does not matter
	return ended, s.Err()
}
