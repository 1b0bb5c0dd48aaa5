package llm

import (
	"testing"

	"breakfix/internal/arena"
)

// TestANumberAloneIsACallOfTheListsTool: of each role the one tool that takes just a number.
func TestANumberAloneIsACallOfTheListsTool(t *testing.T) {
	for _, c := range []struct{ answer, number string }{
		{"3", "3"}, {" 3\n", "3"}, {"3.", "3"}, {"(3)", "3"}, {"**3**", "3"}, {"3 swap around <", "3"}, {"3\n\nIt is", "3"}, {"12", "12"},
		{"3rd", ""}, {"x 3", ""}, {"-3", ""}, {"3.5", ""}, {"", ""}, {".", ""}, {"Number 3", ""}, {"mutate 3", ""},
	} {
		for role, name := range map[arena.Role]string{arena.Fixer: "mutate", arena.Breaker: "choose"} {
			got, ok := bare(c.answer, toolsFor(role))
			if ok != (c.number != "") || ok && (got.Name != name || got.Arguments != `{"number":`+c.number+`}`) {
				t.Errorf("%s, %q: %v %+v, want %q", role, c.answer, ok, got, c.number)
			}
		}
	}
}

// TestWhereSeveralToolsTakeANumberOneAloneIsNoCall: nobody could tell which is meant.
func TestWhereSeveralToolsTakeANumberOneAloneIsNoCall(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: true, 2: false} {
		b := &toolbox{}
		register(b, "look", "x", both, nothing[good])
		for _, name := range []string{"mutate", "jump"}[:n] {
			register(b, name, "x", both, nothing[mutateArgs])
		}
		if _, ok := bare("3", b.all); ok != want {
			t.Errorf("%d such tools: %v", n, ok)
		}
	}
}
