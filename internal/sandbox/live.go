package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Where a box that stays open finds what its command needs to make cages.
const (
	// CageAt is an empty folder, the place of a cage's own tmpfs.
	CageAt = "/cage"
	// CageFilterAt is the seccomp filter of ordinary boxes, as an array of
	// struct sock_filter; empty where this machine has none. A cage takes it on
	// after its mounts are made.
	CageFilterAt = "/cage.bpf"
)

// cageArguments let a box's command make namespaces and mounts. Its user
// namespace is nested in the one that made the box's own mounts, so nothing
// that is read-only there can be made writable here, and no further user
// namespace can be made. CAP_SETPCAP is for giving up the bounding set. The
// command is the first process of the box: another one, without capabilities,
// could be looked into by whatever is in a cage, and its /proc/1/root is the
// box outside of the cage.
var cageArguments = []string{"--as-pid-1", "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_NET_ADMIN", "--cap-add", "CAP_SETPCAP", "--dir", CageAt}

// Live is a box that stays open. Its methods are safe for concurrent use.
type Live struct {
	// Conn is the host's end of the socket that the command has as descriptor 3.
	Conn *net.UnixConn

	theirs *os.File // the other end, until the box has it
	cancel context.CancelFunc
	open   chan struct{} // closed when the command may run
	done   chan struct{} // closed when the box is gone
	group  *group
	status *status
	cages  atomic.Int64
	res    Result
	err    error
}

// Open implements Keeper.
func (b *bubblewrap) Open(ctx context.Context, spec Spec) (*Live, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make the box's socket: %w", err)
	}
	ours := os.NewFile(uintptr(fds[0]), "box")
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		unix.Close(fds[1])
		return nil, fmt.Errorf("make the box's socket: %w", err)
	}
	l := &Live{Conn: conn.(*net.UnixConn), theirs: os.NewFile(uintptr(fds[1]), "box"), open: make(chan struct{}), done: make(chan struct{})}
	ctx, l.cancel = context.WithCancel(ctx)
	spec.live, spec.Report = l, nil
	if spec.Limits.Wall <= 0 {
		spec.Limits.Wall = 365 * 24 * time.Hour
	}
	go func() {
		defer close(l.done)
		l.res, l.err = b.Run(ctx, spec)
		l.cancel()
		l.theirs.Close() // once more where the box was not made
		l.Conn.Close()
	}()
	select {
	case <-l.open:
		return l, nil
	case <-l.done:
		if l.err == nil {
			l.err = errors.New("the box ended before it began")
		}
		return nil, l.err
	}
}

func (l *Live) started(g *group, s *status) {
	l.group, l.status = g, s
	close(l.open)
}

// Close kills the box and returns once nothing of it is left.
func (l *Live) Close() error {
	l.cancel()
	<-l.done
	if l.err != nil && !errors.Is(l.err, context.Canceled) {
		return l.err
	}
	return nil
}

// Done is closed when the box is gone.
func (l *Live) Done() <-chan struct{} { return l.done }

// Result tells, once the box is gone, how it ended.
func (l *Live) Result() (Result, error) {
	<-l.done
	return l.res, l.err
}

// Peak returns the most memory in bytes that the box has used so far, its
// cages included; 0 when it is not measured.
func (l *Live) Peak() int64 { return l.group.peak() }

// OutOfMemory counts the processes of the box and its cages that the kernel has
// killed for memory; false where it is not counted.
func (l *Live) OutOfMemory() (int64, bool) { return l.group.oomKills() }

// Score opens what says how likely the kernel chooses the box's command when
// memory runs out (oom_score_adj, which the box shows read-only). A command that
// raises it before it forks and puts it back after makes its children go
// first. nil when it cannot be had.
func (l *Live) Score() *os.File {
	l.status.mu.Lock()
	defer l.status.mu.Unlock()
	if l.status.init == 0 {
		return nil
	}
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/oom_score_adj", l.status.pid), os.O_WRONLY, 0)
	if err != nil {
		return nil
	}
	if unix.PidfdSendSignal(l.status.init, 0, nil, 0) != nil { // the number may be another one's by now
		f.Close()
		return nil
	}
	return f
}

// CPU returns the CPU time that the box has used so far, its cages included; 0
// when it is not measured.
func (l *Live) CPU() time.Duration {
	used, _ := l.group.CPU()
	return used
}

// Cage is the control group of one child of a Live box. It is used for one
// child and never again: a group that was killed once kills whatever is
// started in it later.
type Cage struct {
	dir  string
	file *os.File
}

// Cage makes a group for one child. Where this machine has no v2 control
// groups its File is nil, and the cage's pid namespace alone holds it together.
func (l *Live) Cage() (*Cage, error) {
	if l.group.unified == "" {
		return &Cage{}, nil
	}
	dir := filepath.Join(l.group.unified, "c"+strconv.FormatInt(l.cages.Add(1), 10))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the cage's cgroup: %w", err)
	}
	f, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		os.Remove(dir)
		return nil, fmt.Errorf("open the cage's cgroup: %w", err)
	}
	return &Cage{dir: dir, file: f}, nil
}

// File is the folder of the group, for clone3 to start a child in; nil when
// there is none.
func (c *Cage) File() *os.File { return c.file }

// Kill kills everything in the cage at once.
func (c *Cage) Kill() {
	if c.dir != "" {
		_ = write(c.dir, "cgroup.kill", "1") // Remove says when something is left
	}
}

// CPU implements Meter for all processes of the cage.
func (c *Cage) CPU() (time.Duration, bool) {
	if c.dir == "" {
		return 0, false
	}
	return c.group().CPU()
}

// Runnable implements Meter.
func (c *Cage) Runnable() bool { return c.dir != "" && c.group().Runnable() }

func (c *Cage) group() *group { return &group{unified: c.dir, dirs: []string{c.dir}} }

// Remove kills what is left in the cage, waits until nothing is and removes
// the group. The error names a group that will not go: its box must be closed.
func (c *Cage) Remove() error {
	if c.dir == "" {
		return nil
	}
	c.file.Close()
	if err := os.Remove(c.dir); err == nil {
		return nil
	}
	g := c.group()
	until := time.Now().Add(5 * time.Second)
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		g.kill()
		if g.empty() {
			return g.remove()
		}
		if time.Now().After(until) {
			return errors.New("processes of a cage survive SIGKILL")
		}
		time.Sleep(pause)
	}
}
