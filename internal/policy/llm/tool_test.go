package llm

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"breakfix/internal/arena"
)

type (
	good struct {
		A string `json:"a" help:"x"`
	}
	nameless struct {
		A string `help:"x"`
	}
	helpless struct {
		A string `json:"a"`
	}
	odd struct {
		A float64 `json:"a" help:"x"`
	}
	late struct {
		A string `json:"a" help:"x" optional:"yes"`
		B string `json:"b" help:"x"`
	}
)

func nothing[A any](context.Context, side, A) output { return output{} }

func TestAToolIsCheckedWhenItIsRegistered(t *testing.T) {
	fixer := []arena.Role{arena.Fixer}
	for _, c := range []struct {
		why string
		do  func(b *toolbox)
	}{
		{"lower-case words", func(b *toolbox) { register(b, "Run-Tests", "x", fixer, nothing[good]) }},
		{"registered twice for the fixer", func(b *toolbox) {
			register(b, "t", "x", fixer, nothing[good])
			register(b, "t", "x", both, nothing[good])
		}},
		{"one line that says", func(b *toolbox) { register(b, "t", "", fixer, nothing[good]) }},
		{"no role", func(b *toolbox) { register(b, "t", "x", nil, nothing[good]) }},
		{"want a struct", func(b *toolbox) { register(b, "t", "x", fixer, nothing[int]) }},
		{"field A needs a name", func(b *toolbox) { register(b, "t", "x", fixer, nothing[nameless]) }},
		{"needs a name and help", func(b *toolbox) { register(b, "t", "x", fixer, nothing[helpless]) }},
		{"field A is float64", func(b *toolbox) { register(b, "t", "x", fixer, nothing[odd]) }},
		{"field B is required after an optional one", func(b *toolbox) { register(b, "t", "x", fixer, nothing[late]) }},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(r.(string), c.why) {
					t.Errorf("got %v, want %q", r, c.why)
				}
			}()
			c.do(&toolbox{})
		}()
	}
}

func TestEachRoleHasTheToolsOfTheGame(t *testing.T) {
	for _, role := range both {
		var got []string
		for _, tool := range toolsFor(role) {
			got = append(got, tool.name)
			var schema struct {
				Type       string
				Properties map[string]struct{ Type, Description string }
			}
			if err := json.Unmarshal(tool.spec.Parameters, &schema); err != nil || schema.Type != "object" || len(schema.Properties) != len(tool.args) {
				t.Errorf("%s: %v, schema %s", tool.name, err, tool.spec.Parameters)
			}
		}
		own := map[arena.Role]string{arena.Fixer: "mutate", arena.Breaker: "choose"}[role]
		if s := strings.Join(got, " "); s != "list read search edit "+own+" run_tests diff undo submit give_up" {
			t.Errorf("the %s has %s", role, s)
		}
	}
}

func TestACommandInPlainTextIsTheCallThatItLooksLike(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"submit", "submit {}"},
		{"I will look at it.\n\n```\nread pkg/mod.py 3 9\n```", `read {"first":3,"last":9,"path":"pkg/mod.py"}`},
		{"> **read** `pkg/mod.py`", `read {"path":"pkg/mod.py"}`},
		{"search value < low", `search {"text":"value < low"}`},
		{`search "a b"`, `search {"text":"a b"}`},
		{"choose 3.", `choose {"number":3}`},
		{"choose three", `choose {"number":"three"}`},
		{"run_tests a::b, c::d", `run_tests {"tests":["a::b","c::d"]}`},
		{"edit m.py\n<<<<<<< SEARCH\n  a\n=======\n  b\n\n  c\n>>>>>>> REPLACE\nsubmit", `edit {"new":"  b\n\n  c","old":"  a","path":"m.py"}`},
		{"edit m.py\n<<<<\na\n====", `edit {"path":"m.py"}`},
		{"Submit", "submit {}"},
	} {
		got, ok := command(c.text, toolsFor(arena.Breaker))
		var a, b any
		name, args, _ := strings.Cut(c.want, " ")
		if !ok || got.Name != name || json.Unmarshal([]byte(got.Arguments), &a) != nil || json.Unmarshal([]byte(args), &b) != nil || mustJSON(a) != mustJSON(b) {
			t.Errorf("%q is read as %v %+v, want %s", c.text, ok, got, c.want)
		}
	}
	for _, text := range []string{"", "I do not know.", "reading pkg/mod.py", "Please submit it"} {
		if got, ok := command(text, toolsFor(arena.Fixer)); ok {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
