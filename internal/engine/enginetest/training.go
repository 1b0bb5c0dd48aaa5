package enginetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"

	"breakfix/internal/engine/wire"
)

// model is one LoRA adapter under training.
type model struct {
	session string
	base    string
	adapter *adapter
	loaded  string // the sampler's checkpoint in the slot, for the trap

	next   int              // the seq_id that is executed next
	done   map[int]executed // by seq_id
	parked map[int]func()   // came before their turn
}

type executed struct {
	digest [32]byte
	future string
}

// future holds a result, or will.
type future struct {
	ready  bool
	json   []byte
	proto  []byte // of the three array results
	failed *failure
	polls  int // looks that it still answers with "try again"
}

// promise stores a JSON result and gives its number. The caller holds the lock.
func (s *Server) promise(result any) string {
	b, _ := json.Marshal(result)
	return s.store(&future{ready: true, json: b})
}

func (s *Server) store(f *future) string {
	id := fmt.Sprint(s.id())
	s.futures[id] = f
	return id
}

// inOrder executes a training request when its turn has come, once. do fills the
// future; the caller does not hold the lock.
func (s *Server) inOrder(id string, seq int, raw []byte, do func(*model, *future)) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.models[id]
	if m == nil || !s.alive(m.session) {
		return nil, refuse(404, "Model not found")
	}
	digest := sha256.Sum256(raw)
	if old, ok := m.done[seq]; ok && seq > 0 && !s.o.RunsAgain {
		if old.digest != digest {
			return nil, refuse(409, "Training request sequence number was reused")
		}
		return object{"request_id": old.future, "model_id": id}, nil
	}
	f := &future{}
	name := s.store(f)
	run := func() { do(m, f); f.ready = true }
	m.done[seq] = executed{digest, name}
	switch {
	case seq <= 0 || s.o.RunsAgain:
		run()
	case seq == m.next:
		run()
		for m.next++; m.parked[m.next] != nil; m.next++ {
			m.parked[m.next]()
			delete(m.parked, m.next)
		}
	default:
		if m.parked == nil {
			m.parked = map[int]func(){}
		}
		m.parked[seq] = run
	}
	return object{"request_id": name, "model_id": id}, nil
}

func (f *future) set(result any) { f.json, _ = json.Marshal(result) }

// pass is forward and forward_backward.
func (s *Server) pass(r *http.Request) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var p wire.Pass
	if r.Header.Get("Content-Type") == wire.Protobuf {
		if !s.o.Protobuf {
			return nil, refuse(422, "the body is no JSON")
		}
		p, err = wire.PassFromProto(raw)
	} else {
		if s.o.Protobuf {
			if r.URL.Path == "/api/v1/forward" {
				return nil, refuse(404, "Not Found")
			}
			return nil, refuse(415, "forward_backward takes application/x-protobuf")
		}
		err = json.NewDecoder(bytes.NewReader(raw)).Decode(&p)
	}
	if err != nil {
		return nil, refuse(422, "the body cannot be read: %v", err)
	}
	for i, d := range p.Data {
		if why := s.wrong(d, p.Loss); why != "" {
			return nil, refuse(400, "datum %d: %s", i, why)
		}
	}
	if len(p.Data) == 0 {
		return nil, refuse(400, "no data")
	}
	return s.inOrder(p.Model, p.Seq, raw, func(m *model, f *future) {
		got := s.run(m.adapter, p)
		f.set(got)
		f.proto = got.Proto()
	})
}

// wrong is what this server, unlike others, refuses.
func (s *Server) wrong(d wire.Datum, loss string) string {
	names := []string{"target_tokens"}
	switch loss {
	case "cross_entropy":
	case "importance_sampling", "ppo", "cispo":
		names = append(names, "logprobs", "advantages")
	default:
		return fmt.Sprintf("loss_fn %q is not known", loss)
	}
	for _, name := range names {
		if n := d.Inputs[name].Len(); n != len(d.Tokens) {
			return fmt.Sprintf("%s has %d elements for %d tokens", name, n, len(d.Tokens))
		}
	}
	targets, err := d.Inputs["target_tokens"].AsInts()
	if err != nil {
		return "target_tokens: " + err.Error()
	}
	for i := range targets {
		if id := targets[i]; id < 0 || id >= int64(s.tokens.Vocabulary()) || d.Tokens[i] < 0 || int(d.Tokens[i]) >= s.tokens.Vocabulary() {
			return fmt.Sprintf("position %d is outside the vocabulary", i)
		}
	}
	for name, t := range d.Inputs {
		for _, v := range t.Floats {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return name + " is not finite"
			}
		}
	}
	return ""
}

