package llm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/policy"
)

// Learning says how a model learns.
type Learning struct {
	Rate      float64 // of the optimiser; default 1e-4
	Loss      string  // default importance_sampling for what the current version sampled, ppo once anything is older
	Low, High float64 // ppo and cispo: bounds of the ratio, default 0.8 and 1.28 (DAPO)
	Truncate  float64 // importance_sampling: a token counts at most this many times; default 2
	Stale     int     // updates that a trajectory may be old; default 2
	Batch     int     // sequences of one request, the last one padded, for servers that compile each new shape; default 0: all
	Scale     float64 // advantages are divided by it, the same for every update; default 1
}

func (l Learning) filled() Learning {
	for _, f := range []struct {
		to *float64
		v  float64
	}{{&l.Rate, 1e-4}, {&l.Low, 0.8}, {&l.High, 1.28}, {&l.Truncate, 2}, {&l.Scale, 1}} {
		if *f.to <= 0 {
			*f.to = f.v
		}
	}
	if l.Stale <= 0 {
		l.Stale = 2
	}
	return l
}

// Update is what one update did, in numbers.
type Update struct {
	Version   string  `json:"version"`
	Seconds   float64 `json:"seconds"`
	Loss      string  `json:"loss"`
	Games     int     `json:"games"`     // trajectories learned from
	Flat      int     `json:"flat"`      // left out: all of the group earned the same
	Stale     int     `json:"stale"`     // left out: too many updates old
	Used      int     `json:"used"`      // left out: learned from before
	Sequences int     `json:"sequences"` // of tokens, after merging turns
	Tokens    int     `json:"tokens"`    // that were sampled
	// Mismatch is the mean of log q - log p over the tokens, q by the sampler, p by
	// the trainer: an estimate of KL(sampler‖trainer). Ratio is the largest p/q.
	Mismatch  float64 `json:"mismatch"`
	Ratio     float64 `json:"ratio"`
	Truncated int     `json:"truncated"` // tokens that count less than their ratio

	// Rewards are the means of what was played with since the last update, by role.
	Rewards map[arena.Role]float64 `json:"rewards"`

	Server map[string]float64 `json:"server,omitempty"` // its own numbers
}

var _ policy.Learner = (*Policy)(nil)

// ErrFrozen says that the server only answers.
var ErrFrozen = errors.New("this server answers and does not learn")

// Learns reports whether the server trains.
func (p *Policy) Learns() bool {
	_, ok := p.sampler.(engine.Trainer)
	return ok
}

// Pinned implements policy.Learner.
func (p *Policy) Pinned() (policy.Policy, error) {
	s, ok := p.sampler.(interface {
		Pinned() (engine.Sampler, error)
	})
	if !ok {
		return nil, ErrFrozen
	}
	pinned, err := s.Pinned()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Policy{sampler: pinned, o: p.o, blobs: p.blobs}, nil
}

// versionOf names the state after n updates by what was learned last, from which
// version: made again from the same it has the same name, and no other has it.
func versionOf(n int, from string, data []engine.Datum) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s\n", n, from)
	for _, d := range data {
		if err := binary.Write(h, binary.LittleEndian, d.Targets); err != nil {
			panic(err) // a hash takes everything
		}
		if err := binary.Write(h, binary.LittleEndian, d.Advantages); err != nil {
			panic(err)
		}
	}
	return fmt.Sprintf("u%d-%s", n, hex.EncodeToString(h.Sum(nil))[:8])
}

// ageOf is how many updates ago a version was made; a name that is not ours is
// the state before the first one.
func (p *Policy) ageOf(version string) int {
	n := 0
	if v, ok := strings.CutPrefix(version, "u"); ok {
		v, _, _ = strings.Cut(v, "-")
		if i, err := strconv.Atoi(v); err == nil {
			n = i
		}
	}
	return p.state.Updates - n
}

