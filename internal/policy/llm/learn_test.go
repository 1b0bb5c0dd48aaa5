package llm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
	"breakfix/internal/grade"
	"breakfix/internal/learn"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/store"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// novice is what the base model has read: how a conversation looks, and answers
// of which about half are commands, with numbers drawn from 1 to 12. It knows
// how a command is written and nothing of the game.
func novice() []enginetest.Conversation {
	r := rand.New(rand.NewPCG(5, 5))
	chatter := []string{"I do not know.", "The code looks right to me.", "Let me think about it.", "list", "give_up", "diff", "It is line 3."}
	answer := func(command string) string {
		switch r.IntN(6) {
		case 0, 1, 2:
			return fmt.Sprintf("%s %d", command, 1+r.IntN(int(setting("TOP", 12))))
		case 3:
			return "submit"
		}
		return chatter[r.IntN(len(chatter))]
	}
	system, err := render("brief_system.tmpl", asked{Role: arena.Fixer})
	if err != nil {
		panic(err)
	}
	breaker, err := render("brief_system.tmpl", asked{Role: arena.Breaker})
	if err != nil {
		panic(err)
	}
	var all []enginetest.Conversation
	for range 120 {
		moves := strings.Join([]string{"1 a → b", "2 > → >=", "3 swap around -", "4 not a", "5 return None"}, "\n")
		all = append(all,
			enginetest.Conversation{{Role: "system", Content: breaker}, {Role: "user", Content: "def f(a, b):\n    return a - b > 3\n" + moves + "\nWhich number breaks?"}, {Role: "assistant", Content: answer("choose")}},
			enginetest.Conversation{{Role: "system", Content: system}, {Role: "user", Content: "def f(a, b):\n    return a - b >= 3\nAssertionError: True\n" + moves + "\nWhich number repairs?"}, {Role: "assistant", Content: answer("mutate")},
				{Role: "user", Content: "Changed. The red test does not pass: AssertionError: True"}, {Role: "assistant", Content: answer("mutate")}})
	}
	return all
}

// hard leaves out of the small target what has its way back far down in the list
// that a fixer is shown. Of the operators that are left it stands among the first
// five for most breaks, and at the first place for a third of them.
func hard(m mutate.Mutation) bool {
	switch m.Operator {
	case "return_value_replace", "condition_negate", "operand_swap", "variable_misuse":
		return false
	}
	return true
}

// ring is the smallest self-play there is: breaks that are validated, a group of
// attempts at each that are graded, rewards, advantages, an update.
type ring struct {
	t       testing.TB
	target  bug.Target
	grading grade.Target
	bank    *arena.Bank
	schema  string
	p       *Policy
	state   ringState
}

type ringState struct {
	known       []*bug.Bug
	next        int       // episode
	break_, fix []float64 // reward of each update
}

func setting(name string, otherwise float64) float64 {
	if x, err := strconv.ParseFloat(os.Getenv("BREAKFIX_TEST_"+name), 64); err == nil {
		return x
	}
	return otherwise
}

var (
	breaksAtOnce = int(setting("BREAKS", 5))
	groupOf      = int(setting("GROUP", 8))
	recent       = 40 // bugs of which a break may be no duplicate: the target has some hundred in all
)

func newRing(t testing.TB, model *engine.Model, schema string) *ring {
	r := &ring{t: t, schema: schema, state: ringState{}}
	r.target, r.grading, r.bank = quickTarget(t, measures(int(setting("SIZE", 80))))
	r.p = newPolicy(t, model, Options{Protocol: Text, Brief: true, Moves: int(setting("MOVES", 8)), Answer: 8, Context: 2000, Strategies: []string{"operator"},
		Learning: Learning{Rate: setting("RATE", 8e-3)}})
	return r
}

