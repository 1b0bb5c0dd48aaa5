package export

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"time"
)

// atifVersion is the newest of the Agent Trajectory Interchange Format that
// what is written here is of.
const atifVersion = "ATIF-v1.7"

type (
	atif struct {
		Schema  string     `json:"schema_version"`
		Session string     `json:"session_id"`
		ID      string     `json:"trajectory_id"`
		Agent   atifAgent  `json:"agent"`
		Steps   []atifStep `json:"steps"`
		Final   atifFinal  `json:"final_metrics"`
		Extra   gameOrigin `json:"extra"`
	}
	atifAgent struct {
		Name    string     `json:"name"`
		Version string     `json:"version"`
		Model   string     `json:"model_name"`
		Tools   []toolSpec `json:"tool_definitions,omitempty"`
	}
	atifStep struct {
		ID          int              `json:"step_id"`
		Time        string           `json:"timestamp,omitempty"`
		Source      string           `json:"source"`
		Model       string           `json:"model_name,omitempty"`
		Message     string           `json:"message"`
		Calls       []atifCall       `json:"tool_calls,omitempty"`
		Observation *atifObservation `json:"observation,omitempty"`
		Metrics     *atifMetrics     `json:"metrics,omitempty"`
		Extra       map[string]any   `json:"extra,omitempty"`
	}
	atifCall struct {
		ID        string         `json:"tool_call_id"`
		Name      string         `json:"function_name"`
		Arguments map[string]any `json:"arguments"`
	}
	atifObservation struct {
		Results []atifResult `json:"results"`
	}
	atifResult struct {
		Call    string `json:"source_call_id,omitempty"`
		Content string `json:"content"`
	}
	atifMetrics struct {
		Read     int       `json:"prompt_tokens"`
		Written  int       `json:"completion_tokens"`
		Cost     *float64  `json:"cost_usd,omitempty"`
		Prompt   []int32   `json:"prompt_token_ids,omitempty"`
		Tokens   []int32   `json:"completion_token_ids,omitempty"`
		LogProbs []float32 `json:"logprobs,omitempty"`
	}
	atifFinal struct {
		Read    int      `json:"total_prompt_tokens"`
		Written int      `json:"total_completion_tokens"`
		Cost    *float64 `json:"total_cost_usd,omitempty"`
		Steps   int      `json:"total_steps"`
	}
)

type atifWriter struct{ dir string }

func openATIF(dir string) (gameWriter, error) { return &atifWriter{dir}, nil }

func (*atifWriter) close() error { return nil }

func (w *atifWriter) add(g *Game) error {
	text, err := json.MarshalIndent(atifOf(g), "", " ")
	if err != nil {
		return err
	}
	return write(w.dir, filepath.Base(g.ID)+".json", append(text, '\n'))
}

// atifOf writes a game step by step. What a tool said belongs to the step of the
// call; what it said to a command in plain text is an observation without a call.
func atifOf(g *Game) atif {
	out := atif{Schema: atifVersion, Session: g.Run, ID: g.ID, Extra: g.origin(),
		Agent: atifAgent{Name: "breakfix " + g.Role, Version: g.Breakfix, Model: g.Model, Tools: g.tools()}}
	turns := map[int]GameTurn{}
	for _, t := range g.Turns {
		turns[t.Message] = t
	}
	cost := 0.0
	chat := g.chatOf(0, len(g.Messages))
	for i, m := range chat {
		last := len(out.Steps) - 1
		turn, answered := turns[i]
		if !answered && i >= g.opening() && last >= 0 && out.Steps[last].Source == "agent" {
			if out.Steps[last].Observation == nil {
				out.Steps[last].Observation = &atifObservation{}
			}
			o := out.Steps[last].Observation
			o.Results = append(o.Results, atifResult{m.ToolCallID, m.Content})
			continue
		}
		s := atifStep{ID: last + 2, Source: map[string]string{"system": "system", "assistant": "agent"}[m.Role], Message: m.Content}
		if s.Source == "" {
			s.Source = "user"
		}
		if answered {
			s.Time, s.Model = turn.Started.UTC().Format(time.RFC3339Nano), g.Model
			s.Metrics = &atifMetrics{Read: turn.Read, Written: turn.Written, Prompt: turn.Prompt, Tokens: turn.Tokens, LogProbs: turn.LogProbs}
			s.Extra = map[string]any{"version": turn.Version}
			if turn.Cost > 0 {
				s.Metrics.Cost = &turn.Cost
			}
			cost += turn.Cost
			out.Final.Read, out.Final.Written = out.Final.Read+turn.Read, out.Final.Written+turn.Written
		}
		for _, c := range m.ToolCalls {
			arguments := map[string]any{}
			if json.Unmarshal([]byte(c.Function.Arguments), &arguments) != nil && strings.TrimSpace(c.Function.Arguments) != "" {
				arguments = map[string]any{"text": c.Function.Arguments} // what the model wrote is no JSON
			}
			s.Calls = append(s.Calls, atifCall{c.ID, c.Function.Name, arguments})
		}
		out.Steps = append(out.Steps, s)
	}
	if out.Final.Steps = len(out.Steps); cost > 0 {
		out.Final.Cost = &cost
	}
	return out
}
