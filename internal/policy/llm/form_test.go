package llm

import (
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/outcome"
)

// TestTheFormOfAPlayIsItsNearestAnswer: only calls that change code count, in both
// protocols, and what else is said takes nothing away.
func TestTheFormOfAPlayIsItsNearestAnswer(t *testing.T) {
	give, brief := say("give_up"), Options{Protocol: Text, Brief: true}
	for _, c := range []struct {
		name    string
		answers []engine.Message
		o       Options
		want    outcome.Form
	}{
		{"talk", repeat(3, func(int) engine.Message { return say("I would choose the first") }), Options{Protocol: Text}, outcome.FormNone},
		{"talk of a call", repeat(3, func(int) engine.Message { return say("I would mutate the first") }), Options{Protocol: Text}, outcome.FormWord},
		{"another tool", []engine.Message{say("list"), give}, Options{Protocol: Text}, outcome.FormNone},
		{"no number", []engine.Message{say("mutate the"), give}, Options{Protocol: Text}, outcome.FormNamed},
		{"no such number", []engine.Message{say("mutate 77"), give}, Options{Protocol: Text}, outcome.FormCall},
		{"a number of the list", []engine.Message{say("mutate 1"), give}, Options{Protocol: Text}, outcome.FormPlace},
		{"an edit of what is not there", []engine.Message{say("edit pkg/mod.py\n<<<<\nnowhere\n====\nx\n>>>>"), give}, Options{Protocol: Text}, outcome.FormCall},
		{"the nearest of several", []engine.Message{say("mutate 77"), say("mutate it"), say("list"), give}, Options{Protocol: Text}, outcome.FormCall},
		{"a number that goes on", []engine.Message{say("mutate 77mutate"), give}, Options{Protocol: Text}, outcome.FormCall},
		{"a number alone where commands are asked for", []engine.Message{say("1"), give}, Options{Protocol: Text}, outcome.FormNone},
		{"a number alone where a number is", []engine.Message{say("1"), give}, brief, outcome.FormPlace},
		{"no such number alone", []engine.Message{say("77"), give}, brief, outcome.FormCall},
		{"as a function call", []engine.Message{use("mutate", `{"number": 77}`), use("give_up", "{}")}, Options{}, outcome.FormCall},
		{"as a function call without a number", []engine.Message{use("mutate", `{"number": "one"}`), use("give_up", "{}")}, Options{}, outcome.FormNamed},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPolicy(t, &script{answers: c.answers}, c.o)
			got, err := p.Fix(t.Context(), fixArena(t, 8))
			if err != nil {
				t.Fatal(err)
			}
			if got.Form != c.want {
				t.Errorf("%q, want %q", got.Form, c.want)
			}
		})
	}
}

// TestABriefBreakerIsAskedForANumberOfAList: other strategies have no list.
func TestABriefBreakerIsAskedForANumberOfAList(t *testing.T) {
	if got := (Options{Brief: true}).filled().Strategies; len(got) != 1 || got[0] != "operator" {
		t.Errorf("strategies of a brief prompt: %v", got)
	}
	if got := (Options{}).filled().Strategies; len(got) != len(Strategies) {
		t.Errorf("strategies: %v", got)
	}
}
