package builtin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// option is a candidate with its place in the order of this attempt.
type option struct {
	Candidate
	list  *list
	text  string  // which text it leads from, within the attempt
	score float64 // log prior + noise
	rank  int     // 1-based among the candidates of its file by prior and values, without noise
}

// turn is a condition of a tree that was turned around.
type turn struct {
	list *list
	turned
}

// stand is a tree from which edits are tried.
type stand struct {
	step    int // 0: the broken tree
	failure testrun.Failure
	verdict outcome.Verdict
	green   int // red tests that pass on it, of several
	gain    int // how much further the red test gets than on the broken tree
	prior   float64
	queue   []option
	open    bool // the queue was made
	depth   int
	from    *stand  // what was edited; nil of the broken tree
	value   float64 // of the value head, the most of its views'
	visits  int     // steps that began here
	worth   float64 // sum of the values of the trees that they led to, 0 where one got no further
}

// tried is one step for the trajectory: with the task it is enough to pose the
// choice again.
type tried struct {
	Kind    Kind             `json:"kind"`
	LogP    float64          `json:"log_prior"`
	Score   float64          `json:"score"`
	Rank    int              `json:"rank"` // 1-based among the candidates of its tree by prior alone
	Verdict string           `json:"verdict"`
	From    int              `json:"from,omitempty"` // the step whose tree was edited
	Path    string           `json:"path"`
	Edits   []tree.Edit      `json:"edits"`
	Failure *testrun.Failure `json:"failure,omitempty"` // of a step that a later one goes on from
	Saw     []string         `json:"saw,omitempty"`     // of the first step: what was seen in each view of the broken tree
}

// search is one attempt.
type search struct {
	arena     arena.Fix
	lists     *lists
	weights   *Weights
	task      arena.Task
	random    *rand.Rand
	temp      float64
	tree      bool
	blind     bool
	silent    bool
	sightless bool
	stands    []*stand
	past      []*stand // those of the roll-outs before, but the broken tree
	seen      map[string]bool
	turned    map[turn]bool
	trail     []tried
	saw       []string // of each view of the broken tree, where values were asked for
	turn      int
	files     int     // that the change touches
	other     int     // the step with the likeliest edit that changed the failure
	otherP    float64 // its prior
}

// Fix tries candidates in the order of prior plus noise. A step after which
// the red test passes ends the attempt. A step that gets the test further
// becomes the base of a second edit, to which every third step goes. When no
// step is left, the tree that got furthest is handed in; else one whose
// failure changed; else nothing.
func (p *Policy) Fix(ctx context.Context, a arena.Fix) (policy.Trajectory, error) {
	task := a.Task()
	stream := uint64(seedFix)
	if p.uniform {
		stream = seedEven + p.Seed
	}
	s := &search{arena: a, lists: p.lists, weights: p.weights, task: task, temp: p.Temperature, tree: p.Tree, blind: p.Blind, silent: p.Silent, sightless: p.Sightless, random: rand.New(rand.NewPCG(task.Seed, stream)), seen: map[string]bool{}, turned: map[turn]bool{}}
	s.stands = []*stand{{failure: task.Failure, verdict: outcome.Failed}}
	paths := map[string]bool{}
	for _, c := range task.Contexts {
		paths[c.Path] = true
	}
	s.files = len(paths)
	steps, err := s.rollouts(ctx, max(1, p.Rollouts))
	if err != nil {
		return policy.Trajectory{}, err
	}
	if len(s.trail) > 0 {
		s.trail[0].Saw = s.saw
	}
	data, err := json.Marshal(s.trail)
	return policy.Trajectory{Version: p.Version(), Steps: steps, Data: data}, err
}

// rollouts makes n searches one after the other, each with its share of the
// steps and new noise, and none with what another one tried. The first is the
// search that would be made alone, so that more of them lose nothing.
func (s *search) rollouts(ctx context.Context, n int) (steps int, err error) {
	all := s.task.Steps
	for r := range n {
		if r > 0 {
			s.temp = max(s.temp, DefaultTemperature)
			s.past = append(s.past, s.stands[1:]...)
			s.stands = []*stand{{failure: s.task.Failure, verdict: outcome.Failed}}
			s.turn = 0
		}
		to := all * (r + 1) / n
		at, done, err := s.run(ctx, steps, to)
		steps = at
		if done || err != nil {
			return steps, err
		}
	}
	return steps, s.arena.Submit(s.best())
}

