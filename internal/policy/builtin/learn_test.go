package builtin

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/arena"
	"breakfix/internal/arena/arenatest"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/tree"
)

// played is an attempt at a bug of the stack by p, worth reward.
func played(t *testing.T, p *Policy, seed uint64, old, now string) (policy.Scored, bool) {
	t.Helper()
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, map[string]string{"pkg/__init__.py": "", "pkg/stack.py": stack}, "pkg/stack.py", old, now, pushTest)
	a, err := arena.NewFix(r, b, broken, arena.FixOptions{Seed: seed, Steps: 24})
	if err != nil {
		t.Fatal(err)
	}
	trajectory, err := p.Fix(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	return policy.Scored{Role: arena.Fixer, Trajectory: trajectory, Group: old, Fix: a}, got.Ending == arena.Submitted
}

// placeOf is the place of the edit that makes the stack right again.
func placeOf(t *testing.T, p *Policy, s policy.Scored) int {
	t.Helper()
	views, err := viewsOf(s.Fix.Task(), s.Fix.ReadAt, 0, s.Fix.Task().Failure)
	if err != nil || len(views) != 1 {
		t.Fatal(views, err)
	}
	cs := ordered(views[0], p.weights)
	for i, c := range cs {
		if out, err := tree.ApplyEdits(views[0].Source, c.Edits); err == nil && bytes.Equal(out, []byte(stack)) {
			return i + 1
		}
	}
	t.Fatal("the repair is not among the moves")
	return 0
}

