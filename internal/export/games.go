package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"

	"breakfix/internal/engine"
	"breakfix/internal/spelling"
)

// Game is what a model did in one role, as trainers of others read it.
type Game struct {
	ID       string // of its own: run, episode, attempt
	Run      string
	Episode  int
	Attempt  int // 0: the break
	Role     string
	Bug      string // id, "" where there is none
	Model    string
	Protocol string
	Breakfix string // version of the program
	Tools    []engine.Tool
	Messages []engine.Message
	Turns    []GameTurn
	Outcome  string
	Ended    string
	Won      bool
	Reward   float64
	Patch    string // what was handed in
}

// GameTurn is one answer.
type GameTurn struct {
	Message  int // index in Messages
	Version  string
	Started  time.Time
	Read     int
	Written  int
	Cost     float64
	Prompt   []int32 // empty where the server tells none
	Tokens   []int32
	LogProbs []float32
}

// GameFormat is one way to write games.
type GameFormat struct {
	Name, What string
	open       func(dir string) (gameWriter, error)
}

type gameWriter interface {
	add(*Game) error
	close() error
}

var gameFormats = []GameFormat{
	{"atif", "ID.json, a trajectory each, ATIF v1.7 with token ids and log-probabilities", openATIF},
	{"messages", "messages.jsonl: chat, messages and tools a line", openRows("messages.jsonl", messagesRow)},
	{"trl", "prompt, completion and label a line, for TRL", openRows("trl.jsonl", trlRow)},
	{"verl", "verl.parquet: prompts of the tasks, with the reward's ground truth", openVerl},
	{"slime", "slime.jsonl: prompt, label and metadata a line", openRows("slime.jsonl", slimeRow)},
}

// GameNames lists the formats of games.
func GameNames() []string {
	var names []string
	for _, f := range gameFormats {
		names = append(names, f.Name)
	}
	return names
}

// IsGames reports whether a name is that of a format of games.
func IsGames(name string) bool { return slices.Contains(GameNames(), name) }

// WriteGames writes games as a new folder, which appears whole or not at all; no
// games make no folder. It returns how many there were.
func WriteGames(format, dir string, games iter.Seq2[*Game, error]) (n int, err error) {
	i := slices.IndexFunc(gameFormats, func(f GameFormat) bool { return f.Name == format })
	if i < 0 {
		return 0, &UnknownError{Name: format, Nearest: spelling.Nearest(format, GameNames())}
	}
	if _, err := os.Lstat(dir); err == nil {
		return 0, fmt.Errorf("write %s: %w", dir, ErrExists)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return 0, fmt.Errorf("write %s: %w", dir, err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".export-")
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", dir, err)
	}
	defer os.RemoveAll(tmp)
	w, err := gameFormats[i].open(tmp)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", dir, err)
	}
	for g, e := range games {
		if err = e; err == nil {
			err = w.add(g)
		}
		if err != nil {
			break
		}
		n++
	}
	if err := errors.Join(err, w.close()); err != nil {
		return n, fmt.Errorf("write %s: %w", dir, err)
	}
	if n == 0 {
		return 0, nil
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return n, err
	}
	return n, os.Rename(tmp, dir)
}

// rowsWriter writes a line a game.
type rowsWriter struct {
	out *jsonl
	row func(*Game) (any, error)
}

func openRows(name string, row func(*Game) (any, error)) func(dir string) (gameWriter, error) {
	return func(dir string) (gameWriter, error) {
		out, err := newJSONL(dir, name)
		return &rowsWriter{out, row}, err
	}
}

func (w *rowsWriter) add(g *Game) error {
	row, err := w.row(g)
	if err != nil {
		return err
	}
	return w.out.line(row)
}

func (w *rowsWriter) close() error { return w.out.close() }

// The messages of the chat protocol, with tool calls and their answers.
type (
	toolMessage struct {
		Role       string     `json:"role"`
		Content    string     `json:"content"`
		ToolCalls  []toolCall `json:"tool_calls,omitempty"`
		ToolCallID string     `json:"tool_call_id,omitempty"`
	}
	toolCall struct {
		ID       string       `json:"id"`
		Type     string       `json:"type"`
		Function toolFunction `json:"function"`
	}
	toolFunction struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	}
	toolSpec struct {
		Type     string      `json:"type"`
		Function engine.Tool `json:"function"`
	}
)

// chatOf gives messages from and to in the chat protocol. Servers number calls
// anew in each answer; here an id stands once in a game.
func (g *Game) chatOf(from, to int) []toolMessage {
	out := make([]toolMessage, 0, to-from)
	ids := map[string]string{}
	for i, m := range g.Messages[:to] {
		t := toolMessage{Role: m.Role, Content: m.Content}
		for k, c := range m.Calls {
			ids[c.ID] = callID(i, k)
			t.ToolCalls = append(t.ToolCalls, toolCall{callID(i, k), "function", toolFunction{c.Name, c.Arguments}})
		}
		if m.Call != "" {
			t.ToolCallID = ids[m.Call]
		}
		if i >= from {
			out = append(out, t)
		}
	}
	return out
}

func callID(message, call int) string { return fmt.Sprintf("call_%d_%d", message, call+1) }