// run makes the steps from one number to another; done when nothing is left
// to hand in.
func (s *search) run(ctx context.Context, steps, to int) (at int, done bool, err error) {
	for steps < to {
		st, o, err := s.next(ctx)
		if err != nil {
			return steps, false, err
		}
		if st == nil {
			break
		}
		obs, err := s.arena.Try(ctx, st.step, o.Path, o.Edits, o.What())
		if errors.Is(err, arena.ErrOutOfSteps) {
			return steps, true, s.arena.Submit(s.best())
		}
		if err != nil {
			return steps, false, err
		}
		steps++
		if st.step > 0 && s.trail[st.step-1].Failure == nil {
			f := st.failure
			if f.Text != "" { // long; that there is one is all that counts
				f.Text = "…"
			}
			s.trail[st.step-1].Failure = &f
		}
		s.trail = append(s.trail, tried{Kind: o.Kind, LogP: round(o.LogPrior), Score: round(o.score), Rank: o.rank, Verdict: string(obs.Verdict),
			From: st.step, Path: o.Path, Edits: o.Edits})
		st.visits++
		if !obs.Applied {
			continue
		}
		if obs.Verdict == outcome.Passed {
			return steps, true, s.arena.Submit(obs.Step)
		}
		s.learn(st, o, obs)
	}
	return steps, false, nil
}

// learn keeps what a failed step showed.
func (s *search) learn(st *stand, o option, obs arena.Observation) {
	if s.blind {
		if s.other == 0 || o.LogPrior > s.otherP {
			s.other, s.otherP = obs.Step, o.LogPrior
		}
		return
	}
	gain := st.gain + progress(st, obs)
	if gain > st.gain && st.depth < 3 {
		s.stands = append(s.stands, &stand{step: obs.Step, green: obs.Green, failure: obs.Failure, verdict: obs.Verdict, gain: gain, prior: o.LogPrior, depth: st.depth + 1, from: st})
	}
	if st.step == 0 && changed(s.stands[0].failure, obs) && (s.other == 0 || o.LogPrior > s.otherP) {
		s.other, s.otherP = obs.Step, o.LogPrior
	}
}

// progress is above 0 when the red test got further than on the tree that was
// edited: more of several red tests pass, it fails at a later line, or in its own assertion rather than by an
// exception of the code, or it fails where it hung.
func progress(st *stand, obs arena.Observation) int {
	now := obs.Failure
	switch {
	case obs.Verdict == outcome.TimedOut || obs.Verdict == outcome.Absent || obs.Verdict == outcome.Skipped:
		return 0
	case obs.Green != st.green:
		return 3 * max(0, obs.Green-st.green)
	case now.TestLine > st.failure.TestLine && st.failure.TestLine > 0:
		return 2
	case now.TestLine < st.failure.TestLine:
		return 0
	case st.verdict == outcome.TimedOut || st.failure.Kind == "":
		return 1
	case st.failure.Kind != "AssertionError" && now.Kind == "AssertionError":
		return 1
	}
	return 0
}

// changed reports whether a step made the red test fail in another way.
func changed(was testrun.Failure, obs arena.Observation) bool {
	return obs.Verdict != outcome.Absent && (obs.Failure.Kind != was.Kind || obs.Failure.Message != was.Message || obs.Failure.TestLine != was.TestLine)
}

// best is the step whose tree is handed in without a pass.
func (s *search) best() int {
	step, gain, prior := s.other, 0, 0.0
	for _, st := range slices.Concat(s.past, s.stands[1:]) {
		if st.gain > gain || st.gain == gain && gain > 0 && st.prior > prior {
			step, gain, prior = st.step, st.gain, st.prior
		}
	}
	return step
}

// next picks the tree and the edit of the next step.
func (s *search) next(ctx context.Context) (*stand, option, error) {
	s.turn++
	order := s.inTurn()
	if s.tree {
		var err error
		if order, err = s.puct(ctx); err != nil {
			return nil, option{}, err
		}
	}
	for _, st := range order {
		if err := s.open(ctx, st); err != nil {
			return nil, option{}, err
		}
		for len(st.queue) > 0 { // the likeliest that is new
			o := st.queue[0]
			st.queue = st.queue[1:]
			fresh, err := s.fresh(o)
			if err != nil {
				return nil, option{}, err
			}
			if fresh {
				return st, o, nil
			}
		}
	}
	return nil, option{}, nil
}

