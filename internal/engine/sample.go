package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"breakfix/internal/engine/wire"
)

// TokenAsk asks for samples of a prompt of token ids.
type TokenAsk struct {
	Prompt      []int32
	N           int // samples; 1
	MaxTokens   int
	Temperature float64 // 0 is greedy
	Seed        uint64
	Stops       []int32 // ids after which a sample ends
}

// Sample renders the conversation, samples one answer, and reads it. Where the
// conversation holds what the model said before, its ids are those that it said
// it in (Message.Tokens), so that a prompt extends the one before exactly.
//
// Where the server's profile does not say that samplers are left alone by
// training, Sample waits from a Step to the next Publish.
func (m *Model) Sample(ctx context.Context, a Ask) (Answer, error) {
	return m.answer(ctx, a, m.SampleTokens)
}

// answer renders, has sampled and reads.
func (m *Model) answer(ctx context.Context, a Ask, sample func(context.Context, TokenAsk) ([]wire.Sequence, string, error)) (Answer, error) {
	t := m.srv.tokens
	prompt, err := t.Render(ctx, a)
	if err != nil {
		return Answer{}, err
	}
	got, version, err := sample(ctx, TokenAsk{Prompt: prompt, N: 1, MaxTokens: a.MaxTokens, Temperature: a.Temperature, Seed: a.Seed, Stops: t.Stops()})
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Prompt: prompt, Tokens: got[0].Tokens, LogProbs: got[0].LogProbs, Stopped: got[0].Stopped, Version: version}
	if len(a.Stop) > 0 {
		if err := cutAt(ctx, t, &out, a.Stop); err != nil {
			return Answer{}, err
		}
	}
	return finish(ctx, t, a, out)
}

// finish reads the text and the calls of an answer out of its tokens.
func finish(ctx context.Context, t Tokenizer, a Ask, out Answer) (Answer, error) {
	said := out.Tokens
	if n := len(said); n > 0 && isOneOf(said[n-1], t.Stops()) {
		said = said[:n-1]
	}
	text, err := t.Decode(ctx, said)
	if err != nil {
		return Answer{}, err
	}
	out.Read, out.Written = len(out.Prompt), len(out.Tokens)
	out.Message = Message{Role: "assistant", Content: text, Tokens: out.Tokens}
	if len(a.Tools) > 0 {
		if rest, calls := readCalls(text); len(calls) > 0 {
			out.Message.Content, out.Message.Calls = rest, calls
			if out.Stopped == "stop" {
				out.Stopped = "calls"
			}
		}
	}
	return out, nil
}

// cutAt ends an answer with the token that completes a stop string. The tokens
// up to there are a sample as if the server had stopped there.
func cutAt(ctx context.Context, t Tokenizer, a *Answer, stops []string) error {
	holds := func(n int) (bool, error) {
		text, err := t.Decode(ctx, a.Tokens[:n])
		for _, s := range stops {
			if err == nil && s != "" && strings.Contains(text, s) {
				return true, nil
			}
		}
		return false, err
	}
	all, err := holds(len(a.Tokens))
	if err != nil || !all {
		return err
	}
	low, high := 0, len(a.Tokens) // high holds one, low does not
	for high-low > 1 {
		mid := (low + high) / 2
		has, err := holds(mid)
		if err != nil {
			return err
		}
		if has {
			high = mid
		} else {
			low = mid
		}
	}
	a.Tokens, a.LogProbs, a.Stopped = a.Tokens[:high], a.LogProbs[:high], "stop"
	return nil
}

// Count is the number of tokens of the rendered conversation.
func (m *Model) Count(ctx context.Context, a Ask) (int, error) {
	ids, err := m.srv.tokens.Render(ctx, a)
	return len(ids), err
}

// SampleTokens samples from the published weights, and names their version.
// Each sample has as many log-probabilities as tokens, all finite.
func (m *Model) SampleTokens(ctx context.Context, a TokenAsk) ([]wire.Sequence, string, error) {
	return m.sampled(ctx, a, m.sampleInside, m.reopen)
}

