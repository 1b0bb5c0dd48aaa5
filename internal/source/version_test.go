package source

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestVersionsOfPythonAreJudgedBySpecifiers(t *testing.T) {
	for _, c := range []struct {
		python, spec string
		want         bool
	}{
		{"3.11.7", "", true}, {"3.11.7", ">=3.9", true}, {"3.11.7", ">=3.12", false}, {"3.11.7", ">=3.9,<4", true},
		{"3.11.7", "!=3.11.*", false}, {"3.11.7", "!=3.11.6,>=3.8", true}, {"3.11.7", "==3.11.*", true}, {"3.11.7", "~=3.9", true},
		{"3.11.7", "~=3.11.8", false}, {"3.11.7", "^3.8", true}, {"3.11.7", "^2.7", false}, {"3.11.7", "~3.11", true}, {"3.11.7", "~3.10", false},
		{"3.11.7", "<3.11", false}, {"3.11.7", ">3.11", true}, {"3.11.7", "2.7 || >=3.6", true}, {"3.11.7", "*", true}, {"3.10.13", ">=3.11", false},
		{"3.9.18", ">= 3.9", true},
	} {
		if got := satisfies(c.python, c.spec); got != c.want {
			t.Errorf("%s meets %q: %v", c.python, c.spec, got)
		}
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	ascending := []string{"1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.2", "1.10", "2!0.1"}
	for i, a := range ascending {
		for j, b := range ascending {
			va, ok := parseVersion(a)
			vb, ok2 := parseVersion(b)
			if !ok || !ok2 {
				t.Fatalf("%s or %s is not read", a, b)
			}
			if got := va.compare(vb); got != sign(i-j) {
				t.Errorf("compare(%s, %s) is %d", a, b, got)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.IntRange(0, 30), 1, 4).Draw(t, "release")
		text := ""
		for i, p := range parts {
			if i > 0 {
				text += "."
			}
			text += fmt.Sprint(p)
		}
		v, ok := parseVersion(text)
		w, ok2 := parseVersion("v" + text + ".0")
		if !ok || !ok2 || v.compare(w) != 0 {
			t.Fatalf("%s and v%s.0 differ", text, text)
		}
	})
}
