package builtin

import (
	"strings"
	"testing"
)

// TestAModuleHasNoAttributesOfOthers: what the file says of other receivers comes last there.
func TestAModuleHasNoAttributesOfOthers(t *testing.T) {
	const text = "import time\n\ndef f(a):\n    a.stamp = a.when.stamp\n    return time.time() + a.when\n\ndef g():\n    return time.monotonic()\n"
	prior := map[string]float64{}
	for _, c := range Candidates(wholeView("f.py", []byte(text))) {
		if c.Kind == kindAttr {
			prior[strings.TrimPrefix(c.What(), "attribute: ")] = c.LogPrior
		}
	}
	other, seen, object := prior["time → stamp"], prior["time → monotonic"], prior["when → monotonic"]
	if other == 0 || seen == 0 || object == 0 {
		t.Fatalf("moves are missing of %v", prior)
	}
	if seen-other < 4 || object-other < 1.5 {
		t.Errorf("log priors: %.1f of what no module of the file has, %.1f of what it has, %.1f of an object", other, seen, object)
	}
}

// TestAFunctionIsMadeAsyncWhereTheFileSaysSo.
func TestAFunctionIsMadeAsyncWhereTheFileSaysSo(t *testing.T) {
	for text, want := range map[string]bool{
		"def f(a):\n    return a\n":                                    false,
		"def f(a):\n    return a\n\nasync def g():\n    return f(1)\n": true,
		"def f(a):\n    return await a\n":                              true,
	} {
		found := false
		for _, c := range Candidates(wholeView("f.py", []byte(text))) {
			found = found || c.Kind == kindAwait && strings.HasSuffix(c.What(), "put in async")
		}
		if found != want {
			t.Errorf("put in async is a move: %v, want %v:\n%s", found, want, text)
		}
	}
}
