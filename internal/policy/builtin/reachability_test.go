package builtin

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// corpus reads the Python packages that reachability is measured on: those in
// the folders of BREAKFIX_CORPUS (a list as in PATH), else modules of the
// standard library of the python3 that is installed.
func corpus(t *testing.T) map[string]*tree.Tree {
	t.Helper()
	trees := map[string]*tree.Tree{}
	for _, dir := range filepath.SplitList(os.Getenv("BREAKFIX_CORPUS")) {
		files := map[string]*tree.File{}
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".py") {
				return err
			}
			b, err := os.ReadFile(p)
			rel, _ := filepath.Rel(dir, p)
			files["pkg/"+filepath.ToSlash(rel)] = &tree.File{Kind: tree.Regular, Data: b}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		tr, err := tree.FromFiles(files)
		if err != nil {
			t.Fatal(err)
		}
		trees[filepath.Base(dir)] = tr
	}
	if len(trees) > 0 {
		return trees
	}
	lib := standardLibrary(t)
	files := map[string]*tree.File{}
	for _, m := range []string{"bisect", "heapq", "queue", "fractions", "textwrap", "shlex", "contextlib", "sched"} {
		b, err := os.ReadFile(filepath.Join(lib, m+".py"))
		if err != nil {
			t.Fatal(err)
		}
		files["pkg/"+m+".py"] = &tree.File{Kind: tree.Regular, Data: b}
	}
	tr, err := tree.FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*tree.Tree{"stdlib": tr}
}

// rankOf returns the 1-based place of the exact inverse of a mutation among
// the candidates that parse, given nothing but the context; 0 when it is not
// among the first 400.
func rankOf(t *testing.T, base *tree.Tree, m mutate.Mutation) int {
	t.Helper()
	broken, err := mutate.Apply(base, m)
	if err != nil {
		t.Fatal(err)
	}
	inject, err := tree.Diff(base, broken)
	if err != nil {
		t.Fatal(err)
	}
	contexts, err := arena.Contexts(inject, broken)
	if err != nil {
		t.Fatal(err)
	}
	original, _ := base.Read(m.Path)
	src, _ := broken.Read(m.Path)
	var all []Candidate
	for _, c := range contexts {
		cs, err := Shortlist(View{Path: c.Path, Source: src, Context: c}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cs...)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].LogPrior > all[j].LogPrior })
	for i, c := range all {
		out, err := tree.ApplyEdits(src, c.Edits)
		if err != nil {
			t.Fatalf("%s: %v", c.What(), err)
		}
		if string(out) == string(original) {
			return i + 1
		}
	}
	return 0
}

// sample draws n mutations of a tree as the breaker would, none twice.
func sample(t *testing.T, base *tree.Tree, n int) []mutate.Mutation {
	t.Helper()
	bank := arena.NewBank(base, nil, nil)
	made, tried := map[string]bool{}, map[string]int{}
	var ms []mutate.Mutation
	for i := range n {
		a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: uint64(i), Made: made, Tried: tried})
		if errors.Is(err, arena.ErrNoSite) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New().Break(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		_, chosen, err := a.Result()
		if err != nil {
			t.Fatal(err)
		}
		made[chosen[0].ID] = true
		tried[chosen[0].Operator]++
		ms = append(ms, chosen[0])
	}
	return ms
}

func TestReachabilityOfTheExactInverseGivenTheContextAlone(t *testing.T) {
	n := 40
	if os.Getenv("BREAKFIX_CORPUS") != "" {
		n = 150
	}
	trees := corpus(t)
	var names []string
	for name := range trees {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		perOperator := map[string][]int{}
		counts := map[int]int{}
		limits := []int{1, 8, 24, 64, 400}
		ms := sample(t, trees[name], n)
		for _, m := range ms {
			rank := rankOf(t, trees[name], m)
			perOperator[m.Operator] = append(perOperator[m.Operator], rank)
			for _, l := range limits {
				if rank > 0 && rank <= l {
					counts[l]++
				}
			}
			if testing.Verbose() && (rank == 0 || rank > 24) {
				t.Logf("%-5d %s %s:%d %s", rank, m.Operator, m.Path, m.Line, m.Variant)
			}
		}
		var ops []string
		for o := range perOperator {
			ops = append(ops, o)
		}
		sort.Strings(ops)
		for _, o := range ops {
			sort.Ints(perOperator[o])
			t.Logf("%-34s %v", o, perOperator[o])
		}
		for _, l := range limits {
			t.Logf("%s: within %3d: %.0f %%", name, l, 100*float64(counts[l])/float64(len(ms)))
		}
		if 100*counts[24] < 45*len(ms) || 100*counts[64] < 60*len(ms) {
			t.Errorf("%s: %d and %d of %d exact inverses within 24 and 64 candidates, want 45 %% and 60 %%", name, counts[24], counts[64], len(ms))
		}
	}
}

func standardLibrary(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import heapq; print(heapq.__file__)").Output()
	if err != nil {
		t.Fatalf("find the standard library of python3: %v", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}
