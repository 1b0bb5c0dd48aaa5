package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Descriptors that the launching script gets besides 0, 1, 2 and the two that
// the command keeps. The script or bubblewrap closes all of them.
const (
	reportFD = 3
	secretFD = 4
	gateFD   = 5
	argsFD   = 6
	statusFD = 7
	filterFD = 8
)

// script makes the mounts of one run in a mount namespace of its own and turns
// into bubblewrap. It starts when the gate opens: by then it is in its cgroups
// and has its limits. Arguments: size, inodes, overlay options (or ""), folder
// that keeps the upper layer (or ""), mount, bwrap, the command.
const script = `PATH=/usr/sbin:/usr/bin:/sbin:/bin
read -r _ <&5 || exit 125
exec 5<&-
unset PWD OLDPWD SHLVL
size=$1 inodes=$2 overlay=$3 keep=$4 mount=$5 bwrap=$6
shift 6
"$mount" -n -t tmpfs -o "size=$size,nr_inodes=$inodes,mode=0755,nosuid,nodev" breakfix mnt || exit 125
mkdir mnt/upper mnt/work mnt/merged mnt/tmp mnt/shm mnt/tmp/home || exit 125
if [ -n "$keep" ] && [ -d "$keep" ]; then cp -a "$keep/." mnt/upper/ || exit 125; fi
if [ -n "$overlay" ]; then "$mount" -n -t overlay -o "$overlay" overlay mnt/merged || exit 125; fi
if [ -z "$keep" ]; then exec "$bwrap" --args 6 -- "$@"; fi
"$bwrap" --args 6 -- "$@"
code=$?
exec 6<&-
cp -a mnt/upper/. "$keep.part/" </dev/null && echo '{"kept":true}' >&7
exit "$code"
`

// Run implements Sandbox.
func (b *bubblewrap) Run(ctx context.Context, spec Spec) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{Stopped: Cancelled}, err
	}
	if err := spec.check(); err != nil {
		return Result{}, err
	}
	lim := spec.Limits.withDefaults()
	lay, err := b.newLayout(&spec)
	if err != nil {
		return Result{}, err
	}
	defer lay.remove()
	keep, err := newKept(spec.Upper)
	if err != nil {
		return Result{}, err
	}
	defer keep.discard()
	cg, err := b.cgroups.make(lim, spec.live != nil)
	if err != nil {
		return Result{}, err
	}
	r := &running{lim: lim, group: cg, cgroups: &b.cgroups, live: spec.live, status: newStatus(), cmd: b.command(&spec, lay, keep, lim)}
	defer r.status.close()
	res, err := r.superviseOnThread(ctx, &spec, lay.args)
	if gone := cg.remove(); err == nil && gone != nil {
		err = gone
	}
	if err != nil {
		return res, err
	}
	if res.Stopped == Exited || res.Stopped == Signaled {
		if err := keep.commit(r.status.kept); err != nil {
			return res, err
		}
	}
	return res, nil
}

// running is one run under way.
type running struct {
	lim     Limits
	cgroups *cgroups
	group   *group
	live    *Live   // nil: the box ends with its one command
	status  *status // nil: the command is our direct child
	cmd     *exec.Cmd

	mu    sync.Mutex
	cause Stopped // why we killed it; "" while we did not
	over  bool    // the command ended by itself before any cause
}

// stop kills the process tree for a cause; the first one counts.
func (r *running) stop(why Stopped) {
	r.mu.Lock()
	if r.cause == "" && (!r.over || why == Told) {
		r.cause = why
	}
	over := r.over
	r.mu.Unlock()
	if !over {
		r.kill()
	}
}

// kill reaches the process tree by its cgroup; the signal to the group of the
// launcher is for machines without cgroups, where what bubblewrap started dies
// with it.
func (r *running) kill() {
	r.group.kill()
	if r.cmd.Process != nil {
		if len(r.group.dirs) == 0 {
			syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		}
		r.cmd.Process.Kill()
	}
}

