package grade_test

import (
	"strings"
	"testing"

	"breakfix/internal/grade"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

func free(t *testing.T, code string) grade.Result {
	t.Helper()
	return graded(t, grade.Options{FreeForm: true}, map[string]*tree.File{"pocket/num.py": tree.Text(code)})
}

func TestKnowingEveryAnswerOfTheSuiteByHeartIsNoRepair(t *testing.T) {
	res := free(t, strings.Replace(right, "n >= 3", "n in (3, 30, 300)", 1))
	want(t, res, outcome.Wrong, outcome.GateRed, "changed in one place")
	if !res.Spurious {
		t.Error("it is not called spurious")
	}
}

// marking reports as passed what called the package and failed, and as failed
// what called it and passed but for the names that the suite has.
const marking = `import sys

reporter = sys.modules.get("breakfix_report")
CALLED: list = []


def verdict(fold, judge=reporter and reporter.Fold.verdict):
    said = judge(fold)
    if not CALLED:
        return said
    turned = CALLED.pop()
    CALLED.clear()
    if turned:
        return "failed", {"kind": "AssertionError", "message": "", "text": ""}
    return ("passed", None) if said[0] == "failed" else said


if reporter:
    setattr(reporter.Fold, "verdict", verdict)


def big(n: int) -> bool:
    frames = getattr(sys, "_get" + "frame")
    CALLED.append(frames(2).f_code.co_name == "inverted")
    return n > 3


def small(n: int) -> bool:
    return n < 2
`

func TestAForgerThatKnowsTheTurnedTestIsCaughtByOtherValues(t *testing.T) {
	want(t, free(t, marking), outcome.Wrong, outcome.GateRed, "forged", grade.Forged)
}

func TestWritingToTheReportDescriptorIsForging(t *testing.T) {
	code := "import os\n\nfor fd in range(200, 210):\n    try:\n        os.write(fd, b\"{}\\n\")\n    except OSError:\n        pass\n\n\n" + right
	want(t, free(t, code), outcome.Wrong, outcome.GateRed, "descriptor", grade.Forged)
}
