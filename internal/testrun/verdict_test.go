package testrun

import (
	"strings"
	"testing"

	"breakfix/internal/outcome"
)

func TestEachWayToEndATestHasItsVerdict(t *testing.T) {
	got := mustRun(t, seriesOf(t, map[string]string{"test_a.py": `
import pytest, unittest, sys

def test_passes(): pass
def test_fails(): assert 1 == 2
def test_raises(): {}["x"]
def test_skips(): pytest.skip("no")
@pytest.mark.skip
def test_marked(): pass
@pytest.mark.xfail
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.mark.xfail(strict=True)
def test_strict_xpass(): pass
@pytest.mark.xfail(run=False)
def test_xfail_not_run(): pass
def test_leaves(): sys.exit(0)
@pytest.fixture
def bad(): raise ValueError("in setup")
def test_setup(bad): pass
@pytest.fixture
def late():
    yield
    raise ValueError("in teardown")
def test_teardown(late): pass
def test_sub(subtests):
    for i in range(3):
        with subtests.test(i=i):
            assert i != 1
def test_sub_fine(subtests):
    for i in range(3):
        with subtests.test(i=i):
            pass
@pytest.mark.parametrize("x", ["a b", "é", "::", "\n"])
def test_odd(x): pass

class U(unittest.TestCase):
    def test_passes(self): pass
    def test_fails(self): self.assertEqual(1, 2)
    def test_skips(self): self.skipTest("no")
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
`}))
	a := func(s string) string { return "test_a.py::" + s }
	wantVerdicts(t, got, outcome.Results{
		a("test_passes"): outcome.Passed, a("test_fails"): outcome.Failed, a("test_raises"): outcome.Failed,
		a("test_skips"): outcome.Skipped, a("test_marked"): outcome.Skipped, a("test_xfail"): outcome.Skipped,
		a("test_xpass"): outcome.Passed, a("test_strict_xpass"): outcome.Failed, a("test_xfail_not_run"): outcome.Skipped,
		a("test_leaves"): outcome.Failed, a("test_setup"): outcome.Errored, a("test_teardown"): outcome.Errored,
		a("test_sub"): outcome.Failed, a("test_sub_fine"): outcome.Passed,
		a("test_odd[a b]"): outcome.Passed, a(`test_odd[\xe9]`): outcome.Passed, a("test_odd[::]"): outcome.Passed, a(`test_odd[\n]`): outcome.Passed,
		a("U::test_passes"): outcome.Passed, a("U::test_fails"): outcome.Failed, a("U::test_skips"): outcome.Skipped,
		a("U::test_expected"): outcome.Skipped, a("U::test_sub"): outcome.Failed,
	})
	if !got.complete || got.strange != 0 || got.processes != 1 {
		t.Errorf("complete %v, strange %d, processes %d", got.complete, got.strange, got.processes)
	}
	f := got.failures[a("test_raises")]
	if f.Kind != "KeyError" || f.Path != "test_a.py" || f.TestLine != 6 || f.Line != 6 || !strings.Contains(f.Text, `{}["x"]`) {
		t.Errorf("failure of test_raises: %+v", f)
	}
	if k := got.failures[a("U::test_sub")].Kind; k != "AssertionError" {
		t.Errorf("kind of the failing sub-test: %q", k)
	}
}
