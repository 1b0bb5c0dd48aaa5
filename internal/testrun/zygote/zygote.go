// Package zygote keeps a warm process in a box and has it fork one caged child
// for each request. It hides the socket to that process, the control groups and
// the order of killing. Who uses it brings the program: it loads what is
// needed, calls serve of breakfix_cage, and goes on in the child.
//
// What a cage promises: a child is in its own pid, mount and ipc namespace and,
// where there are v2 control groups, in its own group. It sees the box's tree
// with the request's changes, and /tmp and /dev/shm as loading left them; what it
// writes is gone with it, and bounded. It has no capability, an empty bounding
// set and the system call filter of ordinary boxes; no descriptor but 0 to 2 and
// its report; it can neither see into nor signal anything outside of the cage.
// Nothing of it is left when Do returns. Memory, processes and open files are
// bounded for the box, so for the one child that it has at a time; when memory
// runs out, the child is taken and not the warm process.
//
// What it does not promise: the warm process runs the code that the program
// loads, and that code is as trusted as the children's common past: it may change
// what they inherit, and could raise the capabilities that make cages. They count
// in a user namespace nested in the box's: with them it can make namespaces and
// mount in those, but it cannot change the box's own view, nor make writable what
// the box shows read-only, nor reach the host; it is behind the box's filter but
// for mount. Code that must not be trusted so far belongs into a box of its own.
// Without Network, children follow each other in one network namespace, where a
// port may still wait for its end (TIME_WAIT). Without Init a child is the first
// process of its namespace: signals without a handler do nothing, orphans
// become its children, and setsid fails, for it leads a session already. The
// numbers of processes in /proc are those of the box, except that /proc/1 is the
// cage's first process.
package zygote

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// CageSource is the program's half, to be laid beside it as breakfix_cage.py,
// with the channel of testrun.
//
//go:embed breakfix_cage.py
var CageSource string

// UnfitError says that a process cannot be forked faithfully.
type UnfitError struct{ Why string }

func (e *UnfitError) Error() string { return "the warm process cannot be forked: " + e.Why }

// Server is one warm process. It serves one request at a time.
type Server struct {
	live *sandbox.Live
	mu   sync.Mutex // of the socket's writing end
	runs int
}

// Request asks for one child.
type Request struct {
	Body    any                   // what serve returns in the child, as JSON
	Nonce   string                // of the child's report
	Report  io.Writer             // takes what the child writes; its error kills the child
	Changes map[string]*tree.File // what differs from the box's tree; nil: removed
	Network bool                  // a network namespace of its own, with its loopback up
	Init    bool                  // the child is not the first process of its namespace: default actions of signals work
	Scratch int64                 // bytes of the cage's tmpfs; 0 means 256 MiB
	// Started, when set, is told how to measure the child.
	Started func(sandbox.Meter)
}

// Exit is how a child ended.
type Exit struct {
	Status    int // exit code; 128 + n after signal n
	Signal    int
	Wall, CPU time.Duration
	Peak      int64 // bytes, of the child alone
	Told      bool  // Report's error ended it
	Memory    bool  // the kernel killed some process of the box for memory
}

// Start starts the process of spec and waits until it serves. ready is the
// JSON that it gave to serve. An *UnfitError means that it works and must not be
// forked; any other error after which ctx is not over is the program's or ours.
func Start(ctx context.Context, box sandbox.Keeper, spec sandbox.Spec, within time.Duration) (s *Server, ready json.RawMessage, err error) {
	live, err := box.Open(context.WithoutCancel(ctx), spec)
	if err != nil {
		return nil, nil, fmt.Errorf("start a warm process: %w", err)
	}
	s = &Server{live: live}
	stop := context.AfterFunc(ctx, func() { live.Close() })
	defer stop()
	live.Conn.SetReadDeadline(time.Now().Add(within))
	a, err := s.receive()
	live.Conn.SetReadDeadline(time.Time{})
	switch {
	case err == nil && a.Unfit != "":
		err = &UnfitError{a.Unfit}
	case err == nil && a.Ready == nil:
		err = errors.New("a warm process said something else than that it is ready")
	}
	if err != nil {
		live.Close()
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if res, e := live.Result(); e == nil || errors.Is(e, context.Canceled) {
			return nil, nil, &StartError{Err: err, Stdout: res.Stdout, Stderr: res.Stderr}
		}
		return nil, nil, err
	}
	if f := live.Score(); f != nil {
		defer f.Close()
		if err := s.send(struct {
			Score bool `json:"score"`
		}{true}, int(f.Fd())); err != nil {
			live.Close()
			return nil, nil, fmt.Errorf("tell a warm process how to be spared: %w", err)
		}
	}
	return s, a.Ready, nil
}

