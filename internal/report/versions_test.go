package report

import (
	"bytes"
	"strings"
	"testing"

	"breakfix/internal/store"
)

func TestVersionsAreListedWithWhatTheGateSaidOfThem(t *testing.T) {
	yes, no, half, low, high := true, false, 0.5, 0.336, 0.664
	list := func(vs ...store.Version) string {
		var b bytes.Buffer
		if err := Text(&b, Summary{Versions: vs}, Options{}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := store.Version{Version: "builtin-a", Episode: 1, Accepted: &yes, SolveRate: &half, Low: &low, High: &high}
	got := list(first, store.Version{Version: "builtin-b", Episode: 25, Accepted: &no})
	for _, want := range []string{"0 builtin-a", "accepted", "50 %", "34 % to 66 %", "1 builtin-b", "refused"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if got := list(first); strings.Contains(got, "builtin-a") {
		t.Errorf("one version alone is listed:\n%s", got)
	}
}
