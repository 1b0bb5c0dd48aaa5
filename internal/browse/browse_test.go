package browse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"

	"breakfix/internal/check"
	"breakfix/internal/lang"
	_ "breakfix/internal/lang/python" // registers the language
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
)

const source = "def low(a, b):\n    return a + b\n\n\ndef high(a, b):\n    if a > b:\n        return low(a, b) - 1\n    return a\n"

func record(t *testing.T) *check.Record {
	t.Helper()
	l, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	r := &check.Record{Ended: check.Done, Plan: check.Plan{Source: "/code", Files: map[string]string{"one.py": source, "two.py": source},
		Tests: []check.Test{{ID: "test_one.py::test_low"}, {ID: "test_two.py::test_high"}}, Reach: map[string]int{"one.py::low": 2, "one.py::high": 1, "two.py::low": 9, "two.py::high": 1}}}
	outcomes := []outcome.Break{outcome.Unnoticed, outcome.Valid, outcome.TimedOutBreak, outcome.Uncovered, outcome.Broken, outcome.FlakyBreak}
	for _, p := range []string{"one.py", "two.py"} {
		f, err := l.Parse([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range mutate.Enumerate(l, p, f, mutate.Operators()) {
			one := check.Result{Mutation: m, Outcome: outcomes[i%len(outcomes)], Tests: 1, Covering: check.NewTestSet(0)}
			if one.Outcome == outcome.Valid {
				one.Test, one.Failure = "test_one.py::test_low", "AssertionError: 1"
			}
			r.Results = append(r.Results, one)
		}
	}
	return r
}

var named = map[string]tea.KeyPressMsg{
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd},
	"pgdown": {Code: tea.KeyPgDown}, "backspace": {Code: tea.KeyBackspace},
}

// press sends keys; what a command says comes back as a message, as in the program.
func press(t *testing.T, m Model, keys ...string) Model {
	t.Helper()
	for _, k := range keys {
		msg, ok := named[k]
		if !ok {
			msg = tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
		}
		m = send(m, msg)
	}
	return m
}

func send(m Model, msg tea.Msg) Model {
	next, cmd := m.Update(msg)
	m = next.(Model)
	if cmd != nil {
		if answer := cmd(); answer != nil {
			if _, quit := answer.(tea.QuitMsg); !quit {
				m = send(m, answer)
			}
		}
	}
	return m
}

func wants(t *testing.T, m Model, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(m.Screen(), text) {
			t.Errorf("no %q on\n%s", text, m.Screen())
		}
	}
}

func TestWhatIsMissedAndMattersMostIsUnderTheCursorFirst(t *testing.T) {
	m := New(context.Background(), Config{Record: record(t)})
	r, ok := m.Selected()
	if !ok || r.Outcome != outcome.Unnoticed || r.Mutation.Path != "two.py" || r.Mutation.Function != "low" {
		t.Fatalf("%+v", r)
	}
	m = send(m, tea.WindowSizeMsg{Width: 80, Height: 40})
	wants(t, m, "/code: ", r.Mutation.ID, "two.py:2 in low", "-    return a + b", "9 functions depend on it", "test_one.py::test_low")
	if last, _ := press(t, m, "end").Selected(); last.Outcome != outcome.Valid {
		t.Errorf("the last one is %s", last.Outcome)
	}
	if again, _ := press(t, m, "end", "home", "up", "down", "up").Selected(); again.Mutation.ID != r.Mutation.ID {
		t.Error("the cursor does not come back")
	}
}

func TestTheListIsFilteredByOutcomeOperatorFileAndText(t *testing.T) {
	m := New(context.Background(), Config{Record: record(t)})
	all := len(m.shown)
	holds := func(m Model, what string, is func(check.Result) bool) {
		t.Helper()
		if len(m.shown) == 0 || len(m.shown) == all {
			t.Errorf("%s: %d of %d shown", what, len(m.shown), all)
		}
		for _, i := range m.shown {
			if !is(m.all[i]) {
				t.Errorf("%s shows %+v", what, m.all[i])
			}
		}
		for _, r := range m.all {
			if is(r) && !slices.ContainsFunc(m.shown, func(i int) bool { return m.all[i].Mutation.ID == r.Mutation.ID }) {
				t.Errorf("%s hides %+v", what, r)
			}
		}
	}
	missed := press(t, m, "o")
	holds(missed, "missed", func(r check.Result) bool { return r.Outcome == outcome.Unnoticed })
	wants(t, missed, "outcome: missed")
	holds(press(t, m, "o", "o"), "timed out", func(r check.Result) bool { return r.Outcome == outcome.TimedOutBreak })
	one := press(t, m, "f")
	holds(one, "file", func(r check.Result) bool { return r.Mutation.Path == "one.py" })
	both := press(t, one, "o")
	holds(both, "both", func(r check.Result) bool { return r.Mutation.Path == "one.py" && r.Outcome == outcome.Unnoticed })
	op := press(t, m, "p")
	holds(op, "operator", func(r check.Result) bool { return r.Mutation.Operator == op.filter.operator })
	typed := press(t, m, "/", "H", "I", "G", "H", "x", "backspace")
	holds(typed, "text", func(r check.Result) bool { return r.Mutation.Function == "high" })
	wants(t, typed, "text: HIGH▏")
	if q := press(t, typed, "q"); len(q.shown) != 0 || !strings.Contains(q.Screen(), "no mutation is of that kind") {
		t.Errorf("a key that is typed does what it does elsewhere:\n%s", q.Screen())
	}
	holds(press(t, typed, "enter", "down"), "text that was entered", func(r check.Result) bool { return r.Mutation.Function == "high" })
	if got := press(t, both, "c"); len(got.shown) != all {
		t.Errorf("c shows %d of %d", len(got.shown), all)
	}
	if got := press(t, m, "f", "f", "f"); len(got.shown) != all {
		t.Error("behind the last file not all come")
	}
}

