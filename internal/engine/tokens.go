package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"breakfix/internal/source"
)

// Tokenizer turns conversations into token ids and back, for servers that take
// only ids. It is safe for concurrent use.
type Tokenizer interface {
	// Render gives the ids of a conversation up to where the model begins to answer.
	Render(ctx context.Context, a Ask) ([]int32, error)
	Encode(ctx context.Context, text string) ([]int32, error)
	// Decode leaves out special tokens.
	Decode(ctx context.Context, ids []int32) (string, error)
	Vocabulary() int // ids are below it
	Stops() []int32  // ids that end an answer
}

// askTokenizer takes the tokenizer from the server where it has one, or from the
// base model's folder where its name is one.
func (s *Server) askTokenizer(ctx context.Context, base string) (Tokenizer, error) {
	var got Pieces
	err := s.get(ctx, "ask for its tokenizer", TokenizerRoute, &got)
	if err == nil {
		return &got, got.prepare()
	}
	if KindOf(err) != Missing {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(base, "tokenizer.json")); err == nil {
		cache, err := source.CacheDir("")
		if err != nil {
			return nil, err
		}
		return Folder(ctx, cache, base)
	}
	e := s.fail(Missing, request{doing: "ask for its tokenizer"}, 404, fmt.Sprintf("it takes token ids only and has no tokenizer of %s", base), nil)
	e.Next = "name the folder with the model's tokenizer.json"
	return nil, e
}

// readCalls takes the calls out of what a model wrote, in the form that most
// chat templates teach: <tool_call>{"name": …, "arguments": …}</tool_call>, an
// object or a list of them. A call that is no JSON has no name and is kept as it
// is written, for the model to be told.
func readCalls(text string) (rest string, calls []Call) {
	const begin, end = "<tool_call>", "</tool_call>"
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, begin)
		b.WriteString(before)
		if !found {
			break
		}
		inside, more, _ := strings.Cut(after, end)
		calls, text = append(calls, parseCalls(strings.TrimSpace(inside))...), more
	}
	for i := range calls {
		calls[i].ID = fmt.Sprintf("call_%d", i+1)
	}
	return strings.TrimSpace(b.String()), calls
}

func parseCalls(text string) []Call {
	type written struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	var many []written
	var one written
	if json.Unmarshal([]byte(text), &one) == nil {
		many = []written{one}
	} else if json.Unmarshal([]byte(text), &many) != nil {
		return []Call{{Arguments: text}}
	}
	var calls []Call
	for _, w := range many {
		arguments := string(w.Arguments)
		var quoted string
		if json.Unmarshal(w.Arguments, &quoted) == nil { // some write JSON in a string
			arguments = quoted
		}
		calls = append(calls, Call{Name: w.Name, Arguments: arguments})
	}
	return calls
}

// writeCalls is the same in the other direction.
func writeCalls(calls []Call) string {
	var b strings.Builder
	for _, c := range calls {
		name, _ := json.Marshal(c.Name)
		arguments := c.Arguments
		if !json.Valid([]byte(arguments)) {
			quoted, _ := json.Marshal(arguments)
			arguments = string(quoted)
		}
		fmt.Fprintf(&b, "<tool_call>{\"name\": %s, \"arguments\": %s}</tool_call>", name, arguments)
	}
	return b.String()
}
