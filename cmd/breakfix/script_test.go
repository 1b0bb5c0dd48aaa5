package main

import (
	"fmt"
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
			// Where the command under test lies, for scripts that set PATH.
			e.Setenv("COMMANDS", strings.SplitN(e.Getenv("PATH"), ":", 2)[0])
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
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: scriptCommands,
	})
}
