package mutate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// concurrent is what must be breakable in each of the two small targets.
var concurrent = map[string][]string{
	"threads": {"deadlock_injection", "lock_removal", "channel_operation_change"},
	"asyncio": {"deadlock_injection", "lock_removal", "channel_operation_change", "async_await_mismatch", "await_composition_change", "dangling_task"},
}

func target(t *testing.T, name string) (bug.Target, map[string][]mutate.Mutation) {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob(filepath.Join("testdata", name, "*.py"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]mutate.Mutation{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(p)
		files[base] = string(b)
		if strings.HasPrefix(base, "test_") {
			continue
		}
		for _, m := range enumerate(t, base, b) {
			found[m.Operator] = append(found[m.Operator], m)
		}
	}
	return bugtest.Prepare(t, files), found
}

func TestEachConcurrencyOperatorTurnsATestRed(t *testing.T) {
	for name, operators := range concurrent {
		t.Run(name, func(t *testing.T) {
			tgt, found := target(t, name)
			for id, v := range tgt.Base.Results {
				if v != outcome.Passed {
					t.Fatalf("%s of the base: %s", id, v)
				}
			}
			for _, op := range operators {
				red := ""
				for _, m := range found[op] {
					broken, err := mutate.Apply(tgt.Snapshot.Tree, m)
					if err != nil {
						t.Fatal(err)
					}
					rep, err := tgt.Judge.Run(t.Context(), testrun.Request{Tree: broken})
					if err != nil {
						t.Fatal(err)
					}
					for id, v := range rep.Results {
						if v != outcome.Passed {
							red = m.Variant + ": " + id
						}
					}
					if red != "" {
						break
					}
				}
				if red == "" {
					t.Errorf("none of the %d mutations of %s turns a test red", len(found[op]), op)
				}
				t.Logf("%s: %s", op, red)
			}
		})
	}
}

// TestConcurrencyOperatorsGiveValidBugs looks for one valid bug of each, every
// check included.
func TestConcurrencyOperatorsGiveValidBugs(t *testing.T) {
	if os.Getenv("BREAKFIX_SLOW") == "" {
		t.Skip("set BREAKFIX_SLOW=1 to run it")
	}
	for name, operators := range concurrent {
		t.Run(name, func(t *testing.T) {
			tgt, found := target(t, name)
			for _, op := range operators {
				var lines []string
				valid := 0
				for i, m := range found[op] {
					if valid > 0 {
						lines = append(lines, fmt.Sprintf("%d more not looked at", len(found[op])-i))
						break
					}
					broken, err := mutate.Apply(tgt.Snapshot.Tree, m)
					if err != nil {
						t.Fatal(err)
					}
					res, err := bug.Validate(t.Context(), tgt, bug.Candidate{Tree: broken, Mutations: []mutate.Mutation{m}, Strategy: "operator"}, &bug.Known{})
					if err != nil {
						t.Fatal(err)
					}
					if res.Outcome == outcome.Valid {
						valid++
					}
					lines = append(lines, string(res.Outcome)+" "+m.Variant+" "+string(res.Check)+" "+res.Reason)
				}
				t.Logf("%s:\n  %s", op, strings.Join(lines, "\n  "))
				if valid == 0 {
					t.Errorf("%s gives no valid bug", op)
				}
			}
		})
	}
}
