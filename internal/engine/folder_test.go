package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/source"
)

// modelFolder is what a model's folder holds for its tokens: a byte-level BPE
// without merges, and a template with roles, tools and calls.
func modelFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	vocab := map[string]int{"<|im_start|>": 0, "<|im_end|>": 1}
	var added []map[string]any
	for text, id := range map[string]int{"<|im_start|>": 0, "<|im_end|>": 1} {
		added = append(added, map[string]any{"id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
	}
	n := rune(256)
	for b := range 256 { // GPT-2's letters for bytes
		letter := rune(b)
		if b < '!' || b > '~' && b < 0xa1 || b == 0xad {
			letter = n
			n++
		}
		vocab[string(letter)] = b + 2
	}
	vocab["ab"] = 258
	write := func(name string, v any) {
		b, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	bytes := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}
	write("tokenizer.json", map[string]any{"version": "1.0", "added_tokens": added, "pre_tokenizer": bytes, "decoder": bytes,
		"model": map[string]any{"type": "BPE", "vocab": vocab, "merges": []string{"a b"}}})
	write("tokenizer_config.json", map[string]any{"eos_token": "<|im_end|>", "chat_template": `{%- if tools %}{{- '<|im_start|>system\n' + (tools | map(attribute='function') | list | tojson) + '<|im_end|>\n' }}{%- endif %}
{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}`})
	return dir
}

func TestAFoldersTokensAreThoseThatTheModelWrote(t *testing.T) {
	cache, err := source.CacheDir("")
	if err != nil {
		t.Fatal(err)
	}
	tok, err := engine.Folder(t.Context(), cache, modelFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	if tok.Vocabulary() != 259 || !slices.Equal(tok.Stops(), []int32{1}) {
		t.Errorf("vocabulary %d, stops %v", tok.Vocabulary(), tok.Stops())
	}
	a := engine.Ask{Messages: []engine.Message{{Role: "user", Content: "cab é"}}}
	first, err := tok.Render(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := tok.Decode(t.Context(), first); err != nil || text != "user\ncab é\nassistant\n" {
		t.Errorf("decoded %q %v", text, err)
	}
	// The model wrote "ab" as two tokens, which its tokenizer never would.
	said := []int32{int32('a') - '!' + 2 + '!', int32('b') + 2, 1}
	if text, _ := tok.Decode(t.Context(), said); text != "ab" {
		t.Fatalf("the test's own tokens say %q", text)
	}
	a.Messages = append(a.Messages, engine.Message{Role: "assistant", Content: "ab", Tokens: said}, engine.Message{Role: "user", Content: "more"})
	second, err := tok.Render(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if want := append(slices.Clone(first), said...); len(second) <= len(want) || !slices.Equal(second[:len(want)], want) {
		t.Errorf("the second prompt does not begin with the first and its answer:\n%v\n%v", second, want)
	}
	a.Tools = []engine.Tool{{Name: "read", Description: "Show.", Parameters: json.RawMessage(`{"type": "object"}`)}}
	third, err := tok.Render(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := tok.Decode(t.Context(), third); !strings.HasPrefix(text, "system\n[{\"name\": \"read\", \"description\": \"Show.\"") {
		t.Errorf("tools are told as %q", text)
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := engine.Folder(t.Context(), cache, dir); err == nil || !strings.Contains(err.Error(), "no tokenizer.json") {
			t.Errorf("%s: %v", dir, err)
		}
	}
	broken := t.TempDir()
	os.WriteFile(filepath.Join(broken, "tokenizer.json"), []byte("{"), 0o644)
	if _, err := engine.Folder(t.Context(), cache, broken); err == nil || !strings.Contains(err.Error(), "read the tokenizer of") {
		t.Errorf("a broken tokenizer: %v", err)
	}
}

// TestWhatIsTrainedOnIsWhatWasSampled: three turns, each prompt begins with the
// one before and its answer, and the trainer gives the sampler's log-probabilities.
func TestWhatIsTrainedOnIsWhatWasSampled(t *testing.T) {
	s := start(t, dialectOptions("protobuf"))
	m := open(t, s, engine.Profile{})
	a := ask("The test test_sum fails. Sites: 2 add, 6 sum.")
	var before []int32
	for turn := range 3 {
		a.Seed = uint64(turn)
		got, err := m.Sample(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Prompt) < len(before) || !slices.Equal(got.Prompt[:len(before)], before) {
			t.Fatalf("turn %d: the prompt does not begin with the one before", turn)
		}
		p, err := m.Forward(t.Context(), []engine.Datum{datum(got, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if worst := worstApart(got.LogProbs, p[0][len(got.Prompt)-1:]); worst > 1e-5 {
			t.Errorf("turn %d: %v apart", turn, worst)
		}
		before = append(slices.Clone(got.Prompt), got.Tokens...)
		a.Messages = append(a.Messages, got.Message, engine.Message{Role: "user", Content: "Go on."})
	}
}
