package llm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// measures is the small target of the learning tests: n functions of one line, of
// five kinds, each in a file of its own with a test of three calls at its boundary.
func measures(n int) map[string]string {
	files := map[string]string{"small/__init__.py": ""}
	for i := range n {
		var code, tests strings.Builder
		k := i + 2
		name, body := "", ""
		var pairs [][2]int
		switch i % 5 {
		case 0:
			name, body, pairs = fmt.Sprintf("over%d", i), fmt.Sprintf("a - b > %d", k), [][2]int{{6 + k, 5}, {5 + k, 5}, {5, 5}}
		case 1:
			name, body, pairs = fmt.Sprintf("under%d", i), fmt.Sprintf("a + b < %d", k*10), [][2]int{{1, k*10 - 2}, {1, k*10 - 1}, {-9, 3}}
		case 2:
			name, body, pairs = fmt.Sprintf("part%d", i), fmt.Sprintf("a * %d + b", k), [][2]int{{2, 7}, {3, 1}, {0, 4}}
		case 3:
			name, body, pairs = fmt.Sprintf("same%d", i), fmt.Sprintf("a == b + %d", k), [][2]int{{4 + k, 4}, {4, 4 + k}, {4, 4}}
		case 4:
			name, body, pairs = fmt.Sprintf("both%d", i), fmt.Sprintf("a > %d and b > %d", k, k+1), [][2]int{{k + 1, k + 2}, {k, k + 2}, {k + 1, k + 1}}
		}
		fmt.Fprintf(&code, "def %s(a, b):\n    return %s\n", name, body)
		fmt.Fprintf(&tests, "from small import %s as m\n", name)
		var got, want []string
		for _, p := range pairs {
			a, b := p[0], p[1]
			got = append(got, fmt.Sprintf("m.%s(%d, %d)", name, a, b))
			switch i % 5 {
			case 0:
				want = append(want, python(a-b > k))
			case 1:
				want = append(want, python(a+b < k*10))
			case 2:
				want = append(want, fmt.Sprint(a*k+b))
			case 3:
				want = append(want, python(a == b+k))
			case 4:
				want = append(want, python(a > k && b > k+1))
			}
		}
		fmt.Fprintf(&tests, "\n\ndef test_%s():\n    got = [%s]\n    assert got == [%s], got\n", name, strings.Join(got, ", "), strings.Join(want, ", "))
		files["small/"+name+".py"], files["tests/test_"+name+".py"] = code.String(), tests.String()
	}
	return files
}

func python(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func TestTheSmallTargetCanBePlayed(t *testing.T) {
	target, _, bank := quickTarget(t, measures(60))
	sites, err := bank.Sites()
	if err != nil {
		t.Fatal(err)
	}
	valid, reach, of := 0, map[int]int{}, 0
	r := rand.New(rand.NewPCG(1, 1))
	began := time.Now()
	known := &bug.Known{}
	out := map[string]int{}
	for _, i := range r.Perm(len(sites))[:150] {
		m := sites[i]
		broken, err := mutate.Apply(target.Snapshot.Tree, m)
		if err != nil {
			t.Fatal(err)
		}
		res, err := bug.Validate(t.Context(), target, bug.Candidate{Tree: broken, Mutations: []mutate.Mutation{m}, Strategy: "operator", Order: 1, Tier: testrun.CodeSwap}, known)
		if err != nil {
			t.Fatal(err)
		}
		out[string(res.Outcome)+" "+string(res.Check)+" "+res.Reason]++
		if res.Outcome != outcome.Valid {
			continue
		}
		known.Add(res.Bug)
		valid++
		a, err := arena.NewFix(target.Judge, res.Bug, broken, arena.FixOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s := &fixing{a: a, most: 100}
		if err := s.list(); err != nil {
			t.Fatal(err)
		}
		for k, m := range s.moves {
			src, _ := a.ReadAt(0, m.Path)
			_ = src
			o, err := a.Mutate(t.Context(), 0, m.ID)
			if err != nil {
				break
			}
			if o.Verdict == outcome.Passed {
				reach[k+1]++
				out["~"+sites[i].Operator+fmt.Sprint(" ", len(s.moves), ":", k+1)]++
				break
			}
		}
		of++
	}
	t.Log(len(sites), "sites;", valid, "valid of 40;", reach, of, time.Since(began), out)
}
