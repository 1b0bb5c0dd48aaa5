package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/testrun"
)

// Function is a function with a bug and a test, as HumanEvalPack has them.
type Function struct {
	ID          string `json:"task_id"`
	Declaration string `json:"declaration"`
	Buggy       string `json:"buggy_solution"`
	Right       string `json:"canonical_solution"`
	Test        string `json:"test"`
	Entry       string `json:"entry_point"`
}

// Source is the broken file.
func (f *Function) Source() string { return f.Declaration + f.Buggy }

// module names the file of the i-th function without its suffix.
func module(i int) string { return fmt.Sprintf("solution_%03d", i) }

var number = regexp.MustCompile(`^test_solution_(\d+)\.py::`)

// numbered is the function that a test is of.
func numbered(test string) (int, bool) {
	m := number.FindStringSubmatch(test)
	if m == nil {
		return 0, false
	}
	n := 0
	_, err := fmt.Sscanf(m[1], "%d", &n)
	return n, err == nil
}

// LayOut writes functions into a folder as one project: a file and a file with
// one test each. The call of check at the end of a test becomes the test.
func LayOut(dir string, fs []Function) error {
	for i := range fs {
		f := &fs[i]
		text := strings.TrimRight(f.Test, " \t\n")
		if at := strings.LastIndexByte(text, '\n'); strings.HasPrefix(text[at+1:], "check(") {
			text = text[:at+1]
		}
		test := fmt.Sprintf("from %s import %s\n\n\n%s\n\n\ndef test_%s():\n    check(%s)\n", module(i), f.Entry, strings.Trim(text, "\n"), f.Entry, f.Entry)
		for name, text := range map[string]string{module(i) + ".py": f.Source(), "test_" + module(i) + ".py": test} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// Bug is a function as an attempt is opened at it.
type Bug struct {
	*Function
	red arena.Red
}

// View is what a player sees of it first.
func (b *Bug) View() (builtin.View, error) {
	c := b.red.Contexts[0]
	src, err := b.red.Tree.Read(c.Path)
	if err != nil {
		return builtin.View{}, err
	}
	path, _, _ := strings.Cut(b.red.Tests[0], "::")
	test, err := b.red.Tree.Read(path)
	return builtin.View{Path: c.Path, Source: src, Context: c, Failure: b.red.Failure, RedTest: string(test), Suspects: b.red.Suspects}, err
}

// Functions runs attempts at functions in one prepared tree. A text is run once,
// whoever comes to it.
type Functions struct {
	Bugs []Bug

	runner testrun.Runner
	mu     sync.Mutex
	known  map[string]testrun.Report
}

// Module is the file of the function that a test of LayOut's folder is of; "" for other tests.
func Module(test string) string {
	if i, ok := numbered(test); ok {
		return module(i) + ".py"
	}
	return ""
}

// OpenFunctions takes the red tests of a workspace that LayOut's folder is in, as
// attempts are opened at them.
func OpenFunctions(work testrun.Runner, reds []arena.Red, fs []Function) *Functions {
	set := &Functions{runner: work, known: map[string]testrun.Report{}}
	for _, r := range reds {
		if i, ok := numbered(r.Tests[0]); ok && i < len(fs) {
			set.Bugs = append(set.Bugs, Bug{&fs[i], r})
		}
	}
	sort.SliceStable(set.Bugs, func(i, j int) bool { return set.Bugs[i].red.Tests[0] < set.Bugs[j].red.Tests[0] })
	return set
}

// Run implements testrun.Runner: one test of one tree, once.
func (s *Functions) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	req.Brief = true
	if len(req.Files) > 0 { // a look at values: what is asked is not in the tree
		return s.runner.Run(ctx, req)
	}
	key := req.Tests[0] + "\x00" + string(req.Tree.Digest())
	s.mu.Lock()
	rep, ok := s.known[key]
	s.mu.Unlock()
	if ok {
		return rep, nil
	}
	rep, err := s.runner.Run(ctx, req)
	if err == nil {
		s.mu.Lock()
		s.known[key] = rep
		s.mu.Unlock()
	}
	return rep, err
}

// Attempt is what came of one bug: the step whose tree passed its test, 0 for
// none, and how its edits were called.
type Attempt struct {
	Solved int
	What   []string
	Steps  int
}

// Attempts lets a player attempt each bug once; progress is told how many are done.
func (s *Functions) Attempts(ctx context.Context, p policy.Policy, steps int, seed uint64, workers int, progress func(done int)) ([]Attempt, error) {
	out, errs := make([]Attempt, len(s.Bugs)), make([]error, len(s.Bugs))
	share(ctx, len(s.Bugs), workers, progress, func(i int) { out[i], errs[i] = s.attempt(ctx, p, &s.Bugs[i], steps, seed) })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, ctx.Err()
}

func (s *Functions) attempt(ctx context.Context, p policy.Policy, b *Bug, steps int, seed uint64) (Attempt, error) {
	a, err := arena.NewRed(s, b.red, arena.FixOptions{Seed: seed, Steps: steps})
	if err != nil {
		return Attempt{}, err
	}
	if _, err := p.Fix(ctx, a); err != nil {
		return Attempt{}, fmt.Errorf("%s: %w", b.ID, err)
	}
	res, err := a.Result()
	if err != nil {
		return Attempt{}, err
	}
	got := Attempt{Steps: len(res.Records)}
	for i, r := range res.Records {
		if r.Applied && r.Verdict == outcome.Passed {
			got.Solved = i + 1
			for at := r; ; at = res.Records[at.From-1] {
				got.What = append([]string{at.What}, got.What...)
				if at.From == 0 {
					break
				}
			}
			break
		}
	}
	return got, nil
}

// Reach tells of some bugs how the known fix is reached: how many moves it is, and
// where the first one stands in the order of weights (0: it is not one move).
func (s *Functions) Reach(w *builtin.Weights, of func(id string) bool) ([]Reaching, error) {
	out := []Reaching{}
	for i := range s.Bugs {
		b := &s.Bugs[i]
		if !of(b.ID) {
			continue
		}
		v, err := b.View()
		if err != nil {
			return nil, err
		}
		right := []byte(b.Declaration + b.Right)
		way := builtin.WayTo(v, right)
		out = append(out, Reaching{b.ID, way.Moves, builtin.RankOf(v, right, w), way.What})
	}
	return out, nil
}

// Reaching is how a known fix is reached.
type Reaching struct {
	ID    string   `json:"id"`
	Moves int      `json:"moves"` // 1, 2; 0: more
	Rank  int      `json:"rank"`
	What  []string `json:"what,omitempty"`
}

var _ testrun.Runner = (*Functions)(nil)
