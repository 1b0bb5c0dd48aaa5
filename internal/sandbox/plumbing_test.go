package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"breakfix/internal/tree"
)

func TestTheTreeIsTheFolderWithItsLayersAndChanges(t *testing.T) {
	layer1, layer2 := t.TempDir(), t.TempDir()
	for p, text := range map[string]string{layer1 + "/built": "one", layer1 + "/a": "layer one", layer2 + "/built": "two"} {
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	onEach(t, func(t *testing.T, b *bubblewrap) {
		for name, base := range map[string]*tree.Tree{
			"on disk":   onDisk(t, map[string]*tree.File{"a": tree.Text("base"), "gone": tree.Text("x"), "dir/x": tree.Text("x"), "dir/y": tree.Text("y"), "pkg/m.py": tree.Text("old"), "was": tree.Text("file")}),
			"in memory": files(t, map[string]*tree.File{"a": tree.Text("base"), "gone": tree.Text("x"), "dir/x": tree.Text("x"), "dir/y": tree.Text("y"), "pkg/m.py": tree.Text("old"), "was": tree.Text("file")}),
		} {
			tr, err := base.With(map[string]*tree.File{
				"gone": nil, "dir/x": nil, "pkg/m.py": tree.Text("new"), "pkg/deep/er/n.py": tree.Text("added"),
				"run.sh": {Kind: tree.Executable, Data: []byte("#!/bin/sh\necho ran\n")}, "link": {Kind: tree.Link, Data: []byte("pkg/m.py")},
				"was": nil, "was/now": tree.Text("folder"), "dir/y": nil,
			})
			if err != nil {
				t.Fatal(err)
			}
			out := says(t, b, Spec{Tree: tr, Layers: []string{layer1, layer2}, Argv: shell(`
pwd; ./run.sh; readlink link; find . -type f | sort | while read f; do echo "$f: $(head -1 $f)"; done
echo changed > a; rm pkg/m.py; cat a`)})
			want := "/work\nran\npkg/m.py\n./a: layer one\n./built: two\n./pkg/deep/er/n.py: added\n./pkg/m.py: new\n./run.sh: #!/bin/sh\n./was/now: folder\nchanged"
			if name == "in memory" {
				want = strings.ReplaceAll(want, "./a: layer one", "./a: base") // all of it is above the layers
			}
			if diff := cmp.Diff(want, out); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if tr.Dir() != "" {
				if text, _ := os.ReadFile(filepath.Join(tr.Dir(), "a")); string(text) != "base" {
					t.Errorf("the host's file is now %q", text)
				}
				if left, _ := filepath.Glob(tr.Dir() + "/*"); len(left) != 5 {
					t.Errorf("the host's folder holds %v", left)
				}
			}
		}
	})
}

func TestAChangeBelowALinkReachesNothingOfTheHost(t *testing.T) {
	b := backends(t)["default"]
	host := t.TempDir()
	tr := onDisk(t, map[string]*tree.File{"a/b": tree.Text("b\n"), "a/c": tree.Text("c\n"), "d": tree.Text("d\n")})
	link := &tree.File{Kind: tree.Link, Data: []byte(host)}
	changed, err := tr.With(map[string]*tree.File{"a": link, "a/b": nil, "a/c": nil})
	if err != nil {
		t.Fatal(err)
	}
	if out := says(t, b, Spec{Tree: changed, Argv: shell("readlink a; cat d")}); out != host+"\nd" {
		t.Errorf("a folder that became a link: %s", out)
	}
	for _, above := range []*tree.File{link, tree.Text("x")} {
		below, err := tr.With(map[string]*tree.File{"e": above, "e/f/g": tree.Text("escaped")})
		if err != nil {
			t.Fatal(err)
		}
		if res, err := b.Run(context.Background(), Spec{Tree: below, Argv: shell(":")}); err == nil {
			t.Errorf("a file below a file ran as %s %d", res.Stopped, res.Exit)
		}
	}
	if left, _ := os.ReadDir(host); len(left) > 0 {
		t.Errorf("written on the host: %v", left)
	}
	noneLeft(t, b)
}

func TestWritesAreThrownAwayUnlessUpperKeepsThem(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		tr := onDisk(t, map[string]*tree.File{"a": tree.Text("a"), "b": tree.Text("b")})
		says(t, b, Spec{Tree: tr, Argv: shell("echo x > new; rm b")})
		if out := says(t, b, Spec{Tree: tr, Argv: shell("ls")}); out != "a\nb" {
			t.Errorf("a later run sees %q", out)
		}
		upper := filepath.Join(t.TempDir(), "built")
		says(t, b, Spec{Tree: tr, Upper: upper, Argv: shell("mkdir d; echo 1 > d/one; rm b")})
		says(t, b, Spec{Tree: tr, Upper: upper, Argv: shell("test ! -e b; test -e d/one && echo 2 > d/two")})
		if out := says(t, b, Spec{Tree: tr, Layers: []string{upper}, Argv: shell("find . -type f | sort")}); out != "./a\n./d/one\n./d/two" {
			t.Errorf("with the kept layer: %q", out)
		}
		res := run(t, b, Spec{Tree: tr, Upper: upper, Limits: Limits{Wall: 300 * time.Millisecond}, Argv: shell("echo 3 > d/three; sleep 100")})
		if _, err := os.Stat(upper + "/d/three"); res.Stopped != Deadline || err == nil {
			t.Errorf("a killed run (%s) was kept", res.Stopped)
		}
		if left, _ := filepath.Glob(filepath.Dir(upper) + "/*"); len(left) != 1 {
			t.Errorf("beside the kept layer lies %v", left)
		}
	})
}

