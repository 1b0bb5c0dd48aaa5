// Package engine speaks with servers that hold a language model: it samples from
// them and, where they can, trains them. breakfix owns the game, the server owns
// the weights.
package engine

import (
	"context"
	"encoding/json"
)

// Message is one turn of a conversation, in the words of the chat protocol.
type Message struct {
	Role    string `json:"role"` // system, user, assistant or tool
	Content string `json:"content"`
	Calls   []Call `json:"calls,omitempty"` // what an assistant asked for
	Call    string `json:"call,omitempty"`  // the id of the call that a tool's message answers
	// Tokens are the ids in which the model itself wrote an assistant's message. A
	// server that takes ids is given these, not Content tokenised again, so that
	// each prompt begins with the one before and what was answered to it.
	Tokens []int32 `json:"tokens,omitempty"`
}

// Call is a model's request to use a tool. Arguments are as the model wrote them,
// and need not be JSON.
type Call struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// Tool is what a model may call; Parameters is a JSON schema.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

// Ask is one request for one answer.
type Ask struct {
	Messages    []Message
	Tools       []Tool  // none: the model is told of its tools in plain text
	MaxTokens   int     // of the answer
	Temperature float64 // 0 is greedy
	Seed        uint64
	Stop        []string
}

// Answer is what a model said. What is trained on is exactly Tokens: nothing is
// tokenised again.
type Answer struct {
	Version  string    `json:"version,omitempty"` // of the weights
	Message  Message   `json:"message"`
	Stopped  string    `json:"stopped"`             // stop, length or calls
	Prompt   []int32   `json:"prompt,omitempty"`    // token ids, where the server tells them
	Tokens   []int32   `json:"tokens,omitempty"`    // of the answer
	LogProbs []float32 `json:"log_probs,omitempty"` // natural logarithms, one a token of the answer
	Read     int       `json:"read"`                // tokens of the prompt
	Written  int       `json:"written"`             // tokens of the answer
	Cost     float64   `json:"cost,omitempty"`      // US dollars, where prices are known
}

// Sampler answers. It is safe for concurrent use.
type Sampler interface {
	// Model is the base model's name, Version the state of its weights.
	Model() string
	Version() string
	Sample(ctx context.Context, a Ask) (Answer, error)
	// Count is how many tokens the conversation takes by the server's own
	// tokenizer, or the nearest estimate there is; it never asks for an answer.
	Count(ctx context.Context, a Ask) (int, error)
}

// Datum is one sequence to learn from. Targets[i] is the token that follows
// Tokens[i]; the other arrays are of the same length, 0 where the prompt stands.
type Datum struct {
	Tokens, Targets               []int32
	Weights, LogProbs, Advantages []float32
}

// Trainer is a server's model that can be trained. Its methods are called in the
// order in which they are to take effect.
type Trainer interface {
	Sampler
	// ForwardBackward adds the gradient of the loss (importance_sampling, ppo,
	// cispo, cross_entropy) over the data; it returns the trainer's log-probability
	// of each target, and the server's own numbers.
	ForwardBackward(ctx context.Context, data []Datum, loss string, config map[string]float64) ([][]float32, map[string]float64, error)
	// Step lets the optimiser take one step of the given learning rate.
	Step(ctx context.Context, rate float64) error
	// Publish makes the weights what Sample uses from now on, as a new version.
	Publish(ctx context.Context, version string) error
	// Revert goes back to what was published, saved or loaded last: gradients and steps
	// since then are as if they had not been.
	Revert(ctx context.Context) error
	// Save keeps weights and optimiser; Load goes back to them. The name that Save
	// returns is the server's own.
	Save(ctx context.Context, name string) (string, error)
	Load(ctx context.Context, name string) error
}