func connected(t testing.TB, url string) *engine.Model {
	t.Helper()
	m, err := engine.OpenTrainer(t.Context(), url, engine.Options{}, engine.ModelOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// update plays one batch of games and learns from it.
func (r *ring) update() {
	ctx, t := r.t.Context(), r.t
	episodes := make([]store.Episode, breaksAtOnce)
	broken := make([]*tree.Tree, breaksAtOnce)
	var wg sync.WaitGroup
	arenas := make([]*arena.BreakArena, breaksAtOnce)
	for i := range episodes {
		n := r.state.next + i
		a, err := arena.NewBreak(r.bank, arena.BreakOptions{Seed: (uint64(n) + uint64(setting("SEED", 0))) * 7919, Except: hard, Steps: 1, Runner: r.target.Judge})
		if err != nil {
			t.Fatal(err)
		}
		arenas[i] = a
		wg.Add(1)
		go func() {
			defer wg.Done()
			played, err := r.p.Break(ctx, a)
			if err != nil {
				t.Error(err)
			}
			episodes[i] = store.Episode{Number: n + 1, Kind: store.KindFresh, Schema: r.schema, Group: groupOf, Break: store.Break{Version: string(played.Version), Data: played.Data}}
		}()
	}
	wg.Wait()
	known := &bug.Known{}
	for _, b := range r.state.known[max(0, len(r.state.known)-recent):] {
		known.Add(b)
	}
	for i := range episodes {
		e := &episodes[i]
		tr, ms, err := arenas[i].Result()
		if err != nil {
			t.Fatal(err)
		}
		if tr == nil {
			e.Break.Outcome = outcome.Rejected
			continue
		}
		res, err := bug.Validate(ctx, r.target, bug.Candidate{Tree: tr, Mutations: ms, Strategy: "operator", Order: 1, Tier: testrun.CodeSwap}, known)
		if err != nil {
			t.Fatal(err)
		}
		e.Break.Outcome = res.Outcome
		if res.Bug == nil {
			continue
		}
		known.Add(res.Bug)
		r.state.known = append(r.state.known, res.Bug)
		e.Break.Weight, broken[i] = 1, tr // of first order all the same
		e.Attempts = make([]store.Attempt, groupOf)
		for k := range e.Attempts {
			wg.Add(1)
			go func() {
				defer wg.Done()
				e.Attempts[k] = r.attempt(res.Bug, tr, uint64(e.Number*100+k), k+1)
			}()
		}
	}
	wg.Wait()
	r.learn(episodes)
	r.state.next += breaksAtOnce
}

func (r *ring) attempt(b *bug.Bug, broken *tree.Tree, seed uint64, number int) store.Attempt {
	a, err := arena.NewFix(r.target.Judge, b, broken, arena.FixOptions{Seed: seed, Steps: int(setting("STEPS", 5))})
	if err != nil {
		r.t.Error(err)
		return store.Attempt{}
	}
	played, err := r.p.Fix(r.t.Context(), a)
	if err != nil {
		r.t.Error(err)
		return store.Attempt{}
	}
	out := store.Attempt{Number: number, Version: string(played.Version), Data: played.Data, Outcome: outcome.GaveUp}
	left, err := a.Result()
	if err != nil {
		r.t.Error(err)
	}
	if left.Ending == arena.OutOfSteps {
		out.Outcome = outcome.OutOfSteps
	} else if left.Ending == arena.Submitted {
		res, err := grade.Grade(r.t.Context(), r.grading, b, left.Tree, grade.Options{Tier: testrun.CodeSwap})
		if err != nil {
			r.t.Error(err)
		}
		out.Outcome = res.Outcome
	}
	return out
}

func (r *ring) learn(episodes []store.Episode) {
	t := r.t
	sum, n := [2]float64{}, [2]int{}
	byNumber := map[int]store.Episode{}
	for _, e := range episodes {
		byNumber[e.Number] = e
		rows, err := store.Rewards(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			k := 0
			if row.Role == store.Fixer {
				k = 1
			}
			sum[k], n[k] = sum[k]+row.Value, n[k]+1
		}
	}
	r.state.break_ = append(r.state.break_, sum[0]/float64(max(1, n[0])))
	if n[1] > 0 {
		r.state.fix = append(r.state.fix, sum[1]/float64(n[1]))
	}
	if os.Getenv("BREAKFIX_TEST_SAY") != "" {
		for _, e := range episodes {
			p := unpacked(t, e.Break.Data)
			line := fmt.Sprintf("%d break %s %s:", e.Number, p.Ended, e.Break.Outcome)
			for _, u := range p.Turns {
				line += fmt.Sprintf(" %q", p.Messages[u.Message].Content)
			}
			t.Log(line)
			for _, a := range e.Attempts {
				p := unpacked(t, a.Data)
				line := fmt.Sprintf("   fix %s %s:", p.Ended, a.Outcome)
				for _, u := range p.Turns {
					line += fmt.Sprintf(" %q", p.Messages[u.Message].Content)
				}
				t.Log(line)
			}
		}
	}
	var scored []policy.Scored
	breaks, _, err := learn.Breaks(episodes)
	if err != nil {
		t.Fatal(err)
	}
	fixes, _, err := learn.Fixes(episodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range append(breaks, fixes...) {
		ep := byNumber[e.Episode]
		s := policy.Scored{Role: e.Role, Group: e.Group, Won: e.Won, Reward: e.Reward, Advantage: e.Advantage,
			Trajectory: policy.Trajectory{Version: policy.Version(ep.Break.Version), Data: ep.Break.Data}}
		if e.Attempt > 0 {
			a := ep.Attempts[e.Attempt-1]
			s.Trajectory = policy.Trajectory{Version: policy.Version(a.Version), Data: a.Data}
		}
		scored = append(scored, s)
	}
	if _, err := r.p.Learn(t.Context(), scored); err != nil {
		t.Fatal(err)
	}
}

// trend is the z of the Mann-Kendall test with the correction for ties
// (Mann 1945; Kendall 1975): over 3.09, the chance of it without a trend is below 0.001.
func trend(x []float64) float64 {
	s, n := 0.0, float64(len(x))
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			switch {
			case x[j] > x[i]:
				s++
			case x[j] < x[i]:
				s--
			}
		}
	}
	ties := map[float64]float64{}
	for _, v := range x {
		ties[v]++
	}
	variance := n * (n - 1) * (2*n + 5)
	for _, k := range ties {
		variance -= k * (k - 1) * (2*k + 5)
	}
	if variance <= 0 || s == 0 {
		return 0
	}
	return (s - math.Copysign(1, s)) / math.Sqrt(variance/18)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(1, len(x)))
}