func TestAKeptLayerHoldsNothingThatCouldHarmTheHost(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		upper := filepath.Join(t.TempDir(), "upper")
		says(t, b, Spec{Tree: onDisk(t, map[string]*tree.File{"a": tree.Text("a")}), Upper: upper, Argv: python(`
import os, socket
os.mkfifo("pipe")
socket.socket(socket.AF_UNIX).bind("sock")
open("suid", "w").close(); os.chmod("suid", 0o6755)
os.symlink("/etc/shadow", "link"); os.symlink("/", "root")
os.mkdir("closed"); open("closed/f", "w").close(); os.chmod("closed/f", 0); os.chmod("closed", 0o2000)
with open("sparse", "wb") as f: f.truncate(256 << 20)
p = "."
for i in range(200): p += "/d" * 10; os.makedirs(p, exist_ok=True) if len(p) < 400 else None
try: os.mknod("dev", 0o020666, os.makedev(1, 3)); print("made a device")
except OSError: pass
`)})
		seen := map[string]bool{}
		err := filepath.WalkDir(upper, func(name string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := os.Lstat(name)
			if err != nil {
				return err
			}
			if info.Mode()&(os.ModeNamedPipe|os.ModeSocket|os.ModeDevice|os.ModeSetuid|os.ModeSetgid) != 0 {
				t.Errorf("%s is %s", d.Name(), info.Mode())
			}
			if st := info.Sys().(*syscall.Stat_t); st.Blocks*512 > 1<<20 {
				t.Errorf("%s takes %d bytes", d.Name(), st.Blocks*512)
			}
			seen[d.Name()] = true
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, name := range []string{"suid", "link", "root", "f", "sparse"} {
			if !seen[name] {
				t.Errorf("%s was not kept", name)
			}
		}
	})
}

