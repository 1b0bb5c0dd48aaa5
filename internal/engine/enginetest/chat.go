package enginetest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"breakfix/internal/engine"
)

// chatRoutes are the OpenAI-compatible ones, of the base model: as vLLM has them,
// with return_token_ids.
func (s *Server) chatRoutes(get, post func(string, func(*http.Request) (any, error))) {
	get("/v1/models", func(*http.Request) (any, error) {
		return object{"object": "list", "data": []object{{"id": s.o.Model, "object": "model", "max_model_len": 1 << 17}}}, nil
	})
	post("/v1/chat/completions", s.complete)
	post("/tokenize", s.tokenize)
}

type chatRequest struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
		Calls   []struct {
			Function engine.Call `json:"function"`
		} `json:"tool_calls"`
	} `json:"messages"`
	Tools []struct {
		Function engine.Tool `json:"function"`
	} `json:"tools"`
	MaxTokens   int             `json:"max_tokens"`
	Temperature *float64        `json:"temperature"`
	Seed        uint64          `json:"seed"`
	Stop        json.RawMessage `json:"stop"`
	N           int             `json:"n"`
	LogProbs    bool            `json:"logprobs"`
	TokenIDs    bool            `json:"return_token_ids"`
}

func (q chatRequest) ask() engine.Ask {
	var a engine.Ask
	for _, m := range q.Messages {
		out := engine.Message{Role: m.Role, Content: m.Content}
		for _, c := range m.Calls {
			out.Calls = append(out.Calls, c.Function)
		}
		a.Messages = append(a.Messages, out)
	}
	for _, t := range q.Tools {
		a.Tools = append(a.Tools, t.Function)
	}
	return a
}

func (s *Server) complete(r *http.Request) (any, error) {
	q, err := body[chatRequest](r)
	if err != nil {
		return nil, err
	}
	if q.Model != s.o.Model {
		return nil, refuse(404, "The model `%s` does not exist.", q.Model)
	}
	prompt, err := s.tokens.Render(r.Context(), q.ask())
	if err != nil {
		return nil, refuse(400, "%v", err)
	}
	do := draw{prompt: prompt, n: max(1, q.N), most: q.MaxTokens, temperature: 1, seed: q.Seed, stops: s.tokens.Stops()}
	if do.most <= 0 {
		do.most = 256
	}
	if q.Temperature != nil {
		do.temperature = *q.Temperature
	}
	if _, do.texts, err = stops(q.Stop); err != nil {
		return nil, err
	}
	var choices []object
	written := 0
	for i, seq := range s.draw(nil, do) {
		written += len(seq.Tokens)
		said := seq.Tokens
		if n := len(said); n > 0 && said[n-1] == engine.PieceEnd {
			said = said[:n-1]
		}
		text, _ := s.tokens.Decode(context.Background(), said)
		message, finish := object{"role": "assistant", "content": text}, seq.Stopped
		if len(q.Tools) > 0 {
			if calls := wireCalls(text); calls != nil {
				message["tool_calls"], message["content"], finish = calls, nil, "tool_calls"
			}
		}
		choice := object{"index": i, "message": message, "finish_reason": finish}
		if q.LogProbs {
			var content []object
			for j, id := range seq.Tokens {
				piece, _ := s.tokens.Decode(context.Background(), []int32{id})
				content = append(content, object{"token": piece, "logprob": seq.LogProbs[j], "top_logprobs": []object{}})
			}
			choice["logprobs"] = object{"content": content}
		}
		if q.TokenIDs {
			choice["token_ids"] = seq.Tokens
		}
		choices = append(choices, choice)
	}
	out := object{"id": "chatcmpl", "object": "chat.completion", "model": q.Model, "choices": choices,
		"usage": object{"prompt_tokens": len(prompt), "completion_tokens": written, "total_tokens": len(prompt) + written}}
	if q.TokenIDs {
		out["prompt_token_ids"] = prompt
	}
	return out, nil
}

// wireCalls reads <tool_call> as a server with a tool parser does; nil without one.
func wireCalls(text string) []object {
	_, inside, ok := strings.Cut(text, "<tool_call>")
	inside, _, closed := strings.Cut(inside, "</tool_call>")
	var call struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if !ok || !closed || json.Unmarshal([]byte(inside), &call) != nil {
		return nil
	}
	return []object{{"id": "call_0", "type": "function", "function": object{"name": call.Name, "arguments": string(call.Arguments)}}}
}

// tokenize is vLLM's: of a text, or of a conversation.
func (s *Server) tokenize(r *http.Request) (any, error) {
	q, err := body[struct {
		chatRequest
		Prompt string `json:"prompt"`
	}](r)
	if err != nil {
		return nil, err
	}
	var ids []int32
	if q.Messages == nil {
		ids, err = s.tokens.Encode(r.Context(), q.Prompt)
	} else {
		ids, err = s.tokens.Render(r.Context(), q.ask())
	}
	if err != nil {
		return nil, refuse(400, "%v", err)
	}
	return object{"count": len(ids), "tokens": ids, "max_model_len": 1 << 17}, nil
}
