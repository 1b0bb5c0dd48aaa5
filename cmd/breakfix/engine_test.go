package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

func serveSim(t *testing.T, o enginetest.Options) string {
	t.Helper()
	s, err := enginetest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.URL
}

// ran runs the program.
func ran(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestEngineProbePrintsTheProfileAndRefusesWrongTraining(t *testing.T) {
	code, out, errs := ran("engine", "probe", "--json", serveSim(t, enginetest.Options{}))
	var got engine.Probed
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || errs != "" {
		t.Fatalf("exit %d: %v\n%s%s", code, err, out, errs)
	}
	if got.Profile.Reduction != "sum" || !got.Profile.OnceEach || got.Model != "breakfix/sim" {
		t.Errorf("probed %+v", got)
	}
	code, out, errs = ran("engine", "probe", serveSim(t, enginetest.Options{Quirks: enginetest.Quirks{Flipped: true, Protobuf: true}}))
	if code != 4 || !strings.Contains(out, "WRONG positive advantage") || !strings.Contains(errs, "training with this server would be wrong") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	code, _, errs = ran("engine", "probe", serveSim(t, enginetest.Options{Faults: []enginetest.Fault{{Route: "retrieve_future", What: enginetest.NaN, Nth: 3, Times: 1 << 20}}}))
	if code != 4 || !strings.Contains(errs, "NaN") {
		t.Errorf("NaN: exit %d\n%s", code, errs)
	}
}

func TestEngineProbeSaysWhatAServerIsNot(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<html>Welcome</html>")
	}))
	defer page.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler("https://example.com/login", http.StatusFound))
	defer elsewhere.Close()
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/healthz" {
			io.WriteString(w, `{"status": "ok"}`)
			return
		}
		http.NotFound(w, r)
	}))
	defer old.Close()
	for _, c := range []struct{ url, says string }{
		{"127.0.0.1:8000", "no address of a server"},
		{"http://user:secret@127.0.0.1:8000", "user name or password; set BREAKFIX_ENGINE_KEY"},
		{page.URL, "web page"},
		{elsewhere.URL, "sends elsewhere"},
		{old.URL, "no route of the Tinker protocol"},
		{serveSim(t, enginetest.Options{Quirks: enginetest.Quirks{NoTokenizer: true}}), "name the folder with the model's tokenizer.json"},
	} {
		code, out, errs := ran("engine", "probe", c.url)
		if code != 2 || out != "" || !strings.Contains(errs, c.says) || strings.Contains(errs, "secret") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, %q, want %q", c.url, code, out+errs, c.says)
		}
	}
	code, _, errs := ran("engine", "probe", "--model", "gpt-9", serveSim(t, enginetest.Options{}))
	if code != 2 || !strings.Contains(errs, `no model "gpt-9"; it serves breakfix/sim`) {
		t.Errorf("exit %d, %q", code, errs)
	}
	for _, args := range [][]string{{"engine"}, {"engine", "sim", "--quirks", "nonsense"}, {"engine", "sim", "--faults", "optim_step"}, {"engine", "sim", "--listen", "nowhere"}} {
		if code, _, errs := ran(args...); code != 2 || !strings.Contains(errs, "; ") && !strings.Contains(errs, ": it is written") {
			t.Errorf("%v: exit %d, %q", args, code, errs)
		}
	}
}

// TestKeysAreNeverTold: a key from the environment or a file reaches the server
// and nothing else, although the server repeats it.
func TestKeysAreNeverTold(t *testing.T) {
	const key = "tml-very-secret-1234"
	url := serveSim(t, enginetest.Options{Key: engine.NewKey(key)})
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BREAKFIX_ENGINE_KEY_FILE", file)
	if code, out, errs := ran("engine", "probe", "-v", url); code != 0 || strings.Contains(out+errs, key) {
		t.Errorf("by file: exit %d\n%s%s", code, out, errs)
	}
	t.Setenv("BREAKFIX_ENGINE_KEY", "tml-wrong-secret")
	code, out, errs := ran("engine", "probe", "-v", url)
	if code != 2 || strings.Contains(out+errs, "wrong-secret") || !strings.Contains(errs, "set BREAKFIX_ENGINE_KEY") || !strings.Contains(errs, "401") || !strings.Contains(errs, "***") {
		t.Errorf("a wrong key: exit %d\n%s%s", code, out, errs)
	}
	t.Setenv("BREAKFIX_ENGINE_KEY", "")
	t.Setenv("BREAKFIX_ENGINE_KEY_FILE", filepath.Join(t.TempDir(), "none"))
	if code, _, errs := ran("engine", "probe", url); code != 2 || !strings.Contains(errs, "BREAKFIX_ENGINE_KEY_FILE") {
		t.Errorf("no file: exit %d\n%s", code, errs)
	}
}
