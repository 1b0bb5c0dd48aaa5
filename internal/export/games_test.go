package export_test

import (
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"breakfix/internal/engine"
	"breakfix/internal/export"
)

// games are one by function calls, with token ids, and one in plain text without.
func games() iter.Seq2[*export.Game, error] {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	calls := &export.Game{ID: "run-1-1-1", Run: "run-1", Episode: 1, Attempt: 1, Role: "fixer", Bug: "b1", Model: "m", Breakfix: "0.1", Outcome: "fixed", Ended: "submitted", Won: true, Reward: 0.2, Patch: "--- a\n",
		Tools: []engine.Tool{{Name: "read", Description: "Shows a file.", Parameters: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string"}}}`)}},
		Messages: []engine.Message{{Role: "system", Content: "Repair."}, {Role: "user", Content: "A test is red."},
			{Role: "assistant", Content: "I look.", Calls: []engine.Call{{ID: "call_1", Name: "read", Arguments: `{"path": "m.py"}`}, {ID: "call_2", Name: "read", Arguments: `{"path": `}}},
			{Role: "tool", Call: "call_1", Content: "1\tx < y"}, {Role: "tool", Call: "call_2", Content: "no JSON"},
			{Role: "assistant", Calls: []engine.Call{{ID: "call_1", Name: "submit", Arguments: "{}"}}}, {Role: "tool", Call: "call_1", Content: "Handed in."}},
		Turns: []export.GameTurn{{Message: 2, Version: "u1", Started: at, Read: 3, Written: 2, Cost: 0.5, Prompt: []int32{1, 2, 3}, Tokens: []int32{4, 5}, LogProbs: []float32{-0.5, -1}},
			{Message: 5, Version: "u1", Started: at.Add(time.Second), Read: 7, Written: 1, Prompt: []int32{1, 2, 3, 4, 5, 6, 7}, Tokens: []int32{8}, LogProbs: []float32{0}}}}
	text := &export.Game{ID: "run-1-2-0", Run: "run-1", Episode: 2, Role: "breaker", Model: "m", Breakfix: "0.1", Outcome: "rejected", Ended: "no_call", Reward: -1,
		Messages: []engine.Message{{Role: "system", Content: "Break."}, {Role: "user", Content: "Here."}, {Role: "assistant", Content: "choose 9"}, {Role: "user", Content: "There is no change 9."}},
		Turns:    []export.GameTurn{{Message: 2, Version: "0", Started: at, Read: 3, Written: 2}}}
	return func(yield func(*export.Game, error) bool) {
		_ = yield(calls, nil) && yield(text, nil)
	}
}

func writtenGames(t *testing.T, format string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), format)
	if n, err := export.WriteGames(format, dir, games()); err != nil || n != 2 {
		t.Fatalf("%s: %d games, %v", format, n, err)
	}
	return dir
}