func TestExtraFilesAndBindsAreSeenWhereTheyWereAskedFor(t *testing.T) {
	host := t.TempDir()
	if err := os.WriteFile(host+"/f", []byte("from the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	onEach(t, func(t *testing.T, b *bubblewrap) {
		rw := t.TempDir()
		out := says(t, b, Spec{
			Extra: map[string]*tree.File{"/breakfix/plugin.py": tree.Text("plugin"), "/tmp/in": {Kind: tree.Executable, Data: []byte("#!/bin/sh\necho executable\n")}, "/breakfix/l": {Kind: tree.Link, Data: []byte("plugin.py")}},
			Binds: []Bind{{Host: host, Inside: "/env"}, {Host: rw, Inside: "/some/where", Writable: true}, {Host: host + "/f", Inside: "/work/bound"}},
			Dir:   "/tmp", Env: []string{"HOME=/elsewhere"},
			Argv: shell(`pwd; echo $HOME; cat /breakfix/l; echo; ./in; cat /env/f; echo; cat /work/bound; echo; echo x > /some/where/new; (echo x > /env/f) 2>/dev/null || echo closed; (echo x > /breakfix/plugin.py) 2>/dev/null || echo closed`)})
		want := "/tmp\n/elsewhere\nplugin\nexecutable\nfrom the host\nfrom the host\nclosed\nclosed"
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
		if text, _ := os.ReadFile(rw + "/new"); string(text) != "x\n" {
			t.Errorf("the writable bind holds %q", text)
		}
		if text, _ := os.ReadFile(host + "/f"); string(text) != "from the host" {
			t.Errorf("the read-only bind holds %q", text)
		}
	})
}

func TestExitCodesSignalsAndMissingProgramsAreTold(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		for _, c := range []struct {
			argv   []string
			want   Stopped
			exit   int
			signal int
		}{
			{shell("exit 0"), Exited, 0, 0},
			{shell("exit 1"), Exited, 1, 0},
			{shell("exit 125"), Exited, 125, 0},
			{shell("exit 255"), Exited, 255, 0},
			{shell("kill -SEGV $$"), Signaled, 139, 11},
			{shell("kill -KILL $$"), Signaled, 137, 9},
			{python("import os; os._exit(4)"), Exited, 4, 0},
			{[]string{"no-such-program"}, Exited, 127, 0},
			{[]string{"/work/nothing"}, Exited, 127, 0},
		} {
			res := run(t, b, Spec{Argv: c.argv})
			if res.Stopped != c.want || res.Exit != c.exit || res.Signal != c.signal {
				t.Errorf("%q: %s %d signal %d", c.argv, res.Stopped, res.Exit, res.Signal)
			}
		}
	})
}

func TestBinaryOutputAndLargeInputPassUnchanged(t *testing.T) {
	in := make([]byte, 5<<20)
	for i := range in {
		in[i] = byte(i * 7 >> 3)
	}
	onEach(t, func(t *testing.T, b *bubblewrap) {
		res := run(t, b, Spec{Stdin: in, Limits: Limits{Output: 8 << 20}, Argv: shell("cat")})
		if !bytes.Equal(res.Stdout, in) || res.Truncated {
			t.Errorf("%d bytes in, %d out", len(in), len(res.Stdout))
		}
		if sum := says(t, b, Spec{Stdin: in, Argv: shell("sha256sum | cut -c1-64")}); sum != fmt.Sprintf("%x", sha256.Sum256(in)) {
			t.Errorf("sum %s", sum)
		}
		if out := says(t, b, Spec{Stdin: in, Argv: shell("echo never read")}); out != "never read" {
			t.Error(out)
		}
		if out := says(t, b, Spec{Argv: shell("wc -c")}); out != "0" {
			t.Errorf("without input: %q", out)
		}
	})
}

// until is a Report that objects once it has seen a word.
type until struct {
	word string
	seen bytes.Buffer
}

func (u *until) Write(p []byte) (int, error) {
	u.seen.Write(p)
	if strings.Contains(u.seen.String(), u.word) {
		return 0, errors.New("enough")
	}
	return len(p), nil
}

