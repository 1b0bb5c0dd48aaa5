package builtin

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/testrun"
)

const lessons = `def within(value, low, high):
    """Tell on which side of low and high value is."""
    if value < low:
        return low - value
    if value > high:
        return value - high
    return 0


def total(rows, start=0):
    out = start
    for i in range(1, len(rows) + 1):
        if rows[i - 1] is not None and i % 2 == 0:
            out += rows[i - 1] * 2
    return out


class Shelf:
    def put(self, name, book):
        if name not in self.books:
            self.books[name] = []
        self.books[name].append(book)
        return len(self.books[name])
`

func lessonTexts() []policy.Text {
	return []policy.Text{{Path: "pkg/lessons.py", Source: []byte(lessons)}}
}

func TestExamplesAreWellFormedAndOfManyKinds(t *testing.T) {
	c := NewCorruptor(lessonTexts(), 3)
	if c.Functions() != 3 {
		t.Fatalf("%d functions, want 3", c.Functions())
	}
	kinds := map[Kind]bool{}
	for range 40 {
		ex := c.Next()
		if err := ex.Problem.Check(); err != nil {
			t.Fatal(err)
		}
		sum := float32(0)
		for _, target := range ex.Targets {
			sum += target.Weight
		}
		if len(ex.Targets) == 0 || sum < 0.99 || sum > 1.01 {
			t.Errorf("%d right moves weigh %v together, want 1", len(ex.Targets), sum)
		}
		kinds[ex.Kind] = true
	}
	if len(kinds) < 8 {
		t.Errorf("40 examples are of %d kinds of repair, want 8 or more", len(kinds))
	}
}

func TestTheSameCourseGivesTheSameWeightsAndTheyRankRepairsBetterThanChance(t *testing.T) {
	course := Course{Texts: lessonTexts(), Seed: 5, Examples: 80, Workers: 1, Card: map[string]string{"licence": "MIT"}}
	var files [2]bytes.Buffer
	var learned *Weights
	for i := range files {
		w, lesson, err := Teach(context.Background(), course)
		if err != nil {
			t.Fatal(err)
		}
		if lesson.Done != 80 {
			t.Errorf("%d examples, want 80", lesson.Done)
		}
		if err := w.Write(&files[i]); err != nil {
			t.Fatal(err)
		}
		learned = w
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("the same course gave other bytes")
	}
	again, err := ReadWeights(bytes.NewReader(files[0].Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if again.Version() != learned.Version() || again.Card()["licence"] != "MIT" || again.Card()["examples"] != "80" {
		t.Errorf("read back: version %s, card %v; want %s", again.Version(), again.Card(), learned.Version())
	}
	fresh := NewCorruptor(lessonTexts(), 77)
	near, chance := 0, 0.0
	for range 40 {
		ex := fresh.Next()
		if rankIn(again.model, ex) <= 8 {
			near++
		}
		chance += 8 / float64(len(ex.Problem.Moves))
	}
	if near < 16 || float64(near) < 5*chance {
		t.Errorf("%d of 40 right moves are among the first eight, by chance %.1f", near, chance)
	}
}

func TestWeightsThatCannotBeUsedAreOneError(t *testing.T) {
	var good bytes.Buffer
	if err := (&Weights{model: network.New(1)}).Write(&good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, network.ErrCorrupt},
		{"text", []byte("these are no weights"), network.ErrCorrupt},
		{"cut short", good.Bytes()[:good.Len()/2], network.ErrCorrupt},
	} {
		if _, err := ReadWeights(bytes.NewReader(c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestUntaughtWeightsKnowNothingOfThePriorThatWasSetByHand(t *testing.T) {
	v := wholeView("pkg/lessons.py", []byte(lessons))
	hand, err := Shortlist(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	scratch, err := Shortlist(v, Scratch(1))
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	for i, c := range hand {
		place[c.What()] = i
	}
	early := 0
	for _, c := range scratch[:40] {
		if c.LogPrior != scratch[0].LogPrior {
			t.Fatal("untaught weights tell moves apart")
		}
		if i, ok := place[c.What()]; ok && i < 40 {
			early++
		}
	}
	if early > 15 {
		t.Errorf("%d of the first 40 moves of untaught weights are among the first 40 by hand", early)
	}
}

func TestTheAssertionSaysHowTheValuesDiffer(t *testing.T) {
	for message, want := range map[string]string{
		"assert 4 == 3":                                   "op ==, one more, more",
		"assert -1 == 1":                                  "op ==, negated, less",
		"assert False is True":                            "op is, truth False",
		"assert None == [1]":                              "op ==, none, wanted list",
		"assert [1, 2, 3] == [1, 2]":                      "op ==, of list, goes on too long, one element more",
		"assert [3, 2, 1] == [1, 2, 3]":                   "op ==, of list, reversed",
		"assert 'Ab' == 'ab'":                             "op ==, of str, case",
		"AssertionError: no luck\nassert 'a == b' == 'a'": "op ==, of str, goes on too long, longer",
		"4 != 5":         "op ==, one less, less",
		"something else": "",
	} {
		if got := strings.Join(relation(message), ", "); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}

// What the red test says reaches the network, and changes nothing else.
func TestTheFailureIsPartOfTheProblem(t *testing.T) {
	v := wholeView("pkg/lessons.py", []byte(lessons))
	_, silent := Pose(v)
	v.RedTest = "def test_it():\n    assert clamp(5, 1, 3) == 3\n"
	v.Failure = testrun.Failure{Kind: "AssertionError", Message: "assert 5 == 3"}
	_, told := Pose(v)
	if len(silent.Said) > 0 || len(told.Said) < 10 {
		t.Errorf("%d words are said without a test and %d with one", len(silent.Said), len(told.Said))
	}
	if d := cmp.Diff(silent.Code, told.Code); d != "" {
		t.Errorf("the code is read otherwise:\n%s", d)
	}
	if told.Facts[0] != 1 || silent.Facts[0] != 0 {
		t.Error("the kind of failure is not among the facts")
	}
}

func TestCodeThatHasDamagesOfFewKindsGivesExamplesForEver(t *testing.T) {
	c := NewCorruptor([]policy.Text{{Path: "few.py", Source: []byte("def few(a):\n    \"\"\"Text.\"\"\"\n    print(a)\n")}}, 1)
	for i := range 75 {
		if c.Next() == nil {
			t.Fatalf("none after %d", i)
		}
	}
}
