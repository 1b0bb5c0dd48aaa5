package testrun

import (
	"slices"
	"testing"

	"breakfix/internal/outcome"
)

func TestAFileOfOursIsJudgedTheSameInEveryTier(t *testing.T) {
	w := stock(t)
	broken := changed(t, w, "stock/count.py", "n += x", "n -= x")
	const file = "test_of_ours.py"
	text := "import stock\n\ndef test_red(): assert stock.total([1, 2]) == 3\ndef test_green(): assert stock.first([4]) == 4\n"
	for _, tier := range allTiers {
		for _, q := range []struct {
			name  string
			tests []string
			want  outcome.Results
		}{
			{"all of it", nil, outcome.Results{file + "::test_red": outcome.Failed, file + "::test_green": outcome.Passed}},
			{"one test of it", []string{file + "::test_red"}, outcome.Results{file + "::test_red": outcome.Failed}},
			{"a test that it has not", []string{file + "::test_no"}, outcome.Results{file + "::test_no": outcome.Absent}},
		} {
			rep := mustReport(t, w, Request{Tree: broken, Files: map[string]string{file: text}, FilesOnly: true, Tests: q.tests, Tier: tier, Fresh: true})
			if len(rep.Results) != len(q.want) {
				t.Errorf("%s in %s: %v", q.name, tier, rep.Results)
			}
			for id, v := range q.want {
				if rep.Results.Get(id) != v {
					t.Errorf("%s in %s: %s is %s", q.name, tier, id, rep.Results.Get(id))
				}
			}
			if rep.Tier != tier && q.name != "a test that it has not" {
				t.Errorf("%s ran in %s, not in %s", q.name, rep.Tier, tier)
			}
		}
		rep := mustReport(t, w, Request{Tree: broken, Files: map[string]string{file: "import nothing_of_the_kind\n"}, FilesOnly: true, Tier: tier, Fresh: true})
		if rep.Loaded || rep.Uncollected[file].Kind != "ModuleNotFoundError" {
			t.Errorf("a file that does not collect in %s: loaded %v, %v", tier, rep.Loaded, rep.Uncollected)
		}
	}
}

func TestTheOrderIsTurnedAroundInEveryTier(t *testing.T) {
	w := stock(t)
	// The first two tests that call it see 1 and 2, the others fail.
	broken := changed(t, w, "stock/count.py", "        n += x\n", "        n += x\n    total.calls = getattr(total, 'calls', 0) + 1\n    assert total.calls < 3\n")
	tests := []string{"tests/test_stock.py::test_many[1]", "tests/test_stock.py::test_many[2]", "tests/test_stock.py::test_many[3]", "tests/test_stock.py::test_many[4]"}
	for _, tier := range []Tier{CodeSwap, LazyImport, FreshProcess} {
		for _, reverse := range []bool{false, true} {
			rep := mustReport(t, w, Request{Tree: broken, Tests: tests, Fresh: true, Tier: tier, Reverse: reverse})
			want := tests[2:]
			if reverse {
				want = tests[:2]
			}
			if red := outcome.Red(w.Base.Results, rep.Results); rep.Tier != tier || !slices.Equal(red, want) {
				t.Errorf("%v, reverse %v: ran in %v, red %v, want %v", tier, reverse, rep.Tier, red, want)
			}
		}
	}
}
