// Package zygote keeps a warm process in a box and has it fork one caged child
// for each request. It hides the socket to that process, the control groups and
// the order of killing. Who uses it brings the program: it loads what is
// needed, calls serve of breakfix_cage, and goes on in the child.
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
	// Started, when set, is told how to read the child's CPU time.
	Started func(cpu func() (time.Duration, bool))
}

// Exit is how a child ended.
type Exit struct {
	Status    int // exit code; 128 + n after signal n
	Signal    int
	Wall, CPU time.Duration
	Peak      int64 // bytes, of the child alone
	Told      bool  // Report's error ended it
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
	Nonce   string               `json:"nonce"`
	Changes map[string]*wireFile `json:"changes"`
	Network bool                 `json:"network"`
	Init    bool                 `json:"init"`
	Scratch int64                `json:"scratch"`
	Inodes  int                  `json:"inodes"`
	Body    any                  `json:"body"`
}

// maxReport bounds what a child may write to its report.
const maxReport = 256 << 20

// Do forks one child and returns when nothing of it is left. Ending ctx kills
// the child and is no error: Exit tells. A *RefusedError leaves the server as it
// was; any other error means that it is lost and must be closed, and nothing is
// known of the child then.
func (s *Server) Do(ctx context.Context, req Request) (exit Exit, err error) {
	s.runs++
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
	msg := wireRequest{Nonce: req.Nonce, Changes: map[string]*wireFile{}, Network: req.Network, Init: req.Init, Scratch: req.Scratch, Inodes: 100000, Body: req.Body}
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
	err = s.send(msg, fds...)
	w.Close()
	if err != nil {
		return exit, fmt.Errorf("ask a warm process: %w", err)
	}
	if req.Started != nil {
		req.Started(cage.CPU)
	}
	kill := func() {
		if cage.File() != nil {
			cage.Kill()
		}
		// Not only for machines without control groups: a child that was not in
		// its group yet would live.
		_ = s.send(struct {
			Kill bool `json:"kill"`
		}{true})
	}
	told := make(chan bool, 1)
	go func() {
		_, err := io.Copy(&limited{req.Report, maxReport}, r)
		told <- err != nil
		if err != nil {
			kill()
			io.Copy(io.Discard, r)
		}
		close(told)
	}()
	over := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		kill()
		select {
		case <-over:
		case <-time.After(10 * time.Second): // it does not answer to that: not worth keeping
			s.live.Close()
		}
	})
	a, err := s.receive()
	close(over)
	unwatch()
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