// inTurn orders the trees: every third step goes to the one that got furthest, all others to
// the broken tree.
func (s *search) inTurn() []*stand {
	order := []*stand{s.stands[0]}
	better := slices.Clone(s.stands[1:])
	sort.SliceStable(better, func(i, j int) bool {
		if better[i].gain != better[j].gain {
			return better[i].gain > better[j].gain
		}
		return better[i].prior > better[j].prior
	})
	if s.turn%3 == 0 {
		return append(better, order...)
	}
	return append(order, better...)
}

// open lists the candidates of a tree, once.
func (s *search) open(ctx context.Context, st *stand) error {
	if st.open {
		return nil
	}
	st.open = true
	task, failure := s.task, st.failure
	if s.silent {
		task.RedTest, failure = "", testrun.Failure{}
	}
	views, err := viewsOf(task, s.arena.ReadAt, st.step, failure)
	if err != nil {
		return err
	}
	var asked []View
	var saw []string
	if st.step == 0 && !s.silent && !s.sightless {
		asked = views
	}
	for _, v := range views {
		l, err := s.lists.of(v, s.weights, asked)
		if err != nil {
			return fmt.Errorf("list the candidates: %w", err)
		}
		if asked != nil {
			if err := l.ask(ctx, s.arena, s.weights); err != nil {
				return fmt.Errorf("look at values: %w", err)
			}
			saw = append(saw, l.saw)
		}
		s.admit(st, v.Source, l)
		st.value = max(st.value, l.value)
	}
	if asked != nil { // each roll-out begins there again, and sees the same
		s.saw = saw
	}
	sort.SliceStable(st.queue, func(i, j int) bool { return st.queue[i].score > st.queue[j].score })
	return nil
}

// viewsOf gives what the generator looks at on the tree after a step, a view
// for each context of the task; read gives a file after a step.
func viewsOf(task arena.Task, read func(step int, path string) ([]byte, error), step int, failure testrun.Failure) ([]View, error) {
	var views []View
	for _, c := range task.Contexts {
		src, err := read(step, c.Path)
		if err != nil {
			return nil, fmt.Errorf("read the context: %w", err)
		}
		suspects := task.Suspects
		if step > 0 { // the lines below an edit have moved
			first, err := read(0, c.Path)
			if err != nil {
				return nil, fmt.Errorf("read the context: %w", err)
			}
			if moved := lines(src) - lines(first); c.WindowFirst > 0 {
				c.LastLine += moved
				c.WindowLast += moved
			} else {
				to := shifted(first, src)
				c.FirstLine, c.LastLine = to(c.FirstLine), to(c.LastLine+1)-1
				suspects = suspectsOf(suspects, c, to)
			}
		} else {
			suspects = suspectsOf(suspects, c, func(line int) int { return line })
		}
		views = append(views, View{Path: c.Path, Source: src, Context: c, Failure: failure, RedTest: task.RedTest, Suspects: suspects})
	}
	return views, nil
}

// admit adds noise to the candidates of one file.
func (s *search) admit(st *stand, src []byte, l *list) {
	if len(l.cs) == 0 {
		return
	}
	where := l.cs[0].Path
	if s.files > 1 { // the same text beside other changes of another file is another tree
		where = fmt.Sprint(st.step, " ", where)
	}
	s.seen[where+"\x00"+string(tree.DigestOf(src))] = true
	for i, c := range l.cs {
		st.queue = append(st.queue, option{Candidate: c, list: l, text: where, score: c.LogPrior + l.mass + s.temp*gumbel(s.random), rank: i + 1})
	}
}

// fresh reports whether an edit leads to a text that is sound and was not tried
// in this attempt, in the same or in other words.
func (s *search) fresh(o option) (bool, error) {
	at := turn{o.list, o.turns}
	if s.turned[at] {
		return false, nil
	}
	out, err := tree.ApplyEdits(o.list.view.Source, o.Edits)
	key := o.text + "\x00" + string(tree.DigestOf(out))
	if err != nil || s.seen[key] {
		return false, nil
	}
	s.seen[key] = true
	fresh, err := o.list.sound(o.rank - 1)
	if o.turns != (turned{}) {
		s.turned[at] = fresh
	}
	return fresh, err
}

func lines(src []byte) int {
	n := 0
	for _, c := range src {
		if c == '\n' {
			n++
		}
	}
	return n
}