func TestTheReportArrivesAndItsReaderCanEndTheRun(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		var got bytes.Buffer
		says(t, b, Spec{Report: &got, Secret: []byte("nonce"), Argv: python(`
import os
n = os.read(4, 100); assert os.read(4, 100) == b"" and n == b"nonce"
for i in range(1000): os.write(3, b"%d\n" % i)
os.write(3, n)
os.close(1)
`)})
		if s := got.String(); !strings.HasPrefix(s, "0\n1\n2\n") || !strings.HasSuffix(s, "999\nnonce") {
			t.Errorf("report %q", s)
		}
		told := &until{word: "stop"}
		res := run(t, b, Spec{Report: told, Argv: shell("echo go >&3; echo stop >&3; sleep 1000")})
		if res.Stopped != Told {
			t.Errorf("ended as %s", res.Stopped)
		}
		res = run(t, b, Spec{Report: &until{word: "stop"}, Argv: shell("echo stop >&3")})
		if res.Stopped != Told {
			t.Errorf("objected at the very end: %s", res.Stopped)
		}
		var flood bytes.Buffer
		res = run(t, b, Spec{Report: &flood, Limits: Limits{Report: 100000}, Argv: shell("cat /dev/zero >&3")})
		if res.Stopped != Told || flood.Len() > 100000 {
			t.Errorf("flooded: %s with %d bytes", res.Stopped, flood.Len())
		}
	})
}

func TestTimeAndMemoryAreMeasured(t *testing.T) {
	onEach(t, func(t *testing.T, b *bubblewrap) {
		res := run(t, b, Spec{Argv: python("import time\nx = b'x' * (50 << 20)\nt = time.process_time()\nwhile time.process_time() - t < 0.3: pass\ntime.sleep(0.2)")})
		if res.Wall < 500*time.Millisecond || res.CPU > res.Wall+time.Second {
			t.Errorf("wall %s, cpu %s", res.Wall, res.CPU)
		}
		if b.cgroups.unified != "" && res.CPU < 300*time.Millisecond {
			t.Errorf("cpu %s", res.CPU)
		}
		if b.cgroups.memory != "" && (res.PeakMemory < 50<<20 || res.PeakMemory > 500<<20) {
			t.Errorf("peak %d", res.PeakMemory)
		}
	})
}

func TestWhatWaitsForAnEventIsToldFromWhatWaitsForAProcessor(t *testing.T) {
	b := backends(t)["default"]
	if b.cgroups.unified == "" && b.cgroups.pids == "" {
		t.Skip("no control groups here")
	}
	for code, want := range map[string]bool{"import time; time.sleep(60)": false, "while True: pass": true} {
		ctx, cancel := context.WithCancel(context.Background())
		var seen bool
		done := make(chan struct{})
		_, err := b.Run(ctx, Spec{Argv: python(code), Started: func(m Meter) {
			go func() {
				defer close(done)
				defer cancel()
				for range 500 { // until the interpreter is there
					time.Sleep(10 * time.Millisecond)
					if seen = m.Runnable(); seen == want {
						time.Sleep(300 * time.Millisecond)
						if seen = m.Runnable(); seen == want {
							return
						}
					}
				}
			}()
		}})
		<-done
		if seen != want {
			t.Errorf("%s: runnable %v (%v)", code, seen, err)
		}
	}
}

func TestManyBoxesAtOnceAndInARowLeaveNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	b := backends(t)["default"]
	fds := func() int { l, _ := os.ReadDir("/proc/self/fd"); return len(l) }
	tr := onDisk(t, map[string]*tree.File{"a": tree.Text("x")})
	says(t, b, Spec{Tree: tr, Argv: shell("cat a")})
	before := fds()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 15 {
				res, err := b.Run(context.Background(), Spec{Tree: tr, Report: &bytes.Buffer{}, Argv: shell(fmt.Sprintf("sleep 100 & cat a; exit %d", w*15+i))})
				if err != nil || res.Exit != w*15+i || string(res.Stdout) != "x" {
					t.Errorf("%v %s %d %q %s", err, res.Stopped, res.Exit, res.Stdout, res.Stderr)
				}
			}
		})
	}
	wg.Wait()
	if after := fds(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	noneLeft(t, b)
}

