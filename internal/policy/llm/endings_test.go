package llm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
)

// slow answers after its patience has ended.
type slow struct{ script }

func (*slow) Sample(ctx context.Context, _ engine.Ask) (engine.Answer, error) {
	<-ctx.Done()
	return engine.Answer{}, ctx.Err()
}

func repeat(n int, f func(i int) engine.Message) []engine.Message {
	var ms []engine.Message
	for i := range n {
		ms = append(ms, f(i))
	}
	return ms
}

func TestWhateverAModelDoesTheGameEndsWithANamedOutcome(t *testing.T) {
	read := func(i int) engine.Message {
		return use("read", fmt.Sprintf(`{"path": "pkg/mod.py", "first": %d}`, 1+i%8))
	}
	for _, c := range []struct {
		name    string
		answers []engine.Message
		o       Options
		steps   int
		want    Ending
		turns   int
		ending  arena.Ending
	}{
		{"never calls a tool", repeat(9, func(i int) engine.Message { return say(fmt.Sprint("Let me think, ", i)) }), Options{}, 64, NoCall, 3, arena.GaveUp},
		{"calls tools that do not exist", repeat(9, func(i int) engine.Message { return use("shell", fmt.Sprintf(`{"command": "ls %d"}`, i)) }), Options{}, 64, WrongCalls, 8, arena.GaveUp},
		{"writes arguments that are no JSON", repeat(9, func(i int) engine.Message { return use("read", strings.Repeat("{", i+1)) }), Options{}, 64, WrongCalls, 8, arena.GaveUp},
		{"writes 10 MB", []engine.Message{say(strings.Repeat("ha ", 10<<20/3))}, Options{}, 64, TooLong, 1, arena.GaveUp},
		{"writes 10 MB into an edit", []engine.Message{use("edit", `{"path": "pkg/mod.py", "old": "return low", "new": "`+strings.Repeat("x", 10<<20)+`"}`)}, Options{}, 64, TooLong, 1, arena.GaveUp},
		{"repeats one call", repeat(9, func(int) engine.Message { return use("list", "{}") }), Options{}, 64, Repeated, 3, arena.GaveUp},
		{"looks around for ever", repeat(9, read), Options{}, 5, OutOfSteps, 5, arena.OutOfSteps},
		{"reads more than it can", repeat(20, read), Options{Context: 1800, Answer: 100}, 64, OutOfContext, 0, arena.GaveUp},
		{"gives up", []engine.Message{use("give_up", "{}")}, Options{}, 64, GaveUp, 1, arena.GaveUp},
		{"hands in nothing", repeat(9, func(i int) engine.Message {
			if i%2 == 0 {
				return use("submit", "{}")
			}
			return read(i)
		}), Options{}, 6, OutOfSteps, 6, arena.OutOfSteps},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := fixArena(t, c.steps)
			played, err := newPolicy(t, &script{answers: c.answers}, c.o).Fix(context.Background(), a)
			if err != nil {
				t.Fatal(err)
			}
			play := unpacked(t, played.Data)
			if play.Ended != c.want || c.turns > 0 && len(play.Turns) != c.turns {
				t.Errorf("ended with %s after %d answers, want %s after %d", play.Ended, len(play.Turns), c.want, c.turns)
			}
			left, err := a.Result()
			if err != nil || left.Ending != c.ending || len(left.Patch) > 0 {
				t.Errorf("the attempt is %s with a patch of %d bytes, %v; want %s without", left.Ending, len(left.Patch), err, c.ending)
			}
			if n := len(played.Data); n > 100_000 {
				t.Errorf("%d bytes are kept", n)
			}
		})
	}
}