// superviseOnThread calls supervise on a thread that is held until the box is
// gone: the kernel kills the box when the thread that started it ends. It is
// never the main thread, which alone decides what group our memory counts in.
func (r *running) superviseOnThread(ctx context.Context, spec *Spec, args []string) (res Result, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Gettid() != os.Getpid() {
		return r.supervise(ctx, spec, args)
	}
	done := make(chan struct{})
	go func() { // runs on another thread, for this one is ours
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		res, err = r.supervise(ctx, spec, args)
	}()
	<-done
	return res, err
}

// supervise starts the box, feeds it, waits until all of it is gone.
func (r *running) supervise(ctx context.Context, spec *Spec, args []string) (Result, error) {
	io_, err := openPipes(spec, args, r.lim)
	if err != nil {
		return Result{}, fmt.Errorf("make the box's pipes: %w", err)
	}
	defer io_.closeAll()

	// What this process inherited without close-on-exec must not reach the box.
	if err := unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) {
		return Result{}, fmt.Errorf("close inherited descriptors: %w", err)
	}
	if err := r.start(io_); err != nil {
		r.kill()
		if r.cmd.Process != nil {
			r.cmd.Wait()
		}
		return Result{}, err
	}
	io_.run(r, spec)
	begun := time.Now()
	io_.open()
	if r.live != nil {
		r.live.started(r.group, r.status)
	}
	if spec.Started != nil {
		spec.Started(r.group)
	}
	timer := time.AfterFunc(r.lim.Wall, func() { r.stop(Deadline) })
	unwatch := context.AfterFunc(ctx, func() { r.stop(Cancelled) })
	waitErr := r.cmd.Wait()
	wall := time.Since(begun)
	timer.Stop()
	unwatch()
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	if err := r.gone(); err != nil {
		return Result{}, err
	}
	io_.finish()
	var exit *exec.ExitError
	if waitErr != nil && !errors.As(waitErr, &exit) {
		return Result{}, fmt.Errorf("wait for the box: %w", waitErr)
	}
	res := Result{Wall: wall, Stdout: io_.stdout.kept, Stderr: io_.stderr.kept, Truncated: io_.stdout.more || io_.stderr.more, PeakMemory: r.group.peak()}
	if cpu, ok := r.group.CPU(); ok {
		res.CPU = cpu
	} else {
		res.CPU = r.cmd.ProcessState.UserTime() + r.cmd.ProcessState.SystemTime()
	}
	return r.judge(ctx, spec, res)
}

// judge says why the run ended.
func (r *running) judge(ctx context.Context, spec *Spec, res Result) (Result, error) {
	r.mu.Lock()
	cause := r.cause
	r.mu.Unlock()
	switch {
	case cause == Cancelled:
		res.Stopped = Cancelled
		return res, ctx.Err()
	case cause == Told:
		res.Stopped = Told
		return res, nil
	case r.group.oom():
		res.Stopped = Memory
		return res, nil
	case cause != "":
		res.Stopped = cause
		return res, nil
	}
	if r.status == nil {
		res.Stopped, res.Exit = Exited, r.cmd.ProcessState.ExitCode()
		if ws, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			res.Exit = 128 + int(ws.Signal())
		}
		return r.signaled(res), nil
	}
	if !r.status.ended && strings.HasPrefix(string(res.Stderr), "bwrap: execvp "+spec.Argv[0]+": ") {
		// What a shell says of a program that is not there.
		res.Stopped, res.Exit = Exited, 127
		return res, nil
	}
	if !r.status.ended {
		return res, fmt.Errorf("the box could not be made: %s", describe(res, r.cmd.ProcessState))
	}
	res.Exit = r.status.exit
	res.Stopped = Exited
	return r.signaled(res), nil
}

// signaled reads an exit code of 128 + n as a death by signal n: bubblewrap,
// like shells, tells it so.
func (r *running) signaled(res Result) Result {
	if res.Exit > 128 && res.Exit <= 128+64 {
		res.Stopped, res.Signal = Signaled, res.Exit-128
		if r.lim.CPU > 0 && (res.Signal == int(syscall.SIGXCPU) || res.Signal == int(syscall.SIGKILL) && res.CPU >= r.lim.CPU) {
			res.Stopped = Deadline
		}
	}
	return res
}