func TestTheDetailsShowDiffTestsAndLog(t *testing.T) {
	m := New(context.Background(), Config{Record: record(t), Log: func(id string) string { return "what happened to " + id + "\n\x1b[2Jforged" }})
	m = press(t, m, "o", "o", "o", "o", "o", "o") // caught
	r, _ := m.Selected()
	d := press(t, m, "enter")
	d = send(d, tea.WindowSizeMsg{Width: 100, Height: 60})
	wants(t, d, "caught, 1 test runs it", "AssertionError: 1", "noticed by test_one.py::test_low", "what happened to "+r.Mutation.ID, `\x1b[2Jforged`)
	if strings.Contains(d.Screen(), "\x1b") {
		t.Error("a log reaches the terminal as it is")
	}
	small := send(d, tea.WindowSizeMsg{Width: 30, Height: 8})
	before := small.Screen()
	after := press(t, small, "down").Screen()
	if before == after {
		t.Error("the details do not scroll")
	}
	for _, l := range strings.Split(after, "\n") {
		if runewidth.StringWidth(l) > 30 {
			t.Errorf("%q is wider than the screen", l)
		}
	}
	if n := strings.Count(after, "\n") + 1; n != 8 {
		t.Errorf("%d lines on a screen of 8", n)
	}
	if back, _ := press(t, small, "esc").Selected(); back.Mutation.ID != r.Mutation.ID {
		t.Error("esc moves the cursor")
	}
}

func TestOneIsJudgedAgainAndTakesItsNewOutcome(t *testing.T) {
	var asked []string
	fails := errors.New("no sandbox")
	c := Config{Record: record(t), Again: func(_ context.Context, m mutate.Mutation) (check.Result, []byte, error) {
		asked = append(asked, m.ID)
		if len(asked) == 2 {
			return check.Result{}, nil, fails
		}
		return check.Result{Mutation: m, Outcome: outcome.Valid, Test: "test_two.py::test_high", Tests: 1}, []byte("a new log"), nil
	}}
	m := New(context.Background(), c)
	r, _ := m.Selected()
	missed := len(press(t, m, "o").shown)
	m = press(t, m, "r")
	wants(t, m, "mutation "+r.Mutation.ID+": missed before, now caught", "noticed by test_two.py::test_high")
	if got := press(t, m, "o"); len(got.shown) != missed-1 {
		t.Errorf("%d are missed, want %d", len(got.shown), missed-1)
	}
	if d := press(t, m, "enter"); !strings.Contains(send(d, tea.WindowSizeMsg{Width: 80, Height: 60}).Screen(), "a new log") {
		t.Error("the log is the old one")
	}
	m = press(t, m, "down", "r")
	wants(t, m, "was not judged: no sandbox")
	if len(asked) != 2 || asked[0] != r.Mutation.ID {
		t.Errorf("asked for %v", asked)
	}
	// While one is judged a second waits.
	next, cmd := m.Update(tea.KeyPressMsg{Code: 'r', Text: "r"})
	busy := press(t, next.(Model), "down", "r")
	wants(t, busy, "is being judged; one at a time")
	busy = send(busy, cmd())
	wants(t, busy, "now caught")
	wants(t, press(t, New(context.Background(), Config{Record: c.Record}), "r"), "nothing can be judged here")
}

func TestThePlaceIsOpenedInAnEditor(t *testing.T) {
	var path string
	var line int
	m := New(context.Background(), Config{Record: record(t), Edit: func(p string, l int) (*exec.Cmd, error) {
		path, line = p, l
		return nil, errors.New("no editor is named; set EDITOR")
	}})
	r, _ := m.Selected()
	wants(t, press(t, m, "e"), "no editor is named; set EDITOR")
	if path != r.Mutation.Path || line != r.Mutation.Line {
		t.Errorf("%s:%d", path, line)
	}
}

// The program itself, on a real terminal.
func TestTheProgramRunsOnATerminal(t *testing.T) {
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := pty.Setsize(master, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	screen := make(chan []byte, 1)
	enough := make(chan bool)
	go func() {
		var all bytes.Buffer
		b := make([]byte, 4096)
		told := false
		for {
			n, err := master.Read(b)
			all.Write(b[:n])
			if !told && bytes.Contains(all.Bytes(), []byte("judge again")) {
				told = true
				close(enough)
			}
			if err != nil {
				screen <- all.Bytes()
				return
			}
		}
	}()
	edited := t.TempDir() + "/edited"
	c := Config{Record: record(t), Color: true, Edit: func(p string, _ int) (*exec.Cmd, error) { return exec.Command("sh", "-c", "echo "+p+" >"+edited), nil }}
	done := make(chan error, 1)
	go func() { done <- Run(context.Background(), c, tea.WithInput(terminal), tea.WithOutput(terminal)) }()
	select {
	case <-enough:
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("nothing is shown")
	}
	io.WriteString(master, "e")
	for range 600 {
		if b, err := os.ReadFile(edited); err == nil && string(b) == "two.py\n" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if b, _ := os.ReadFile(edited); string(b) != "two.py\n" {
		t.Errorf("the editor got %q", b)
	}
	time.Sleep(200 * time.Millisecond) // the program takes the terminal back
	io.WriteString(master, "q")
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("q does not end it")
	}
	terminal.Close()
	if got := string(<-screen); !strings.Contains(got, "\x1b[?1049h") || !strings.Contains(got, "\x1b[?1049l") {
		t.Errorf("the screen was not taken and given back:\n%q", got)
	}
}
