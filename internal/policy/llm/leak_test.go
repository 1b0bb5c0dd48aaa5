package llm

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
)

// TestNothingThatAFixerIsSentTellsWhatWasBroken plays every tool of the fixer and
// looks through all that was sent: the removed line, the operator, held-back tests
// and the breaker's words are nowhere.
func TestNothingThatAFixerIsSentTellsWhatWasBroken(t *testing.T) {
	for _, o := range []Options{{}, {Protocol: Text}, {Protocol: Text, Brief: true}} {
		answers := []engine.Message{use("list", "{}"), use("read", `{"path": "pkg/mod.py"}`), use("read", `{"path": "tests/test_mod.py"}`), use("read", `{"path": ".git/HEAD"}`),
			use("search", `{"text": "high"}`), use("search", `{"text": "assert"}`), use("run_tests", "{}"), use("diff", "{}"),
			use("edit", `{"path": "pkg/mod.py", "old": "return low", "new": "return value"}`), use("diff", "{}"), use("undo", "{}"), use("give_up", "{}")}
		if o.Protocol == Text {
			answers = []engine.Message{say("list"), say("read pkg/mod.py"), say("read tests/test_mod.py"), say("search high"), say("search assert"), say("run_tests"), say("diff"), say("give_up")}
		}
		s := &script{answers: answers}
		if _, err := newPolicy(t, s, o).Fix(context.Background(), fixArena(t, 64)); err != nil {
			t.Fatal(err)
		}
		all := sent(t, s)
		// "value > high" is the line that the bug removed, the others are of held-back tests and provenance.
		for _, secret := range []string{"value > high", "test_secret", "clamp(9", "secret_operator", "inject"} {
			// What the bank can make of the broken code is offered; that it is the way back is not said.
			if strings.Contains(all, secret) {
				t.Errorf("protocol %s, brief %v: %q is sent:\n%s", o.Protocol, o.Brief, secret, all)
			}
		}
		for _, ask := range s.asks {
			if ask.Seed == 0 {
				t.Error("an answer is drawn without a seed")
			}
		}
	}
}

// TestWhatABreakerWritesTellsTheFixerNothing hands in breaks that carry words.
func TestWhatABreakerWritesTellsTheFixerNothing(t *testing.T) {
	for _, c := range []struct{ now, want string }{
		{"value < high:  # was >", "the change adds a comment"},
		{"value < high and 'turn the sign around':", "the change adds a text of several words"},
		{"value < high or the_sign_was_turned_around_here:", "the change adds a name of more than 24 characters"},
	} {
		s := &script{answers: []engine.Message{
			use("edit", `{"path": "pkg/mod.py", "old": "value > high:", "new": "`+c.now+`"}`),
			use("edit", `{"path": "tests/test_mod.py", "old": "    assert clamp(9, 1, 3) == 3\n", "new": "    pass\n"}`),
			use("submit", `{"tests": ["tests/test_mod.py"]}`), use("give_up", "{}")}}
		a := breakArena(t, arena.BreakOptions{Seed: 3})
		if _, err := newPolicy(t, s, Options{Strategies: []string{"free"}}).Break(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		last := s.asks[len(s.asks)-1].Messages
		if got := last[len(last)-1].Content; a.Written() != nil || !strings.Contains(got, c.want) {
			t.Errorf("%q was handed in: %v; the model is told %q", c.now, a.Written() != nil, got)
		}
	}
}

// TestNoKeyIsInWhatIsKept plays with a key in the environment and greps all that
// is written for it.
func TestNoKeyIsInWhatIsKept(t *testing.T) {
	const key = "tml-0123456789-not-to-be-seen"
	t.Setenv("BREAKFIX_ENGINE_KEY", key)
	s := &script{answers: []engine.Message{use("run_tests", "{}"), use("give_up", "{}")}}
	p := newPolicy(t, s, Options{})
	dir := t.TempDir()
	p.KeepIn(folder(dir))
	played, err := p.Fix(context.Background(), fixArena(t, 8))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := Unpack(played.Data, folder(dir))
	if err != nil {
		t.Fatal(err)
	}
	if all := string(played.Data) + story(t, kept) + sent(t, s); strings.Contains(all, key) {
		t.Error("the key is in the trajectory or in a prompt")
	}
}

// folder keeps blobs in files.
type folder string

func (f folder) PutBlob(b []byte) (string, error) {
	name := "blob"
	return name, os.WriteFile(filepath.Join(string(f), name), b, 0o600)
}

func (f folder) Blob(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), name))
}