// sampled asks once, and again where a server has lost what it asks and it was opened anew.
func (m *Model) sampled(ctx context.Context, a TokenAsk, once func(context.Context, TokenAsk) (*published, []wire.Sequence, error),
	reopen func(context.Context, *published) error) ([]wire.Sequence, string, error) {
	if err := a.check(m.vocabulary()); err != nil {
		return nil, "", err
	}
	for try := 1; ; try++ {
		now, got, err := once(ctx, a)
		if err == nil {
			return got, now.version, nil
		}
		if k := KindOf(err); k != Missing && k != lost || try >= restores {
			return nil, "", outward(err)
		}
		if err := reopen(ctx, now); err != nil {
			return nil, "", outward(err)
		}
	}
}

// sampleInside samples while the gate is open.
func (m *Model) sampleInside(ctx context.Context, a TokenAsk) (*published, []wire.Sequence, error) {
	waiting, stop := context.WithTimeout(ctx, m.srv.patience.Future)
	defer stop()
	if err := m.gate.enter(waiting); err != nil {
		if ctx.Err() == nil {
			err = m.srv.fail(Slow, request{doing: "sample"}, 0, fmt.Sprintf("steps were taken and not published for %s", m.srv.patience.Future), nil)
		}
		return nil, nil, err
	}
	defer m.gate.leave()
	now := m.current.Load()
	got, err := m.sampleFrom(ctx, now, a)
	return now, got, err
}

// reopen brings back what a server that was started again has lost: the
// sampling session, or with the weights the whole model.
func (m *Model) reopen(ctx context.Context, gone *published) error {
	if m.current.Load() != gone {
		return nil // another has done it
	}
	_, err := m.do(ctx, entry{kind: restoring, name: gone.session})
	return err
}

// sampleFrom sends one request. A sample that is asked for twice is another
// sample of the same weights, so that it may be retried whatever happened.
func (m *Model) sampleFrom(ctx context.Context, from *published, a TokenAsk) ([]wire.Sequence, error) {
	params := map[string]any{"max_tokens": a.MaxTokens, "temperature": a.Temperature, "top_p": 1.0, "top_k": -1, "seed": int64(a.Seed & 0x7fffffff)}
	if len(a.Stops) > 0 {
		params["stop"] = a.Stops
	}
	b, err := json.Marshal(map[string]any{
		"sampling_session_id": from.session, "seq_id": from.seq.Add(1), "num_samples": max(1, a.N),
		"prompt": wire.Prompt(a.Prompt), "sampling_params": params, "prompt_logprobs": false, "type": "sample",
	})
	if err != nil {
		return nil, err
	}
	r := request{doing: "sample", method: http.MethodPost, route: "/api/v1/asample", kind: wire.JSON, body: b}
	var got wire.SampleResult
	err = m.srv.future(ctx, r, func(kind string, body []byte) error {
		if err := asSample(&got)(kind, body); err != nil {
			return err
		}
		if why := a.wrong(got); why != "" {
			return m.srv.fail(Wrong, r, 200, why, nil)
		}
		return nil
	})
	return got.Sequences, err
}

func (a TokenAsk) check(vocabulary int) error {
	if len(a.Prompt) == 0 {
		return fmt.Errorf("sample: the prompt is empty")
	}
	if a.MaxTokens <= 0 {
		return fmt.Errorf("sample: MaxTokens must be at least 1, not %d", a.MaxTokens)
	}
	for i, id := range a.Prompt {
		if id < 0 || vocabulary > 0 && int(id) >= vocabulary {
			return fmt.Errorf("sample: token %d of the prompt is %d, outside the vocabulary of %d", i, id, vocabulary)
		}
	}
	return nil
}

// wrong says why an answer is not one to this.
func (a TokenAsk) wrong(got wire.SampleResult) string {
	if n := max(1, a.N); len(got.Sequences) != n {
		return fmt.Sprintf("%d samples instead of %d", len(got.Sequences), n)
	}
	for _, s := range got.Sequences {
		if why := badLogProbs(s.LogProbs, len(s.Tokens)); why != "" {
			return why
		}
		if len(s.Tokens) == 0 && s.Stopped != "stop" {
			return "a sample without tokens"
		}
	}
	return ""
}

func isOneOf(id int32, all []int32) bool {
	for _, other := range all {
		if id == other {
			return true
		}
	}
	return false
}
