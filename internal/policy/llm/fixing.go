package llm

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// fixing is the fixer's side.
type fixing struct {
	a     arena.Toolkit
	most  int
	at    int         // the step whose tree it is
	from  map[int]int // by step: the step that was edited
	used  int
	moved bool
	moves []mutate.Mutation // of the tree as it was given
	last  *arena.Observation
	shown map[int]*arena.Observation // by step
	dirty map[string]bool
}

var _ side = (*fixing)(nil)

func (s *fixing) left() int { return s.a.Task().Steps - s.used }

func (s *fixing) look(what string) error {
	if err := s.a.Look(what); err != nil {
		return err
	}
	s.used++
	return nil
}

func (s *fixing) counted() bool {
	was := s.moved
	s.moved = false
	return was
}

func (s *fixing) paths() []string { return s.a.Paths() }

func (s *fixing) read(path string) ([]byte, error) { return s.a.ReadAt(s.at, path) }

// list lists the mutations of the tree as it was given, those nearest to the middle of
// their place first: a change stands in the middle of its window.
func (s *fixing) list() error {
	all, err := s.a.Mutations(0)
	if err != nil {
		return err
	}
	far := func(m mutate.Mutation) int {
		best := 1 << 20
		for _, c := range s.a.Task().Contexts {
			if c.Path == m.Path {
				best = min(best, abs(c.WindowFirst+c.WindowLast-m.Line-m.LastLine))
			}
		}
		return best
	}
	sort.SliceStable(all, func(i, j int) bool { return far(all[i]) < far(all[j]) })
	s.moves = all[:min(s.most, len(all))]
	return nil
}

func abs(n int) int { return max(n, -n) }

func (s *fixing) edit(ctx context.Context, path string, edits []tree.Edit) output {
	o, err := s.a.Try(ctx, s.at, path, edits, "edit "+path)
	if err != nil {
		return ours(err)
	}
	return s.tried(o, path)
}

// mutate makes a change of the list on the tree as it was given: numbers mean the
// same all along, and one is tried after another without taking back. One with
// which the red test passes is handed in.
func (s *fixing) mutate(ctx context.Context, n int) output {
	if n < 1 || n > len(s.moves) {
		return wrong("There is no change %d; there are 1 to %d.", n, len(s.moves))
	}
	m := s.moves[n-1]
	o, err := s.a.Mutate(ctx, 0, m.ID)
	if err != nil {
		return ours(err)
	}
	s.at = 0
	out := s.tried(o, m.Path)
	if o.Verdict == outcome.Passed && out.err == nil {
		out.ended = Submitted
	}
	return out
}

// tried takes in a step that edited.
func (s *fixing) tried(o arena.Observation, path string) output {
	s.used, s.moved = s.used+1, true
	if !o.Applied {
		return wrong("Nothing was changed: %s.", o.Why)
	}
	if s.from == nil {
		s.from, s.dirty, s.shown = map[int]int{}, map[string]bool{}, map[int]*arena.Observation{}
	}
	s.from[o.Step] = s.at
	s.at, s.last, s.shown[o.Step], s.dirty[path] = o.Step, &o, &o, true
	if o.Verdict == outcome.Passed {
		return said("Changed. The red test passes.")
	}
	return said("Changed. The red test does not pass: %s", arena.FailureLine(o.Verdict, o.Failure))
}

func (s *fixing) runTests(context.Context, []string) output {
	// The arena ran the test when the tree was made.
	if s.last == nil {
		return said("The red test fails.\n%s", failureText(s.a.Task().Failure))
	}
	if s.last.Verdict == outcome.Passed {
		return said("The red test passes.")
	}
	return said("The red test does not pass: %s\n%s", s.last.Verdict, failureText(s.last.Failure))
}

// failureText is how a test failed, at most what the report holds of it.
func failureText(f testrun.Failure) string {
	text := strings.TrimRight(f.Text, "\n")
	if text == "" {
		text = strings.TrimPrefix(f.Kind+": "+f.Message, ": ")
	}
	return elide(text, 4000)
}

func (s *fixing) diff() output {
	before, after := map[string]*tree.File{}, map[string]*tree.File{}
	for p := range s.dirty {
		was, err := s.a.ReadAt(0, p)
		if err != nil {
			return ours(err)
		}
		is, err := s.a.ReadAt(s.at, p)
		if err != nil {
			return ours(err)
		}
		before[p], after[p] = &tree.File{Kind: tree.Regular, Data: was}, &tree.File{Kind: tree.Regular, Data: is}
	}
	return diffOf(before, after)
}

func diffOf(before, after map[string]*tree.File) output {
	b, err := tree.FromFiles(before)
	if err != nil {
		return ours(err)
	}
	a, err := tree.FromFiles(after)
	if err != nil {
		return ours(err)
	}
	d, err := tree.Diff(b, a)
	if err != nil {
		return ours(err)
	}
	if len(d) == 0 {
		return said("Nothing is changed.")
	}
	return output{text: string(d)}
}

func (s *fixing) undo() output {
	if s.at == 0 {
		return wrong("There is nothing to take back.")
	}
	s.at = s.from[s.at]
	s.last = s.shown[s.at]
	return said("Taken back.")
}

func (s *fixing) submit([]string) output {
	if s.at == 0 {
		return wrong("Nothing is changed yet. Change the code, or give up with give_up.")
	}
	s.moved = true // handing in takes no step
	return output{text: "Handed in.", ended: Submitted}
}

// place is code that a prompt shows.
type place struct {
	Path, Function string
	First, Last    int
	Code           string
}

// places shows the code around each change, at most about 120 lines of each.
func (s *fixing) places(brief bool) ([]place, error) {
	var all []place
	for _, c := range s.a.Task().Contexts {
		src, err := s.a.ReadAt(0, c.Path)
		if err != nil {
			return nil, err
		}
		first, last := c.FirstLine, c.LastLine
		if brief && c.WindowLast > 0 {
			first, last = c.WindowFirst, c.WindowLast
		}
		if last-first > 120 && c.WindowLast > 0 {
			first, last = max(first, c.WindowFirst-40), min(last, c.WindowLast+40)
		}
		p, ok := shown(src, first, last)
		if !ok {
			return nil, errors.New("a change lies outside of its file")
		}
		p.Path, p.Function = c.Path, c.Function
		all = append(all, p)
	}
	return all, nil
}

// shown cuts lines first to last out of a file.
func shown(src []byte, first, last int) (place, bool) {
	lines := strings.Split(strings.TrimSuffix(string(src), "\n"), "\n")
	first, last = max(1, first), min(len(lines), last)
	if first > last {
		return place{}, false
	}
	return place{First: first, Last: last, Code: strings.Join(lines[first-1:last], "\n")}, true
}

// move is a mutation as a prompt lists it.
type move struct {
	Number int
	Text   string
}

func listed(ms []mutate.Mutation, brief bool) []move {
	var all []move
	for i, m := range ms {
		text := fmt.Sprintf("%s line %d, %s: %s", m.Path, m.Line, m.Operator, m.Variant)
		if brief {
			text = m.Variant
		}
		all = append(all, move{i + 1, oneLine(text)})
	}
	return all
}

func oneLine(s string) string { return clip(strings.Join(strings.Fields(s), " "), 120) }
