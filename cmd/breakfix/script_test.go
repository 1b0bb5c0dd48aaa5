package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"breakfix": main})
}

// The scripts in testdata read like a manual: what a person types, what
// breakfix answers, with which exit code.
func TestTheCommandLineDoesWhatTheScriptsSay(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			cache, err := os.UserCacheDir()
			if err != nil {
				return err
			}
			// Environments and tools are shared between scripts and kept, as a
			// person's are; verdicts and baselines too, which are keyed by content.
			e.Setenv("BREAKFIX_CACHE", filepath.Join(cache, "breakfix"))
			for _, kv := range os.Environ() {
				name, value, _ := strings.Cut(kv, "=")
				switch {
				case name == "HOME", strings.HasPrefix(name, "PYENV"), strings.Contains(name, "CERT"),
					strings.HasPrefix(name, "PIP_"), strings.HasPrefix(name, "UV_"), strings.HasSuffix(strings.ToUpper(name), "_PROXY"):
					e.Setenv(name, value)
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
		},
	})
}

// exits runs a command and compares its exit code: exits CODE CMD ARGS…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGS]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}
