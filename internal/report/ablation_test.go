package report

import (
	"strings"
	"testing"

	"breakfix/internal/eval"
)

func ablation() Ablation {
	var lines []eval.Line
	for _, v := range eval.Variants {
		for seed := range uint64(2) {
			l := eval.Line{Variant: v.Name, Seed: seed + 1, Steps: 600 + int(seed)}
			for i := range 50 {
				l.Bugs = append(l.Bugs, string(rune('a'+i)))
				l.Solved = append(l.Solved, (i+len(v.Name)+int(seed))%3)
			}
			lines = append(lines, l)
		}
	}
	return Ablation{Config: eval.Config{Budget: 600, Judge: 8, Sources: []string{"<b>toolz"}}, Bugs: 50, Variants: eval.Table(lines)}
}

func TestTheTableOfAnAblationFitsATerminal(t *testing.T) {
	var b strings.Builder
	if err := AblationText(&b, ablation(), Options{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2+len(eval.Variants) {
		t.Fatalf("%d lines:\n%s", len(lines), b.String())
	}
	for i, line := range lines[2:] {
		if len(line) > 80 || !strings.Contains(line, eval.Variants[i].Name+" ") {
			t.Errorf("%q", line)
		}
	}
}

func TestThePlotHasAnIntervalForEachVariantAndARingForEachSeed(t *testing.T) {
	var b strings.Builder
	if err := AblationHTML(&b, ablation()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	n := len(eval.Variants)
	for _, c := range []struct {
		what string
		n    int
	}{{`class="range"`, n}, {`class="seed"`, 2 * n}, {`r="5"`, n}, {"600 to 601", n}} {
		if got := strings.Count(page, c.what); got != c.n {
			t.Errorf("%d times %s, want %d", got, c.what, c.n)
		}
	}
	if strings.Contains(page, "<b>toolz") || strings.Contains(page, "NaN") || strings.Contains(page, "://") {
		t.Error("the page has marks of a source, a number that is none, or an address")
	}
}
