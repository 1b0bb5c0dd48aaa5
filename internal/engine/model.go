package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"breakfix/internal/engine/wire"
)

// ModelOptions say which model is trained.
type ModelOptions struct {
	Base    string // one of Server.Models; empty: the only one there is
	Rank    int    // of the LoRA adapter; 8
	Seed    int    // of its first weights
	Version string // of the weights before any step; "0"
	// Beta1, Beta2, Epsilon and Decay are those of Adam: 0.9, 0.95 and 1e-8 unless set
	// (the cookbook's values), no decay.
	Beta1, Beta2, Epsilon, Decay float64

	noUnembed bool // the output layer is not to be trained
}

// Model is a LoRA adapter on a server's base model: it samples and it learns.
// What it was asked to do since the last Save is kept, so that when the server
// loses the model, or may have taken a request twice, the same model is made
// anew: from the checkpoint, or from its seed, and the same requests in the same
// order. Its methods are safe for concurrent use.
type Model struct {
	srv  *Server
	o    ModelOptions
	own  bool // the server is closed with it
	jobs chan job
	quit chan struct{} // closed by Close
	once sync.Once
	done chan struct{}
	gate gate

	current atomic.Pointer[published]
	id      atomic.Value // string

	// Owned by the goroutine that trains.
	session   string
	seq       int
	names     int    // of checkpoints, to tell them apart
	saved     string // the checkpoint that the journal starts from; empty: the seed
	atSave    string // the version that was published and not trained on at that time; empty: none
	journal   []entry
	dirty     bool // the server's weights are not known to be those of the journal
	unpublish bool // there are steps that were not published
}

// published is what Sample uses.
type published struct {
	version string
	path    string
	session string // sampling session
	seq     atomic.Int64
}

// OpenTrainer connects to a server and makes one model on it; closing the
// model closes the connection.
func OpenTrainer(ctx context.Context, address string, o Options, m ModelOptions) (*Model, error) {
	s, err := Dial(ctx, address, o)
	if err != nil {
		return nil, err
	}
	model, err := s.New(ctx, m)
	if err != nil {
		s.Close()
		return nil, err
	}
	model.own = true
	return model, nil
}

// New makes a model and publishes its first weights. Servers take any name of a
// base model and train what they have; a name that the server does not list is
// refused here.
func (s *Server) New(ctx context.Context, o ModelOptions) (*Model, error) {
	const doing = "make a model"
	switch {
	case o.Base == "" && len(s.Models) == 1:
		o.Base = s.Models[0]
	case o.Base == "" || len(s.Models) > 0 && !slices.Contains(s.Models, o.Base):
		reason := fmt.Sprintf("it has no model %q", o.Base)
		if o.Base == "" {
			reason = "no model was named"
		}
		e := s.fail(Missing, request{doing: doing}, 0, reason, nil)
		e.Next = "it serves " + strings.Join(s.Models, ", ")
		return nil, e
	}
	if o.Rank == 0 {
		o.Rank = 8
	}
	if o.Version == "" {
		o.Version = "0"
	}
	if o.Beta1 == 0 {
		o.Beta1 = 0.9
	}
	if o.Beta2 == 0 {
		o.Beta2 = 0.95
	}
	if o.Epsilon == 0 {
		o.Epsilon = 1e-8
	}
	if s.tokens == nil {
		t, err := s.askTokenizer(ctx, o.Base)
		if err != nil {
			return nil, err
		}
		s.tokens = t
	}
	m := &Model{srv: s, o: o, jobs: make(chan job), quit: make(chan struct{}), done: make(chan struct{}), dirty: true, atSave: o.Version}
	m.id.Store("")
	m.gate.init()
	go m.train()
	if _, err := m.do(ctx, entry{kind: restoring}); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Model is the base model's name.
func (m *Model) Model() string { return m.o.Base }

// Version is that of the weights that Sample uses.
func (m *Model) Version() string { return m.current.Load().version }

// ID is the server's name of the model.
func (m *Model) ID() string { return m.id.Load().(string) }

// Tokens is the tokenizer.
func (m *Model) Tokens() Tokenizer { return m.srv.tokens }

// Profile is what is known of the server.
func (m *Model) Profile() Profile { return m.srv.profile }

// Counts is what the client did so far.
func (m *Model) Counts() Counts { return m.srv.Counts() }

// ForwardBackward adds the gradient of the loss over the data. A pass may be cut
// into several requests; the metrics are those of the last.
func (m *Model) ForwardBackward(ctx context.Context, data []Datum, loss string, config map[string]float64) ([][]float32, map[string]float64, error) {
	if err := Check(data, loss, m.vocabulary()); err != nil {
		return nil, nil, err
	}
	got, err := m.do(ctx, entry{kind: backward, data: data, loss: loss, config: config})
	return got.logProbs, got.metrics, err
}

// Forward is the trainer's log-probability of each target; it changes nothing.
func (m *Model) Forward(ctx context.Context, data []Datum) ([][]float32, error) {
	for i := range data {
		if data[i].Weights == nil {
			data = slices.Clone(data)
			data[i].Weights = ones(len(data[i].Tokens))
		}
	}
	if err := Check(data, "cross_entropy", m.vocabulary()); err != nil {
		return nil, err
	}
	got, err := m.do(ctx, entry{kind: forward, data: data, loss: "cross_entropy"})
	return got.logProbs, err
}

// Step lets Adam take one step of the given learning rate.
func (m *Model) Step(ctx context.Context, rate float64) error {
	_, err := m.do(ctx, entry{kind: step, rate: rate})
	return err
}

// Publish makes the weights what Sample uses from now on.
func (m *Model) Publish(ctx context.Context, version string) error {
	_, err := m.do(ctx, entry{kind: publish, name: version})
	return err
}

// Revert goes back to what was published, saved or loaded last. The server is asked for nothing: the
// model is made anew when it is needed next.
func (m *Model) Revert(ctx context.Context) error {
	_, err := m.do(ctx, entry{kind: revert})
	return err
}

// Save keeps weights and optimiser, and returns the server's name of them. What
// was asked before it need not be kept any more.
func (m *Model) Save(ctx context.Context, name string) (string, error) {
	got, err := m.do(ctx, entry{kind: save, name: name})
	return got.path, err
}

// Load goes back to what Save kept, also of a model of another connection.
// Publish it before sampling.
func (m *Model) Load(ctx context.Context, name string) error {
	_, err := m.do(ctx, entry{kind: load, name: name})
	return err
}

// Close gives the model back to the server, when what is under way is done.
func (m *Model) Close() error {
	m.once.Do(func() { close(m.quit) })
	<-m.done
	if m.own {
		return m.srv.Close()
	}
	return nil
}

func (m *Model) vocabulary() int {
	if m.srv.tokens == nil {
		return 0
	}
	return m.srv.tokens.Vocabulary()
}

func ones(n int) []float32 {
	all := make([]float32, n)
	for i := range all {
		all[i] = 1
	}
	return all
}

// dataOnWire is the data as the loss takes it. Where the server averages over a
// sequence, it is told what of it counts.
func (m *Model) dataOnWire(data []Datum, loss string) []wire.Datum {
	out := make([]wire.Datum, len(data))
	for i, d := range data {
		out[i] = d.onWire(loss)
		if m.srv.profile.Reduction == "mean" && len(d.Weights) > 0 {
			out[i].Inputs["weights"] = wire.Tensor{Floats: d.Weights}
		}
	}
	return out
}
