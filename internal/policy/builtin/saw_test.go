package builtin

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/policy"
	"breakfix/internal/testrun"
)

func TestWhatAnAttemptSawIsReadBackAndOnlyByTheSameGrammar(t *testing.T) {
	s := saw{moves: []int32{40000, 3, 500}, said: []arena.Answer{arena.Wanted, arena.Unknown, arena.Hints}}
	text := s.pack(50000)
	got, err := unpackSaw(text, 50000)
	if err != nil || !slices.Equal(got.moves, s.moves) || !slices.Equal(got.said, s.said) {
		t.Errorf("%v, %v; want %v", got, err, s)
	}
	for _, c := range []struct {
		name, text string
		drafts     int
		fails      bool
	}{
		{"another grammar", text, 50001, false},
		{"nothing was asked", "", 50000, false},
		{"no base64", "?", 50000, true},
		{"cut short", text[:len(text)/2&^3], 50000, true},
		{"a move that there is not", saw{moves: []int32{7}, said: []arena.Answer{arena.Same}}.pack(5), 5, true},
	} {
		if got, err := unpackSaw(c.text, c.drafts); (err != nil) != c.fails || len(got.moves) > 0 {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

// What values are worth is learned from bugs and their repairs, and holds for other code. Nobody
// told these weights that a move which changes no value is none.
func TestWhatValuesAreWorthIsLearnedByPlay(t *testing.T) {
	const total = "def f(a, b):\n    total = 0\n    for x in a:\n        if x > b:\n            total += x\n    return total\n"
	const other = "def pick(rows, b, key=None):\n    out = []\n    for row in rows:\n        if key is None or row[key] < b:\n            out.append(row)\n    return out[:b]\n"
	attempt := func(p *Policy, text string) (*knowing, policy.Trajectory, int) {
		a := &knowing{same: map[string]bool{}}
		a.trees = [][]byte{[]byte(text)}
		a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 100, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{wholeView("f.py", []byte(text)).Context}}
		did, err := p.Fix(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		same := 0
		for _, tree := range a.trees[1:] {
			if a.same[string(tree)] {
				same++
			}
		}
		return a, did, same
	}
	p := With(Scratch(1)).Steady().(*Policy)
	_, _, before := attempt(p, other)
	for i := range 8 {
		a, did, _ := attempt(p, strings.Replace(total, "x > b", []string{"x < b", "x >= b", "x > -b", "x > b + 1"}[i%4], 1))
		right := func(string) ([]byte, error) { return []byte(total), nil }
		if _, err := p.Learn(context.Background(), []policy.Scored{{Role: arena.Fixer, Trajectory: did, Group: "game", Fix: a, Right: right}}); err != nil {
			t.Fatal(err)
		}
	}
	same, differs := p.weights.model.Seen(uint8(arena.Same)), p.weights.model.Seen(uint8(arena.Differs))
	if _, _, after := attempt(p, other); same >= differs-1 || before < 5 || after > before/2 {
		t.Errorf("the very same value is worth %.2f, another %.2f; of the first 100 moves of other code %d changed no value before and %d after", same, differs, before, after)
	}
}

// What is known beforehand of a move is beneath what is learned: weights that stand on the prior
// that was set by hand learn what it lacks.
func TestALessonHasWhatStandsInTheWayAndWhatIsKnownOfIt(t *testing.T) {
	const text = "def f(a, b):\n    total = 0\n    for x in a:\n        if x < b:\n            total += x\n    return total\n"
	a := &knowing{same: map[string]bool{}}
	a.trees = [][]byte{[]byte(text)}
	a.task = arena.Task{Role: arena.Fixer, Seed: 1, Steps: 5, Failure: testrun.Failure{Kind: "AssertionError"}, Contexts: []arena.Context{wholeView("f.py", []byte(text)).Context}}
	shipped, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	p := With(shipped)
	p.Rollouts = 2
	did, err := p.Fix(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	var steps []tried
	if err := json.Unmarshal(did.Data, &steps); err != nil || len(steps) != 5 || len(steps[0].Saw) != 1 || steps[1].Saw != nil {
		t.Fatalf("one view was seen once, before the first of five steps: %+v, %v", steps, err)
	}
	right := func(string) ([]byte, error) { return []byte(strings.Replace(text, "<", ">", 1)), nil }
	lessons, err := p.lessonsOfGame([]policy.Scored{{Role: arena.Fixer, Trajectory: did, Group: "game", Fix: a, Right: right}})
	if err != nil || len(lessons) != 1 {
		t.Fatal(lessons, err)
	}
	problem := lessons[0].problem.Unpack()
	same, known, most := 0, 0, float32(0)
	for _, m := range problem.Moves {
		if arena.Answer(m.Seen) == arena.Same {
			same++
			most = min(most, m.Base)
		}
		if m.Seen > 0 {
			known++
		}
	}
	if known < learnFront/3 || same == 0 || most > -60 || len(problem.Moves) < learnFront || len(problem.Moves) > learnFront+2*learnRest {
		t.Errorf("of %d moves something was seen of %d, %d are the same, base %.1f", len(problem.Moves), known, same, most)
	}
}
