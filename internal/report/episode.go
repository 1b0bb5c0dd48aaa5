package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/store"

	"github.com/mattn/go-runewidth"
)

// EpisodeText writes one game to follow: the break, its red test before and
// after minimising, every attempt with its steps, its patch and its gates, and
// the rewards. An episode that is not in the run is store.ErrAbsent.
func EpisodeText(ctx context.Context, w io.Writer, s *store.Store, number int, o Options) error {
	e, err := s.Episode(ctx, number)
	if err != nil {
		return err
	}
	p := &page{w: w, o: o}
	p.opening(s.Run(), e)
	plays, err := Plays(s, e)
	if err != nil {
		return err
	}
	p.breakPart(e)
	if m := playOf(plays, 0); m != nil {
		p.heading("how the breaker played")
		p.play(m)
	}
	if e.Break.Bug != "" {
		if err := p.redTest(s, e.Break); err != nil {
			return err
		}
	}
	for _, a := range e.Attempts {
		p.attempt(a, playOf(plays, a.Number))
	}
	rewards, err := s.Rewards(ctx, number)
	if err != nil {
		return err
	}
	p.rewards(e, rewards)
	return p.err
}

var kinds = map[string]string{
	store.KindFresh:       "a fresh break",
	store.KindHigherOrder: "a failed repair as a new bug",
	store.KindReplay:      "a known bug once more",
}

func (p *page) opening(run store.Run, e store.Episode) {
	kind, ok := kinds[e.Kind]
	if !ok {
		kind = e.Kind
	}
	p.printf("%s\n", p.paint(bold, fmt.Sprintf("episode %d of run %s: %s", e.Number, oneLine(run.Name), oneLine(kind))))
	if e.Source >= 0 && e.Source < len(run.Sources) {
		p.line("source", oneLine(run.Sources[e.Source]))
	}
	p.line("seed", fmt.Sprint(e.Seed))
	if times := phases(e.Seconds); times != "" {
		p.line("time", times)
	}
	for _, n := range e.Notices {
		p.painted(yellow, "notice", oneLine(n))
	}
}

func (p *page) breakPart(e store.Episode) {
	b := e.Break
	p.heading("the break")
	if len(b.Operators) > 0 {
		p.line("operator", oneLine(strings.Join(b.Operators, ", ")+": "+b.Variant))
	}
	if b.Path != "" {
		where := fmt.Sprintf("%s:%d", b.Path, b.Line)
		if b.Function != "" {
			where += " in " + b.Function
		}
		p.line("where", oneLine(where))
	}
	if b.Diff != "" {
		p.printf("\n")
		p.diff(b.Diff, "  ")
		p.printf("\n")
	}
	colour, said := red, string(b.Outcome)
	if b.Outcome == outcome.Valid {
		colour = green
		said += fmt.Sprintf(": bug %s, order %d, weight %s, about %s minutes", b.Bug, b.Order, number(b.Weight), short(b.Minutes))
	} else if b.Reason != "" {
		said += fmt.Sprintf(" (check %s): %s", b.Check, b.Reason)
	}
	p.painted(colour, "outcome", oneLine(said))
	if len(b.Parents) > 0 {
		p.line("parents", oneLine(strings.Join(b.Parents, ", ")))
	}
	for _, c := range outcome.Checks {
		v, ok := b.Checks[c]
		switch {
		case !ok:
		case v == outcome.GatePassed:
			p.painted(green, "  "+string(c), "passed")
		case strings.HasPrefix(v, "not applicable"):
			p.painted(dim, "  "+string(c), oneLine(v))
		default:
			p.painted(red, "  "+string(c), oneLine(v))
		}
	}
	if len(b.Red) > 0 {
		hidden := ""
		if b.Hidden != nil {
			hidden = fmt.Sprintf(", %d of them held back from the fixer", len(b.Hidden))
		}
		p.line("red", plural(len(b.Red), "test")+hidden)
		for i, test := range b.Red {
			if i == 5 {
				p.line("", fmt.Sprintf("and %d more", len(b.Red)-i))
				break
			}
			p.line("", oneLine(test))
		}
	}
}

// redTest shows the test that the minimised one was made from, then that one.
func (p *page) redTest(s *store.Store, b store.Break) error {
	after, err := minimised(s, b.Bug)
	if err != nil {
		return err
	}
	if b.Original != "" {
		before, err := s.Blob(b.Original)
		if err != nil && !errors.Is(err, store.ErrAbsent) {
			return err
		}
		if err == nil {
			p.heading("its red test" + statements(b.StatementsBefore))
			p.code(string(before))
		}
	}
	if after != nil {
		p.heading("minimised" + statements(b.Statements))
		p.code(string(after))
	}
	return nil
}

