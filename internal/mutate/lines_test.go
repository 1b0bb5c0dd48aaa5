package mutate

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/lang/python"
)

func TestWhatTouchesSomeLinesIsFoundWithoutLookingIntoOtherFunctions(t *testing.T) {
	src, err := os.ReadFile("../testrun/inside/breakfix_warm.py")
	if err != nil {
		t.Fatal(err)
	}
	f, err := python.Python.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	all := EnumerateWhere(python.Python, "lines.py", f, Repairs(), func(int, int) bool { return true })
	found := 0
	for first := 1; first <= f.Lines(); first += 3 {
		last := first + 4
		var want []string
		for _, m := range all {
			if m.LastLine >= first && m.Line <= last {
				want = append(want, m.Operator+" "+m.Variant)
			}
		}
		var got []string
		for _, m := range EnumerateLines(python.Python, "lines.py", f, Repairs(), first, last) {
			got = append(got, m.Operator+" "+m.Variant)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("lines %d to %d: %s", first, last, d)
		}
		found += len(got)
	}
	if found < 500 {
		t.Errorf("only %d were compared", found)
	}
}