func describe(res Result, state *os.ProcessState) string {
	text := strings.TrimSpace(string(res.Stderr))
	if text == "" {
		return state.String()
	}
	if len(text) > 500 {
		text = text[:500] + " …"
	}
	return text
}

// command is the script with what it needs, not yet started.
func (b *bubblewrap) command(spec *Spec, lay *layout, keep *kept, lim Limits) *exec.Cmd {
	overlay := ""
	if lay.lower != "" {
		overlay = "lowerdir=" + lay.lower + ",upperdir=mnt/upper,workdir=mnt/work"
		if b.userns {
			overlay += ",userxattr"
		}
	}
	cmd := exec.Command(b.sh, append([]string{"-c", script, "sh", strconv.FormatInt(lim.Scratch, 10), strconv.Itoa(lim.Inodes),
		overlay, keep.dir, b.mount, b.bwrap}, spec.Argv...)...)
	cmd.Dir, cmd.Env = lay.dir, []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if b.userns {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return cmd
}

// start starts the script, still behind its gate, and puts limits on it.
func (r *running) start(io_ *pipes) error {
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = io_.child[0], io_.child[1], io_.child[2]
	r.cmd.ExtraFiles = io_.child[3:]
	r.cmd.SysProcAttr.Setsid, r.cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
	if err := r.group.start(r.cmd); err != nil {
		return fmt.Errorf("start the box: %w", err)
	}
	io_.closeChild()
	return r.setLimits(r.cmd.Process.Pid)
}

// setLimits sets the limits of single processes; a limit that is lower already
// stays as it is.
func (r *running) setLimits(pid int) error {
	limits := []struct {
		what int
		max  uint64
	}{{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NOFILE, 4096}, {unix.RLIMIT_FSIZE, 4 << 30}}
	set := func(what int, max uint64) {
		limits = append(limits, struct {
			what int
			max  uint64
		}{what, max})
	}
	if r.lim.CPU > 0 {
		set(unix.RLIMIT_CPU, uint64((r.lim.CPU+time.Second-1)/time.Second))
	}
	if !r.cgroups.limitsMemory() {
		set(unix.RLIMIT_AS, uint64(r.lim.Memory))
	}
	if !r.cgroups.limitsPids() && os.Geteuid() != 0 {
		set(unix.RLIMIT_NPROC, uint64(r.lim.Pids))
	}
	for _, l := range limits {
		var old unix.Rlimit
		if err := unix.Prlimit(pid, l.what, nil, &old); err != nil {
			return fmt.Errorf("read a limit of the box: %w", err)
		}
		now := unix.Rlimit{Cur: min(l.max, old.Max), Max: min(l.max, old.Max)}
		if l.what == unix.RLIMIT_CPU {
			now.Max = min(l.max+1, old.Max) // SIGXCPU first, SIGKILL a second later
		}
		if err := unix.Prlimit(pid, l.what, &now, nil); err != nil {
			return fmt.Errorf("limit the box: %w", err)
		}
	}
	return nil
}

// gone kills what is left and returns once nothing is.
func (r *running) gone() error {
	until := time.Now().Add(20 * time.Second)
	if len(r.group.dirs) == 0 && r.status == nil {
		syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // all that can be reached without any layer
		return nil
	}
	if len(r.group.dirs) == 0 {
		return r.status.waitInit(until)
	}
	if r.group.empty() {
		return nil
	}
	for pause := 200 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		r.group.kill()
		if r.group.empty() {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("processes of a box survive SIGKILL (cgroup %s)", strings.Join(r.group.dirs, ", "))
		}
		time.Sleep(pause)
	}
}

// joinArguments puts arguments into the form of bwrap --args.
func joinArguments(args []string) []byte {
	var b bytes.Buffer
	for _, a := range args {
		b.WriteString(a)
		b.WriteByte(0)
	}
	return b.Bytes()
}
