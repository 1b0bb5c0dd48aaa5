package reward_test

import (
	"testing"

	"breakfix/internal/outcome"
	"breakfix/internal/reward"
)

// TestTheFormIsPaidForBySchemaFormAlone: the nearer to a move the more, from 0 to
// 1, and no schema of the game pays for it.
func TestTheFormIsPaidForBySchemaFormAlone(t *testing.T) {
	s, ok := schema(t, "form").(reward.Formal)
	if !ok {
		t.Fatal("the schema form does not pay for it")
	}
	want := map[outcome.Form]float64{outcome.FormNone: 0, outcome.FormWord: 0.1, outcome.FormNamed: 0.25, outcome.FormCall: 0.5, outcome.FormPlace: 1, "": 0, "another word": 0}
	for f, v := range want {
		if got := s.Form(f); got != v {
			t.Errorf("%q is worth %v, want %v", f, got, v)
		}
	}
	for i := 1; i < len(outcome.Forms); i++ {
		if s.Form(outcome.Forms[i]) <= s.Form(outcome.Forms[i-1]) {
			t.Errorf("%q is worth no more than %q", outcome.Forms[i], outcome.Forms[i-1])
		}
	}
	for _, name := range reward.Names() {
		if _, pays := schema(t, name).(reward.Formal); pays != (name == "form") {
			t.Errorf("%s pays for the form: %v", name, pays)
		}
	}
	if reward.Default == "form" {
		t.Error("a run pays for the form unless it is told otherwise")
	}
}
