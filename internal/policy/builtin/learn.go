package builtin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
)

// DefaultWarm is how many functions Begin damages: five minutes of one core.
const DefaultWarm = 3000

// shards is how many parts a batch is cut into. It is fixed, so that what is
// learned does not depend on how many cores there are.
const shards = 2

// Learns reports whether there are weights to go on from.
func (p *Policy) Learns() bool { return p.weights != nil && !p.uniform }

// Apart implements policy.Apart: breaks have a model of their own, beneath which the weights of
// repairs are only read.
func (*Policy) Apart() bool { return true }

// Learn makes the next version: the network from the repairs that were tried,
// the linear model of breaks from what their bugs were worth. The optimiser's
// moments begin anew with each version (Asadi et al., "Resetting the Optimizer in
// Deep RL", NeurIPS 2023): what an earlier batch was like says little of this one, and
// a version is then its weights and nothing else.
func (p *Policy) Learn(ctx context.Context, scored []policy.Scored) (policy.Version, error) {
	if !p.Learns() {
		return p.Version(), errors.New("the prior that was set by hand cannot learn")
	}
	next := *p
	next.breaks = p.breaks.clone()
	broke, err := p.learnBreaks(next.breaks, scored)
	if err != nil {
		return p.Version(), err
	}
	lessons, err := p.lessons(ctx, scored)
	if err != nil {
		return p.Version(), err
	}
	if broke+len(lessons) == 0 {
		return p.Version(), nil
	}
	if len(lessons) > 0 {
		model := p.weights.model.Clone()
		damages, err := p.damages(ctx, learnDamages*stepsFor(len(lessons)), seedOf(p.Version()))
		if err != nil {
			return p.Version(), err
		}
		rate := learnRate
		if p.weights.byHand() {
			rate = knowingRate
		}
		if err := teach(ctx, model, rate, lessons, damages, seedOf(p.Version())); err != nil {
			return p.Version(), err
		}
		card := network.Card{}
		for k, v := range p.weights.card {
			card[k] = v
		}
		card[cardParent] = string(p.Version())
		next.weights = &Weights{model: model, card: card}
	}
	if err := next.name(); err != nil {
		return p.Version(), err
	}
	p.become(&next)
	return p.Version(), nil
}

// cardParent is the card's entry for the version that was gone on from.
const cardParent = "parent"

// name names the version by its bytes.
func (p *Policy) name() error {
	var file bytes.Buffer
	if err := p.weights.Write(&file); err != nil {
		return err
	}
	if p.weights.version == "" {
		p.weights.version = versionOf(file.Bytes())
	}
	if err := p.breaks.model.Save(&file, p.breaks.card()); err != nil {
		return err
	}
	p.version = versionOf(file.Bytes())
	return nil
}

// become plays as another policy of the same kind from here on.
func (p *Policy) become(o *Policy) {
	p.weights, p.breaks, p.version = o.weights, o.breaks, o.version
	p.lists = &lists{} // what it remembers was ranked by the weights before
}

// Begin learns, from nothing, what code looks like: functions are damaged, and
// the way back is what is learned. Weights that know something are left alone;
// the code is kept, to learn some of it beside each batch.
func (p *Policy) Begin(ctx context.Context, texts []policy.Text, progress func(done, of int)) (policy.Version, error) {
	if !p.Learns() {
		return p.Version(), nil
	}
	p.code = nil
	for _, t := range texts {
		p.code = append(p.code, functionsOf(t)...)
	}
	if p.weights.version != VersionScratch || p.Warm <= 0 {
		return p.Version(), nil
	}
	c := Course{Texts: texts, Seed: seedOf(p.Version()) + p.Seed, Examples: p.Warm, Workers: shards,
		Card: map[string]string{cardPrior: priorNone, cardSaid: saidUsed}}
	c.Progress = func(l Lesson) { progress(l.Done, l.Of) }
	w, _, err := Teach(ctx, c)
	if errors.Is(err, ErrNoExample) {
		return p.Version(), nil
	}
	if err != nil {
		return p.Version(), err
	}
	next := *p
	next.weights = w
	if err := next.name(); err != nil {
		return p.Version(), err
	}
	p.become(&next)
	return p.Version(), nil
}

// Files of a version.
const (
	fixerFile   = "fixer.safetensors"
	breakerFile = "breaker.safetensors"
	versionFile = "version.json"
)

// saved is what the files of weights do not say.
type saved struct {
	Policy  string         `json:"policy"`
	Version policy.Version `json:"version"`
	Weights policy.Version `json:"weights"` // of the fixer alone
	Warm    int            `json:"warm"`
}

// Save writes the weights of both roles.
func (p *Policy) Save(_ context.Context, dir string) error {
	if p.weights == nil {
		return errors.New("the prior that was set by hand has no weights to save")
	}
	var fixer, breaker bytes.Buffer
	if err := p.weights.Write(&fixer); err != nil {
		return err
	}
	if err := p.breaks.model.Save(&breaker, p.breaks.card()); err != nil {
		return err
	}
	about, err := json.MarshalIndent(saved{p.Name(), p.Version(), p.weights.version, p.Warm}, "", "  ")
	if err != nil {
		return err
	}
	for name, b := range map[string][]byte{fixerFile: fixer.Bytes(), breakerFile: breaker.Bytes(), versionFile: append(about, '\n')} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Restore plays with a version that Save wrote.
func (p *Policy) Restore(_ context.Context, dir string) error {
	o, err := Open(dir)
	if err != nil {
		return err
	}
	p.become(o)
	return nil
}

// Open gives the policy that Save wrote to a folder. What it cannot use is one
// error that says why.
func Open(dir string) (*Policy, error) {
	about, err := os.ReadFile(filepath.Join(dir, versionFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no version of the policy", dir)
	}
	if err != nil {
		return nil, err
	}
	var s saved
	if err := json.Unmarshal(about, &s); err != nil {
		return nil, fmt.Errorf("%s in %s is damaged: %w", versionFile, dir, err)
	}
	if s.Policy != (*Policy)(nil).Name() {
		return nil, fmt.Errorf("the version in %s is of policy %q, not of the built-in one", dir, s.Policy)
	}
	f, err := os.Open(filepath.Join(dir, fixerFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w, err := ReadWeights(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, fixerFile), err)
	}
	w.version = s.Weights
	b, err := os.Open(filepath.Join(dir, breakerFile))
	if err != nil {
		return nil, err
	}
	defer b.Close()
	m, card, err := network.LoadLinear(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, breakerFile), err)
	}
	m.Rate = breakRate
	p := With(w)
	p.breaks = &breaks{m, card[cardPrior] != priorNone}
	p.Warm = s.Warm
	if s.Version != w.version {
		p.version = s.Version
	}
	return p, nil
}

// card says what stands beneath.
func (b *breaks) card() network.Card {
	if b.hand {
		return network.Card{cardPrior: priorHand}
	}
	return network.Card{cardPrior: priorNone}
}

func (b *breaks) clone() *breaks { return &breaks{b.model.Clone(), b.hand} }

// seedOf draws what a version's learning draws from its name.
func seedOf(v policy.Version) uint64 { return hashOf("learn", string(v)) }
