package llm

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
	"breakfix/internal/tree"
)

// side is what the tools act on in one role. The error of a method is ours.
type side interface {
	left() int
	look(what string) error // makes a step that changes nothing
	counted() bool          // whether the last call made a step already; asking forgets it
	paths() []string
	read(path string) ([]byte, error)
	edit(ctx context.Context, path string, edits []tree.Edit) output
	mutate(ctx context.Context, n int) output
	runTests(ctx context.Context, tests []string) output
	diff() output
	undo() output
	submit(tests []string) output
}

var both = []arena.Role{arena.Breaker, arena.Fixer}

type (
	listArgs struct {
		Folder string `json:"folder" help:"only below this folder" optional:"yes"`
	}
	readArgs struct {
		Path  string `json:"path" help:"file, as list names it"`
		First int    `json:"first" help:"first line, from 1" optional:"yes"`
		Last  int    `json:"last" help:"last line" optional:"yes"`
	}
	searchArgs struct {
		Text string `json:"text" help:"what to look for, exactly"`
	}
	editArgs struct {
		Path string `json:"path" help:"file, as list names it"`
		Old  string `json:"old" help:"text that stands in the file exactly once" block:"yes"`
		New  string `json:"new" help:"what replaces it" block:"yes"`
	}
	mutateArgs struct {
		Number int `json:"number" help:"of the list of changes"`
	}
	testArgs struct {
		Tests []string `json:"tests" help:"ids of tests; none means all" optional:"yes"`
	}
	submitArgs struct {
		Tests []string `json:"tests" help:"files of tests that notice the break" optional:"yes"`
	}
	none struct{}
)

var tools = func() *toolbox {
	b := &toolbox{}
	fixer, breaker := []arena.Role{arena.Fixer}, []arena.Role{arena.Breaker}
	register(b, "list", "Lists the files that can be read.", both, list)
	register(b, "read", "Shows a file, or some of its lines, with line numbers.", both, read)
	register(b, "search", "Shows the lines of all files that hold a text.", both, search)
	register(b, "edit", "Replaces a text that stands in a file exactly once.", both, edit)
	register(b, "mutate", "Makes a change of the list by its number, on the code as it was given; if the red test passes with it, it is handed in and the game ends.", fixer, func(ctx context.Context, s side, a mutateArgs) output { return s.mutate(ctx, a.Number) })
	register(b, "choose", "Hands in a change of the list by its number as the break; ends the game.", breaker, func(ctx context.Context, s side, a mutateArgs) output { return s.mutate(ctx, a.Number) })
	register(b, "run_tests", "Runs the red test on the code as it is now.", fixer, func(ctx context.Context, s side, _ none) output { return s.runTests(ctx, nil) })
	register(b, "run_tests", "Runs tests on the code as it is now.", breaker, func(ctx context.Context, s side, a testArgs) output { return s.runTests(ctx, a.Tests) })
	register(b, "diff", "Shows what was changed so far.", both, func(_ context.Context, s side, _ none) output { return s.diff() })
	register(b, "undo", "Takes back the last change.", both, func(_ context.Context, s side, _ none) output { return s.undo() })
	register(b, "submit", "Hands in the code as it is now; ends the game.", fixer, func(_ context.Context, s side, _ none) output { return s.submit(nil) })
	register(b, "submit", "Hands in the code as it is now as the break; ends the game.", breaker, func(_ context.Context, s side, a submitArgs) output { return s.submit(a.Tests) })
	register(b, "give_up", "Hands in nothing; ends the game.", both, func(context.Context, side, none) output {
		return output{text: "Nothing is handed in.", ended: GaveUp}
	})
	for _, t := range b.all {
		t.moves = slices.Contains([]string{"edit", "mutate", "choose"}, t.name)
	}
	return b
}()

// Tools are those of a role, as a model is told of them.
func Tools(role arena.Role) []engine.Tool {
	var specs []engine.Tool
	for _, t := range toolsFor(role) {
		specs = append(specs, t.spec)
	}
	return specs
}

