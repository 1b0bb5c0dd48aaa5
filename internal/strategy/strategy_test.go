package strategy_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/bug/bugtest"
	"breakfix/internal/outcome"
	"breakfix/internal/strategy"
)

// basket is the small target of these tests, measured once.
var basket = sync.OnceValue(func() func(t *testing.T) strategy.Source {
	var from strategy.Source
	return func(t *testing.T) strategy.Source {
		t.Helper()
		if from.Bank == nil {
			from = sourceOf(bugtest.Prepare(t, files(t, "testdata/basket")))
		}
		return from
	}
})()

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "*.py"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", dir, names, err)
	}
	for _, n := range names {
		src, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		m[filepath.Base(n)] = string(src)
	}
	return m
}

// sourceOf has the bank of a target as a run makes it: lines that a test runs.
func sourceOf(target bug.Target) strategy.Source {
	return strategy.Source{Target: target, Bank: arena.NewBank(target.Snapshot.Tree, target.Paths.IsCode, func(p string, first, last int) int {
		return len(target.Judge.Covering(p, first, last))
	})}
}

func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, 1)) }

// drawn proposes until nothing is left, at most n times.
func drawn(t *testing.T, s strategy.Strategy, r *rand.Rand, n int) []strategy.Proposal {
	t.Helper()
	var ps []strategy.Proposal
	for len(ps) < n {
		p, err := s.Propose(t.Context(), r)
		if errors.Is(err, strategy.ErrExhausted) {
			return ps
		}
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

func titles(ps []strategy.Proposal) []string {
	var out []string
	for _, p := range ps {
		s := fmt.Sprintf("%s %s %d", p.Candidate.Strategy, p.Candidate.Tree.Digest().Short(), p.Candidate.Seed)
		for _, m := range p.Candidate.Mutations {
			s += " " + m.ID
		}
		out = append(out, s)
	}
	return out
}

func TestOperatorProposesEachMutationOnceAndNoOperatorTakesEverything(t *testing.T) {
	from := basket(t)
	sites, err := from.Bank.Sites()
	if err != nil {
		t.Fatal(err)
	}
	s, err := strategy.New("operator", from, strategy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := drawn(t, s, seeded(1), 1<<20)
	seen, of, drawnOf := map[string]int{}, map[string]int{}, map[string]int{}
	for _, m := range sites {
		of[m.Operator]++
	}
	for i, p := range all {
		m := p.Candidate.Mutations[0]
		if seen[m.ID]++; seen[m.ID] > 1 {
			t.Fatalf("%s is proposed twice", m.ID)
		}
		if len(p.Candidate.Mutations) != 1 || p.Screened != "" || p.Candidate.Order != 1 || p.Candidate.Strategy != "operator" {
			t.Fatalf("proposal %+v", p)
		}
		if i < 2*len(of) {
			drawnOf[m.Operator]++
		}
	}
	if len(all) != len(sites) || len(sites) < 100 {
		t.Errorf("%d proposals of %d mutations", len(all), len(sites))
	}
	// In the first draws every operator came, however few sites it has, and the
	// most frequent one has no more than a small share.
	most := slices.Max(slices.Collect(valuesOf(drawnOf)))
	if len(drawnOf) < len(of)*3/4 || most > 8 {
		t.Errorf("of %d operators %d were drawn in the first %d draws, one of them %d times: %v", len(of), len(drawnOf), 2*len(of), most, drawnOf)
	}
	again, err := strategy.Operator(from)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := titles(drawn(t, again, seeded(1), 40)), titles(all[:40]); !slices.Equal(got, want) {
		t.Error("the same seed draws something else")
	}
	other, err := strategy.Operator(from)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(titles(drawn(t, other, seeded(2), 40)), titles(all[:40])) {
		t.Error("another seed draws the same")
	}
	some, err := strategy.Operator(from, "condition_negate", "relational_boundary")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(drawn(t, some, seeded(1), 1<<20)); n != of["condition_negate"]+of["relational_boundary"] || n == 0 {
		t.Errorf("%d mutations of two operators", n)
	}
}

func valuesOf(m map[string]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func TestNamesThatDoNotExistNameTheNearest(t *testing.T) {
	from := basket(t)
	_, err := strategy.New("composd", from, strategy.Options{})
	wantError(t, err, `did you mean "composed"`)
	_, err = strategy.Mixed(from, map[string]float64{"remove": 1}, strategy.Options{})
	wantError(t, err, `did you mean "removal"`)
	_, err = strategy.Mixed(from, map[string]float64{"removal": -1}, strategy.Options{})
	wantError(t, err, "must be over 0")
	_, err = strategy.New("operator", from, strategy.Options{Operators: []string{"condition_negat"}})
	wantError(t, err, `did you mean "condition_negate"`)
	_, err = strategy.New("composed", from, strategy.Options{Parts: 5})
	wantError(t, err, "2 to 4 parts")
	_, err = strategy.New("history", from, strategy.Options{})
	wantError(t, err, "not a git repository")
	if none := (*strategy.UnavailableError)(nil); !errors.As(err, &none) || none.Strategy != "history" {
		t.Errorf("%T: %v", err, err)
	}
}

func wantError(t *testing.T, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want one that says %q", err, says)
	}
}

func TestAMixDrawsByWeightAndGoesOnWhenOneIsExhausted(t *testing.T) {
	from := basket(t)
	weights := map[string]float64{"operator": 3, "removal": 1}
	mixed, err := strategy.Mixed(from, weights, strategy.Options{Operators: []string{"numeric_literal_change"}})
	if err != nil {
		t.Fatal(err)
	}
	all := drawn(t, mixed, seeded(3), 1<<20)
	count := func(ps []strategy.Proposal) map[string]int {
		n := map[string]int{}
		for _, p := range ps {
			n[p.Candidate.Strategy]++
		}
		return n
	}
	first, whole := count(all[:20]), count(all)
	if first["operator"] < 11 || first["removal"] < 1 {
		t.Errorf("weights 3 to 1 draw %v", first)
	}
	alone, err := strategy.New("removal", from, strategy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(drawn(t, alone, seeded(1), 1<<20)); whole["removal"] != n || n == 0 {
		t.Errorf("%d removals of %d", whole["removal"], n)
	}
	if last := all[len(all)-1].Candidate.Strategy; whole["operator"] == 0 || last == "" {
		t.Errorf("%v, the last by %q", whole, last)
	}
	for _, k := range strategy.Kinds() {
		if k.Weight <= 0 || k.Doc == "" || !slices.Contains(strategy.Names(), k.Name) {
			t.Errorf("%+v", k)
		}
	}
}

// TestAComposedBugStaysRedWhenAnyOnePartIsRepaired makes a bug of three parts
// and repairs each.
func TestAComposedBugStaysRedWhenAnyOnePartIsRepaired(t *testing.T) {
	from := basket(t)
	s, err := strategy.New("composed", from, strategy.Options{Parts: 3,
		Operators: []string{"relational_boundary", "condition_negate", "connector_swap", "guard_clause_removal"}})
	if err != nil {
		t.Fatal(err)
	}
	r := seeded(1)
	screened := map[string]int{}
	for range 40 {
		p, err := s.Propose(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if p.Screened != "" {
			screened[p.Screened]++
			if p.Reason == "" {
				t.Errorf("%s without a reason", p.Screened)
			}
			continue
		}
		if n := len(p.Candidate.Mutations); n != 3 || p.Candidate.Strategy != "composed" {
			t.Fatalf("%d parts by %s", n, p.Candidate.Strategy)
		}
		res, err := bug.Validate(t.Context(), from.Target, p.Candidate, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("screened before it: %v", screened)
		if res.Outcome != outcome.Valid {
			t.Fatalf("%s, check %s: %s", res.Outcome, res.Check, res.Reason)
		}
		staysRed(t, from, p.Candidate, res.Bug)
		return
	}
	t.Fatalf("nothing passed: %v", screened)
}