func statements(n int) string {
	if n == 0 {
		return ""
	}
	return ", " + plural(n, "statement")
}

// minimised reads red_test.* of a bug's artifact; nil when it has none.
func minimised(s *store.Store, bug string) ([]byte, error) {
	names, err := filepath.Glob(filepath.Join(s.BugDir(bug), "red_test.*"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	info, err := os.Lstat(names[0])
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(names[0])
}

// codeLines bounds how much of a file is shown; the rest is elided with a count.
const codeLines = 60

func (p *page) code(text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if i == codeLines/2 && len(lines) > codeLines {
			p.printf("    %s\n", p.paint(dim, fmt.Sprintf("… %d lines …", len(lines)-codeLines)))
		}
		if len(lines) > codeLines && i >= codeLines/2 && i < len(lines)-codeLines/2 {
			continue
		}
		p.printf("%s\n", strings.TrimRight("    "+Visible(strings.TrimSuffix(line, "\r")), " "))
	}
}

// diff writes a diff, coloured by line.
func (p *page) diff(d, indent string) {
	for _, line := range strings.Split(strings.TrimRight(d, "\n"), "\n") {
		shown := Visible(strings.TrimSuffix(line, "\r"))
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "diff "):
			shown = p.paint(bold, shown)
		case strings.HasPrefix(line, "@@"):
			shown = p.paint(cyan, shown)
		case strings.HasPrefix(line, "+"):
			shown = p.paint(green, shown)
		case strings.HasPrefix(line, "-"):
			shown = p.paint(red, shown)
		}
		p.printf("%s\n", strings.TrimRight(indent+shown, " "))
	}
}

func (p *page) attempt(a store.Attempt, m *Play) {
	p.heading(fmt.Sprintf("attempt %d: %s", a.Number, p.paint(outcomeColour(a.Outcome), strings.ReplaceAll(oneLine(string(a.Outcome)), "_", " "))))
	if m != nil {
		p.play(m)
	}
	for _, t := range a.Steps {
		if m == nil || t.Applied { // a model's steps that only look are in its play
			p.step(t)
		}
	}
	if len(a.Steps) == 0 {
		p.printf("  no step\n")
	}
	if a.Patch != "" {
		p.printf("\n")
		p.diff(a.Patch, "  ")
	}
	if len(a.Gates) > 0 {
		p.printf("\n")
		for _, g := range outcome.Gates {
			v, ok := a.Gates[g]
			switch {
			case !ok:
				p.painted(dim, "  "+string(g), "not reached")
			case v == outcome.GatePassed:
				p.painted(green, "  "+string(g), v)
			default:
				p.painted(red, "  "+string(g), oneLine(v))
			}
		}
	}
	if a.Spurious {
		p.painted(yellow, "spurious", "everything that the fixer could see passed, a held-back test did not")
	}
	for _, why := range a.Suspicious {
		p.painted(yellow, "suspicious", oneLine(why))
	}
}

func outcomeColour(o outcome.Attempt) string {
	switch o {
	case outcome.Fixed:
		return green
	case outcome.Infrastructure:
		return yellow
	}
	return red
}

// step writes "  3  what it did  passed, cached" and below it how the red
// test failed. A step on an earlier one's tree says on which.
func (p *page) step(t store.Step) {
	said, colour := strings.ReplaceAll(string(t.Verdict), "_", " "), red
	switch {
	case !t.Applied:
		said = "does not apply"
	case t.Verdict == outcome.Passed:
		colour = green
	}
	cached := ""
	if t.Cached {
		cached = ", cached"
	}
	what := oneLine(t.What)
	if t.From > 0 {
		what += fmt.Sprintf(" (on step %d)", t.From)
	}
	room := p.o.width() - 6 - 24
	p.printf("  %3d %s %s%s\n", t.Number, runewidth.FillRight(fit(what, room), room), p.paint(colour, oneLine(said)), p.paint(dim, cached))
	if t.Failure != "" {
		p.printf("      %s\n", p.paint(dim, fit(oneLine(t.Failure), p.o.width()-6)))
	}
}

func (p *page) rewards(e store.Episode, rewards []store.Reward) {
	p.heading("rewards, schema " + oneLine(e.Schema))
	if len(rewards) == 0 {
		p.printf("  none: nothing was scored\n")
	}
	for _, r := range rewards {
		who := "breaker"
		if r.Attempt > 0 {
			who = fmt.Sprintf("attempt %d", r.Attempt)
		}
		p.line(who, fmt.Sprintf("%+.3g", r.Value))
	}
}
