package enginetest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// client makes an environment with a published client, once, in breakfix's cache,
// and returns its interpreter.
func client(t *testing.T, requirement string) string {
	t.Helper()
	cache, err := source.CacheDir("")
	if err != nil {
		t.Fatal(err)
	}
	uv, err := source.EnsureUV(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "consumers", "tinker-"+tree.DigestOf([]byte(requirement)).Short())
	exe, mark := filepath.Join(dir, "bin", "python"), filepath.Join(dir, ".complete")
	if _, err := os.Stat(mark); err == nil {
		return exe
	}
	for _, args := range [][]string{
		{"venv", "--quiet", "--clear", "--no-project", "--python", filepath.Join(filepath.Dir(uv), "python"), dir},
		{"pip", "install", "--quiet", "--only-binary", ":all:", "--python", exe, requirement},
	} {
		cmd := exec.CommandContext(t.Context(), uv, args...)
		cmd.Env = append(os.Environ(), "UV_CACHE_DIR="+filepath.Join(cache, "uv"), "UV_PYTHON_DOWNLOADS=never")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("install %s: %v\n%s", requirement, err, out)
		}
	}
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return exe
}

// TestThePublishedClientPasses shows that the server is no dialect of our own:
// the clients of PyPI train, save, load and sample against it.
func TestThePublishedClientPasses(t *testing.T) {
	clients := []struct {
		requirement string
		quirks      enginetest.Quirks
	}{{"tinker==0.24.1", enginetest.Quirks{}}, {"tinker==0.25.0", enginetest.Quirks{Protobuf: true}}, {"tinker==0.38.0", enginetest.Quirks{Protobuf: true}}}
	if os.Getenv("BREAKFIX_SLOW") != "" { // whatever is the newest today
		clients = append(clients, clients[2])
		clients[3].requirement = "tinker>=0.38"
	}
	for _, c := range clients {
		t.Run(c.requirement, func(t *testing.T) {
			t.Parallel()
			exe := client(t, c.requirement)
			s, err := enginetest.Start(enginetest.Options{Quirks: c.quirks, Key: engine.NewKey("tml-test")})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			cmd := exec.CommandContext(t.Context(), exe, filepath.Join("testdata", "published.py"), s.URL, "breakfix/sim")
			cmd.Env = append(os.Environ(), "TINKER_TELEMETRY=0", "HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "good") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