func TestATimeOutIsAFailureOfTheModelAndAFaultIsOurs(t *testing.T) {
	played, err := newPolicy(t, &slow{}, Options{Patience: 20 * time.Millisecond}).Fix(context.Background(), fixArena(t, 4))
	if err != nil || unpacked(t, played.Data).Ended != OutOfTime {
		t.Errorf("got %v, want a game that ran out of time", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newPolicy(t, &slow{}, Options{}).Fix(ctx, fixArena(t, 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the run was stopped", err)
	}
	if _, err := newPolicy(t, &script{}, Options{}).Fix(context.Background(), fixArena(t, 4)); err == nil || !strings.Contains(err.Error(), "ask the model: the script of 0 answers has ended") {
		t.Errorf("got %v, want the server's error", err)
	}
}

func TestWrongCallsGoBackToTheModelWithWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ call, want string }{
		{"edit {\"path\": \"pkg/mod.py\", \"old\": \"return\", \"new\": \"x\"}", "The old text is 4 times in pkg/mod.py, in lines 4, 6, 7, 11."},
		{"edit {\"path\": \"pkg/mod.py\", \"old\": \"return  low\", \"new\": \"x\"}", "The old text is not in pkg/mod.py; line 4 is the same but for its spaces."},
		{"edit {\"path\": \"pkg/mod.py\", \"old\": \"return low\", \"new\": \"return (\"}", "Nothing was changed: the file does not parse after the edit."},
		{"edit {\"path\": \"test_red.py\", \"old\": \"== 3\", \"new\": \"== 5\"}", "Nothing was changed: test_red.py may not be edited"},
		{"edit {\"path\": \"../x\", \"old\": \"a\", \"new\": \"b\"}", "There is no file \"../x\" to edit"},
		{"edit {\"path\": \"pkg/mod.py\"}", "edit: \"old\" is missing. It is used as edit {\"path\": string, \"old\": string, \"new\": string}"},
		{"read {\"path\": \"pkg/mod.py\", \"first\": \"two\"}", "read: cannot unmarshal string"},
		{"read {\"file\": \"pkg/mod.py\", \"path\": \"x\"}", "there is no argument \"file\""},
		{"read {\"path\": \"conftest.py\"}", "There is no file \"conftest.py\" to read"},
		{"mutate {\"number\": 0}", "There is no change 0; there are 1 to "},
		{"undo {}", "There is nothing to take back."},
		{"rm {}", "There is no tool \"rm\". There are list, read, search, edit, mutate, run_tests, diff, undo, submit, give_up."},
	} {
		name, args, _ := strings.Cut(c.call, " ")
		s := &script{answers: []engine.Message{use(name, args), use("give_up", "{}")}}
		if _, err := newPolicy(t, s, Options{}).Fix(context.Background(), fixArena(t, 9)); err != nil {
			t.Fatal(err)
		}
		if got := s.asks[1].Messages[3]; got.Role != "tool" || got.Call != "c-"+name || !strings.Contains(got.Content, c.want) {
			t.Errorf("%s: the model is told %q, want %q", c.call, got.Content, c.want)
		}
	}
}

func TestAConversationThatIsTooLongLosesItsOldestOutputsFirst(t *testing.T) {
	s := &script{answers: append(repeat(8, func(i int) engine.Message {
		return use("read", fmt.Sprintf(`{"path": "pkg/mod.py", "last": %d}`, 11-i))
	}), use("give_up", "{}"))}
	played, err := newPolicy(t, s, Options{Context: 4300, Answer: 200}).Fix(context.Background(), fixArena(t, 64))
	if err != nil {
		t.Fatal(err)
	}
	play := unpacked(t, played.Data)
	last := s.asks[len(s.asks)-1].Messages
	if play.Ended != GaveUp || !strings.HasPrefix(last[3].Content, "[") || !strings.Contains(last[3].Content, "characters were shown here]") {
		t.Errorf("ended with %s, the first output is %q", play.Ended, last[3].Content)
	}
	if !strings.Contains(last[len(last)-1].Content, "def clamp") || !strings.Contains(play.Messages[3].Content, "def clamp") {
		t.Error("the newest output, or the record's, was elided")
	}
	for i, a := range s.asks {
		if n, _ := s.Count(context.Background(), a); n > 4100 {
			t.Errorf("question %d has %d tokens, over the room of 4100", i+1, n)
		}
	}
}

func TestLongOutputsKeepHeadAndTailWithACount(t *testing.T) {
	long := strings.Repeat("one line of it\n", 2000)
	got := elide("FIRST\n"+long+"LAST\n", 3000)
	if len(got) > 3100 || !strings.HasPrefix(got, "FIRST\n") || !strings.HasSuffix(got, "LAST\n") || !strings.Contains(got, "lines left out …]") {
		t.Errorf("got %d bytes: %.60q … %q", len(got), got, got[len(got)-60:])
	}
	head, tail, _ := strings.Cut(got, "[… ")
	count, tail, _ := strings.Cut(tail, " lines left out …]\n")
	if n := strings.Count(head+tail, "\n"); fmt.Sprint(2002-n) != count {
		t.Errorf("%s lines are said to be left out, and %d of 2002 are there", count, n)
	}
	if one := elide(strings.Repeat("é", 9000), 3000); !strings.Contains(one, "characters left out") || strings.Contains(one, "\ufffd") {
		t.Errorf("a long line: %.80q", one)
	}
	if elide("short", 3000) != "short" {
		t.Error("a short text was changed")
	}
}