// toolsFor are the tools of a role.
func toolsFor(role arena.Role) []*tool { return tools.of(role) }

func list(_ context.Context, s side, a listArgs) output {
	folder := strings.TrimSuffix(strings.TrimPrefix(a.Folder, "./"), "/")
	var b strings.Builder
	for _, p := range s.paths() {
		if folder == "" || folder == "." || strings.HasPrefix(p, folder+"/") {
			b.WriteString(p + "\n")
		}
	}
	if b.Len() == 0 {
		return wrong("There is no file below %q.", clip(a.Folder, 80))
	}
	return output{text: b.String()}
}

func read(_ context.Context, s side, a readArgs) output {
	src, err := s.read(a.Path)
	if err != nil {
		return wrong("There is no file %q to read; list names those there are.", clip(a.Path, 120))
	}
	lines := strings.Split(strings.TrimSuffix(string(src), "\n"), "\n")
	first, last := max(1, a.First), len(lines)
	if a.Last > 0 {
		last = min(last, a.Last)
	}
	if first > last {
		return wrong("%s has %d lines.", a.Path, len(lines))
	}
	return output{text: numbered(lines, first, last)}
}

// numbered writes lines with their numbers, 1-based and inclusive.
func numbered(lines []string, first, last int) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		fmt.Fprintf(&b, "%d\t%s\n", i, lines[i-1])
	}
	return b.String()
}

func search(_ context.Context, s side, a searchArgs) output {
	const most = 50
	if a.Text == "" {
		return wrong("There is nothing to look for.")
	}
	var b strings.Builder
	found := 0
	for _, p := range s.paths() {
		src, err := s.read(p)
		if err != nil {
			continue
		}
		if !bytes.Contains(src, []byte(a.Text)) {
			continue
		}
		for i, line := range strings.Split(string(src), "\n") {
			if strings.Contains(line, a.Text) {
				if found++; found <= most {
					fmt.Fprintf(&b, "%s:%d: %s\n", p, i+1, clip(strings.TrimSpace(line), 160))
				}
			}
		}
	}
	switch {
	case found == 0:
		return said("%q is in no file.", clip(a.Text, 80))
	case found > most:
		fmt.Fprintf(&b, "and %d more lines\n", found-most)
	}
	return output{text: b.String()}
}

func edit(ctx context.Context, s side, a editArgs) output {
	src, err := s.read(a.Path)
	if err != nil {
		return wrong("There is no file %q to edit; list names those there are.", clip(a.Path, 120))
	}
	if a.Old == "" {
		return wrong("Give the old text; it must stand in %s exactly once.", a.Path)
	}
	switch n := bytes.Count(src, []byte(a.Old)); n {
	case 1:
	case 0:
		return wrong("The old text is not in %s%s. Give it exactly, with its spaces and line breaks.", a.Path, near(src, a.Old))
	default:
		return wrong("The old text is %d times in %s, in lines %s. Give more of what is around it, so that it is there once.", n, a.Path, linesOf(src, a.Old))
	}
	at := bytes.Index(src, []byte(a.Old))
	return s.edit(ctx, a.Path, []tree.Edit{{Start: at, End: at + len(a.Old), New: a.New}})
}

// near tells where a text is that differs by its spaces alone.
func near(src []byte, old string) string {
	want := strings.Join(strings.Fields(strings.SplitN(strings.TrimSpace(old), "\n", 2)[0]), " ")
	if want == "" {
		return ""
	}
	for i, line := range strings.Split(string(src), "\n") {
		if strings.Join(strings.Fields(line), " ") == want {
			return fmt.Sprintf("; line %d is the same but for its spaces", i+1)
		}
	}
	return ""
}

// linesOf lists the lines in which a text begins.
func linesOf(src []byte, text string) string {
	var lines []int
	for from := 0; len(lines) < 10; {
		i := bytes.Index(src[from:], []byte(text))
		if i < 0 {
			break
		}
		lines = append(lines, 1+bytes.Count(src[:from+i], []byte("\n")))
		from += i + len(text)
	}
	sort.Ints(lines)
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(lines)), ", "), "[]")
}
