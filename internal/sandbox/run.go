package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
mkdir mnt/upper mnt/work mnt/merged mnt/tmp mnt/shm || exit 125
chmod 1777 mnt/tmp mnt/shm && mkdir -m 700 mnt/tmp/home || exit 125
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
	cg, err := b.cgroups.make(lim)
	if err != nil {
		return Result{}, err
	}
	r := &running{lim: lim, group: cg, status: newStatus()}
	defer r.status.close()
	res, err := r.supervise(ctx, b, &spec, lay, keep)
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
	lim    Limits
	group  *group
	status *status
	cmd    *exec.Cmd

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
	if r.cmd != nil && r.cmd.Process != nil {
		if len(r.group.dirs) == 0 {
			syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		}
		r.cmd.Process.Kill()
	}
}

// supervise starts the box, feeds it, waits until all of it is gone.
func (r *running) supervise(ctx context.Context, b *bubblewrap, spec *Spec, lay *layout, keep *kept) (Result, error) {
	io_, err := openPipes(spec, lay.args, r.lim)
	if err != nil {
		return Result{}, fmt.Errorf("make the box's pipes: %w", err)
	}
	defer io_.closeAll()

	// The kernel kills the box when the thread that started it ends, and Go
	// ends idle threads: hold on to this one.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// What this process inherited without close-on-exec must not reach the box.
	if err := unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) {
		return Result{}, fmt.Errorf("close inherited descriptors: %w", err)
	}
	if err := r.start(b, spec, lay, keep, io_); err != nil {
		r.kill()
		if r.cmd != nil && r.cmd.Process != nil {
			r.cmd.Wait()
		}
		return Result{}, err
	}
	io_.run(r, spec)
	begun := time.Now()
	io_.open()
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
	if cpu, ok := r.group.cpu(); ok {
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
	if !r.status.ended {
		return res, fmt.Errorf("the box could not be made: %s", describe(res, r.cmd.ProcessState))
	}
	res.Exit = r.status.exit
	if res.Exit == 1 && strings.HasPrefix(string(res.Stderr), "bwrap: execvp "+spec.Argv[0]+": ") {
		res.Exit = 127 // what a shell says of a command that is not there
	}
	res.Stopped = Exited
	// bubblewrap tells a death by signal n as 128 + n, as shells do.
	if res.Exit > 128 && res.Exit <= 128+64 {
		res.Stopped, res.Signal = Signaled, res.Exit-128
		if r.lim.CPU > 0 && (res.Signal == int(syscall.SIGXCPU) || res.Signal == int(syscall.SIGKILL) && res.CPU >= r.lim.CPU) {
			res.Stopped = Deadline
		}
	}
	return res, nil
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

// start starts the script, still behind its gate, and puts limits on it.
func (r *running) start(b *bubblewrap, spec *Spec, lay *layout, keep *kept, io_ *pipes) error {
	overlay := ""
	if lay.lower != "" {
		overlay = "lowerdir=" + lay.lower + ",upperdir=mnt/upper,workdir=mnt/work"
		if b.userns {
			overlay += ",userxattr"
		}
	}
	args := append([]string{"-c", script, "sh", strconv.FormatInt(r.lim.Scratch, 10), strconv.Itoa(r.lim.Inodes), overlay, keep.dir, b.mount, b.bwrap}, spec.Argv...)
	cmd := exec.Command(b.sh, args...)
	cmd.Dir, cmd.Env = lay.dir, []string{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = io_.child[0], io_.child[1], io_.child[2]
	cmd.ExtraFiles = io_.child[3:]
	attr := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Unshareflags: syscall.CLONE_NEWNS}
	if b.userns {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	cmd.SysProcAttr = attr
	r.cmd = cmd
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the box: %w", err)
	}
	io_.closeChild()
	if err := r.group.join(cmd.Process.Pid); err != nil {
		return err
	}
	return r.setLimits(cmd.Process.Pid, b)
}

// setLimits sets the limits of single processes; a limit that is lower already
// stays as it is.
func (r *running) setLimits(pid int, b *bubblewrap) error {
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
	if !b.cgroups.limitsMemory() {
		set(unix.RLIMIT_AS, uint64(r.lim.Memory))
	}
	if !b.cgroups.limitsPids() && os.Geteuid() != 0 {
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

// status is what bubblewrap and the script say on their own descriptor, which
// the command does not have.
type status struct {
	mu    sync.Mutex
	ended bool // the command was started and has ended
	exit  int
	kept  bool
	init  int // a pidfd of the box's process 1; 0 while unknown
	done  chan struct{}
}

func newStatus() *status { return &status{done: make(chan struct{})} }

// read takes the JSON documents until the descriptor is closed.
func (s *status) read(r io.Reader) {
	defer close(s.done)
	for d := json.NewDecoder(r); ; {
		var m struct {
			ChildPID *int  `json:"child-pid"`
			Exit     *int  `json:"exit-code"`
			Kept     *bool `json:"kept"`
		}
		if d.Decode(&m) != nil {
			return
		}
		s.mu.Lock()
		if m.Exit != nil {
			s.ended, s.exit = true, *m.Exit
		}
		if m.Kept != nil {
			s.kept = *m.Kept
		}
		if m.ChildPID != nil && s.init == 0 {
			if fd, err := unix.PidfdOpen(*m.ChildPID, 0); err == nil {
				s.init = fd
			}
		}
		s.mu.Unlock()
	}
}

// waitInit waits until the box's process 1 is gone, which the kernel lets go
// only after all others of its namespace: for machines without cgroups.
func (s *status) waitInit(until time.Time) error {
	select {
	case <-s.done:
	case <-time.After(time.Until(until)):
		return errors.New("a box does not end after SIGKILL")
	}
	s.mu.Lock()
	fd := s.init
	s.mu.Unlock()
	if fd == 0 {
		return nil // it never started
	}
	unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) || time.Now().After(until) {
			return errors.New("processes of a box survive SIGKILL")
		}
	}
}

func (s *status) close() {
	if s.init != 0 {
		unix.Close(s.init)
		s.init = 0
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
