package builtin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// How repairs are learned. Weights that began from nothing learn at half of the rate that
// they are taught with; those that come with breakfix at less, since what a few dozen games
// say of a few packages is less than what they know (methods.md). The
// floor is in nats of the choice among the moves that are kept: e^1 is some three
// moves that are thought of in earnest.
const (
	learnRate    = 5e-4
	knowingRate  = 2e-4
	learnBatch   = 8 // choices a step,
	learnDamages = 2 // and damaged functions beside them
	learnPasses  = 2
	learnCredit  = 0.5  // worth of policy gradient beside imitation
	learnFloor   = 1.0  // of entropy
	learnEntropy = 0.05 // worth of a nat where there is none left
)

// lesson is one choice among moves with what is wanted of them.
type lesson struct {
	problem *network.Packed
	targets []network.Target
	solved  float32 // share of the attempts that went on from here and were fixed
}

// position is a tree that edits were tried on, and what came of them.
type position struct {
	task    arena.Task
	read    func(step int, path string) ([]byte, error)
	step    int
	failure testrun.Failure
	saw     []string            // in each of its views, where values were asked for
	right   map[string][][]byte // by file: texts that led to a repair that was judged fixed
	credit  []credited
	solved  float64
	seed    uint64
}

// credited is an edit that was tried, with its part in the advantage of its attempt.
type credited struct {
	path   string
	edits  []tree.Edit
	weight float64
}

// lessons poses again the choices of a batch's attempts, game by game.
func (p *Policy) lessons(ctx context.Context, scored []policy.Scored) ([]*lesson, error) {
	var games [][]policy.Scored
	for from := 0; from < len(scored); {
		to := from + 1
		for to < len(scored) && scored[to].Group == scored[from].Group && scored[to].Role == scored[from].Role {
			to++
		}
		if scored[from].Role == arena.Fixer {
			games = append(games, scored[from:to])
		}
		from = to
	}
	found := make([][]*lesson, len(games))
	err := split(ctx, len(games), func(i int) (err error) {
		found[i], err = p.lessonsOfGame(games[i])
		return err
	})
	return slices.Concat(found...), err
}

