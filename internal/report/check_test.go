package report

import (
	"bytes"
	"strings"
	"testing"

	"breakfix/internal/check"
	"breakfix/internal/witness"
)

func TestTheTextOfACheckListsWhatWasMissedAndThenTheNumbers(t *testing.T) {
	score := 0.7999
	s := check.Summary{
		Source: "/a/target", Seed: 7, Seconds: map[string]float64{"total": 12, "prepare": 2, "check": 10}, Mutations: 9, Chosen: 6, Judged: 5,
		Counts: check.Counts{Caught: 3, Missed: 1, NotCovered: 1}, Ignored: 1, Infrastructure: 1, Score: &score, Confirm: &check.Confirm{Run: 1},
		Files: map[string]check.Counts{"a.py": {Caught: 3, Missed: 1}, "b.py": {NotCovered: 1}}, Operators: map[string]check.Counts{"off_by_one_shift": {Missed: 1}},
		MissedList: []check.Listed{{ID: "0123456789ab", Operator: "off_by_one_shift", Variant: "+ 1", Path: "a.py", Line: 3, Function: "f", Tests: 1,
			Diff: "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -2,2 +2,2 @@\n def f():\n-    return x\n+    return x + 1 # \x1b[2J\n"}},
		IgnoredList: []check.Listed{{ID: "ba9876543210", Operator: "return_value", Variant: "None", Path: "b.py", Line: 1, Reason: "a log line"}},
	}
	s.MissedList = append(s.MissedList, s.MissedList[0], s.MissedList[0])
	s.MissedList[1].Diff, s.MissedList[2].Diff = "", ""
	s.MissedList[1].Witness = &witness.Test{Code: "from a import f\n\n\ndef test_f():\n    assert f(1) == 1\n"}
	s.MissedList[2].Unfound = "no difference in 9 calls"
	s.Witnesses = &check.Witnesses{Sought: 2, Found: 1}
	var b bytes.Buffer
	if err := CheckText(&b, s, Options{}); err != nil {
		t.Fatal(err)
	}
	want := `missed
  a.py:3  off_by_one_shift: + 1  in f
    id 0123456789ab, 1 test runs it
    -    return x
    +    return x + 1 # \x1b[2J
  a.py:3  off_by_one_shift: + 1  in f
    id 0123456789ab, 1 test runs it
    this test notices it:
        from a import f


        def test_f():
            assert f(1) == 1
  a.py:3  off_by_one_shift: + 1  in f
    id 0123456789ab, 1 test runs it
    no test was found that notices it: no difference in 9 calls

ignored
  b.py:1  return_value: None
    id ba9876543210, a log line

check
  source        /a/target
  mutations     5 of 6 judged, drawn from 8 with seed 7 in 12 s
  time          prepare 2.0 s, check 10 s
  outcomes      3 caught, 1 missed, 1 not covered, 1 ignored
  not judged    1 by a fault of breakfix or of this machine
  confirmed     1 missed ones judged again by the whole suite, 0 came out
                otherwise
  witnesses     tests that notice 1 of 2 missed ones
  score         79.9 % of what tests run was noticed (3 of 4)

  file  missed  of  not covered   score
  a.py       1   4            0  75.0 %
  b.py       0   0            1       –

  operator          missed  of  not covered  score
  off_by_one_shift       1   1            0  0.0 %
`
	if got := b.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if !strings.Contains(Score(0.8), "80.0") {
		t.Errorf("0.8 is shown as %s", Score(0.8))
	}
}