// TestMain lets a test start this program as a breakfix that will be killed.
func TestMain(m *testing.M) {
	if scratch := os.Getenv("SANDBOX_TEST_VICTIM"); scratch != "" {
		b, err := New(Options{Scratch: scratch})
		if err == nil && os.Getenv("SANDBOX_TEST_LIVE") != "" {
			l, err := b.(Keeper).Open(context.Background(), Spec{Argv: python(cager + `
child()
os.write(3, b"begun\n")
time.sleep(1000)`)})
			if err == nil {
				c, _ := l.Cage()
				sendFD(l, c.File())
				io.Copy(os.Stdout, l.Conn)
			}
		} else if err == nil {
			b.Run(context.Background(), Spec{Report: os.Stdout, Argv: python(`
import os, time
if os.fork() == 0: os.setsid(); time.sleep(1000)
os.write(3, b"begun\n")
time.sleep(1000)`)})
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestWhenTheHostProcessIsKilledNothingIsLeft(t *testing.T) {
	for _, live := range []string{"", "1"} {
		killHost(t, "SANDBOX_TEST_LIVE="+live)
	}
}

// killHost starts a breakfix with one box and kills it.
func killHost(t *testing.T, env string) {
	t.Helper()
	scratch := t.TempDir()
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), "SANDBOX_TEST_VICTIM="+scratch, env)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 10)); n == 0 {
		victim.Process.Kill()
		t.Fatalf("the victim did not begin: %v", err)
	}
	inside := boxesOf(victim.Process.Pid)
	if len(inside) < 2 {
		t.Errorf("saw only %v inside", inside)
	}
	victim.Process.Kill()
	victim.Wait()
	for i := 0; ; i++ {
		alive := 0
		for _, p := range inside {
			var pid int
			fmt.Sscan(p, &pid)
			if syscall.Kill(pid, 0) == nil {
				alive++
			}
		}
		if alive == 0 {
			break
		}
		if i == 500 {
			t.Fatalf("%d of %v are alive", alive, inside)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left, _ := os.ReadDir(scratch); len(left) != 1 {
		t.Errorf("expected the victim's folder in %v", left)
	}
	b, err := New(Options{Scratch: scratch})
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(fmt.Sprintf("%s/%s%d-*", scratch, boxPrefix, victim.Process.Pid)); len(left) > 0 {
		t.Errorf("its folder is left: %v", left)
	}
	cg := b.(*bubblewrap).cgroups
	for _, parent := range []string{cg.unified, cg.memory, cg.pids} {
		if left, _ := filepath.Glob(fmt.Sprintf("%s/%s%d-*", parent, boxPrefix, victim.Process.Pid)); parent != "" && len(left) > 0 {
			t.Errorf("its cgroups are left: %v", left)
		}
	}
}

func TestWhatIsMissingIsNamedWithTheLineThatBringsIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := New(Options{Scratch: t.TempDir()})
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Next != "apt-get install bubblewrap" || !strings.Contains(err.Error(), "bubblewrap is not installed") {
		t.Errorf("without bubblewrap: %v", err)
	}
	if _, err := New(Options{Backend: "docker", Scratch: t.TempDir()}); err == nil || errors.As(err, &missing) && missing == nil {
		t.Errorf("an unknown backend: %v", err)
	}
}

func TestSpecificationsThatCannotBeRunAreErrors(t *testing.T) {
	b := backends(t)["default"]
	for name, spec := range map[string]Spec{
		"no command":          {},
		"bind of nothing":     {Argv: shell(":"), Binds: []Bind{{Host: "/no/such/folder", Inside: "/env"}}},
		"relative bind":       {Argv: shell(":"), Binds: []Bind{{Host: "/usr", Inside: "env"}}},
		"extra in the tree":   {Argv: shell(":"), Extra: map[string]*tree.File{"/work/x": tree.Text("")}},
		"variable without =":  {Argv: shell(":"), Env: []string{"A"}},
		"layers of no tree":   {Argv: shell(":"), Layers: []string{"/usr"}},
		"layer that is gone":  {Argv: shell(":"), Tree: files(t, nil), Layers: []string{"/no/such/folder"}},
		"working folder gone": {Argv: shell(":"), Dir: "/no/such/folder"},
	} {
		if res, err := b.Run(context.Background(), spec); err == nil {
			t.Errorf("%s: ran as %s %d", name, res.Stopped, res.Exit)
		}
	}
	noneLeft(t, b)
}