// Learn makes the next version of what was played. Trajectories of another
// version than the current are learned from up to Stale updates later, each once.
func (p *Policy) Learn(ctx context.Context, scored []policy.Scored) (policy.Version, error) {
	t, ok := p.sampler.(engine.Trainer)
	if !ok {
		return "", ErrFrozen
	}
	began := time.Now()
	u := Update{Rewards: rewardsOf(scored)}
	data, oldest, err := p.batch(scored, &u)
	if err != nil {
		return "", err
	}
	if len(data) == 0 {
		slog.Info("nothing to learn from", "flat", u.Flat, "stale", u.Stale, "used", u.Used, "rewards", u.Rewards)
		return p.Version(), nil
	}
	next := versionOf(p.state.Updates+1, string(p.Version()), data)
	u.Version = next
	if err := p.advance(ctx, t, data, oldest, &u); err != nil {
		// What the server took of it must not be part of the next update.
		return "", errors.Join(err, t.Revert(context.WithoutCancel(ctx)))
	}
	p.mu.Lock()
	p.state = state{Updates: p.state.Updates + 1, Version: next, Model: t.Model()}
	p.mu.Unlock()
	u.Seconds = time.Since(began).Seconds()
	slog.Info("learned", "update", u)
	return policy.Version(next), nil
}

// rewardsOf are the mean rewards of trajectories that were in no batch before, by role.
func rewardsOf(scored []policy.Scored) map[arena.Role]float64 {
	mean, n := map[arena.Role]float64{}, map[arena.Role]float64{}
	for _, s := range scored {
		if s.Uses == 0 {
			n[s.Role]++
			mean[s.Role] += (s.Reward - mean[s.Role]) / n[s.Role]
		}
	}
	return mean
}

// advance makes one update of the weights, and publishes it.
func (p *Policy) advance(ctx context.Context, t engine.Trainer, data []engine.Datum, oldest int, u *Update) error {
	if err := p.descend(ctx, t, data, oldest, u); err != nil {
		return err
	}
	if err := t.Step(ctx, p.o.Learning.Rate); err != nil {
		return fmt.Errorf("step: %w", err)
	}
	if err := t.Publish(ctx, u.Version); err != nil {
		return fmt.Errorf("publish version %s: %w", u.Version, err)
	}
	return nil
}

// batch chooses what is learned from.
func (p *Policy) batch(scored []policy.Scored, u *Update) (data []engine.Datum, oldest int, err error) {
	p.mu.Lock()
	blobs := p.blobs
	p.mu.Unlock()
	for _, s := range scored {
		switch age := p.ageOf(string(s.Trajectory.Version)); {
		case s.Uses > 0:
			u.Used++
			continue
		case s.Advantage == 0:
			u.Flat++
			continue
		case age > p.o.Learning.Stale || age < 0:
			u.Stale++
			continue
		default:
			oldest = max(oldest, age)
		}
		play, err := Unpack(s.Trajectory.Data, blobs)
		if errors.Is(err, ErrNoPlay) {
			continue // another policy's half of the game
		}
		if err != nil {
			return nil, 0, err
		}
		some, err := play.Data(s.Advantage)
		if err != nil {
			return nil, 0, fmt.Errorf("a game of the %s cannot be learned from: %w", s.Role, err)
		}
		u.Games++
		data = append(data, some...)
	}
	u.Sequences = len(data)
	for _, d := range data {
		for _, w := range d.Weights {
			if w > 0 {
				u.Tokens++
			}
		}
	}
	data = padded(data, p.o.Learning.Batch)
	p.normalise(data)
	return data, oldest, nil
}

// padded makes the number of sequences a multiple of size, with copies of the last
// one that have no advantage and so no gradient.
func padded(data []engine.Datum, size int) []engine.Datum {
	for n := len(data); n > 0 && size > 0 && len(data)%size != 0; {
		pad := data[n-1]
		pad.Advantages = make([]float32, len(pad.Advantages))
		data = append(data, pad)
	}
	return data
}

