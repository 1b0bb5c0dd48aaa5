package llm

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

//go:embed templates
var files embed.FS

// prompts are the templates; testdata holds what is sent of them.
var prompts = template.Must(template.New("").Funcs(template.FuncMap{
	"fence":   fence,
	"trim":    strings.TrimSpace,
	"failure": failureText,
	"line":    func(f testrun.Failure) string { return arena.FailureLine(outcome.Failed, f) },
}).ParseFS(files, "templates/*.tmpl"))

func render(name string, data any) (string, error) {
	var b bytes.Buffer
	if err := prompts.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("render %s: %w", name, err)
	}
	return strings.TrimSpace(b.String()), nil
}

// fence puts code into a fenced block that no line of it ends.
func fence(code string) string {
	ticks := "```"
	for strings.Contains(code, ticks) {
		ticks += "`"
	}
	return ticks + "python\n" + strings.TrimRight(code, "\n") + "\n" + ticks
}

// asked is what a prompt is rendered from.
type asked struct {
	Role   arena.Role
	Text   bool // the plain-text protocol
	Tools  []described
	Task   arena.Task
	Places []place
	Moves  []move
	Steps  int

	Strategy, Goal, Past string // of the breaker
}

// described is a tool as the plain-text protocol explains it.
type described struct {
	Usage, Doc string
	Block      bool
}

func (p *Policy) fixerPrompt(s *fixing) ([]engine.Message, error) {
	places, err := s.places(p.o.Brief)
	if err != nil {
		return nil, err
	}
	t := s.a.Task()
	t.Seed, t.Suspects = 0, nil
	return p.opening(asked{Role: arena.Fixer, Task: t, Places: places, Moves: listed(s.moves, p.o.Brief), Steps: t.Steps})
}

func (p *Policy) breakerPrompt(s *breaking) ([]engine.Message, error) {
	return p.opening(asked{Role: arena.Breaker, Places: []place{s.span}, Moves: listed(s.moves, p.o.Brief), Steps: s.left(),
		Strategy: s.strategy, Goal: goals[s.strategy], Past: elide(s.past, 6000)})
}

// opening is what a play begins with: what is to be done, and the task. A brief one
// has an example between them: a model of 100 M answers as it sees it answered.
func (p *Policy) opening(a asked) ([]engine.Message, error) {
	a.Text = p.o.Protocol == Text
	if a.Text {
		for _, t := range toolsFor(a.Role) {
			d := described{Usage: t.usage, Doc: t.doc}
			for _, arg := range t.args {
				d.Block = d.Block || arg.block
			}
			a.Tools = append(a.Tools, d)
		}
	}
	task := string(a.Role)
	parts := [][2]string{{"system", "system"}, {"user", task}}
	if p.o.Brief {
		parts = [][2]string{{"system", "brief_system"}, {"user", "brief_example"}, {"assistant", "brief_answer"}, {"user", "brief_" + task}}
	}
	var all []engine.Message
	for _, part := range parts {
		text, err := render(part[1]+".tmpl", a)
		if err != nil {
			return nil, err
		}
		all = append(all, engine.Message{Role: part[0], Content: text})
	}
	return all, nil
}
