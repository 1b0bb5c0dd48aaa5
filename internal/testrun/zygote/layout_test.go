package zygote

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"breakfix/internal/sandbox"
)

// TestMain lets a test start this program with another view of the machine's
// control groups, in a mount namespace of its own.
func TestMain(m *testing.M) {
	view := os.Getenv("ZYGOTE_TEST_GROUPS")
	if view == "" {
		os.Exit(m.Run())
	}
	unified := groupMount("cgroup2")
	must := func(err error) {
		if err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(3)
		}
	}
	must(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	at := "/tmp"
	if view == "v2 alone" {
		must(unix.Mount("none", at, "tmpfs", 0, ""))
		must(os.Mkdir(at+"/v2", 0o755))
		must(unix.Mount(unified, at+"/v2", "", unix.MS_BIND, ""))
	}
	hide := "/sys/fs/cgroup"
	if view == "v1 alone" {
		hide = unified
	}
	for i := 0; i < 50; i++ { // whatever lies over each other
		if unix.Unmount(hide, unix.MNT_DETACH) != nil {
			break
		}
	}
	if view == "v2 alone" {
		must(unix.Mount(at+"/v2", "/sys/fs/cgroup", "", unix.MS_BIND, ""))
		must(unix.Unmount(at, unix.MNT_DETACH))
	}
	os.Exit(m.Run())
}

// groupMount finds where control groups of a kind are mounted; "" for nowhere.
func groupMount(kind string) string {
	text, _ := os.ReadFile("/proc/self/mounts")
	for _, l := range strings.Split(string(text), "\n") {
		if f := strings.Fields(l); len(f) > 2 && f[2] == kind {
			return f[1]
		}
	}
	return ""
}

func layoutOf(t *testing.T) string {
	for _, l := range keeper(t).Layers() {
		if l.Name == "cgroups" {
			return strings.TrimPrefix(l.Detail, "layout: ")
		}
	}
	return ""
}

// few are the tests that another view is asked for in every run of the suite;
// BREAKFIX_SLOW asks for all.
const few = "Context|Daemons|Closing|Capability|Detected|SeesTheChanges|SignalNothing|LateKill|MemoryGroup|MemoryBomb|ForkBomb|NeitherTheServer"

// again runs this package's tests once more, as cmd says.
func again(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if testing.Short() {
		t.Skip("long")
	}
	run := few
	if os.Getenv("BREAKFIX_SLOW") != "" {
		run = "."
	}
	cmd.Args = append(cmd.Args, "-test.v", "-test.timeout", "5m", "-test.run", run, "-test.skip", "EveryLayout|OrdinaryUser|Thousand")
	out, err := cmd.CombinedOutput()
	if ran := bytes.Count(out, []byte("--- PASS: Test")); err != nil || ran < 10 {
		t.Errorf("%v, %d tests passed\n%s", err, ran, out)
	}
	for _, l := range strings.Split(string(out), "\n") {
		if strings.Contains(l, "--- SKIP") || strings.Contains(l, "layout:") {
			t.Log(strings.TrimSpace(l))
		}
	}
}

func TestCagesKeepTheirPromisesInEveryLayoutOfControlGroups(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can have another view of control groups")
	}
	for _, view := range []string{"none", "v2 alone", "v1 alone"} {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			if view == "v2 alone" && groupMount("cgroup2") == "" || view == "v1 alone" && groupMount("cgroup") == "" {
				t.Skip("this machine has no such hierarchy")
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "ZYGOTE_TEST_GROUPS="+view)
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			again(t, cmd)
		})
	}
}

func TestCagesKeepTheirPromisesForAnOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it is one already")
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "cages") // one of the test's own is not his
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	// What he may read: the program, the one file that it needs, a place to write.
	for name, data := range map[string][]byte{"zygote/zygote.test": program, "inside/breakfix_channel.py": []byte(channel(t)), "tmp/x": nil} {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, data, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chown(dir+"/tmp", nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	as := func() *exec.Cmd {
		cmd := exec.Command(dir + "/zygote/zygote.test")
		cmd.Dir = dir + "/zygote"
		cmd.Env = append(os.Environ(), "TMPDIR="+dir+"/tmp", "HOME="+dir+"/tmp")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}
	t.Run("without groups of his own", func(t *testing.T) {
		t.Parallel()
		again(t, as())
	})
	t.Run("with a group that he was given", func(t *testing.T) {
		t.Parallel()
		group := filepath.Join(groupMount("cgroup2"), "breakfix-test-delegated")
		if groupMount("cgroup2") == "" || os.Mkdir(group, 0o755) != nil {
			t.Skip("no v2 control groups here")
		}
		defer os.Remove(group)
		for _, name := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
			if err := os.Chown(filepath.Join(group, name), nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		f, err := os.Open(group)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd := as()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(f.Fd())
		again(t, cmd)
		if left, _ := filepath.Glob(group + "/*/"); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	})
}

func TestTheLayoutOfControlGroupsIsDetected(t *testing.T) {
	got := layoutOf(t)
	switch view := os.Getenv("ZYGOTE_TEST_GROUPS"); view {
	case "":
		t.Logf("layout: %s", got)
	case "none":
		if got != "none" {
			t.Errorf("without any mounted it is %s", got)
		}
	case "v1 alone":
		if got != "v1" {
			t.Errorf("with v1 alone it is %s", got)
		}
	default:
		if !strings.HasPrefix(got, "v2") {
			t.Errorf("with v2 alone it is %s", got)
		}
	}
	s := serve(t, sandbox.Limits{})
	cage, err := s.live.Cage()
	if err != nil {
		t.Fatal(err)
	}
	defer cage.Remove()
	if has, want := cage.File() != nil, got != "none" && got != "v1"; has != want {
		t.Errorf("layout %s: a cage has a group: %v", got, has)
	}
}
