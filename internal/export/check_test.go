package export_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/export"
	"breakfix/internal/sandbox"
)

// box is the sandbox of this machine.
func box(t *testing.T) sandbox.Sandbox {
	t.Helper()
	b, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Skipf("no sandbox: %v", err)
	}
	return b
}

func checked(t *testing.T, dir string) []export.Checked {
	t.Helper()
	all, err := export.Check(t.Context(), dir, export.CheckOptions{Box: box(t)})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// slow skips what plays every format, unless BREAKFIX_SLOW is set.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("BREAKFIX_SLOW") == "" {
		t.Skip("set BREAKFIX_SLOW=1 to run it")
	}
}

// What is exported fails before and passes after its repair, run from the files
// alone: the base that made the bugs is not looked at.
func TestWhatIsWrittenHoldsFromItsFilesAlone(t *testing.T) {
	all := bugs(t)[:1]
	for _, format := range export.Names() {
		t.Run(format, func(t *testing.T) {
			got := checked(t, exported(t, format, all))
			if len(got) != 1 || !got[0].Good || got[0].Fail == 0 {
				t.Errorf("%+v", got)
			}
			if format != "breakfix" && got[0].Pass == 0 { // an artifact does not know what passes
				t.Errorf("nothing has to stay green: %+v", got)
			}
		})
	}
}

// rewrite changes every line of a file of objects.
func rewrite(t *testing.T, dir, name string, change func(map[string]any)) {
	t.Helper()
	var out bytes.Buffer
	for _, row := range rows(t, dir, name) {
		change(row)
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAnInstanceThatDoesNotHoldIsFound(t *testing.T) {
	all := bugs(t)[:1]
	wantBad := func(name, dir, says string) {
		t.Helper()
		got := checked(t, dir)
		if len(got) != 1 || got[0].Good || !strings.Contains(got[0].Reason, says) {
			t.Errorf("%s: %+v, want a reason with %q", name, got, says)
		}
	}
	dir := exported(t, "swebench", all)
	rewrite(t, dir, "instances.jsonl", func(row map[string]any) {
		row["FAIL_TO_PASS"] = `["tests/test_mod.py::test_below"]`
	})
	wantBad("a test that was never red", dir, "test_below passes before the repair")

	dir = exported(t, "chat", all)
	rewrite(t, dir, "messages.jsonl", func(row map[string]any) {
		answer := row["messages"].([]any)[2].(map[string]any)
		answer["content"] = strings.Replace(answer["content"].(string), "+        return high", "+        return value", 1)
	})
	wantBad("a diff that repairs nothing", dir, "after the repair")

	dir = exported(t, "swesmith", all)
	rewrite(t, dir, "instances.jsonl", func(row map[string]any) {
		row["PASS_TO_PASS"] = append(row["PASS_TO_PASS"].([]any), "tests/test_mod.py::test_nowhere")
	})
	wantBad("a test that is not there", dir, "test_nowhere is")

	dir = exported(t, "harbor", all)
	solve := filepath.Join(dir, "local-tiny-"+all[0].ID, "solution", "solve.sh")
	if err := os.WriteFile(solve, []byte("#!/bin/bash\ntrue\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	wantBad("a solution that does nothing", dir, "the reward is 0 after the repair")

	dir = exported(t, "breakfix", all)
	if err := os.WriteFile(filepath.Join(dir, "bugs.jsonl"), []byte("{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantBad("a line that is no artifact", dir, "cannot be read")
}

// A solver of a Harbor task who writes what makes tests pass gets no reward.
func TestHarborsVerifierDoesNotObeyWhatASolverLeft(t *testing.T) {
	all := bugs(t)[:1]
	for name, script := range map[string]string{
		"conftest that turns failures into passes": "cat > conftest.py <<'E'\nimport pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    out = yield\n    out.get_result().outcome = 'passed'\nE\n",
		"tests emptied":       "echo > tests/test_mod.py\n",
		"configuration added": "printf '[pytest]\\naddopts = --collect-only\\n' > pytest.ini\n",
	} {
		dir := exported(t, "harbor", all)
		solve := filepath.Join(dir, "local-tiny-"+all[0].ID, "solution", "solve.sh")
		if err := os.WriteFile(solve, []byte("#!/bin/bash\nset -e\ncd /testbed\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := checked(t, dir); len(got) != 1 || got[0].Good || !strings.Contains(got[0].Reason, "the reward is 0 after the repair") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
