package testrun

import (
	"math/rand/v2"
	"strings"
	"testing"

	"breakfix/internal/tree"
)

func TestDifferencesTurnOneTextIntoTheOther(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	words := []string{"a\n", "b\n", "b", "\n", "é\n", "  a", "\n\n", "日\n"}
	text := func() string {
		var s strings.Builder
		for range rng.IntN(8) {
			s.WriteString(words[rng.IntN(len(words))])
		}
		return s.String()
	}
	for range 20000 {
		a, b := text(), text()
		got, err := tree.ApplyEdits([]byte(a), differences([]byte(a), []byte(b)))
		if err != nil || string(got) != b {
			t.Fatalf("%q to %q gives %q, %v", a, b, got, err)
		}
	}
}

func TestWhatIsAlikeAtBothEndsIsWholeLines(t *testing.T) {
	for _, c := range []struct {
		a, b       string
		head, tail int
	}{
		{"x\ny\nz\n", "x\nY\nz\n", 2, 2},
		{"x\ny\nz\n", "x\nz\n", 2, 2},
		{"x\nx\n", "x\n", 2, 0},
		{"one\n", "one", 0, 0},
		{"", "x\n", 0, 0},
		{"ax\nb", "ay\nb", 0, 1},
		{"same\n", "same\n", 5, 0},
	} {
		if head, tail := alike([]byte(c.a), []byte(c.b)); head != c.head || tail != c.tail {
			t.Errorf("alike(%q, %q) = %d, %d, want %d, %d", c.a, c.b, head, tail, c.head, c.tail)
		}
	}
}
