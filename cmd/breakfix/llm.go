package main

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"

	"breakfix/internal/engine"
	"breakfix/internal/policy/llm"
	"breakfix/internal/store"
)

// llmName is the policy of a language model, as flags name it.
const llmName = "llm"

// llmFlags say which model plays, and how.
type llmFlags struct {
	Engine string `json:"engine" help:"Address of the server that holds the model: of the Tinker protocol, which also learns, or OpenAI-compatible." placeholder:"URL"`
	engineFlags
	Probed   string  `json:"probed" help:"What breakfix engine probe --json said of the server: it is not probed again. Probing a large model on a CPU takes many minutes." type:"path" placeholder:"FILE"`
	Protocol string  `json:"protocol" help:"How the model uses tools: calls (its own function calls, default), text (one plain command an answer) or brief (prompts of a few lines, answered with the number of a change)." default:"calls" placeholder:"NAME"`
	Context  int     `json:"context" help:"Tokens that a conversation may have, answer included. Default ${default}." default:"32768" placeholder:"N"`
	Answer   int     `json:"answer" help:"Tokens that one answer may have. Default ${default}." default:"1024" placeholder:"N"`
	Moves    int     `json:"moves" help:"Changes of the operator bank that a prompt lists. Default ${default}." default:"24" placeholder:"N"`
	Batch    int     `json:"batch" help:"Sequences of one training request, the last request padded: for servers that compile each new shape (SkyRL's JAX: 8). Default ${default}: as many as there are." default:"0" placeholder:"N"`
	Rate     float64 `json:"rate" help:"Learning rate of the model. Default ${default}." default:"1e-4" placeholder:"X"`
}

// check refuses what cannot be meant.
func (f *llmFlags) check() error {
	switch f.Protocol {
	case "calls", "text", "brief":
	default:
		return usagef("write --protocol calls, text or brief", "--protocol: there is no %q", f.Protocol)
	}
	switch {
	case f.Batch < 0:
		return usagef("", "--batch must be at least 0, not %d", f.Batch)
	case f.Moves < 1:
		return usagef("", "--moves must be at least 1, not %d", f.Moves)
	case f.Answer < 1:
		return usagef("", "--answer must be at least 1, not %d", f.Answer)
	case f.Context <= f.Answer:
		return usagef("", "--context must be over --answer (%d), not %d", f.Answer, f.Context)
	case !(f.Rate > 0):
		return usagef("", "--rate must be over 0, not %v", f.Rate)
	}
	if f.Engine == "" {
		return nil
	}
	u, err := url.Parse(f.Engine)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("write it like http://127.0.0.1:8000", "--engine is no address of a server")
	}
	if u.User != nil || u.RawQuery != "" {
		return usagef("set "+engine.KeyVariable+", or "+engine.KeyVariable+"_FILE to a file that holds it", "--engine: a key does not belong into an address, which is written into the run")
	}
	return nil
}

// needed refuses a model without a server.
func (f *llmFlags) needed() error {
	if f.Engine == "" {
		return usagef("name it with --engine URL; breakfix engine sim serves a small one", "the policy llm needs a server")
	}
	return nil
}

// model is an open model; nil is none.
type model struct {
	policy *llm.Policy
	end    func() error
}

func (m *model) close() {
	if m != nil && m.end != nil {
		m.end()
	}
}

// keepIn lets games be kept in the run folder.
func (m *model) keepIn(s *store.Store) {
	if m != nil {
		m.policy.KeepIn(s)
	}
}

// open connects to the server, and asks it of which kind it is. One that is to
// learn is tried out on scratch models first, and refused where it would learn wrongly.
func (f *llmFlags) open(a *app, seed uint64, learns bool) (*model, error) {
	if err := f.needed(); err != nil {
		return nil, err
	}
	key, err := engineKey(f.Engine)
	if err != nil {
		return nil, err
	}
	tokens, err := f.tokens(a)
	if err != nil {
		return nil, err
	}
	o := engine.Options{Key: key, Tokens: tokens}
	if learns {
		found, err := f.probe(a, o)
		switch {
		case engine.KindOf(err) == engine.Foreign: // no training server: below
		case err != nil:
			return nil, err
		case len(found.Refused()) > 0:
			return nil, usagef("breakfix engine probe "+f.Engine+" shows all that was found; --learn 0 plays without learning",
				"this server would train wrongly: %s", strings.Join(found.Refused(), "; "))
		default:
			o.Profile = found.Profile
		}
	}
	trainer, err := engine.OpenTrainer(a.ctx, f.Engine, o, engine.ModelOptions{Base: f.Model, Seed: int(seed & 0x7fffffff)})
	if err == nil {
		return f.play(trainer, trainer.Close)
	}
	if engine.KindOf(err) != engine.Foreign {
		return nil, err
	}
	chat, other := engine.NewChat(a.ctx, f.Engine, engine.ChatOptions{Key: key, Model: f.Model})
	if other != nil {
		if engine.KindOf(other) == engine.Foreign {
			return nil, err
		}
		return nil, other
	}
	return f.play(chat, nil)
}

// probe finds out what the server does, or reads what was found out before.
func (f *llmFlags) probe(a *app, o engine.Options) (*engine.Probed, error) {
	if f.Probed == "" {
		return engine.Probe(a.ctx, f.Engine, o, f.Model)
	}
	b, err := os.ReadFile(f.Probed)
	if err != nil {
		return nil, usagef("make it with breakfix engine probe --json", "--probed: %v", err)
	}
	found := &engine.Probed{}
	if err := json.Unmarshal(b, found); err != nil || found.Protocol != "tinker" || len(found.Findings) == 0 {
		return nil, usagef("make it with breakfix engine probe --json", "--probed: %s does not say what a training server does", f.Probed)
	}
	return found, nil
}

func (f *llmFlags) play(s engine.Sampler, end func() error) (*model, error) {
	o := llm.Options{Protocol: llm.Protocol(f.Protocol), Context: f.Context, Answer: f.Answer, Moves: f.Moves, Learning: llm.Learning{Rate: f.Rate, Batch: f.Batch}}
	if f.Protocol == "brief" {
		o.Protocol, o.Brief = llm.Text, true
	}
	p, err := llm.New(s, o)
	if err != nil {
		return nil, usagef("", "%v", err)
	}
	return &model{p, end}, nil
}