func TestEveryLayerIsNamedAndSeenFromInside(t *testing.T) {
	for _, l := range backends(t)["default"].Layers() {
		t.Logf("%-28s %-5v %s", l.Name, l.Active, l.Detail)
		if l.Detail == "" {
			t.Errorf("%s has no detail", l.Name)
		}
		if !l.Active && !strings.Contains(l.Name, "cgroup") {
			t.Errorf("%s is not active: %s", l.Name, l.Detail)
		}
	}
}

func TestWithoutIsolationPathsOfTheBoxBecomeThoseOfTheHost(t *testing.T) {
	b, err := New(Options{Backend: None, Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if b.Layers()[0].Active {
		t.Error("isolation is said to be active")
	}
	env := t.TempDir()
	if err := os.WriteFile(env+"/f", []byte("env\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	upper := filepath.Join(t.TempDir(), "upper")
	tr := onDisk(t, map[string]*tree.File{"a": tree.Text("tree\n"), "b": tree.Text("old\n")})
	var report bytes.Buffer
	spec := Spec{Tree: tr, Upper: upper, Report: &report, Secret: []byte("nonce"), Binds: []Bind{{Host: env, Inside: "/env"}}, Env: []string{"P=/env:/workshop:/work/a"},
		Extra: map[string]*tree.File{"/breakfix/p": tree.Text("extra\n")},
		Argv:  shell(`cat a /work/a /env/f /breakfix/p; cat <&4 >&3; echo ${P##*:}; echo $P | cut -d: -f2; echo x > new; echo y > b; touch -d 2001-01-01 b; exit 5`)}
	res := run(t, b, spec)
	lines := strings.Split(string(res.Stdout), "\n")
	if res.Exit != 5 || report.String() != "nonce" || len(lines) != 7 || !strings.HasSuffix(lines[4], "/work/a") || lines[4] == "/work/a" || lines[5] != "/workshop" {
		t.Errorf("%d, report %q, %q, %s", res.Exit, report.String(), lines, res.Stderr)
	}
	for name, want := range map[string]string{"new": "x\n", "b": "y\n"} { // b is changed, and set to an older time
		if text, err := os.ReadFile(filepath.Join(upper, name)); err != nil || string(text) != want {
			t.Errorf("%s: kept %q, %v", name, text, err)
		}
	}
	if _, err := os.Stat(upper + "/a"); err == nil {
		t.Error("kept what was not changed")
	}
	if res := run(t, b, Spec{Argv: shell("kill -SEGV $$")}); res.Stopped != Signaled || res.Signal != 11 {
		t.Errorf("%s %d", res.Stopped, res.Signal)
	}
	if res := run(t, b, Spec{Limits: Limits{Wall: 200 * time.Millisecond}, Argv: shell("sleep 1000 & sleep 1000")}); res.Stopped != Deadline {
		t.Errorf("%s", res.Stopped)
	}
	if left := boxesOf(os.Getpid()); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestSandboxesOfOneProcessNameTheirGroupsApart(t *testing.T) {
	var open []*Live
	for range 2 {
		box, err := New(Options{Scratch: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		l, err := box.(Keeper).Open(context.Background(), Spec{Argv: shell("sleep 1000")})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, l)
	}
	for _, l := range open {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	box, err := New(Options{Scratch: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	tr, err := tree.FromFiles(map[string]*tree.File{"a": tree.Text("x")})
	if err != nil {
		b.Fatal(err)
	}
	var plain, boxed time.Duration
	for b.Loop() {
		begun := time.Now()
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
		plain += time.Since(begun)
		begun = time.Now()
		if _, err := box.Run(context.Background(), Spec{Tree: tr, Argv: []string{"/bin/true"}}); err != nil {
			b.Fatal(err)
		}
		boxed += time.Since(begun)
	}
	b.ReportMetric(float64(boxed.Microseconds())/float64(b.N)/1000, "ms/box")
	b.ReportMetric(float64(plain.Microseconds())/float64(b.N)/1000, "ms/exec")
	b.ReportMetric(float64(boxed)/float64(plain), "x-exec")
}