// RefusedError says that the program cannot do what it was asked for. The server
// is as good as before.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return "the warm process refused: " + e.Why }

// StartError says that the process did not come to serve.
type StartError struct {
	Err            error
	Stdout, Stderr []byte
}

func (e *StartError) Error() string {
	return fmt.Sprintf("a warm process did not get ready: %v", e.Err)
}

// Unwrap gives the cause.
func (e *StartError) Unwrap() error { return e.Err }

// answer is one message of the process.
type answer struct {
	Ready json.RawMessage `json:"ready"`
	Unfit string          `json:"unfit"`
	Fault string          `json:"fault"`
	// Refused says why the program cannot do what it was asked for; no child was made.
	Refused string  `json:"refused"`
	Exit    *int    `json:"exit"` // as wait(2) has it
	CPU     float64 `json:"cpu"`
	Wall    float64 `json:"wall"`
	Peak    int64   `json:"peak"`
}

const maxAnswer = 64 << 20

func (s *Server) receive() (answer, error) {
	var a answer
	var head [4]byte
	if _, err := io.ReadFull(s.live.Conn, head[:]); err != nil {
		return a, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxAnswer {
		return a, fmt.Errorf("a warm process sent %d bytes at once", n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(s.live.Conn, data); err != nil {
		return a, err
	}
	return a, json.Unmarshal(data, &a)
}

func (s *Server) send(v any, fds ...int) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var head [4]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(data)))
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	if _, _, err := s.live.Conn.WriteMsgUnix(head[:], rights, nil); err != nil {
		return err
	}
	_, err = (&net.Buffers{data}).WriteTo(s.live.Conn)
	return err
}

type wireFile struct {
	Kind string `json:"k"`
	Data string `json:"d"`
}

type wireRequest struct {
	Number  int                  `json:"number"`
	Nonce   string               `json:"nonce"`
	Changes map[string]*wireFile `json:"changes"`
	Network bool                 `json:"network"`
	Init    bool                 `json:"init"`
	Scratch int64                `json:"scratch"`
	Inodes  int                  `json:"inodes"`
	Body    any                  `json:"body"`
}

// patience is how long a warm process may take to say that a child which was
// killed has ended.
const patience = 5 * time.Second

// maxReport bounds what a child may write to its report.
const maxReport = 256 << 20

