package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
	"breakfix/internal/source"
)

// engineCmd is about the servers that hold a language model.
type engineCmd struct {
	Probe engineProbeCmd `cmd:"" help:"Find out what a training or chat server can do, on scratch models."`
	Sim   engineSimCmd   `cmd:"" help:"Serve a small real model by the Tinker protocol: for tests, and to see a policy learn without a GPU."`
}

// engineFlags say which model of a server, and how its tokens are known.
type engineFlags struct {
	Model     string `json:"model" help:"The model, where the server has several." placeholder:"NAME"`
	Tokenizer string `json:"tokenizer" help:"Folder with the model's tokenizer.json and chat template, where the server takes token ids only and the model's name is no such folder." type:"path" placeholder:"DIR"`
}

// tokens are those of the folder that was named.
func (f engineFlags) tokens(a *app) (engine.Tokenizer, error) {
	if f.Tokenizer == "" {
		return nil, nil
	}
	cache, err := source.CacheDir(a.Cache)
	if err != nil {
		return nil, err
	}
	t, err := engine.Folder(a.ctx, cache, f.Tokenizer)
	if err != nil {
		return nil, usagef("name a folder with tokenizer.json and a chat template", "--tokenizer: %v", err)
	}
	return t, nil
}

// engineKey is the key for a server: keys come from the environment or a file.
func engineKey(address string) (engine.Key, error) {
	others := []string{"TINKER_API_KEY"}
	if engine.Hosted(address) {
		others = []string{"OPENAI_API_KEY"}
	}
	k, err := engine.KeyFromEnvironment(others...)
	if err != nil {
		return k, usagef("", "%v", err)
	}
	return k, nil
}

type engineProbeCmd struct {
	URL string `json:"url" arg:"" name:"url" help:"Address of the server."`

	engineFlags `group:"engine"`
}

// Help is the second part of the help text.
func (engineProbeCmd) Help() string {
	return `Of a training server (the Tinker protocol): which dialect it speaks; whether the log-probabilities of its sampler and its
trainer agree; whether a step on advantages of zero changes nothing, and one on positive advantages raises; how it reduces
losses; whether a retried step steps twice; whether sampling an old checkpoint disturbs training; whether the output
layer is trained; whether a wrong base model is accepted. Some models are trained for a step or two, and given back.

Where training would be wrong the exit code is 4. A server that is not there, refuses the key or speaks something
else is exit code 2. The key is read from ` + engine.KeyVariable + `, from the file that ` + engine.KeyVariable + `_FILE names, or from TINKER_API_KEY.

Examples:

    breakfix engine probe http://127.0.0.1:8000
    breakfix engine probe --tokenizer models/SmolLM2-135M http://127.0.0.1:8000
`
}

func (c *engineProbeCmd) Run(a *app) error {
	key, err := engineKey(c.URL)
	if err != nil {
		return err
	}
	tokens, err := c.tokens(a)
	if err != nil {
		return err
	}
	got, err := engine.Probe(a.ctx, c.URL, engine.Options{Key: key, Tokens: tokens}, c.Model)
	if engine.KindOf(err) == engine.Foreign { // it may be a chat server
		if chat, other := engine.ProbeChat(a.ctx, c.URL, engine.ChatOptions{Key: key, Model: c.Model}); engine.KindOf(other) != engine.Foreign {
			got, err = chat, other
		}
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	switch engine.KindOf(err) {
	case engine.Wrong, engine.Slow, engine.Failed: // what it does is the answer
		got.Findings = append(got.Findings, engine.Finding{Name: "server", Detail: err.Error(), Bad: true})
		err = nil
	}
	if err != nil {
		return err
	}
	if err := c.tell(a, got); err != nil {
		return err
	}
	if why := got.Refused(); why != nil {
		fmt.Fprintf(a.stderr, "breakfix: training with this server would be wrong: %s\n", strings.Join(why, "; "))
		return errNo
	}
	return nil
}

func (c *engineProbeCmd) tell(a *app, p *engine.Probed) error {
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(p)
	}
	fmt.Fprintf(a.stdout, "server  %s\nmodels  %s\nprobed  %s, %.1f s, %d requests\n\n", p.Server, strings.Join(p.Models, ", "), p.Model, p.Seconds, p.Counts.Requests)
	wide := 0
	for _, f := range p.Findings {
		wide = max(wide, len(f.Name))
	}
	for _, f := range p.Findings {
		mark := "      "
		if f.Bad {
			mark = "WRONG "
		}
		fmt.Fprintf(a.stdout, "%s%-*s  %s\n", mark, wide, f.Name, f.Detail)
	}
	return nil
}

type engineSimCmd struct {
	simFlags `group:"engine"`
}

type simFlags struct {
	Listen string   `help:"Address to listen on. Default ${default}." default:"127.0.0.1:8000" placeholder:"HOST:PORT"`
	Quirks []string `help:"Ways in which it differs from a server without any: ${sim_quirks}." placeholder:"NAME"`
	Faults []string `help:"Requests that go wrong: ROUTE:WHAT[@N[xTIMES]], such as optim_step:reset@3; + before WHAT: the request is executed and its answer lost. WHAT is one of ${sim_faults}." placeholder:"FAULT"`
}

// Help is the second part of the help text.
func (engineSimCmd) Help() string {
	return `The model is a mixture of n-grams of a small text, with copying and low-rank trainable weights. Its log-probabilities,
gradients and Adam steps are real and deterministic; the published tinker client takes it for any other server. It
serves the OpenAI-compatible chat route, too. It asks for the key that ` + engine.KeyVariable + ` or the
file of ` + engine.KeyVariable + `_FILE holds, where there is one.

Examples:

    breakfix engine sim
    breakfix engine sim --quirks protobuf,mean --faults optim_step:503@2x3
    breakfix engine probe http://127.0.0.1:8000
`
}

// quirkNames are the JSON names of the quirks.
func quirkNames() []string {
	b, _ := json.Marshal(enginetest.Quirks{})
	var names []string
	for d := json.NewDecoder(strings.NewReader(string(b))); ; {
		t, err := d.Token()
		if err != nil {
			return names
		}
		if s, ok := t.(string); ok {
			names = append(names, s)
		}
	}
}

func (c *engineSimCmd) Run(a *app) error {
	var o enginetest.Options
	set := map[string]bool{}
	for _, q := range c.Quirks {
		set[strings.ReplaceAll(q, "-", "_")] = true
	}
	b, err := json.Marshal(set)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&o.Quirks); err != nil {
		return usagef("there are "+strings.Join(quirkNames(), ", "), "--quirks: unknown quirk in %s", strings.Join(c.Quirks, ","))
	}
	for _, text := range c.Faults {
		f, err := enginetest.ParseFault(text)
		if err != nil {
			return usagef("", "--faults: %v", err)
		}
		o.Faults = append(o.Faults, f)
	}
	if o.Key, err = engine.KeyFromEnvironment(); err != nil {
		return usagef("", "%v", err)
	}
	s, err := enginetest.New(o)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(a.ctx, "tcp", c.Listen)
	if err != nil {
		return usagef("name another one with --listen HOST:PORT", "--listen %s: %v", c.Listen, listening(err))
	}
	fmt.Fprintf(a.stdout, "http://%s\n", l.Addr())
	ctx, stop := context.WithCancel(a.drain)
	defer stop()
	if err := s.Serve(ctx, l); err != nil {
		return err
	}
	return context.Canceled
}

// listening words why an address cannot be listened on.
func listening(err error) error {
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err
	}
	return err
}
