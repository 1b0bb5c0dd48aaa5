package engine

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"breakfix/internal/source"
)

//go:embed inside/tokens.py
var tokensScript string

// helperPins is what the helper runs on; its version is part of what ids are.
const helperPins = `tokenizers==0.22.1
jinja2==3.1.6
markupsafe==3.0.3
`

// helper is a process that tokenises with the model's own files.
type helper struct {
	vocabulary int
	stops      []int32
	mu         sync.Mutex
	cmd        *exec.Cmd
	in         io.WriteCloser
	out        *bufio.Reader
	broken     error
}

// Folder makes a tokenizer of a model's folder: tokenizer.json, and the chat
// template of tokenizer_config.json or chat_template.jinja. They are read by a
// Python process, since no Go tokenizer that was measured gave the same ids;
// its environment is made in the cache when it is missing.
func Folder(ctx context.Context, cache, dir string) (Tokenizer, error) {
	if _, err := os.Stat(filepath.Join(dir, "tokenizer.json")); err != nil {
		return nil, fmt.Errorf("%s is no model's folder: it has no tokenizer.json", dir)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	python, err := source.HostTool(ctx, cache, "tokens", helperPins)
	if err != nil {
		return nil, err
	}
	h := &helper{cmd: exec.Command(python, "-I", "-c", tokensScript, dir)}
	h.cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HF_HUB_OFFLINE=1", "TOKENIZERS_PARALLELISM=false"} // no keys
	h.cmd.Dir = "/"
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.out = bufio.NewReaderSize(out, 1<<16)
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the tokenizer's process: %w", err)
	}
	var hello struct {
		Vocabulary int     `json:"vocabulary"`
		Stops      []int32 `json:"stops"`
	}
	if err := h.read(&hello); err != nil {
		h.Close()
		return nil, fmt.Errorf("read the tokenizer of %s: %w", dir, err)
	}
	h.vocabulary, h.stops = hello.Vocabulary, hello.Stops
	return h, nil
}

// Close ends the process.
func (h *helper) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = errors.New("the tokenizer was closed")
	h.in.Close()
	return h.cmd.Wait()
}

func (h *helper) Vocabulary() int { return h.vocabulary }
func (h *helper) Stops() []int32  { return h.stops }

// ask sends one request and reads its answer.
func (h *helper) ask(ctx context.Context, q, into any) error {
	b, err := json.Marshal(q)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := errors.Join(h.broken, ctx.Err()); err != nil {
		return err
	}
	if _, err := h.in.Write(append(b, '\n')); err != nil {
		h.broken = fmt.Errorf("the tokenizer's process ended: %w", err)
		return h.broken
	}
	return h.read(into)
}

func (h *helper) read(into any) error {
	line, err := h.out.ReadBytes('\n')
	if err != nil {
		h.broken = fmt.Errorf("the tokenizer's process ended: %w", err)
		return h.broken
	}
	var failed struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(line, &failed); err != nil {
		return err
	}
	if failed.Error != "" {
		return errors.New(failed.Error)
	}
	return json.Unmarshal(line, into)
}

// Render runs the chat template.
func (h *helper) Render(ctx context.Context, a Ask) ([]int32, error) {
	var tools []any
	for _, t := range a.Tools {
		tools = append(tools, map[string]any{"type": "function", "function": t})
	}
	var messages []map[string]any
	for _, m := range a.Messages {
		out := map[string]any{"role": m.Role, "content": m.Content}
		if len(m.Tokens) > 0 {
			out["tokens"] = m.Tokens
		}
		if m.Call != "" {
			out["tool_call_id"] = m.Call
		}
		var calls []any
		for _, c := range m.Calls {
			arguments := any(c.Arguments)
			if json.Valid([]byte(c.Arguments)) {
				arguments = json.RawMessage(c.Arguments)
			}
			calls = append(calls, map[string]any{"type": "function", "id": c.ID, "function": map[string]any{"name": c.Name, "arguments": arguments}})
		}
		if calls != nil {
			out["tool_calls"] = calls
		}
		messages = append(messages, out)
	}
	var got struct {
		IDs []int32 `json:"ids"`
	}
	err := h.ask(ctx, map[string]any{"op": "render", "messages": messages, "tools": tools}, &got)
	return got.IDs, err
}

// Encode tokenises text; special tokens that stand in it are taken as such.
func (h *helper) Encode(ctx context.Context, text string) ([]int32, error) {
	var got struct {
		IDs []int32 `json:"ids"`
	}
	err := h.ask(ctx, map[string]any{"op": "encode", "text": text}, &got)
	return got.IDs, err
}

// Decode gives the text of ids.
func (h *helper) Decode(ctx context.Context, ids []int32) (string, error) {
	var got struct {
		Text string `json:"text"`
	}
	if ids == nil {
		ids = []int32{}
	}
	err := h.ask(ctx, map[string]any{"op": "decode", "ids": ids}, &got)
	return got.Text, err
}
