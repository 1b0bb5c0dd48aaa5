package spelling

import "testing"

func TestTheNameWithTheFewestEditsIsTheNearest(t *testing.T) {
	known := []string{"episodes", "seed", "steps"}
	for name, want := range map[string]string{"epsiodes": "episodes", "sed": "seed", "step": "steps", "": "seed"} {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("with nothing known: %q", got)
	}
}
