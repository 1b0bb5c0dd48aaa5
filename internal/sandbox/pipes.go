package sandbox

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// pipes are the descriptors between the host and one box. child is indexed by
// the number that the box sees; nil means closed there.
type pipes struct {
	child [9]*os.File
	host  []*os.File // our ends of those that are read
	gate  *os.File

	stdout, stderr bounded
	report         *os.File
	status         *os.File
	feeds          []feed
	wg             sync.WaitGroup
}

// feed is bytes that a goroutine writes into a pipe, which it then closes.
type feed struct {
	to   *os.File
	data []byte
}

// openPipes opens what a run needs; without args (no bubblewrap) the command's
// own descriptors and the gate.
func openPipes(spec *Spec, args []string, lim Limits) (p *pipes, err error) {
	p = &pipes{stdout: bounded{max: lim.Output}, stderr: bounded{max: lim.Output}}
	defer func() {
		if err != nil {
			p.closeAll()
		}
	}()
	in := func(fd int, data []byte) error {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		p.child[fd] = r
		p.feeds = append(p.feeds, feed{w, data})
		return nil
	}
	out := func(fd int) (*os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		p.child[fd] = w
		p.host = append(p.host, r)
		return r, nil
	}
	if len(spec.Stdin) > 0 {
		err = in(0, spec.Stdin)
	} else {
		p.child[0], err = os.Open(os.DevNull)
	}
	if err != nil {
		return p, err
	}
	for fd := 1; fd <= 2; fd++ {
		if _, err = out(fd); err != nil {
			return p, err
		}
	}
	if spec.live != nil {
		p.child[reportFD] = spec.live.theirs
	} else if spec.Report != nil {
		if p.report, err = out(reportFD); err != nil {
			return p, err
		}
	}
	if spec.Secret != nil {
		if err = in(secretFD, spec.Secret); err != nil {
			return p, err
		}
	}
	if p.child[gateFD], p.gate, err = os.Pipe(); err != nil {
		return p, err
	}
	if args == nil {
		return p, nil
	}
	if p.status, err = out(statusFD); err != nil {
		return p, err
	}
	args = append([]string{"--json-status-fd", strconv.Itoa(statusFD)}, args...)
	filter := seccompFilter(spec.live != nil)
	if filter != nil {
		if err = in(filterFD, filter); err != nil {
			return p, err
		}
		args = append(args, "--seccomp", strconv.Itoa(filterFD))
	}
	return p, in(argsFD, joinArguments(args))
}

// open lets the box begin.
func (p *pipes) open() {
	p.gate.WriteString("\n")
	p.gate.Close()
	p.gate = nil
}

// run starts the goroutines that feed and drain; each ends when the other side
// of its pipe is closed.
func (p *pipes) run(r *running, spec *Spec) {
	for _, f := range p.feeds {
		p.wg.Go(func() {
			f.to.Write(f.data) // the box may end without having read everything
			f.to.Close()
		})
	}
	p.feeds = nil
	p.wg.Go(func() { io.Copy(&p.stdout, p.host[0]) })
	p.wg.Go(func() { io.Copy(&p.stderr, p.host[1]) })
	if r.status != nil {
		p.wg.Go(func() { r.status.read(p.status) })
	}
	if p.report != nil {
		p.wg.Go(func() {
			_, err := io.Copy(&limited{spec.Report, r.lim.Report}, p.report)
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				r.stop(Told)
				io.Copy(io.Discard, p.report)
			}
		})
	}
}

// finish waits until everything that the box wrote has been taken. The box is
// gone, so all pipes end; the deadline is for one whose end was sent elsewhere.
func (p *pipes) finish() {
	for _, f := range p.host {
		f.SetReadDeadline(time.Now().Add(10 * time.Second))
	}
	p.wg.Wait()
}

func (p *pipes) closeChild() {
	for i, f := range p.child {
		if f != nil {
			f.Close()
			p.child[i] = nil
		}
	}
}

func (p *pipes) closeAll() {
	p.closeChild()
	for _, f := range p.host {
		f.Close()
	}
	for _, f := range p.feeds {
		f.to.Close()
	}
	if p.gate != nil {
		p.gate.Close()
	}
	p.wg.Wait()
}