// Do forks one child and returns when nothing of it is left. Ending ctx kills
// the child and is no error: Exit tells. A *RefusedError leaves the server as it
// was; any other error means that it is lost and must be closed, and nothing is
// known of the child then.
func (s *Server) Do(ctx context.Context, req Request) (exit Exit, err error) {
	if err := check(req.Changes); err != nil {
		return exit, &RefusedError{err.Error()}
	}
	s.runs++
	before, _ := s.live.OutOfMemory()
	began := time.Now()
	cage, err := s.live.Cage()
	if err != nil {
		return exit, err
	}
	defer func() {
		if e := cage.Remove(); err == nil {
			err = e
		}
	}()
	r, w, err := os.Pipe()
	if err != nil {
		return exit, fmt.Errorf("make the pipe of a child: %w", err)
	}
	defer r.Close()
	msg := wireRequest{Number: s.runs, Nonce: req.Nonce, Changes: map[string]*wireFile{}, Network: req.Network, Init: req.Init, Scratch: req.Scratch, Inodes: 100000, Body: req.Body}
	if msg.Scratch <= 0 {
		msg.Scratch = 256 << 20
	}
	for p, f := range req.Changes {
		if f == nil {
			msg.Changes[p] = nil
			continue
		}
		msg.Changes[p] = &wireFile{string(f.Kind), base64.StdEncoding.EncodeToString(f.Data)}
	}
	fds := []int{int(w.Fd())}
	if f := cage.File(); f != nil {
		fds = append(fds, int(f.Fd()))
	}
	kill := func() {
		cage.Kill()
		// Not only for machines without control groups: a child that was not in
		// its group yet would live. The number is for a message that comes after
		// the child's end.
		_ = s.send(struct {
			Kill int `json:"kill"`
		}{msg.Number})
	}
	sent, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	defer context.AfterFunc(ctx, func() {
		lost := time.AfterFunc(patience, func() { s.live.Close() }) // not worth keeping
		defer lost.Stop()
		select {
		case <-sent:
			kill()
			<-over
		case <-over:
		}
	})()
	err = s.send(msg, fds...)
	close(sent)
	w.Close()
	if err != nil {
		return exit, fmt.Errorf("ask a warm process: %w", err)
	}
	if req.Started != nil {
		req.Started(cage)
	}
	told := make(chan bool, 1)
	go func() {
		_, err := io.Copy(&limited{req.Report, maxReport}, r)
		if err != nil {
			kill()
			io.Copy(io.Discard, r)
		}
		told <- err != nil
	}()
	a, err := s.receive()
	if err != nil {
		s.live.Close() // closes the child's end of the pipe with all else
		<-told
		return exit, fmt.Errorf("a warm process is lost: %w", err)
	}
	if a.Refused != "" {
		<-told
		return exit, &RefusedError{a.Refused}
	}
	if a.Fault != "" || a.Exit == nil {
		<-told
		return exit, fmt.Errorf("a warm process could not fork: %s", a.Fault)
	}
	cage.Kill() // what is left has the pipe
	exit = Exit{CPU: time.Duration(a.CPU * float64(time.Second)), Wall: time.Since(began), Peak: a.Peak}
	if cpu, ok := cage.CPU(); ok {
		exit.CPU = cpu
	}
	if n, ok := s.live.OutOfMemory(); ok {
		exit.Memory = n > before
	}
	if ws := unix.WaitStatus(*a.Exit); ws.Signaled() {
		exit.Signal = int(ws.Signal())
		exit.Status = 128 + exit.Signal
	} else {
		exit.Status = ws.ExitStatus()
		if exit.Status > 128 && exit.Status < 128+64 {
			exit.Signal = exit.Status - 128
		}
	}
	exit.Told = <-told
	return exit, nil
}

// check says why changes cannot be asked for.
func check(changes map[string]*tree.File) error {
	for p := range changes {
		if !utf8.ValidString(p) {
			return fmt.Errorf("the name %q is not UTF-8", p)
		}
	}
	return sandbox.CheckChanges(changes)
}

// Runs tells how many children the server was asked for.
func (s *Server) Runs() int { return s.runs }

// Peak returns the most memory in bytes that the process and its children used.
func (s *Server) Peak() int64 { return s.live.Peak() }

// CPU returns the CPU time that the process and its children have used; 0
// when it is not measured.
func (s *Server) CPU() time.Duration { return s.live.CPU() }

// Gone is closed when the process is gone.
func (s *Server) Gone() <-chan struct{} { return s.live.Done() }

// Close ends the process and all that is left of its children.
func (s *Server) Close() error { return s.live.Close() }

// limited is a writer that fails after n bytes.
type limited struct {
	to io.Writer
	n  int64
}

func (l *limited) Write(p []byte) (int, error) {
	if l.n -= int64(len(p)); l.n < 0 {
		return 0, errors.New("more on the report descriptor than a run may write")
	}
	return l.to.Write(p)
}
