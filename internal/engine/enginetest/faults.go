package enginetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	"breakfix/internal/engine/wire"
)

// Fault is something that goes wrong with a request: of the requests of a route,
// counted from 1, the Nth and the Times-1 after it.
type Fault struct {
	Route string `json:"route"` // the last part of the path: optim_step
	Nth   int    `json:"nth"`   // 1
	Times int    `json:"times"` // 1
	What  string `json:"what"`
	Taken bool   `json:"taken"` // the request is executed all the same, and its answer lost
}

// What can go wrong.
const (
	Reset     = "reset"     // the connection is closed without an answer
	HTML      = "html"      // 200 and a web page
	Truncated = "truncated" // half of the answer
	NaN       = "nan"       // a log-probability that is not a number
	Few       = "few"       // one log-probability too few
	SlowOnce  = "slow"      // a future that is done after ten more looks
	Never     = "never"     // a future that is never done
	Duplicate = "duplicate" // the request arrives twice
	Restarted = "restart"   // the server was started again just before
	Expired   = "expired"   // all sessions were ended just before
	Vanished  = "vanished"  // the future is not known any more: 410
	// "408", "429", "402", "500", "502", "503" are those answers; "500+reset" also
	// resets the next request of the same connection.
)

// Kinds are all faults, for --help and tests.
func Kinds() []string {
	return []string{"402", "408", "410", "429", "500", "500+reset", "502", "503", Reset, HTML, Truncated, NaN, Few, SlowOnce, Never, Duplicate, Restarted, Expired, Vanished}
}

// ParseFault reads ROUTE:WHAT, ROUTE:WHAT@N or ROUTE:WHAT@NxTIMES, with a "+" before WHAT
// when the request is taken all the same: optim_step:+reset@3.
func ParseFault(text string) (Fault, error) {
	route, rest, ok := strings.Cut(text, ":")
	what, when, given := strings.Cut(rest, "@")
	f := Fault{Route: route, Nth: 1, Times: 1}
	f.What, f.Taken = strings.CutPrefix(what, "+")
	if !ok || route == "" || !slices.Contains(Kinds(), f.What) {
		return f, fmt.Errorf("%q is no fault: it is written ROUTE:WHAT[@N[xTIMES]], and WHAT is one of %s", text, strings.Join(Kinds(), ", "))
	}
	if given {
		n, times, many := strings.Cut(when, "x")
		var err error
		if f.Nth, err = strconv.Atoi(n); err == nil && many {
			f.Times, err = strconv.Atoi(times)
		}
		if err != nil || f.Nth < 1 || f.Times < 1 {
			return f, fmt.Errorf("%q is no fault: after @ stands which request, such as 3 or 3x2", text)
		}
	}
	return f, nil
}

// Seen is one request as it arrived.
type Seen struct {
	Route  string
	Key    string // X-Idempotency-Key: the same for the same request
	Digest string // of the body
	Fault  string // that it met
	Secret string // the key that was sent
}

type faults struct {
	mu    sync.Mutex
	list  []Fault
	count map[string]int
	log   []Seen
}

// Inject adds faults, whose requests are counted from now.
func (s *Server) Inject(list ...Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	for _, f := range list {
		f.Nth = max(1, f.Nth) + s.faults.count[f.Route]
		s.faults.list = append(s.faults.list, f)
	}
}

// Mend takes all faults back.
func (s *Server) Mend() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

// Log is every request so far.
func (s *Server) Log() []Seen {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return slices.Clone(s.faults.log)
}

// next counts a request and says what goes wrong with it.
func (f *faults) next(route string, r *http.Request, body []byte) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[route]++
	var hit *Fault
	for i := range f.list {
		x := &f.list[i]
		if n := f.count[route] - max(1, x.Nth); x.Route == route && n >= 0 && n < max(1, x.Times) {
			hit = x
			break
		}
	}
	sum := sha256.Sum256(body)
	seen := Seen{Route: route, Key: r.Header.Get("X-Idempotency-Key"), Digest: hex.EncodeToString(sum[:8]), Secret: secretOf(r)}
	if hit != nil {
		seen.Fault = hit.What
	}
	if len(f.log) < 1<<16 { // a server that runs for days need not remember
		f.log = append(f.log, seen)
	}
	return hit
}

func secretOf(r *http.Request) string {
	if k := r.Header.Get("X-API-Key"); k != "" {
		return k
	}
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

type connKey struct{}

// connState marks a connection whose next request is reset.
type connState struct {
	mu     sync.Mutex
	poison bool
}

// ServeHTTP answers, or fails as it was told to.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _ := r.Context().Value(connKey{}).(*connState)
	if conn != nil {
		conn.mu.Lock()
		poison := conn.poison
		conn.mu.Unlock()
		if poison {
			reset(w)
			return
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<30))
	if err != nil {
		return
	}
	route := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	f := s.faults.next(route, r, body)
	serve := func(w http.ResponseWriter) {
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !s.o.Key.Empty() && !s.o.Key.Is(secretOf(r)) {
			write(w, 401, object{"detail": "Invalid API key " + secretOf(r)}) // as careless as some servers are
			return
		}
		s.mux.ServeHTTP(w, r)
	}
	if f == nil {
		serve(w)
		return
	}
	if f.Taken {
		serve(httptest.NewRecorder())
	}
	s.break_(f, w, body, serve, conn)
}

func (s *Server) break_(f *Fault, w http.ResponseWriter, body []byte, serve func(http.ResponseWriter), conn *connState) {
	switch f.What {
	case Reset:
		reset(w)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><body><h1>Welcome to nginx!</h1></body></html>")
	case Truncated:
		rec := httptest.NewRecorder()
		serve(rec)
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.Itoa(rec.Body.Len()))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
		reset(w)
	case NaN, Few:
		rec := httptest.NewRecorder()
		serve(rec)
		kind := rec.Header().Get("Content-Type")
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(spoil(kind, rec.Body.Bytes(), f.What))
	case SlowOnce, Never:
		rec := httptest.NewRecorder()
		serve(rec)
		s.delay(rec.Body.Bytes(), f.What == Never)
		w.Header().Set("Content-Type", wire.JSON)
		_, _ = w.Write(rec.Body.Bytes())
	case Duplicate:
		serve(httptest.NewRecorder())
		serve(w)
	case Restarted:
		s.Restart()
		serve(w)
	case Expired:
		s.mu.Lock()
		for id := range s.sessions {
			s.endSession(id)
		}
		s.mu.Unlock()
		serve(w)
	case Vanished, "410":
		write(w, 410, object{"detail": "the promise is gone"})
	case "500+reset":
		if conn != nil {
			conn.mu.Lock()
			conn.poison = true
			conn.mu.Unlock()
		}
		write(w, 500, object{"detail": "Internal Server Error"})
	case "429":
		w.Header().Set("Retry-After", "0.01")
		write(w, 429, object{"detail": "Too many requests"})
	default:
		status, _ := strconv.Atoi(f.What)
		write(w, status, object{"detail": http.StatusText(status)})
	}
}

// reset closes the connection so that the client reads ECONNRESET.
func reset(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	c, buf, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = buf.Flush()
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

// delay makes the future of an answer late.
func (s *Server) delay(answer []byte, forever bool) {
	var promise struct {
		ID string `json:"request_id"`
	}
	if json.Unmarshal(answer, &promise) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.futures[promise.ID]; f != nil {
		if f.polls = 10; forever {
			f.polls = math.MaxInt
		}
	}
}
