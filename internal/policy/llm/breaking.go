package llm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// goals say what the breaker is told by strategy.
var goals = map[string]string{
	"operator": "Make a mistake that programmers make in the code that is shown: the list has such changes.",
	"removal":  "Take away code that matters: the body of a function, a guard, or related code in two places.",
	"history":  "Bring back a mistake that was once repaired here: what the repair's undoing looks like is shown. The code may have changed since.",
	"free":     "Make a mistake of your own that is hard to find: the farther the cause is from where a test notices it, the better.",
}

// breaking is the breaker's side.
type breaking struct {
	a        arena.Draft
	most     int
	strategy string
	span     place
	past     string // history: the diff
	origin   string
	moves    []mutate.Mutation

	at    int
	from  map[int]int
	used  int
	moved bool
}

var _ side = (*breaking)(nil)

// draw says what is to be broken, and how: a strategy, each alike, and a
// function with sites, each alike. Where there is no past it is another strategy.
func (s *breaking) draw(ctx context.Context, r *rand.Rand, strategies []string) error {
	s.strategy = strategies[r.IntN(len(strategies))]
	if s.strategy == "history" {
		diff, origin, ok, err := s.a.Past(ctx)
		if err != nil {
			return fmt.Errorf("look for a past fix: %w", err)
		}
		if ok {
			s.past, s.origin = string(diff), origin
		} else {
			s.strategy = "operator"
			for _, other := range strategies {
				if other != "history" {
					s.strategy = other
					break
				}
			}
		}
	}
	type spot struct{ path, function string }
	sites := map[spot][]mutate.Mutation{}
	var spots []spot
	for _, m := range s.a.Sites() {
		at := spot{m.Path, m.Function}
		if sites[at] == nil {
			spots = append(spots, at)
		}
		sites[at] = append(sites[at], m)
	}
	at := spots[r.IntN(len(spots))] // a break has a site at least
	all := append([]mutate.Mutation(nil), sites[at]...)
	first, last := all[0].Line, all[0].LastLine
	for _, m := range all {
		first, last = min(first, m.Line), max(last, m.LastLine)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if s.strategy == "operator" {
		s.moves = all[:min(s.most, len(all))]
		sort.SliceStable(s.moves, func(i, j int) bool { return s.moves[i].Line < s.moves[j].Line })
	}
	src, err := s.a.ReadDraft(0, at.path)
	if err != nil {
		return err
	}
	s.span, _ = shown(src, first-3, min(last+3, first+120))
	s.span.Path, s.span.Function = at.path, at.function
	return nil
}

// stepper is a break that knows how many steps are left.
type stepper interface{ Left() int }

func (s *breaking) left() int {
	if l, ok := s.a.(stepper); ok {
		return l.Left()
	}
	return s.a.Task().Steps - s.used
}

func (s *breaking) look(what string) error {
	s.used++
	return s.a.Look(what)
}

func (s *breaking) counted() bool {
	was := s.moved
	s.moved = false
	return was
}

func (s *breaking) paths() []string { return s.a.Paths() }

func (s *breaking) read(path string) ([]byte, error) { return s.a.ReadDraft(s.at, path) }

func (s *breaking) edit(_ context.Context, path string, edits []tree.Edit) output {
	n, why, err := s.a.Edit(s.at, path, edits, "edit "+path)
	if err != nil {
		return ours(err)
	}
	s.used, s.moved = s.used+1, true
	if why != "" {
		return wrong("Nothing was changed: %s.", why)
	}
	if s.from == nil {
		s.from = map[int]int{}
	}
	s.from[n], s.at = s.at, n
	return said("Changed.")
}

// mutate hands in a change of the list.
func (s *breaking) mutate(_ context.Context, n int) output {
	if len(s.moves) == 0 {
		return wrong("There is no list of changes in this game; use edit.")
	}
	if n < 1 || n > len(s.moves) {
		return wrong("There is no change %d; there are 1 to %d.", n, len(s.moves))
	}
	if err := s.a.Choose(s.moves[n-1]); err != nil {
		return ours(err)
	}
	s.moved = true
	return output{text: "Handed in.", ended: Submitted}
}

func (s *breaking) runTests(ctx context.Context, tests []string) output {
	rep, err := s.a.Run(ctx, s.at, tests)
	if err != nil {
		return ours(err)
	}
	var b strings.Builder
	if rep.LoadError != "" && !rep.Loaded {
		fmt.Fprintf(&b, "The code does not load: %s\n", elide(rep.LoadError, 1000))
	}
	reds, passed := rep.Results.Reds(), len(rep.Results.Passed())
	fmt.Fprintf(&b, "%d passed, %d red, %d did not run.\n", passed, len(reds), len(rep.Results)-passed-len(reds))
	for i, id := range reds {
		if i == 20 {
			fmt.Fprintf(&b, "and %d more\n", len(reds)-i)
			break
		}
		fmt.Fprintf(&b, "%s: %s\n", id, arena.FailureLine(rep.Results.Get(id), rep.Failures[id]))
	}
	for _, id := range tests {
		if rep.Results.Get(id) == outcome.Absent {
			fmt.Fprintf(&b, "%s did not run\n", clip(id, 120))
		}
	}
	return output{text: b.String()}
}

func (s *breaking) diff() output {
	code, tests, err := s.a.Diff(s.at)
	if err != nil {
		return wrong("%v.", err)
	}
	if len(code)+len(tests) == 0 {
		return said("Nothing is changed.")
	}
	return output{text: string(code) + string(tests)}
}

func (s *breaking) undo() output {
	if s.at == 0 {
		return wrong("There is nothing to take back.")
	}
	s.at = s.from[s.at]
	return said("Taken back.")
}

func (s *breaking) submit(tests []string) output {
	why, err := s.a.HandIn(s.at, arena.HandIn{Strategy: s.strategy, Origin: s.origin, Tests: tests})
	if err != nil {
		return ours(err)
	}
	if why != "" {
		return wrong("Not handed in: %s.", why)
	}
	s.moved = true
	return output{text: "Handed in.", ended: Submitted}
}