// run computes log-probabilities and, unless it is only forward, gradients.
func (s *Server) run(a *adapter, p wire.Pass) wire.PassResult {
	out := wire.PassResult{Type: "TorchLossReturn", Metrics: map[string]float64{}}
	total := 0.0
	for _, d := range p.Data {
		targets, _ := d.Inputs["target_tokens"].AsInts()
		at := func(name string, i int, or float64) float64 {
			if v := d.Inputs[name].AsFloats(); i < len(v) {
				return float64(v[i])
			}
			return or
		}
		share, rl := 1.0, p.Loss != "cross_entropy"
		if s.o.Mean {
			sum := 0.0
			for i := range targets {
				sum += at("weights", i, 1)
			}
			share = 1 / math.Max(sum, 1e-9)
		}
		r := s.base.read(a)
		logProbs := make([]float32, len(targets))
		for i, target := range targets {
			r.take(d.Tokens[i])
			r.next()
			logp := r.logProb(int32(target))
			logProbs[i] = float32(logp)
			weight := at("weights", i, 1)
			if rl && !s.o.Mean {
				weight = 1
			}
			loss, by := lossOf(p.Loss, p.Config, logp, at("logprobs", i, 0), at("advantages", i, 0))
			total += loss * weight
			if by *= weight * share; by != 0 && !p.ForwardOnly {
				if s.o.Flipped {
					by = -by
				}
				r.learn(int32(target), by)
			}
		}
		if !p.ForwardOnly {
			a.passes++
		}
		out.Outputs = append(out.Outputs, map[string]wire.Tensor{"logprobs": {Floats: logProbs}})
	}
	out.Metrics["loss:sum"] = total
	return out
}

// lossOf is a token's loss and its derivative by the log-probability; q is the
// sampler's log-probability, adv the advantage. The formulas are the protocol's:
// engines.md of the published client's documentation names them so.
func lossOf(loss string, config map[string]float64, logp, q, adv float64) (value, by float64) {
	low, high := 0.8, 1.2 // absolute, the protocol's defaults
	if v, ok := config["clip_low_threshold"]; ok {
		low = v
	}
	if v, ok := config["clip_high_threshold"]; ok {
		high = v
	}
	ratio := math.Exp(logp - q)
	clipped := math.Max(low, math.Min(high, ratio))
	switch loss {
	case "cross_entropy":
		return -logp, -1
	case "importance_sampling":
		return -ratio * adv, -ratio * adv
	case "cispo":
		return -clipped * logp * adv, -clipped * adv
	}
	if ratio*adv <= clipped*adv { // ppo
		return -ratio * adv, -ratio * adv
	}
	return -clipped * adv, 0
}

func (s *Server) optimStep(r *http.Request) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var q struct {
		Model string `json:"model_id"`
		Seq   int    `json:"seq_id"`
		Adam  struct {
			Rate  *float64 `json:"learning_rate"`
			Beta1 *float64 `json:"beta1"`
			Beta2 *float64 `json:"beta2"`
			Eps   *float64 `json:"eps"`
			Decay float64  `json:"weight_decay"`
		} `json:"adam_params"`
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, refuse(422, "the body cannot be read: %v", err)
	}
	or := func(v *float64, d float64) float64 {
		if v == nil {
			return d
		}
		return *v
	}
	return s.inOrder(q.Model, q.Seq, raw, func(m *model, f *future) {
		a := m.adapter
		if s.o.Restless {
			for i := range a.g {
				a.g[i] += 1e-3
			}
		}
		norm := a.step(or(q.Adam.Rate, 1e-4), or(q.Adam.Beta1, 0.9), or(q.Adam.Beta2, 0.95), or(q.Adam.Eps, 1e-12), q.Adam.Decay, s.o.Mean)
		m.loaded = "" // the slot is no checkpoint's any more
		f.set(object{"metrics": object{"grad_norm": norm}})
	})
}
