package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// status is what bubblewrap and the script say on their own descriptor, which
// the command does not have.
type status struct {
	mu    sync.Mutex
	ended bool // the command was started and has ended
	exit  int
	kept  bool
	init  int // a pidfd of the box's process 1; 0 while unknown
	pid   int // its number on the host
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
				s.init, s.pid = fd, *m.ChildPID
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
