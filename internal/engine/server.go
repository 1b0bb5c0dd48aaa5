package engine

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a connection.
type Options struct {
	Key      Key
	Profile  Profile
	Patience Patience
	// Tokens is how conversations become token ids. Without it the server is asked
	// for its tokenizer, which the conformance server has; servers that have none
	// need the model's folder: see Folder.
	Tokens Tokenizer
	Log    *slog.Logger
}

// Server is a connection to a server of the Tinker protocol: one session, kept
// alive by heartbeats until Close.
type Server struct {
	*transport
	profile Profile
	tokens  Tokenizer
	log     *slog.Logger
	Models  []string // what the server says that it serves

	dialect atomic.Value // string
	mu      sync.Mutex
	session string
	models  int // model_seq_id of the session
	samples int // sampling_session_seq_id
	expired bool
	stop    context.CancelFunc
	done    chan struct{}
}

const protocolVersion = "0.25.0" // of the published client, whose requests these are

// Dial connects: it asks whether the server lives and what it serves, and opens
// a session.
func Dial(ctx context.Context, address string, o Options) (*Server, error) {
	t, err := newTransport(address, o.Key, "X-API-Key", o.Patience)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Server{transport: t, profile: o.Profile, tokens: o.Tokens, log: o.Log, done: make(chan struct{})}
	s.dialect.Store(o.Profile.Dialect)
	var health struct {
		Status string `json:"status"`
	}
	hello := request{doing: "connect", method: http.MethodGet, route: "/api/v1/healthz", limit: min(t.patience.Request, 3*time.Second)}
	if err := t.call(ctx, hello, &health); err != nil {
		return nil, notTinker(err)
	}
	if health.Status == "" {
		return nil, t.fail(Foreign, hello, 200, "what answers there is no server of the Tinker protocol", nil)
	}
	var can struct {
		Models []struct {
			Name string `json:"model_name"`
		} `json:"supported_models"`
	}
	if err := t.get(ctx, "ask what it serves", "/api/v1/get_server_capabilities", &can); err != nil && KindOf(err) != Missing {
		return nil, err
	}
	for _, m := range can.Models {
		s.Models = append(s.Models, m.Name)
	}
	if err := s.open(ctx); err != nil {
		return nil, notTinker(err)
	}
	beat, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go s.beat(beat)
	return s, nil
}

// notTinker words the error of a first request: a route that is missing is
// another kind of server.
func notTinker(err error) error {
	e, ok := err.(*Error)
	if ok && e.Kind == Missing {
		e.Kind, e.Reason, e.Next = Foreign, "it has no route of the Tinker protocol ("+e.Reason+")", "see that the address is that of a training server; docs/engines.md lists them"
	}
	return err
}

// open makes a new session.
func (s *Server) open(ctx context.Context) error {
	var got struct {
		ID    string `json:"session_id"`
		Error string `json:"error_message"`
	}
	const doing = "open a session"
	err := s.post(ctx, doing, "/api/v1/create_session", map[string]any{
		"type": "create_session", "tags": []string{"breakfix"}, "user_metadata": map[string]string{}, "sdk_version": protocolVersion,
	}, &got)
	if err != nil {
		return err
	}
	if got.ID == "" {
		reason := "it gives no session"
		if got.Error != "" {
			reason += ": " + got.Error
		}
		return s.fail(Foreign, request{doing: doing}, 200, reason, nil)
	}
	s.mu.Lock()
	s.session, s.models, s.samples, s.expired = got.ID, 0, 0, false
	s.mu.Unlock()
	return nil
}

// beat sends heartbeats. A session that is gone is noted; whoever needs it
// next opens another.
func (s *Server) beat(ctx context.Context) {
	defer close(s.done)
	for sleep(ctx, s.patience.Beat) == nil {
		s.mu.Lock()
		session := s.session
		s.mu.Unlock()
		err := s.post(ctx, "keep the session", "/api/v1/session_heartbeat", map[string]string{"session_id": session, "type": "session_heartbeat"}, nil)
		if KindOf(err) == Missing {
			s.mu.Lock()
			s.expired = s.expired || session == s.session
			s.mu.Unlock()
		}
		if err != nil && ctx.Err() == nil {
			s.log.Debug("heartbeat", "error", err)
		}
	}
}

// in gives the session, opening another when it expired.
func (s *Server) in(ctx context.Context) (string, error) {
	s.mu.Lock()
	session, expired := s.session, s.expired
	s.mu.Unlock()
	if !expired {
		return session, nil
	}
	if err := s.open(ctx); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session, nil
}

// expire notes that a session is gone.
func (s *Server) expire() {
	s.mu.Lock()
	s.expired = true
	s.mu.Unlock()
}

// Counts is what the client did so far.
func (s *Server) Counts() Counts { return s.counters.read() }

// Dialect is how arrays are sent, as far as is known by now.
func (s *Server) Dialect() string {
	if d, _ := s.dialect.Load().(string); d != "" {
		return d
	}
	return DialectJSON
}

// Close ends the heartbeats; the server deletes the session's models some time
// later.
func (s *Server) Close() error {
	s.stop()
	<-s.done
	s.http.CloseIdleConnections()
	return nil
}
