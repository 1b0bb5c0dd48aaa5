package builtin

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// Weights are judged by these functions (methods.md), so none may be taught on them.
func TestTheFunctionsThatRankingsAreDevelopedOnAreHeldOut(t *testing.T) {
	data, err := os.ReadFile("../../../bench/functions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var f struct {
			ID          string `json:"task_id"`
			Declaration string `json:"declaration"`
			Buggy       string `json:"buggy_solution"`
			Right       string `json:"canonical_solution"`
		}
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{f.Right, f.Buggy} {
			if d := FunctionDigest([]byte(f.Declaration + body)); d == "" || !heldOut[d] {
				t.Errorf("%s is not held out: %s", f.ID, d)
			}
		}
		n++
	}
	if n < 60 {
		t.Errorf("the set has %d functions", n)
	}
}