func TestWhatWasJudgedFixedIsRankedHigherAndTheSameBatchMakesTheSameVersion(t *testing.T) {
	hand := New() // plays for the one that learns: what is learned from need not be its own
	win, solved := played(t, hand, 3, "self.items[-1]", "self.items[1]")
	if !solved {
		t.Fatal("the attempt to learn from failed")
	}
	var did []tried
	if err := json.Unmarshal(win.Trajectory.Data, &did); err != nil {
		t.Fatal(err)
	}
	if last := did[len(did)-1]; last.Verdict != string(outcome.Passed) || len(last.Edits) != 1 || last.Edits[0].New != "-" || last.Path != "pkg/stack.py" {
		t.Fatalf("the trajectory ends with %+v", last)
	}
	win.Won, win.Reward, win.Advantage = true, 1, 0.5
	lost := win // the same edits, but for the last
	lost.Won, lost.Reward, lost.Advantage = false, 0, -0.5
	cut, err := json.Marshal(did[:len(did)-1])
	if err != nil {
		t.Fatal(err)
	}
	lost.Trajectory.Data = cut
	batch := []policy.Scored{win, lost}

	var files [2][]byte
	var version policy.Version
	for i := range files {
		p := With(Scratch(1))
		before := placeOf(t, p, win)
		for range 5 {
			was := p.Version()
			now, err := p.Learn(context.Background(), batch)
			if err != nil {
				t.Fatal(err)
			}
			if now == was || now != p.Version() {
				t.Fatalf("version %s follows %s; the policy says %s", now, was, p.Version())
			}
		}
		if after := placeOf(t, p, win); after > 20 || after >= before {
			t.Errorf("the repair is at place %d after learning, %d before", after, before)
		}
		dir := t.TempDir()
		if err := p.Save(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		if files[i], err = os.ReadFile(filepath.Join(dir, fixerFile)); err != nil {
			t.Fatal(err)
		}
		version = p.Version()
		other := With(Scratch(1))
		if err := other.Restore(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		if other.Version() != version || placeOf(t, other, win) != placeOf(t, p, win) {
			t.Errorf("restored it is %s, saved it was %s", other.Version(), version)
		}
		// From the same state the same batch makes the same version, also after a restart.
		a, err := p.Learn(context.Background(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := other.Learn(context.Background(), batch); err != nil || a != b {
			t.Errorf("one goes on to %s, the other to %s, %v", a, b, err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same batches made other weights")
	}
}

func TestNothingToLearnFromLeavesTheVersion(t *testing.T) {
	p := With(Scratch(1))
	lost, _ := played(t, New(), 3, "self.items[-1]", "self.items[1]")
	lost.Advantage = 0 // all of the group earned the same, and nobody repaired it
	for _, batch := range [][]policy.Scored{nil, {lost}} {
		if v, err := p.Learn(context.Background(), batch); err != nil || v != VersionScratch {
			t.Errorf("%d trajectories make version %s, %v", len(batch), v, err)
		}
	}
	if New().Learns() {
		t.Error("the prior that was set by hand says that it learns")
	}
	if _, err := New().Learn(context.Background(), []policy.Scored{lost}); err == nil {
		t.Error("the prior that was set by hand learned")
	}
}

func TestBreaksThatAreWorthMoreAreDrawnMoreOftenAndTheyStayDiverse(t *testing.T) {
	bank := stackBank(t)
	p := With(Scratch(1))
	sites, err := bank.Sites()
	if err != nil {
		t.Fatal(err)
	}
	good := func(name string) bool { return strings.HasPrefix(name, "c") || strings.HasPrefix(name, "v") }
	open := func(seed uint64) *arena.BreakArena {
		a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	chance := func() (sum, entropy float64) {
		logs, err := p.logs(sites, open(0))
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range logs {
			if good(sites[i].Operator) {
				sum += math.Exp(l)
			}
		}
		return sum, entropyOf(logs)
	}
	before, wide := chance()
	seed := uint64(0)
	for range 40 {
		var batch []policy.Scored
		for range 8 {
			seed++
			a := open(seed)
			played, err := p.Break(context.Background(), a)
			if err != nil {
				t.Fatal(err)
			}
			_, ms, err := a.Result()
			if err != nil {
				t.Fatal(err)
			}
			s := policy.Scored{Role: arena.Breaker, Trajectory: played, Break: a, Group: "source 0", Advantage: -1}
			if good(ms[0].Operator) {
				s.Advantage = 1
			}
			batch = append(batch, s)
		}
		if _, err := p.Learn(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	after, narrow := chance()
	if after < before+0.25 {
		t.Errorf("good breaks are drawn with chance %.2f after learning, %.2f before", after, before)
	}
	if narrow < 0.7*wide {
		t.Errorf("entropy fell from %.2f to %.2f nats", wide, narrow)
	}
	// What was used before is not learned from again.
	was := p.Version()
	a := open(1)
	old, err := p.Break(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	used := policy.Scored{Role: arena.Breaker, Trajectory: old, Break: a, Advantage: 1, Uses: 1}
	if now, err := p.Learn(context.Background(), []policy.Scored{used}); err != nil || now != was {
		t.Errorf("version %s follows %s, %v", now, was, err)
	}
}

// TestABreakOfAnEarlierVersionCountsByHowLikelyItIsNow: the truncated ratio of importance sampling.
func TestABreakOfAnEarlierVersionCountsByHowLikelyItIsNow(t *testing.T) {
	bank := stackBank(t)
	sites, err := bank.Sites()
	if err != nil {
		t.Fatal(err)
	}
	open := func(seed uint64) *arena.BreakArena {
		a, err := arena.NewBreak(bank, arena.BreakOptions{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	gain := func(version policy.Version, earlier float64) float64 {
		p := With(Scratch(1))
		a := open(1)
		old, err := p.Break(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		var did broke
		if err := json.Unmarshal(old.Data, &did); err != nil {
			t.Fatal(err)
		}
		chance := func() float64 {
			logs, err := p.logs(sites, open(0))
			if err != nil {
				t.Fatal(err)
			}
			return logs[slices.IndexFunc(sites, func(m mutate.Mutation) bool { return m.ID == did.Mutation })]
		}
		before := chance()
		did.LogProb += earlier
		if old.Data, err = json.Marshal(did); err != nil {
			t.Fatal(err)
		}
		if version != "" {
			old.Version = version
		}
		if _, err := p.Learn(context.Background(), []policy.Scored{{Role: arena.Breaker, Trajectory: old, Break: a, Advantage: 1}}); err != nil {
			t.Fatal(err)
		}
		return chance() - before
	}
	own, same := gain("", 0), gain("builtin-earlier", 0)
	rare, twice, often := gain("builtin-earlier", 3), gain("builtin-earlier", -math.Log(2)), gain("builtin-earlier", -9)
	if own <= 0 || math.Abs(own-same) > 1e-3*own || rare > 0.5*own || twice < 1.1*own || math.Abs(often-twice) > 1e-3*twice {
		t.Errorf("a break of this version gains %.4f nats; of an earlier one %.4f as likely, %.4f where it was likelier, %.4f and %.4f where it was rarer", own, same, rare, twice, often)
	}
}

func TestABugThatNobodyRepairedTeachesItsRepair(t *testing.T) {
	r := &arenatest.Runner{Dir: t.TempDir()}
	b, broken := arenatest.Bug(t, r, map[string]string{"pkg/__init__.py": "", "pkg/stack.py": stack}, "pkg/stack.py", "self.items[-1]", "self.items[1]", pushTest)
	a, err := arena.NewFix(r, b, broken, arena.FixOptions{Seed: 1, Steps: 8})
	if err != nil {
		t.Fatal(err)
	}
	lost := policy.Scored{Role: arena.Fixer, Trajectory: policy.Trajectory{Data: []byte("[]")}, Group: "episode 1", Fix: a}
	p := With(Scratch(1))
	if now, err := p.Learn(context.Background(), []policy.Scored{lost}); err != nil || now != VersionScratch {
		t.Fatalf("without its repair an attempt that tried nothing makes version %s, %v", now, err)
	}
	asked := ""
	lost.Right = func(path string) ([]byte, error) { asked = path; return []byte(stack), nil }
	before := placeOf(t, p, lost)
	for range 8 {
		if _, err := p.Learn(context.Background(), []policy.Scored{lost}); err != nil {
			t.Fatal(err)
		}
	}
	if after := placeOf(t, p, lost); asked != "pkg/stack.py" || after > 20 || after >= before {
		t.Errorf("the repair, asked for in %s, is at place %d after learning, %d before", asked, after, before)
	}
}

func TestDamagedFunctionsAreLearnedBesideABatchAndAreTheSameAgain(t *testing.T) {
	p := With(Scratch(1))
	p.Warm = 0
	if v, err := p.Begin(context.Background(), []policy.Text{{Path: "pkg/lessons.py", Source: []byte(lessons)}}, nil); err != nil || v != VersionScratch {
		t.Fatal(v, err)
	}
	one, err := p.damages(context.Background(), 6, 5)
	if err != nil || len(one) != 6 {
		t.Fatal(len(one), err)
	}
	two, err := p.damages(context.Background(), 6, 5)
	if err != nil || !cmp.Equal(one, two, cmp.AllowUnexported(kept{}, network.Packed{})) {
		t.Errorf("the same seed gives other damages: %v", err)
	}
	if none, err := With(Scratch(1)).damages(context.Background(), 6, 5); err != nil || len(none) != 0 {
		t.Errorf("of no code there are %d damages, %v", len(none), err)
	}
}

func TestBeginTeachesWhatCodeLooksLikeOnlyToWhatKnowsNothing(t *testing.T) {
	p := With(Scratch(1))
	p.Warm = 30
	steps := 0
	v, err := p.Begin(context.Background(), []policy.Text{{Path: "pkg/lessons.py", Source: []byte(lessons)}}, func(done, of int) { steps = of })
	if err != nil || v == VersionScratch || v != p.Version() || steps != 30 {
		t.Fatalf("version %s, %v, %d examples", v, err, steps)
	}
	if p.weights.card[cardPrior] != priorNone {
		t.Error("what began from nothing has the prior that was set by hand beneath it")
	}
	if again, err := p.Begin(context.Background(), nil, nil); err != nil || again != v {
		t.Errorf("it began twice: %s, %v", again, err)
	}
	empty := With(Scratch(1))
	if v, err := empty.Begin(context.Background(), nil, func(int, int) {}); err != nil || v != VersionScratch {
		t.Errorf("from no code at all: %s, %v", v, err)
	}
}

func TestAFolderThatHoldsNoVersionOfOursIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := With(Scratch(1)).Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"holds no version":    func() error { return os.Remove(filepath.Join(dir, versionFile)) },
		"is damaged":          func() error { return os.WriteFile(filepath.Join(dir, versionFile), []byte("{"), 0o644) },
		"not of the built-in": func() error { return os.WriteFile(filepath.Join(dir, versionFile), []byte(`{"policy":"llm"}`), 0o644) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if err := With(Scratch(1)).Restore(context.Background(), dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := With(Scratch(1)).Save(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fixerFile, breakerFile} {
		whole, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), whole[:len(whole)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("of half of %s: %v", file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), slices.Clone(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
