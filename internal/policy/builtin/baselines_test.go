package builtin

import (
	"context"
	"testing"

	"breakfix/internal/policy"
)

func TestBaselinesLearnAndAreTimed(t *testing.T) {
	text := policy.Text{Path: "m.py", Source: []byte("def total(items, least):\n    found = 0\n    for item in items:\n        if item > least and item != 7:\n            found += item * 2\n    return found - 1\n")}
	b, err := TeachBaselines(context.Background(), Course{Texts: []policy.Text{text}, Seed: 1, Examples: 60})
	if err != nil {
		t.Fatal(err)
	}
	if b.Examples != 60 || len(b.Train) < 2 {
		t.Fatalf("%d examples, speeds %v", b.Examples, b.Train)
	}
	for _, r := range b.Train {
		if r.PerSecond <= 0 {
			t.Errorf("%+v", r)
		}
	}
	// What was seen often stands in front of what the untaught order begins with.
	broken, right := []byte("def total(items, least):\n    found = 0\n    for item in items:\n        if item >= least and item != 7:\n            found += item * 2\n    return found - 1\n"), text.Source
	v := wholeView("m.py", broken)
	for name, w := range map[string]*Weights{"linear": b.Linear, "counts": b.Counts} {
		taught, untaught := RankOf(v, right, w), RankOf(v, right, Scratch(1))
		if taught == 0 || taught >= untaught {
			t.Errorf("%s: the way back is number %d, of moves that are alike number %d", name, taught, untaught)
		}
	}
	w := Scratch(1)
	rates, err := w.Rates([]View{v})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]float64{}
	for _, r := range rates {
		by[r.What] = max(by[r.What], r.PerSecond)
	}
	if by["network: first look"] < 10*by["network: the context read for each move"] || by["linear model alone"] < by["network: first look"] {
		t.Errorf("speeds %v", by)
	}
}