// split does n pieces of work in as many parts as a batch has.
func split(ctx context.Context, n int, do func(i int) error) error {
	errs := make([]error, shards)
	var wg sync.WaitGroup
	for w := range shards {
		wg.Go(func() {
			for i := w; i < n && ctx.Err() == nil && errs[w] == nil; i += shards {
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// lessonsOfGame poses the choices of one game, or remembers them: a game that is
// replayed is what it was.
func (p *Policy) lessonsOfGame(group []policy.Scored) ([]*lesson, error) {
	key := gameKey(group)
	if known, ok := p.taught.of(key); ok {
		return known, nil
	}
	all, err := positionsOf(group)
	if err != nil {
		return nil, err
	}
	var out []*lesson
	for _, at := range all {
		some, err := p.lessonsOf(at)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	p.taught.put(key, out)
	return out, nil
}

// positionsOf gives what the attempts of one game have to teach: the broken
// tree, and each tree on the way to a repair of several edits. An attempt's
// advantage goes to the edits that made its repair; where it has none to the
// edits of the broken tree that it tried, each alike.
func positionsOf(group []policy.Scored) ([]*position, error) {
	start := &position{step: 0, right: map[string][][]byte{}}
	all := []*position{start}
	for i := range group {
		s := &group[i]
		if s.Fix == nil {
			continue
		}
		var did []tried
		if err := json.Unmarshal(s.Trajectory.Data, &did); err != nil {
			return nil, fmt.Errorf("read an attempt to learn from: %w", err)
		}
		if start.read == nil {
			start.task = s.Fix.Task()
			start.failure, start.seed = start.task.Failure, start.task.Seed
		}
		if len(did) > 0 && start.saw == nil {
			start.saw = did[0].Saw
		}
		read := reader(s.Fix, did)
		if start.read == nil {
			start.read = read
		}
		path := wayTo(did)
		switch {
		case len(path) > 0 && (s.Won || s.Advantage != 0):
			for _, k := range path {
				at := start
				if from := did[k].From; from > 0 {
					at = &position{task: start.task, read: read, step: from, right: map[string][][]byte{}, seed: start.seed + uint64(k)}
					if f := did[from-1].Failure; f != nil {
						at.failure = *f
					}
					all = append(all, at)
				}
				if s.Won {
					text, err := read(k+1, did[k].Path)
					if err != nil {
						return nil, err
					}
					at.right[did[k].Path] = append(at.right[did[k].Path], text)
					if at != start {
						at.solved = 1
					}
				}
				at.credit = append(at.credit, credited{did[k].Path, did[k].Edits, s.Advantage})
			}
		case s.Advantage < 0:
			n := 0
			for _, t := range did {
				if t.From == 0 {
					n++
				}
			}
			for _, t := range did {
				if t.From == 0 {
					start.credit = append(start.credit, credited{t.Path, t.Edits, s.Advantage / float64(n)})
				}
			}
		}
		if s.Won {
			start.solved += 1 / float64(len(group))
		}
	}
	if start.read == nil {
		return nil, nil
	}
	if right := group[0].Right; right != nil { // every bug comes with its repair, whoever found one
		for _, c := range start.task.Contexts {
			text, err := right(c.Path)
			if err != nil {
				return nil, fmt.Errorf("read the code before it was broken: %w", err)
			}
			start.right[c.Path] = append(start.right[c.Path], text)
		}
	}
	return all, nil
}

// wayTo lists the steps that led to a tree on which the red test passed, in
// order; nothing where there is none.
func wayTo(did []tried) []int {
	last := len(did) - 1
	if last < 0 || did[last].Verdict != string(outcome.Passed) {
		return nil
	}
	var path []int
	for k := last; k >= 0; k = did[k].From - 1 {
		path = append(path, k)
		if did[k].From > k { // changed by hand
			return nil
		}
	}
	slices.Reverse(path)
	return path
}

// reader gives files of the trees of an attempt, from the broken tree and the
// edits that were tried.
func reader(a arena.Fix, did []tried) func(step int, path string) ([]byte, error) {
	var read func(step int, path string) ([]byte, error)
	read = func(step int, path string) ([]byte, error) {
		if step == 0 {
			return a.ReadAt(0, path)
		}
		if step > len(did) || did[step-1].From >= step {
			return nil, fmt.Errorf("an attempt to learn from has no step %d to go on from", step)
		}
		t := &did[step-1]
		src, err := read(t.From, path)
		if err != nil || t.Path != path {
			return src, err
		}
		return tree.ApplyEdits(src, t.Edits)
	}
	return read
}

// lessonsOf poses a position: a lesson for each of its views in which
// something is wanted.
func (p *Policy) lessonsOf(at *position) ([]*lesson, error) {
	if len(at.right) == 0 && len(at.credit) == 0 {
		return nil, nil
	}
	views, err := viewsOf(at.task, at.read, at.step, at.failure)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(at.seed, 0x6c6561726e))
	var out []*lesson
	for i, v := range views {
		saw := ""
		if i < len(at.saw) {
			saw = at.saw[i]
		}
		l, err := p.lessonOf(at, v, saw, r)
		if err != nil {
			return nil, err
		}
		if l != nil {
			out = append(out, l)
		}
	}
	return out, nil
}

// Moves of a lesson beside those that are wanted: the likeliest, which stand in the way of
// what is right, and some of all others, each for its share of them (importance sampling).
const (
	learnFront = 160
	learnRest  = 120
)

// lessonOf poses one view with all the moves that explain a repair, all that
// were tried, and some others.
func (p *Policy) lessonOf(at *position, v View, seen string, r *rand.Rand) (*lesson, error) {
	g := generate(v, true)
	if g == nil {
		return nil, nil
	}
	ps := g.picks(g.drafts.len())
	wanted := g.wanted(at, ps)
	if len(wanted) == 0 {
		return nil, nil
	}
	saw, err := unpackSaw(seen, g.drafts.len())
	if err != nil {
		return nil, err
	}
	said, front := map[int32]arena.Answer{}, map[int32]bool{}
	for k, m := range saw.moves {
		if int(m) >= len(ps) {
			return nil, errors.New("what an attempt saw of its moves is of another view")
		}
		said[m] = saw.said[k]
		front[m] = k < learnFront
	}
	rest := len(ps) - min(len(saw.moves), learnFront)
	share := min(1, float64(learnRest)/float64(max(1, rest)))
	l := &lesson{solved: float32(at.solved)}
	var kept []Candidate
	var base []float64
	for i := range ps {
		weight, there := wanted[i]
		stands := 0.0 // for how many it stands, as a logarithm
		if !there && !front[int32(i)] {
			if r.Float64() >= share {
				continue
			}
			stands = -math.Log(share)
		}
		if there {
			l.targets = append(l.targets, network.Target{Move: len(kept), Weight: float32(weight)})
		}
		kept, base = append(kept, g.candidate(&ps[i], i)), append(base, stands)
	}
	problem := p.weights.pose(g, kept)
	for i := range kept {
		m, answer := &problem.Moves[i], said[kept[i].at]
		m.Seen = uint8(answer)
		m.Base = float32(base[i] + p.weights.beneath(&kept[i], answer))
	}
	l.problem = network.Pack(problem)
	return l, nil
}

// wanted is what is wanted of moves: imitation of those that explain a repair, and the
// advantage of those that were tried.
func (g *generator) wanted(at *position, ps []pick) map[int]float64 {
	wanted := map[int]float64{}
	var right []int
	for _, text := range at.right[g.view.Path] {
		for _, i := range g.back(text, ps) {
			if !slices.Contains(right, i) {
				right = append(right, i)
			}
		}
	}
	for _, i := range right { // expert iteration: all that explain it, alike
		wanted[i] += 1 / float64(len(right))
	}
	for _, c := range at.credit {
		if c.path != g.view.Path {
			continue
		}
		key := editKey(c.edits)
		if i := slices.IndexFunc(ps, func(p pick) bool { return p.key == key }); i >= 0 {
			wanted[i] += learnCredit * c.weight
		}
	}
	return wanted
}