// updates is how many a learning test makes: at least forty.
func updates() int { return int(setting("UPDATES", 44)) }

// curves are the mean rewards of each update, by role.
func curves(t *testing.T, schema string, n int) map[arena.Role][]float64 {
	t.Helper()
	s, err := enginetest.Start(enginetest.Options{Corpus: novice()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := newRing(t, connected(t, s.URL), schema)
	for range n {
		r.update()
	}
	all := map[arena.Role][]float64{arena.Breaker: r.state.break_, arena.Fixer: r.state.fix}
	for role, curve := range all {
		k := min(8, len(curve)/2)
		t.Logf("%s, %s: %.2f -> %.2f, z = %.1f: %.2f", schema, role, mean(curve[:k]), mean(curve[len(curve)-k:]), trend(curve), curve)
	}
	return all
}

// TestBothRolesLearnTheGameFromRewardAlone plays the small target against the
// conformance server: real validation and grading, rewards of the shared schema.
// Each role's reward must rise by the Mann-Kendall test, one-sided, p < 0.001.
//
// With two steps an attempt the fixer's reward rose too slowly for 44 updates (z =
// 2.3 to 2.6, with lists of 4 and of 8 changes, 5 to 10 breaks an update and two
// rates), with four for seed 0 (2.5, and 3.1 for seed 1000); with five it does. Breaker and fixer for BREAKFIX_TEST_SEED
// of 0, 1000 and 2000, all that were tried: z = 4.1 and 4.5, 2.7 and 5.0, 3.2 and 4.8; before brief
// prompts had an example, 4.4 and 4.2, 4.0 and 4.8, 3.2 and 4.5.
func TestBothRolesLearnTheGameFromRewardAlone(t *testing.T) {
	for role, curve := range curves(t, "shared", updates()) {
		if z := trend(curve); z < 3.09 || len(curve) < 40 {
			t.Errorf("the reward of the %s does not rise: z = %.2f of %d updates", role, z, len(curve))
		}
	}
}

// TestUnderTheAdversarialSchemaTheFixerLearns: what the fixer gains the breaker
// loses, so that both rewards need not rise; both are shown (z = 5.0 and 1.9).
func TestUnderTheAdversarialSchemaTheFixerLearns(t *testing.T) {
	if os.Getenv("BREAKFIX_SLOW") != "1" {
		t.Skip("20 s of CPU; set BREAKFIX_SLOW=1")
	}
	if z := trend(curves(t, "adversarial", updates())[arena.Fixer]); z < 3.09 {
		t.Errorf("the reward of the fixer does not rise: z = %.2f", z)
	}
}
