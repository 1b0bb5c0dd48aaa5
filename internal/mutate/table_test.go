package mutate_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/check"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/witness"
)

// row is what was found out about one operator in one package.
type row struct {
	Sites   int `json:"sites"`   // in the code of the package
	Covered int `json:"covered"` // of them: a test runs them
	Tried   int `json:"tried"`   // mutations judged, at covered sites
	Valid   int `json:"valid"`   // of them: a test notices, each time
	Missed  int `json:"missed"`  // of those tried: no test notices
	Witness int `json:"witness"` // of the missed: a test was made that notices
}

// TestTableOfOperators prints the table of docs/methods.md: for each operator
// how many sites the packages of BREAKFIX_TABLE have (sources, separated by
// spaces), how many mutations were tried, how many of them a test notices, how
// many none does, and for how many of these a witness was found.
// BREAKFIX_TRIES of each operator are tried in each package (10), drawn with
// seed 1. Packages that are in the folder BREAKFIX_TABLE_DIR already are not
// judged again.
func TestTableOfOperators(t *testing.T) {
	sources := strings.Fields(os.Getenv("BREAKFIX_TABLE"))
	if len(sources) == 0 {
		t.Skip("set BREAKFIX_TABLE to sources")
	}
	tries, err := strconv.Atoi(os.Getenv("BREAKFIX_TRIES"))
	if err != nil {
		tries = 10
	}
	dir := os.Getenv("BREAKFIX_TABLE_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	sum, packages := map[string]row{}, map[string]int{}
	for _, spec := range sources {
		name := filepath.Join(dir, strings.NewReplacer(":", "-", "/", "-", "=", "-").Replace(spec)+".json")
		rows := map[string]row{}
		b, err := os.ReadFile(name)
		if err != nil {
			rows = judged(t, spec, tries)
			if b, err = json.MarshalIndent(rows, "", " "); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if err := json.Unmarshal(b, &rows); err != nil {
			t.Fatal(err)
		}
		for op, r := range rows {
			s := sum[op]
			s.Sites, s.Covered, s.Tried = s.Sites+r.Sites, s.Covered+r.Covered, s.Tried+r.Tried
			s.Valid, s.Missed, s.Witness = s.Valid+r.Valid, s.Missed+r.Missed, s.Witness+r.Witness
			sum[op] = s
			if r.Sites > 0 {
				packages[op]++
			}
		}
	}
	fmt.Println("| # | operator | packages | sites | covered | tried | valid | missed | witness |\n|---|---|---|---|---|---|---|---|---|")
	for _, op := range mutate.Operators() {
		s := sum[op.Name]
		fmt.Printf("| %d | %s | %d | %d | %d | %d | %d | %d | %d |\n", op.Number, op.Name, packages[op.Name], s.Sites, s.Covered, s.Tried, s.Valid, s.Missed, s.Witness)
		if op.Core && s.Valid == 0 {
			t.Errorf("%s gave no valid bug", op.Name)
		}
	}
}

// judged prepares a package and tries a few mutations of each operator.
func judged(t *testing.T, spec string, tries int) map[string]row {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := source.Open(t.Context(), spec, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := testrun.Prepare(t.Context(), testrun.Config{Box: box, Snapshot: snap, LazyFindings: true, Progress: func(stage, detail string) { t.Logf("%s: %s: %s", spec, stage, detail) }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	code, err := source.Selected(snap.Tree, source.Options{}, python.Python.IsCode)
	if err != nil {
		t.Fatal(err)
	}
	chosen := map[string]bool{}
	for _, p := range code {
		chosen[p] = true
	}
	bank := func(tests func(string, int, int) int) []mutate.Mutation {
		ms, err := arena.NewBank(snap.Tree, func(p string) bool { return chosen[p] }, tests).Sites()
		if err != nil {
			t.Fatal(err)
		}
		return ms
	}
	covered := bank(func(p string, first, last int) int {
		n := len(w.Covering(p, first, last))
		if w.Imported(p, first, last) {
			n++
		}
		return n
	})
	rows := map[string]row{}
	for op, n := range mutate.Sites(bank(nil)) {
		rows[op] = row{Sites: n, Covered: mutate.Sites(covered)[op]}
	}
	var try []mutate.Mutation
	taken := map[string]int{}
	for _, m := range check.Shuffle(covered, 1) {
		if taken[m.Operator] < tries {
			taken[m.Operator]++
			try = append(try, m)
		}
	}
	t.Logf("%s: %d mutations to judge", spec, len(try))
	results, _, err := check.Run(t.Context(), t.Context(), check.Config{Suite: w, Tree: snap.Tree, Base: w.Base.Results, Mutations: try, Workers: 2,
		Witness: witness.New(w, snap.Tree, python.Python, witness.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		x := rows[r.Mutation.Operator]
		x.Tried++
		if r.Outcome == outcome.Unnoticed {
			x.Missed++
		}
		if r.Witness != nil {
			x.Witness++
		}
		if r.Outcome == outcome.Valid || r.Outcome == outcome.TimedOutBreak {
			x.Valid++
		} else {
			src, err := snap.Tree.Read(r.Mutation.Path)
			if err != nil {
				t.Fatal(err)
			}
			diff, err := check.DiffOf(src, r.Mutation)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %s %s:%d %s: %s\n%s", spec, r.Mutation.Operator, r.Mutation.Path, r.Mutation.Line, r.Mutation.Variant, check.Word(r.Outcome), diff)
			if r.Witness != nil {
				t.Logf("a witness:\n%s", r.Witness.Code)
			} else if r.Unfound != "" {
				t.Logf("no witness: %s", r.Unfound)
			}
		}
		rows[r.Mutation.Operator] = x
	}
	return rows
}