// normalise makes the loss a sum over tokens, divided by a constant, however the
// server reduces it: a mean over sequences of means over tokens would make a
// token count less the longer its game is.
func (p *Policy) normalise(data []engine.Datum) {
	known, ok := p.sampler.(interface{ Profile() engine.Profile })
	mean := ok && known.Profile().Reduction == "mean"
	for _, d := range data {
		factor := 1 / p.o.Learning.Scale
		if mean {
			sum := 0.0
			for _, w := range d.Weights {
				sum += float64(w)
			}
			factor *= sum * float64(len(data))
		}
		for i := range d.Advantages {
			d.Advantages[i] *= float32(factor)
		}
	}
}

// descend adds the gradient of the loss over the data, measures how far sampler
// and trainer are apart, and takes back what makes a token count too much.
func (p *Policy) descend(ctx context.Context, t engine.Trainer, data []engine.Datum, oldest int, u *Update) error {
	l := p.o.Learning
	if u.Loss = l.Loss; u.Loss == "" {
		if u.Loss = "importance_sampling"; oldest > 0 {
			u.Loss = "ppo"
		}
	}
	var config map[string]float64
	if u.Loss == "ppo" || u.Loss == "cispo" {
		config = map[string]float64{"clip_low_threshold": l.Low, "clip_high_threshold": l.High}
	}
	u.Server = map[string]float64{}
	var excess []engine.Datum
	sum, seen := 0.0, 0
	for part := range parts(data, l.Batch) {
		probs, numbers, err := t.ForwardBackward(ctx, part, u.Loss, config)
		if err != nil {
			return fmt.Errorf("learn: %w", err)
		}
		for k, v := range numbers {
			u.Server[k] += v
		}
		if len(probs) != len(part) {
			return fmt.Errorf("learn: the server returned %d sequences for %d", len(probs), len(part))
		}
		for i, d := range part {
			if len(probs[i]) < len(d.Targets) {
				return fmt.Errorf("learn: the server returned %d log-probabilities for %d tokens", len(probs[i]), len(d.Targets))
			}
			if seen++; seen > u.Sequences {
				break // what follows is padding
			}
			over := false
			rest := d
			rest.Advantages = make([]float32, len(d.Advantages))
			for k, w := range d.Weights {
				if w == 0 {
					continue
				}
				diff := float64(d.LogProbs[k]) - float64(probs[i][k])
				if math.IsNaN(diff) || math.IsInf(diff, 0) {
					return fmt.Errorf("learn: the server returned a log-probability that is no number")
				}
				sum += diff
				r := math.Exp(-diff)
				u.Ratio = max(u.Ratio, r)
				if u.Loss == "importance_sampling" && r > l.Truncate {
					// The gradient of r·A is linear in A: what is over the bound is taken
					// back by a second pass, on the same weights.
					over = true
					u.Truncated++
					rest.Advantages[k] = d.Advantages[k] * float32(l.Truncate/r-1)
				}
			}
			if over {
				excess = append(excess, rest)
			}
		}
	}
	u.Mismatch = sum / float64(max(1, u.Tokens))
	for part := range parts(padded(excess, l.Batch), l.Batch) {
		if _, _, err := t.ForwardBackward(ctx, part, u.Loss, config); err != nil {
			return fmt.Errorf("learn: %w", err)
		}
	}
	return nil
}

// parts cuts data into requests of at most size sequences; 0 is one request.
func parts(data []engine.Datum, size int) func(yield func([]engine.Datum) bool) {
	if size <= 0 {
		size = max(1, len(data))
	}
	return func(yield func([]engine.Datum) bool) {
		for lo := 0; lo < len(data); lo += size {
			if !yield(data[lo:min(lo+size, len(data))]) {
				return
			}
		}
	}
}

// checkpointFile is what a saved version's folder holds: the weights are the server's.
const checkpointFile = "checkpoint.json"
