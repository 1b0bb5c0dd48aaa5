package bug

import (
	"slices"
	"strings"
	"testing"
)

func TestAVariantHasOneThingChanged(t *testing.T) {
	code := "from pkg import f\n\nLIMIT = 0x10\n\n\n@mark(7)\ndef test_it():\n    \"\"\"Says.\"\"\"\n    assert f(\"ab\", b'', f\"{1}\", 1.0, key=True) == [3, r'x\\d']\n"
	red := RedTest{Path: "test_breakfix_1.py", Code: code, Test: "test_breakfix_1.py::test_it"}
	var changed []string
	for _, v := range red.Variants(20) {
		for i, line := range strings.Split(v, "\n") {
			if was := strings.Split(code, "\n")[i]; was != line {
				changed = append(changed, strings.TrimSpace(line))
			}
		}
	}
	call := func(text, bytes, float, truth, number, raw string) string {
		return "assert f(" + text + ", " + bytes + ", f\"{1}\", " + float + ", key=" + truth + ") == [" + number + ", " + raw + "]"
	}
	want := []string{
		"assert not (" + strings.TrimPrefix(call(`"ab"`, "b''", "1.0", "True", "3", `r'x\d'`), "assert ") + ")",
		call(`"abz"`, "b''", "1.0", "True", "3", `r'x\d'`),
		call(`"ab"`, "b'z'", "1.0", "True", "3", `r'x\d'`),
		call(`"ab"`, "b''", "2.0", "True", "3", `r'x\d'`),
		call(`"ab"`, "b''", "1.0", "False", "3", `r'x\d'`),
		call(`"ab"`, "b''", "1.0", "True", "4", `r'x\d'`),
		call(`"ab"`, "b''", "1.0", "True", "2", `r'x\d'`),
		call(`"ab"`, "b''", "1.0", "True", "3", `r'x\dz'`),
		"LIMIT = 17", "LIMIT = 15",
	}
	if !slices.Equal(changed, want) {
		t.Errorf("variants\n%s\nwant\n%s", strings.Join(changed, "\n"), strings.Join(want, "\n"))
	}
	if few := red.Variants(2); len(few) != 2 || !slices.Equal(few, red.Variants(2)) {
		t.Errorf("two of them: %q", few)
	}
}
