package browse

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/mattn/go-runewidth"

	"breakfix/internal/check"
)

const keysHelp = "↑↓ move  enter details  o outcome  p operator  f file  / text  c all  r judge again  e edit  q quit"

// View implements tea.Model.
func (m Model) View() tea.View {
	v := tea.NewView(m.Screen())
	v.AltScreen = true
	return v
}

// Screen is what is on the screen, one line for each of its lines.
func (m Model) Screen() string {
	var lines []string
	if m.details {
		lines = m.window(m.detailLines(), m.top, m.height-2)
	} else {
		lines = append(lines, m.paint(bold, m.headline()), m.filterLine())
		lines = append(lines, m.list()...)
		lines = append(lines, m.paint(dim, strings.Repeat("─", m.width)))
		lines = append(lines, m.window(m.detailLines(), 0, m.height-len(lines)-2)...)
	}
	lines = append(lines, m.paint(yellow, m.fit(m.news())), m.paint(dim, m.fit(keysHelp)))
	return strings.Join(lines, "\n")
}

// The colours of the browser.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	turned = "7"
)

func (m Model) paint(code, s string) string {
	if !m.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (m Model) fit(s string) string { return runewidth.Truncate(visible(s), m.width, "…") }

// window is n lines from the given one on, filled up with empty ones.
func (m Model) window(lines []string, from, n int) []string {
	var out []string
	for i := range max(0, n) {
		if from+i < len(lines) {
			out = append(out, lines[from+i])
		} else {
			out = append(out, "")
		}
	}
	return out
}

func (m Model) headline() string {
	var c check.Counts
	for _, r := range m.all {
		c.Add(r.Outcome)
	}
	line := fmt.Sprintf("%s: %d caught, %d missed, %d timed out, %d not covered, %d does not load, %d set aside",
		m.Record.Plan.Source, c.Caught, c.Missed, c.TimedOut, c.NotCovered, c.DoesNotLoad, c.SetAside)
	return m.fit(line)
}

func (m Model) filterLine() string {
	var parts []string
	for _, f := range []struct{ name, value string }{{"outcome", strings.ReplaceAll(m.filter.outcome, "_", " ")}, {"operator", m.filter.operator}, {"file", m.filter.path}} {
		if f.value != "" {
			parts = append(parts, f.name+": "+f.value)
		}
	}
	switch {
	case m.typing:
		parts = append(parts, "text: "+m.filter.text+"▏")
	case m.filter.text != "":
		parts = append(parts, "text: "+m.filter.text)
	}
	line := fmt.Sprintf("%d of %d", len(m.shown), len(m.all))
	if len(parts) > 0 {
		line += "  " + strings.Join(parts, "  ")
	}
	return m.paint(dim, m.fit(line))
}

// listHeight is how many mutations fit above the details.
func (m Model) listHeight() int { return max(1, (m.height-5)/2) }

func (m Model) list() []string {
	n := m.listHeight()
	from := max(0, min(m.cursor-n/2, len(m.shown)-n))
	var lines []string
	for i := from; i < from+n; i++ {
		if i >= len(m.shown) {
			lines = append(lines, "")
			continue
		}
		r := m.all[m.shown[i]]
		mu := r.Mutation
		line := m.fit(fmt.Sprintf("%-13s %s  %s:%d  %s: %s", spoken(r), mu.ID, mu.Path, mu.Line, mu.Operator, mu.Variant))
		switch {
		case i == m.cursor:
			line = m.paint(turned, line)
		case check.Word(r.Outcome) == "missed":
			line = m.paint(red, line)
		}
		lines = append(lines, line)
	}
	return lines
}

// detailLines are the diff of the selected mutation, what is known of it and
// the tests that run it.
func (m Model) detailLines() []string {
	r, ok := m.Selected()
	if !ok {
		return []string{"no mutation is of that kind"}
	}
	mu := r.Mutation
	head := fmt.Sprintf("%s  %s:%d", mu.ID, mu.Path, mu.Line)
	if mu.Function != "" {
		head += " in " + mu.Function
	}
	lines := []string{m.paint(bold, m.fit(head)), m.fit(fmt.Sprintf("%s: %s", mu.Operator, mu.Variant))}
	what := fmt.Sprintf("%s, %d tests run it", spoken(r), r.Tests)
	if r.Tests == 1 {
		what = spoken(r) + ", 1 test runs it"
	}
	switch n := m.Record.Plan.Depending(mu); n {
	case 0:
	case 1:
		what += ", 1 function depends on it"
	default:
		what += fmt.Sprintf(", %d functions depend on it", n)
	}
	lines = append(lines, m.fit(what))
	if r.Test != "" {
		lines = append(lines, m.fit("noticed by "+r.Test))
	}
	for _, more := range []string{r.Reason, r.Failure} {
		if more != "" {
			lines = append(lines, m.fit(more))
		}
	}
	lines = append(lines, "")
	diff, err := m.Record.Plan.Diff(mu)
	if err != nil {
		lines = append(lines, m.fit(err.Error()))
	}
	for _, l := range strings.Split(strings.TrimRight(string(diff), "\n"), "\n") {
		switch {
		case strings.HasPrefix(l, "diff "), strings.HasPrefix(l, "--- "), strings.HasPrefix(l, "+++ "), strings.HasPrefix(l, "index "):
		case strings.HasPrefix(l, "+"):
			lines = append(lines, m.paint(green, m.fit(l)))
		case strings.HasPrefix(l, "-"):
			lines = append(lines, m.paint(red, m.fit(l)))
		default:
			lines = append(lines, m.fit(l))
		}
	}
	switch {
	case r.Witness != nil:
		lines = append(lines, "", m.paint(bold, "this test notices it"))
		for _, l := range strings.Split(strings.TrimRight(r.Witness.Code, "\n"), "\n") {
			lines = append(lines, m.fit("  "+l))
		}
	case r.Unfound != "":
		lines = append(lines, "", m.fit("no test was found that notices it: "+r.Unfound))
	}
	if names := m.Record.Plan.Names(r.Covering); len(names) > 0 {
		lines = append(lines, "", m.paint(bold, "tests that run it"))
		for _, id := range names {
			lines = append(lines, m.fit("  "+id))
		}
	}
	if text := m.log(mu.ID); m.details && text != "" {
		lines = append(lines, "", m.paint(bold, "log"))
		for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
			lines = append(lines, m.fit("  "+l))
		}
	}
	return lines
}

// news is what goes on, or the last thing to tell.
func (m Model) news() string {
	if m.said == "" && m.running != "" {
		return "judging " + m.running + " …"
	}
	return m.said
}
