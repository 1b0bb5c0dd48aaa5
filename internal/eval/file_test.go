package eval

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFileIsGoneOnWithAlsoWhenItsLastLineWasCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	f, err := Open(path)
	if err != nil || len(f.Lines) != 0 {
		t.Fatal(f, err)
	}
	one, two := line(SelfPlay, 1, vector(2, 4)), line(Uniform, 1, vector(1, 4))
	for _, l := range []Line{one, two} {
		if err := f.Append(l); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-9], 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(path); err != nil || !f.Has(SelfPlay, 1) || f.Has(Uniform, 1) {
		t.Fatal(f, err)
	}
	if err := f.Append(two); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(path); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Line{one, two}, f.Lines); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoResultIsRefused(t *testing.T) {
	good := `{"variant":"uniform","seed":1,"config":{},"bugs":["a"],"solved":[0]}` + "\n"
	for name, c := range map[string]struct{ text, says string }{
		"other text":      {"hello", "no file of results"},
		"other JSON":      {`{"hello":1}` + "\n", "line 1"},
		"unknown variant": {strings.Replace(good, "uniform", "unifrom", 1), `did you mean "uniform"`},
		"twice":           {good + good, "line 2 of"},
		"other bugs":      {good + `{"variant":"self-play","seed":1,"config":{},"bugs":["b"],"solved":[0]}` + "\n", "other bugs"},
		"no results":      {`{"variant":"uniform","seed":1,"config":{},"bugs":["a"],"solved":[]}` + "\n", "1 bugs, 0 results"},
	} {
		path := filepath.Join(t.TempDir(), "a.jsonl")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if refused := (*FileError)(nil); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "-o") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnotherConfigurationIsShownAsADiff(t *testing.T) {
	f := &File{Path: "a.jsonl", Lines: []Line{line(Uniform, 1, vector(1, 2))}}
	f.Lines[0].Config = Config{Budget: 100, Steps: 8}
	if err := f.Same(Config{Budget: 100, Steps: 8}); err != nil {
		t.Error(err)
	}
	err := f.Same(Config{Budget: 200, Steps: 8, Only: []string{"x"}})
	if err == nil || !strings.Contains(err.Error(), "  -budget: 100\n  +budget: 200\n  +only: [\"x\"]\n") || strings.Contains(err.Error(), "steps") {
		t.Error(err)
	}
	if err := f.SameCode([]string{"t"}, f.Lines[0].Bugs); err == nil {
		t.Error("results of other code are gone on with")
	}
	if err := f.SameCode([]string{"s"}, []string{"a"}); err == nil {
		t.Error("results on other bugs are gone on with")
	}
}

func TestSeedsComeOneAfterTheOther(t *testing.T) {
	vs, err := Lookup([]string{Uniform, SelfPlay, Uniform})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range Plan(vs, 7, 2) {
		names = append(names, c.String())
	}
	if diff := cmp.Diff([]string{"self-play-7", "uniform-7", "self-play-8", "uniform-8"}, names); diff != "" {
		t.Error(diff)
	}
}
