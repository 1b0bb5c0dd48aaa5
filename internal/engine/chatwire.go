package engine

import (
	"fmt"
)

type chatCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function Call   `json:"function"`
}

type chatMessage struct {
	Role    string     `json:"role"`
	Content *string    `json:"content"`
	Calls   []chatCall `json:"tool_calls,omitempty"`
	Call    string     `json:"tool_call_id,omitempty"`
}

// conversation is the messages as the chat protocol has them.
func conversation(ms []Message) []chatMessage {
	out := make([]chatMessage, len(ms))
	for i, m := range ms {
		out[i] = chatMessage{Role: m.Role, Call: m.Call, Content: &ms[i].Content}
		for n, call := range m.Calls {
			id := call.ID
			if id == "" {
				id = fmt.Sprintf("call_%d", n+1)
			}
			out[i].Calls = append(out[i].Calls, chatCall{id, "function", Call{Name: call.Name, Arguments: call.Arguments}})
		}
	}
	return out
}

func toolList(tools []Tool) []any {
	var out []any
	for _, t := range tools {
		out = append(out, map[string]any{"type": "function", "function": t})
	}
	return out
}

type chatAnswer struct {
	Prompt  []int32 `json:"prompt_token_ids"`
	Choices []struct {
		Message  chatMessage `json:"message"`
		Finish   string      `json:"finish_reason"`
		Tokens   []int32     `json:"token_ids"`
		LogProbs *struct {
			Content []struct {
				LogProb float32 `json:"logprob"`
			} `json:"content"`
		} `json:"logprobs"`
	} `json:"choices"`
	Usage struct {
		Read    int `json:"prompt_tokens"`
		Written int `json:"completion_tokens"`
	} `json:"usage"`
}

func (g *chatAnswer) wrong() string {
	if len(g.Choices) == 0 {
		return "an answer without choices"
	}
	one := g.Choices[0]
	if n := len(one.Tokens); n > 0 && one.LogProbs != nil {
		if k := len(one.LogProbs.Content); k != n {
			return fmt.Sprintf("%d log-probabilities for %d tokens", k, n)
		}
	}
	return ""
}

func (c *Chat) answer(a Ask, got chatAnswer) Answer {
	one := got.Choices[0]
	out := Answer{Version: c.o.Version, Prompt: got.Prompt, Tokens: one.Tokens, Read: got.Usage.Read, Written: got.Usage.Written}
	out.Stopped = map[string]string{"length": "length", "tool_calls": "calls", "function_call": "calls"}[one.Finish]
	if out.Stopped == "" {
		out.Stopped = "stop"
	}
	out.Message = Message{Role: "assistant"}
	if one.Message.Content != nil {
		out.Message.Content = *one.Message.Content
	}
	for _, call := range one.Message.Calls {
		call.Function.ID = call.ID
		out.Message.Calls = append(out.Message.Calls, call.Function)
	}
	// A server without a parser of calls leaves them in the text.
	if len(a.Tools) > 0 && len(out.Message.Calls) == 0 {
		if rest, calls := readCalls(out.Message.Content); len(calls) > 0 {
			out.Message.Content, out.Message.Calls, out.Stopped = rest, calls, "calls"
		}
	}
	if one.LogProbs != nil {
		for _, p := range one.LogProbs.Content {
			out.LogProbs = append(out.LogProbs, p.LogProb)
		}
	}
	if out.Written == 0 {
		out.Written = max(len(out.Tokens), len(out.LogProbs), estimate(out.Message.Content))
	}
	out.Cost = c.o.Price.cost(out.Read, out.Written)
	c.total.requests.Add(1)
	c.total.read.Add(int64(out.Read))
	c.total.written.Add(int64(out.Written))
	return out
}
