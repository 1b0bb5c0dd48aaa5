package mutate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
)

// TestEachOperatorMakesItsGoldenEdits reads testdata/OPERATOR.golden: snippets,
// each behind an "=== before" line, followed by every text that the operator
// makes of it, as the lines that differ. What was taken from a package has its
// origin in that line: at least five different ones for an operator of the
// core. With BREAKFIX_UPDATE=1 the results are written anew, to be read as a
// diff.
func TestEachOperatorMakesItsGoldenEdits(t *testing.T) {
	for _, op := range mutate.Operators() {
		t.Run(op.Name, func(t *testing.T) {
			name := filepath.Join("testdata", op.Name+".golden")
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatalf("the operator has no golden file: %v", err)
			}
			var out strings.Builder
			offered := 0
			origins := map[string]bool{}
			for _, c := range strings.Split("\n"+string(b), "\n=== before")[1:] {
				origin, before, _ := strings.Cut(c, "\n")
				before, _, _ = strings.Cut(before+"\n", "\n--- ")
				before = strings.TrimRight(before, "\n") + "\n"
				out.WriteString("=== before" + origin + "\n" + before)
				found := offered
				f, err := python.Python.Parse([]byte(before))
				if err != nil || f.HasError {
					t.Fatalf("does not parse: %v\n%s", err, before)
				}
				for _, m := range mutate.Enumerate(python.Python, "a.py", f, []mutate.Operator{op}) {
					offered++
					after, err := mutate.ApplyTo([]byte(before), m)
					if err != nil {
						t.Fatal(err)
					}
					out.WriteString("--- " + m.Variant + "\n" + changed(before, string(after)))
				}
				if origin != "" && offered == found {
					t.Errorf("it offers nothing for the snippet of %s", origin)
				}
				if origin != "" {
					origins[origin] = true
				}
			}
			if op.Core && len(origins) < 5 {
				t.Errorf("it is shown on %d snippets of real packages, want 5", len(origins))
			}
			if offered == 0 {
				t.Error("it offers nothing")
			}
			if os.Getenv("BREAKFIX_UPDATE") != "" {
				if err := os.WriteFile(name, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(b), out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// changed returns the lines of after that are not in common with before at its
// start and end, and the number of lines that went.
func changed(before, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var s strings.Builder
	for _, l := range a {
		s.WriteString("-" + strings.TrimSuffix(l, "\n") + "\n")
	}
	for _, l := range b {
		s.WriteString("+" + strings.TrimSuffix(l, "\n") + "\n")
	}
	return s.String()
}
