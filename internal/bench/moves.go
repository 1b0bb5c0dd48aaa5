package bench

import (
	"context"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"sync"

	"breakfix/internal/arena"
	"breakfix/internal/lang"
	"breakfix/internal/mutate"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/tree"
)

// Repair is a broken file whose right text is known.
type Repair struct {
	Group string // operator, or the set it is of
	Name  string
	View  builtin.View
	Right []byte
}

// Reached counts repairs by how many moves of the fixer's grammar they are.
type Reached struct {
	Bugs    int `json:"bugs"`
	One     int `json:"one"`
	Two     int `json:"two"`     // two moves and not one
	Survive int `json:"survive"` // bugs whose removed names, numbers and strings stand in the broken file
	Reached int `json:"reached"` // of those: in one or two moves
}

// Share is the share of all that one or two moves reach.
func (r Reached) Share() float64 { return float64(r.One+r.Two) / float64(max(1, r.Bugs)) }

// Surviving is the share of those whose tokens survive.
func (r Reached) Surviving() float64 { return float64(r.Reached) / float64(max(1, r.Survive)) }

func (r *Reached) add(way builtin.Way, survives bool) {
	r.Bugs++
	switch way.Moves {
	case 1:
		r.One++
	case 2:
		r.Two++
	}
	if survives {
		r.Survive++
		if way.Moves > 0 {
			r.Reached++
		}
	}
}

// Beyond is a repair that is more than two moves.
type Beyond struct {
	Group    string `json:"group"`
	Name     string `json:"name"`
	Survives bool   `json:"survives"`
	Is       string `json:"is"`  // the lines that differ, in the broken file
	Was      string `json:"was"` // and in the right one
}

// Moves is what was found, as `bench moves --json` prints it.
type Moves struct {
	Sources   []string           `json:"sources"`
	Seed      uint64             `json:"seed"`
	Operators map[string]Reached `json:"operators"` // mutations of the bank
	Mutations Reached            `json:"mutations"`
	Sets      map[string]Reached `json:"sets"`   // bugs of sets and files, by their names
	Beyond    []Beyond           `json:"beyond"` // more than two moves
	Median    int                `json:"candidates_median"`
	Ended     string             `json:"ended"`
}

// Reach looks for the way back of each repair. groups of operators are counted
// as mutations, others as sets.
func Reach(ctx context.Context, repairs []Repair, workers int, progress func(done int)) Moves {
	ways := make([]*builtin.Way, len(repairs))
	share(ctx, len(repairs), workers, progress, func(i int) {
		way := builtin.WayTo(repairs[i].View, repairs[i].Right)
		ways[i] = &way
	})
	bank := map[string]bool{}
	for _, o := range mutate.Operators() {
		bank[o.Name] = true
	}
	m := Moves{Operators: map[string]Reached{}, Sets: map[string]Reached{}, Beyond: []Beyond{}, Ended: "done"}
	var many []int
	for i, way := range ways {
		if way == nil {
			m.Ended = Interrupted
			continue
		}
		r := &repairs[i]
		many = append(many, way.Candidates)
		survives := builtin.Survives(r.View.Source, r.Right)
		groups := m.Sets
		if bank[r.Group] {
			groups = m.Operators
			m.Mutations.add(*way, survives)
		}
		g := groups[r.Group]
		g.add(*way, survives)
		groups[r.Group] = g
		if way.Moves == 0 {
			is, was := differing(string(r.View.Source), string(r.Right))
			m.Beyond = append(m.Beyond, Beyond{r.Group, r.Name, survives, is, was})
		}
	}
	if len(many) > 0 {
		sort.Ints(many)
		m.Median = many[len(many)/2]
	}
	return m
}

// differing returns the lines that two texts have between those that both begin and
// end with.
func differing(a, b string) (ofA, ofB string) {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return strings.Join(x, "\n"), strings.Join(y, "\n")
}

// Mutations draws n mutations of some files of a tree, operators alike and then
// their sites, none twice, as repairs with the place of the change as a diff
// shows it. Nothing is run.
func Mutations(t *tree.Tree, paths []string, n int, seed uint64) ([]Repair, error) {
	r := rand.New(rand.NewPCG(seed, 0x6d6f766573))
	by := map[string][]mutate.Mutation{}
	var names []string
	for _, p := range paths {
		l, ok := lang.ForPath(p)
		if !ok {
			continue
		}
		src, err := t.Read(p)
		if err != nil {
			return nil, err
		}
		f, err := l.Parse(src)
		if err != nil {
			continue // a file that does not parse has no sites
		}
		for _, m := range mutate.EnumerateWhere(l, p, f, mutate.Operators(), func(int, int) bool { return true }) {
			if by[m.Operator] == nil {
				names = append(names, m.Operator)
			}
			by[m.Operator] = append(by[m.Operator], m)
		}
	}
	sort.Strings(names)
	var out []Repair
	for len(out) < n && len(names) > 0 {
		at := r.IntN(len(names))
		of := by[names[at]]
		k := r.IntN(len(of))
		m := of[k]
		of[k] = of[len(of)-1]
		if by[names[at]] = of[:len(of)-1]; len(of) == 1 {
			names = append(names[:at], names[at+1:]...)
		}
		rep, err := repairOf(t, m)
		if err != nil {
			return nil, err
		}
		if rep != nil {
			out = append(out, *rep)
		}
	}
	return out, nil
}

func repairOf(base *tree.Tree, m mutate.Mutation) (*Repair, error) {
	broken, err := mutate.Apply(base, m)
	if err != nil {
		return nil, err
	}
	inject, err := tree.Diff(base, broken)
	if err != nil {
		return nil, err
	}
	contexts, err := arena.Contexts(inject, broken)
	if err != nil {
		return nil, err
	}
	if len(contexts) == 0 {
		return nil, nil
	}
	rep := &Repair{Group: m.Operator, Name: m.Path + ":" + strconv.Itoa(m.Line) + " " + m.Variant, View: builtin.View{Path: m.Path, Context: contexts[0]}}
	if rep.View.Source, err = broken.Read(m.Path); err != nil {
		return nil, err
	}
	rep.Right, err = base.Read(m.Path)
	return rep, err
}

// share does n pieces of work, as many at the same time as there are workers, until
// ctx is done; progress is told how many are done.
func share(ctx context.Context, n, workers int, progress func(done int), do func(i int)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for w := range max(1, workers) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < n && ctx.Err() == nil; i += max(1, workers) {
				do(i)
				mu.Lock()
				done++
				if progress != nil {
					progress(done)
				}
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
}