// The rules are those of the format's own validator (Harbor's ATIF models).
func TestATIFKeepsTheRulesOfItsValidator(t *testing.T) {
	dir := writtenGames(t, "atif")
	for _, id := range []string{"run-1-1-1", "run-1-2-0"} {
		text, err := os.ReadFile(filepath.Join(dir, id+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Schema string `json:"schema_version"`
			Steps  []struct {
				ID        int    `json:"step_id"`
				Time      string `json:"timestamp"`
				Source    string
				Model     string `json:"model_name"`
				ToolCalls []struct {
					ID        string         `json:"tool_call_id"`
					Arguments map[string]any `json:"arguments"`
				} `json:"tool_calls"`
				Observation *struct {
					Results []struct {
						Call string `json:"source_call_id"`
					}
				}
				Metrics *struct {
					Tokens   []int     `json:"completion_token_ids"`
					LogProbs []float64 `json:"logprobs"`
				}
			}
			Final struct {
				Steps int `json:"total_steps"`
				Read  int `json:"total_prompt_tokens"`
			} `json:"final_metrics"`
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.Schema != "ATIF-v1.7" || got.Final.Steps != len(got.Steps) || len(got.Steps) < 3 {
			t.Errorf("%s: schema %s, %d steps of %d", id, got.Schema, len(got.Steps), got.Final.Steps)
		}
		seen := map[string]bool{}
		for i, s := range got.Steps {
			if s.ID != i+1 {
				t.Errorf("%s: step %d has the id %d", id, i+1, s.ID)
			}
			if s.Source != "agent" && (s.Model != "" || s.Metrics != nil || len(s.ToolCalls) > 0) {
				t.Errorf("%s: step %d of the %s has what only an agent's may have", id, s.ID, s.Source)
			}
			if s.Source == "agent" {
				if _, err := time.Parse(time.RFC3339, s.Time); err != nil || s.Metrics == nil || len(s.Metrics.Tokens) != len(s.Metrics.LogProbs) {
					t.Errorf("%s: step %d: %v, metrics %+v", id, s.ID, err, s.Metrics)
				}
			}
			here := map[string]bool{}
			for _, c := range s.ToolCalls {
				if seen[c.ID] || c.Arguments == nil {
					t.Errorf("%s: call %s stands twice or has no arguments", id, c.ID)
				}
				seen[c.ID], here[c.ID] = true, true
			}
			if s.Observation != nil {
				for _, r := range s.Observation.Results {
					if r.Call != "" && !here[r.Call] {
						t.Errorf("%s: step %d observes the call %s, which it has not", id, s.ID, r.Call)
					}
				}
			}
		}
	}
}

func TestRowsOfGamesHoldWhatTrainersRead(t *testing.T) {
	line := func(format, name string) map[string]any {
		text, err := os.ReadFile(filepath.Join(writtenGames(t, format), name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		var row map[string]any
		if err := json.Unmarshal([]byte(lines[0]), &row); err != nil || len(lines) != 2 {
			t.Fatalf("%s: %d lines, %v", format, len(lines), err)
		}
		return row
	}
	chat := line("messages", "messages.jsonl")
	messages := chat["messages"].([]any)
	if len(messages) != 7 || len(chat["tools"].([]any)) != 1 || messages[3].(map[string]any)["tool_call_id"] != messages[2].(map[string]any)["tool_calls"].([]any)[0].(map[string]any)["id"] {
		t.Errorf("chat: %v", chat)
	}
	trl := line("trl", "trl.jsonl")
	if len(trl["prompt"].([]any)) != 2 || len(trl["completion"].([]any)) != 5 || trl["label"] != true {
		t.Errorf("trl: %v", trl)
	}
	slime := line("slime", "slime.jsonl")
	if len(slime["prompt"].([]any)) != 2 || slime["label"] != "--- a\n" || slime["metadata"].(map[string]any)["problem_statement"] != "A test is red." {
		t.Errorf("slime: %v", slime)
	}
	type row struct {
		DataSource string `parquet:"data_source"`
		Prompt     []struct {
			Role    string `parquet:"role"`
			Content string `parquet:"content"`
		} `parquet:"prompt,list"`
		RewardModel struct {
			Style       string `parquet:"style"`
			GroundTruth string `parquet:"ground_truth"`
		} `parquet:"reward_model"`
	}
	rows, err := parquet.ReadFile[row](filepath.Join(writtenGames(t, "verl"), "verl.parquet"))
	if err != nil || len(rows) != 2 || rows[0].Prompt[1].Content != "A test is red." || rows[0].RewardModel.GroundTruth != "--- a\n" || rows[1].DataSource != "breakfix/breaker" {
		t.Errorf("verl: %+v, %v", rows, err)
	}
}

func TestDatasetsLoadsEveryFormOfGames(t *testing.T) {
	exe := consumer(t, "swebench", "swebench==5.0.2", "datasets==5.2.0")
	says(t, exe, "read_games.py", filepath.Join(writtenGames(t, "messages"), "messages.jsonl"), filepath.Join(writtenGames(t, "trl"), "trl.jsonl"),
		filepath.Join(writtenGames(t, "slime"), "slime.jsonl"), filepath.Join(writtenGames(t, "verl"), "verl.parquet"))
}

func TestHarborReadsATIF(t *testing.T) {
	exe := consumer(t, "harbor", "harbor==0.26.0")
	dir := writtenGames(t, "atif")
	says(t, exe, "read_atif.py", filepath.Join(dir, "run-1-1-1.json"), filepath.Join(dir, "run-1-2-0.json"))
}
