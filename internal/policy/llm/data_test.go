package llm

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
)

// sampled are the tokens that a play's model sampled, as its turns tell them.
type sampled struct {
	prompt, tokens []int32
	probs          []float32
}

// derived reads data back: each run of positions with a weight is an answer,
// what stands before it is its prompt.
func derived(data []engine.Datum) (all []sampled) {
	for _, d := range data {
		seq := append([]int32{d.Tokens[0]}, d.Targets...)
		for i := 1; i < len(d.Tokens); i++ {
			if d.Tokens[i] != d.Targets[i-1] {
				panic("targets are not the tokens, shifted by one")
			}
		}
		for i := 0; i < len(d.Targets); i++ {
			if d.Weights[i] == 0 {
				if d.Advantages[i] != 0 || d.LogProbs[i] != 0 {
					panic("a token of a prompt is learned from")
				}
				continue
			}
			s := sampled{prompt: seq[:i+1]}
			for ; i < len(d.Targets) && d.Weights[i] != 0; i++ {
				s.tokens, s.probs = append(s.tokens, d.Targets[i]), append(s.probs, d.LogProbs[i])
			}
			all = append(all, s)
		}
	}
	return all
}

func TestWhatIsTrainedOnIsTokenForTokenWhatWasSampled(t *testing.T) {
	for name, o := range map[string]Options{"merged": {}, "cut": {Context: 4300, Answer: 200}} {
		s := &script{answers: append(repeat(8, func(i int) engine.Message {
			return use("read", fmt.Sprintf(`{"path": "pkg/mod.py", "last": %d}`, 11-i))
		}), use("give_up", "{}"))}
		kept := &recorder{script: s}
		played, err := newPolicy(t, kept, o).Fix(context.Background(), fixArena(t, 64))
		if err != nil {
			t.Fatal(err)
		}
		data, err := unpacked(t, played.Data).Data(0.5)
		if err != nil {
			t.Fatal(err)
		}
		// What the server said, as this test wrote it down, is what is learned from.
		if d := cmp.Diff(kept.said, derived(data), cmp.AllowUnexported(sampled{})); d != "" {
			t.Errorf("%s:\n%.2000s", name, d)
		}
		if name == "merged" && len(data) != 1 || name == "cut" && len(data) < 2 {
			t.Errorf("%s: %d sequences", name, len(data))
		}
		for _, d := range data {
			for i, w := range d.Weights {
				if w == 1 && d.Advantages[i] != 0.5 || w != 0 && w != 1 {
					t.Fatalf("%s: weight %v, advantage %v", name, w, d.Advantages[i])
				}
			}
		}
	}
}

// recorder writes down what a server said.
type recorder struct {
	*script
	said []sampled
}

func (r *recorder) Sample(ctx context.Context, a engine.Ask) (engine.Answer, error) {
	out, err := r.script.Sample(ctx, a)
	r.said = append(r.said, sampled{out.Prompt, out.Tokens, out.LogProbs})
	return out, err
}

func TestAServerThatTellsNoTokensCannotBeLearnedFrom(t *testing.T) {
	p := &Play{Turns: []*Turn{{Written: 5}}}
	if _, err := p.Data(1); err == nil || !strings.Contains(err.Error(), "does not tell what was sampled") {
		t.Errorf("got %v", err)
	}
	if data, err := (&Play{}).Data(1); err != nil || len(data) != 0 {
		t.Errorf("an empty play gives %d sequences, %v", len(data), err)
	}
}

// longPlay is a game of 64 turns over n tokens, as they are in practice: text of
// real files, cut as tokenizers cut before they merge (words with the space before
// them, runs of spaces, single marks), ids anywhere in a vocabulary of 150,000; a
// quarter of the tokens sampled.
func longPlay(t testing.TB, n int) *Play {
	t.Helper()
	var text []byte
	files, err := filepath.Glob("../../*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no text", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, b...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	pieces := regexp.MustCompile(` ?[A-Za-z]{1,7}|\n\t*|[0-9]| +|.`).FindAllString(string(text), -1)
	next := 0
	piece := func() (string, int32) {
		s := pieces[next%len(pieces)]
		next++
		h := fnv.New32a()
		h.Write([]byte(s))
		return s, int32(h.Sum32() % 150_000)
	}
	p := &Play{Role: arena.Fixer, Protocol: Calls, Model: "m", Ended: OutOfSteps}
	for i := range 64 {
		turn := &Turn{Message: 2 * i, Version: "u1-00000000", Stopped: "calls", Read: 1000, Written: 390, Seconds: 1.5}
		var b strings.Builder
		for range n / 64 * 3 / 4 {
			s, id := piece()
			turn.New = append(turn.New, id)
			b.WriteString(s)
		}
		shown := engine.Message{Role: "tool", Content: b.String(), Call: "c"}
		b.Reset()
		for range n / 64 / 4 {
			s, id := piece()
			turn.Tokens, turn.LogProbs = append(turn.Tokens, id), append(turn.LogProbs, -float32(r.ExpFloat64()*r.ExpFloat64()))
			b.WriteString(s)
		}
		turn.Same = len(p.sequence())
		p.Messages = append(p.Messages, shown, engine.Message{Role: "assistant", Content: b.String()})
		p.Turns = append(p.Turns, turn)
	}
	return p
}

func TestAGameOf64StepsAnd100000TokensIsKeptInUnder300kB(t *testing.T) {
	p := longPlay(t, 100_000)
	b, err := p.encode()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) >= 300_000 {
		t.Errorf("%d bytes", len(b))
	}
	t.Logf("%d bytes for %d tokens", len(b), len(p.sequence()))
	got, err := decodePlay(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, got); d != "" {
		t.Errorf("what is read is not what was written:\n%.1000s", d)
	}
}

func TestADamagedPlayIsAnErrorAndNoPanic(t *testing.T) {
	b, err := longPlay(t, 2000).encode()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	whole := 0
	for range 300 {
		c := append([]byte(nil), b[:1+r.IntN(len(b))]...)
		c[r.IntN(len(c))] ^= byte(1 + r.IntN(255))
		if _, err := decodePlay(c); err == nil {
			whole++
		}
	}
	if whole > 30 { // deflate has no checksum; the store keeps the digest
		t.Errorf("%d of 300 damaged plays were read", whole)
	}
	if _, err := Unpack([]byte(`{"mutation": "m"}`), nil); err != ErrNoPlay {
		t.Errorf("got %v, want that it is another policy's", err)
	}
}
