package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"breakfix/internal/policy/llm"
	"breakfix/internal/store"
)

// Play is what a model did in one episode, with what it took.
type Play struct {
	Attempt int        `json:"attempt"` // 0: the break
	Totals  llm.Totals `json:"totals"`
	*llm.Play
}

// Plays are the games of models in an episode, the break's first; none where
// another policy played.
func Plays(s *store.Store, e store.Episode) ([]Play, error) {
	var all []Play
	add := func(attempt int, data json.RawMessage) error {
		p, err := llm.Unpack(data, s)
		if errors.Is(err, llm.ErrNoPlay) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("episode %d, attempt %d: %w", e.Number, attempt, err)
		}
		all = append(all, Play{attempt, p.Totals(), p})
		return nil
	}
	if err := add(0, e.Break.Data); err != nil {
		return nil, err
	}
	for _, a := range e.Attempts {
		if err := add(a.Number, a.Data); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// EpisodeJSON is an episode as show --json prints it: as it is stored, and what
// models did in it.
type EpisodeJSON struct {
	store.Episode
	Plays []Play `json:"plays,omitempty"`
}

// EpisodeObject reads one. An episode that is not in the run is store.ErrAbsent.
func EpisodeObject(ctx context.Context, s *store.Store, number int) (EpisodeJSON, error) {
	e, err := s.Episode(ctx, number)
	if err != nil {
		return EpisodeJSON{}, err
	}
	plays, err := Plays(s, e)
	return EpisodeJSON{e, plays}, err
}

// playOf finds the play of an attempt, nil when there is none.
func playOf(plays []Play, attempt int) *Play {
	for i := range plays {
		if plays[i].Attempt == attempt {
			return &plays[i]
		}
	}
	return nil
}

// Lines of an answer, and of what it was told, that are shown.
const (
	answerLines = 12
	replyLines  = 4
)

// play writes a model's game step by step: what each answer took, the answer,
// and what the model was told.
func (p *page) play(m *Play) {
	t := m.Totals
	said := fmt.Sprintf("%s, %s read and %d written in %s, tools %s", plural(t.Turns, "answer"), plural(t.Read, "token"), t.Written, seconds(t.Seconds), seconds(t.ToolSeconds))
	if t.Cost > 0 {
		said += fmt.Sprintf(", %.4f USD", t.Cost)
	}
	p.line("model", oneLine(m.Model)+", "+string(m.Protocol))
	p.line("took", said)
	p.line("ended", strings.ReplaceAll(string(m.Ended), "_", " "))
	for i, u := range m.Turns {
		cost := ""
		if u.Cost > 0 {
			cost = fmt.Sprintf(", %.4f USD", u.Cost)
		}
		p.printf("  %s\n", p.paint(bold, fmt.Sprintf("%3d  %d read, %d written%s, %s, version %s", i+1, u.Read, u.Written, cost, seconds(u.Seconds), oneLine(u.Version))))
		end := len(m.Messages)
		if i+1 < len(m.Turns) {
			end = m.Turns[i+1].Message
		}
		if u.Message < 0 || u.Message >= len(m.Messages) || end < u.Message {
			continue // a play that was changed by hand
		}
		answer := m.Messages[u.Message]
		p.few(answer.Content, answerLines, "")
		for _, c := range answer.Calls {
			p.few(c.Name+" "+c.Arguments, answerLines, cyan)
		}
		for _, reply := range m.Messages[u.Message+1 : end] {
			p.few(reply.Content, replyLines, dim)
		}
	}
}

// few writes the first lines of a text, with a count of the rest.
func (p *page) few(text string, most int, colour string) {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if i == most {
			p.printf("       %s\n", p.paint(dim, fmt.Sprintf("… %d more lines", len(lines)-i)))
			break
		}
		line = fit(oneLine(strings.TrimSuffix(line, "\r")), max(40, p.o.width()-7))
		if colour != "" {
			line = p.paint(colour, line)
		}
		p.printf("       %s\n", line)
	}
}

func seconds(s float64) string { return fmt.Sprintf("%.1f s", s) }
