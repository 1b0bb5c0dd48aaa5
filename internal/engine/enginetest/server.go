// Package enginetest is a server of the Tinker protocol around a small real
// model: an n-gram mixture with copying, and low-rank trainable weights on hashed
// features of the context. Its log-probabilities, gradients and Adam updates are
// real and deterministic, it speaks both dialects, and it fails on demand, so that
// a client is tested, and a policy learns, without Python.
//
// The published tinker client passes against it (published_test.go).
package enginetest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"breakfix/internal/engine"
)

// Quirks are the ways in which real servers differ. The zero value is a server
// without any: it takes JSON, executes each seq_id once and in order, and sums
// losses over tokens.
type Quirks struct {
	Protobuf     bool `json:"protobuf"`       // arrays are protobuf; JSON bodies of forward_backward are refused with 415
	RunsAgain    bool `json:"runs_again"`     // a seq_id that comes twice is executed twice, and order is not kept
	Mean         bool `json:"mean"`           // losses are divided by the sum of weights, then averaged over sequences
	SlotTrap     bool `json:"slot_trap"`      // sampling an old checkpoint puts its weights under training
	NoUnembed    bool `json:"no_unembed"`     // the output layer is not trained
	Mismatch     bool `json:"mismatch"`       // the sampler's log-probabilities are not the trainer's
	Flipped      bool `json:"flipped"`        // gradients have the wrong sign
	Restless     bool `json:"restless"`       // a step without advantages changes the weights
	AnyBase      bool `json:"any_base"`       // a wrong base model is accepted
	NoTokenizer  bool `json:"no_tokenizer"`   // the tokenizer is not told
	NoSequenceID bool `json:"no_sequence_id"` // asample says nothing of sample_sequence_ids
}

// Options of a server.
type Options struct {
	Quirks
	Model  string         // its name; "breakfix/sim"
	Corpus []Conversation // what the base model has read; DefaultCorpus
	Pieces int            // at most so many pieces beside the bytes; 256
	Key    engine.Key     // asked of every request; empty: none
	Expire time.Duration  // sessions without a heartbeat; 5 minutes
	Faults []Fault
}

// Server is one. It is an http.Handler; Start makes it listen.
type Server struct {
	o      Options
	tokens *engine.Pieces
	base   *base
	mux    *http.ServeMux
	faults faults

	mu       sync.Mutex
	sessions map[string]time.Time // of the last heartbeat
	models   map[string]*model
	samplers map[string]string // sampling session → path
	futures  map[string]*future
	kept     map[string]*checkpoint // by path: these outlive a restart
	last     int                    // number of the last id
	drawn    uint64                 // samples without a seed
}

type checkpoint struct {
	adapter *adapter
	model   string
	sampler bool
}

// New makes a server.
func New(o Options) (*Server, error) {
	if o.Model == "" {
		o.Model = "breakfix/sim"
	}
	if o.Corpus == nil {
		o.Corpus = DefaultCorpus()
	}
	if o.Pieces == 0 {
		o.Pieces = 256
	}
	if o.Expire == 0 {
		o.Expire = 5 * time.Minute
	}
	p, err := pieces(o.Corpus, o.Pieces)
	if err != nil {
		return nil, err
	}
	var texts [][]int32
	for _, c := range o.Corpus {
		ids, err := p.Render(context.Background(), engine.Ask{Messages: c})
		if err != nil {
			return nil, fmt.Errorf("read the corpus: %w", err)
		}
		texts = append(texts, ids[:len(ids)-1])
	}
	s := &Server{o: o, tokens: p, base: newBase(p.Vocabulary(), texts), kept: map[string]*checkpoint{}, mux: http.NewServeMux()}
	s.faults.list = append(s.faults.list, o.Faults...)
	s.forget()
	s.routes()
	return s, nil
}

// Tokens is the model's tokenizer.
func (s *Server) Tokens() *engine.Pieces { return s.tokens }

// forget is what a restart does to everything but checkpoints.
func (s *Server) forget() {
	s.sessions, s.models = map[string]time.Time{}, map[string]*model{}
	s.samplers, s.futures = map[string]string{}, map[string]*future{}
}

// Restart ends and starts the server: sessions, models and futures are gone,
// checkpoints are not.
func (s *Server) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
}

// Digest tells the states of a model's weights and optimiser apart.
func (s *Server) Digest(model string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.models[model]; m != nil {
		return m.adapter.digest()
	}
	return ""
}

// Started is a server that listens on a port of this machine.
type Started struct {
	*Server
	URL  string
	http *httptest.Server
}

// Start makes a server and lets it listen until Close.
func Start(o Options) (*Started, error) {
	s, err := New(o)
	if err != nil {
		return nil, err
	}
	h := httptest.NewUnstartedServer(s)
	h.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, &connState{})
	}
	h.Start()
	return &Started{s, h.URL, h}, nil
}

// Close ends it.
func (s *Started) Close() { s.http.CloseClientConnections(); s.http.Close() }

// Serve listens on an address until the context ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, &connState{})
	}}
	go func() { <-ctx.Done(); h.Close() }()
	if err := h.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

// id gives the next number; ids of the protocol are decimal strings. The caller
// holds the lock.
func (s *Server) id() int { s.last++; return s.last }