func (g *Game) tools() []toolSpec {
	specs := []toolSpec{}
	for _, t := range g.Tools {
		specs = append(specs, toolSpec{"function", t})
	}
	return specs
}

// opening is how many messages the game began with.
func (g *Game) opening() int {
	if len(g.Turns) == 0 {
		return len(g.Messages)
	}
	return g.Turns[0].Message
}

// gameOrigin says where a game comes from.
type gameOrigin struct {
	ID      string  `json:"id"`
	Run     string  `json:"run"`
	Episode int     `json:"episode"`
	Attempt int     `json:"attempt"`
	Role    string  `json:"role"`
	Bug     string  `json:"bug"`
	Model   string  `json:"model"`
	Outcome string  `json:"outcome"`
	Ended   string  `json:"ended"`
	Reward  float64 `json:"reward"`
}

func (g *Game) origin() gameOrigin {
	return gameOrigin{g.ID, g.Run, g.Episode, g.Attempt, g.Role, g.Bug, g.Model, g.Outcome, g.Ended, g.Reward}
}

func messagesRow(g *Game) (any, error) {
	return struct {
		Messages []toolMessage `json:"messages"`
		Tools    []toolSpec    `json:"tools"`
		Origin   gameOrigin    `json:"breakfix"`
	}{g.chatOf(0, len(g.Messages)), g.tools(), g.origin()}, nil
}

// trlRow is the unpaired preference form of TRL: what was asked, what was done,
// whether it was good.
func trlRow(g *Game) (any, error) {
	return struct {
		Prompt     []toolMessage `json:"prompt"`
		Completion []toolMessage `json:"completion"`
		Label      bool          `json:"label"`
		Tools      []toolSpec    `json:"tools"`
		Reward     float64       `json:"reward"`
		Origin     gameOrigin    `json:"breakfix"`
	}{g.chatOf(0, g.opening()), g.chatOf(g.opening(), len(g.Messages)), g.Won, g.tools(), g.Reward, g.origin()}, nil
}

// slimeRow is a prompt of slime: the label is what was handed in where that was right.
func slimeRow(g *Game) (any, error) {
	label := ""
	if g.Won {
		label = g.Patch
	}
	return struct {
		Prompt   []toolMessage `json:"prompt"`
		Label    string        `json:"label"`
		Metadata struct {
			gameOrigin
			Problem string     `json:"problem_statement"`
			Tools   []toolSpec `json:"tools"`
		} `json:"metadata"`
	}{Prompt: g.chatOf(0, g.opening()), Label: label, Metadata: struct {
		gameOrigin
		Problem string     `json:"problem_statement"`
		Tools   []toolSpec `json:"tools"`
	}{g.origin(), g.task(), g.tools()}}, nil
}

// task is what the model was asked: before it stands an example where prompts are brief.
func (g *Game) task() string {
	for _, m := range slices.Backward(g.Messages[:g.opening()]) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// verlRow is a row of verl's data sets.
type verlRow struct {
	DataSource  string     `parquet:"data_source"`
	Prompt      []verlTurn `parquet:"prompt,list"`
	Ability     string     `parquet:"ability"`
	RewardModel verlReward `parquet:"reward_model"`
	ExtraInfo   verlExtra  `parquet:"extra_info"`
	AgentName   string     `parquet:"agent_name"`
}

type verlTurn struct {
	Role    string `parquet:"role"`
	Content string `parquet:"content"`
}

type verlReward struct {
	Style       string `parquet:"style"`
	GroundTruth string `parquet:"ground_truth"`
}

type verlExtra struct {
	Split   string  `parquet:"split"`
	Index   int64   `parquet:"index"`
	ID      string  `parquet:"id"`
	Role    string  `parquet:"role"`
	Bug     string  `parquet:"bug"`
	Outcome string  `parquet:"outcome"`
	Reward  float64 `parquet:"reward"`
	Tools   string  `parquet:"tools"` // JSON
}

type verlWriter struct {
	f *os.File
	w *parquet.GenericWriter[verlRow]
	n int64
}

func openVerl(dir string) (gameWriter, error) {
	f, err := os.Create(filepath.Join(dir, "verl.parquet"))
	if err != nil {
		return nil, err
	}
	return &verlWriter{f: f, w: parquet.NewGenericWriter[verlRow](f, parquet.Compression(&parquet.Zstd))}, nil
}

func (w *verlWriter) add(g *Game) error {
	tools, err := json.Marshal(g.tools())
	if err != nil {
		return err
	}
	row := verlRow{DataSource: "breakfix/" + g.Role, Ability: "code", AgentName: "tool_agent", RewardModel: verlReward{"rule", ""},
		ExtraInfo: verlExtra{"train", w.n, g.ID, g.Role, g.Bug, g.Outcome, g.Reward, string(tools)}}
	if g.Won {
		row.RewardModel.GroundTruth = g.Patch
	}
	for _, m := range g.Messages[:g.opening()] {
		row.Prompt = append(row.Prompt, verlTurn{m.Role, m.Content})
	}
	w.n++
	_, err = w.w.Write([]verlRow{row})
	return err
}

func (w *verlWriter) close() error { return errors.Join(w.w.Close(), w.f.Close()) }
