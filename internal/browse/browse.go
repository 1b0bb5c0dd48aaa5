// Package browse shows a check in the terminal: a list of its mutations that
// can be filtered, the diff and the covering tests of each; one can be judged
// again, and its place opened in an editor. Run drives it; the program is a
// Model of bubbletea that does no I/O but through Config.
package browse

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"sort"
	"strings"

	tea "charm.land/bubbletea/v2"

	"breakfix/internal/check"
	"breakfix/internal/mutate"
	"breakfix/internal/report"
)

// Config is what there is to look through, and what can be done with it.
type Config struct {
	Record *check.Record
	// Log returns the log of a mutation, "" where none is kept. May be nil.
	Log func(id string) string
	// Again judges one mutation once more. May be nil.
	Again func(ctx context.Context, m mutate.Mutation) (check.Result, []byte, error)
	// Edit is the command that opens an editor at a place. May be nil.
	Edit func(path string, line int) (*exec.Cmd, error)
	// Color allows colours.
	Color bool
}

// Run shows it until the user leaves or ctx is done.
func Run(ctx context.Context, c Config, o ...tea.ProgramOption) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel() // what is being judged again ends with the program
	_, err := tea.NewProgram(New(inner, c), append(o, tea.WithContext(ctx))...).Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Model is the state of the browser.
type Model struct {
	Config
	ctx context.Context

	all    []check.Result // in the order shown
	shown  []int          // of all: what the filter lets through
	cursor int            // of shown
	top    int            // first line of the list, or of the details
	width  int
	height int

	filter  filter
	typing  bool   // of the filter's text
	details bool   // of one mutation, over the whole screen
	running string // id of what is being judged again
	said    string // the last thing to tell
	logs    map[string]string
}

// filter is what is shown; an empty field lets everything through.
type filter struct{ outcome, operator, path, text string }

// New is the browser of a check before its first key.
func New(ctx context.Context, c Config) Model {
	m := Model{Config: c, ctx: ctx, width: 80, height: 24, logs: map[string]string{}}
	for _, r := range c.Record.Results {
		if r.Err == nil {
			m.all = append(m.all, r)
		}
	}
	m.sort()
	m.refilter()
	return m
}

// words are the outcomes in the order in which they are listed.
var words = []string{"missed", "timed_out", "set_aside", "not_covered", "does_not_load", "caught"}

// sort puts what was missed first, what matters most before all.
func (m *Model) sort() {
	rank := func(r check.Result) int { return slices.Index(words, check.Word(r.Outcome)) }
	m.Record.Plan.ByImportance(m.all)
	sort.SliceStable(m.all, func(i, k int) bool { return rank(m.all[i]) < rank(m.all[k]) })
}

func (m *Model) refilter() {
	m.shown = nil
	for i, r := range m.all {
		if m.filter.lets(r) {
			m.shown = append(m.shown, i)
		}
	}
	m.cursor = max(0, min(m.cursor, len(m.shown)-1))
}

func (f filter) lets(r check.Result) bool {
	mu := r.Mutation
	switch {
	case f.outcome != "" && check.Word(r.Outcome) != f.outcome, f.operator != "" && mu.Operator != f.operator, f.path != "" && mu.Path != f.path:
		return false
	}
	text := strings.ToLower(strings.Join([]string{mu.ID, mu.Operator, mu.Variant, mu.Path, mu.Function, r.Test}, " "))
	return strings.Contains(text, strings.ToLower(f.text))
}

// Selected is the mutation under the cursor, false when nothing is shown.
func (m Model) Selected() (check.Result, bool) {
	if len(m.shown) == 0 {
		return check.Result{}, false
	}
	return m.all[m.shown[m.cursor]], true
}

// Init implements tea.Model.
func (m Model) Init() tea.Cmd { return nil }

// judgedMsg says what came of judging one again; editedMsg that the editor ended.
type (
	judgedMsg struct {
		result check.Result
		log    []byte
		err    error
	}
	editedMsg struct{ err error }
)

// Update implements tea.Model.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(20, msg.Width), max(6, msg.Height)
	case judgedMsg:
		m.take(msg)
	case editedMsg:
		m.said = "the editor ended; r judges the mutation again on the code as it was checked"
		if msg.err != nil {
			m.said = fmt.Sprintf("the editor failed: %v", msg.err)
		}
	case tea.PasteMsg:
		if m.typing {
			m.filter.text += msg.Content
			m.refilter()
		}
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+c" {
			return m, tea.Quit
		}
		m.said = ""
		if m.typing {
			return m.typed(msg), nil
		}
		return m.pressed(msg)
	}
	return m, nil
}

// typed edits the text of the filter.
func (m Model) typed(k tea.KeyPressMsg) Model {
	switch k.String() {
	case "enter":
		m.typing = false
	case "esc":
		m.typing, m.filter.text = false, ""
	case "backspace":
		if r := []rune(m.filter.text); len(r) > 0 {
			m.filter.text = string(r[:len(r)-1])
		}
	default:
		m.filter.text += k.Text
	}
	m.refilter()
	return m
}

// pressed does what a key stands for.
func (m Model) pressed(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	page := max(1, m.listHeight()-1)
	switch key := k.String(); key {
	case "q":
		return m, tea.Quit
	case "esc", "left":
		m.details, m.top = false, 0
	case "enter", "right":
		if _, ok := m.Selected(); ok {
			m.details, m.top = true, 0
		}
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup":
		m.move(-page)
	case "pgdown", "space":
		m.move(page)
	case "home", "g":
		m.move(-1 << 30)
	case "end", "G":
		m.move(1 << 30)
	case "o":
		m.filter.outcome = after(m.filter.outcome, words)
	case "p":
		m.filter.operator = after(m.filter.operator, m.values(func(r check.Result) string { return r.Mutation.Operator }))
	case "f":
		m.filter.path = after(m.filter.path, m.values(func(r check.Result) string { return r.Mutation.Path }))
	case "/":
		m.typing, m.details = true, false
	case "c":
		m.filter = filter{}
	case "r":
		return m.again()
	case "e":
		return m.edit()
	}
	m.refilter()
	return m, nil
}

// move moves the cursor, or the details.
func (m *Model) move(by int) {
	if m.details {
		m.top = max(0, min(m.top+by, len(m.detailLines())-(m.height-2)))
		return
	}
	m.cursor = max(0, min(m.cursor+by, len(m.shown)-1))
}

// values are what the mutations have of something, each once, sorted.
func (m Model) values(of func(check.Result) string) []string {
	var vs []string
	for _, r := range m.all {
		vs = append(vs, of(r))
	}
	slices.Sort(vs)
	return slices.Compact(vs)
}

// after is the value behind v, "" (all) behind the last.
func after(v string, values []string) string {
	if i := slices.Index(values, v) + 1; i < len(values) {
		return values[i]
	}
	return ""
}

// again judges the selected mutation once more, in the background.
func (m Model) again() (tea.Model, tea.Cmd) {
	r, ok := m.Selected()
	switch {
	case !ok:
		return m, nil
	case m.Again == nil:
		m.said = "nothing can be judged here"
		return m, nil
	case m.running != "":
		m.said = "mutation " + m.running + " is being judged; one at a time"
		return m, nil
	}
	m.running = r.Mutation.ID
	ctx, judge := m.ctx, m.Again
	return m, func() tea.Msg {
		result, log, err := judge(ctx, r.Mutation)
		return judgedMsg{result, log, err}
	}
}

// take puts a new result in the place of the old one.
func (m *Model) take(msg judgedMsg) {
	id := m.running
	m.running = ""
	if msg.err != nil {
		m.said = fmt.Sprintf("mutation %s was not judged: %v", id, msg.err)
		return
	}
	for i, r := range m.all {
		if r.Mutation.ID == id {
			m.said = fmt.Sprintf("mutation %s: %s before, now %s", id, spoken(r), spoken(msg.result))
			m.all[i] = msg.result
		}
	}
	m.logs[id] = string(msg.log)
	m.refilter()
}

// edit opens the place of the selected mutation.
func (m Model) edit() (tea.Model, tea.Cmd) {
	r, ok := m.Selected()
	if !ok || m.Edit == nil {
		m.said = "there is nothing to open"
		return m, nil
	}
	cmd, err := m.Edit(r.Mutation.Path, r.Mutation.Line)
	if err != nil {
		m.said = err.Error()
		return m, nil
	}
	return m, tea.ExecProcess(cmd, func(err error) tea.Msg { return editedMsg{err} })
}

func spoken(r check.Result) string { return strings.ReplaceAll(check.Word(r.Outcome), "_", " ") }

// log is what is known of how a mutation was judged.
func (m Model) log(id string) string {
	if text, ok := m.logs[id]; ok {
		return text
	}
	if m.Log == nil {
		return ""
	}
	return m.Log(id)
}

func visible(s string) string {
	return strings.ReplaceAll(report.Visible(s), "\t", "    ")
}
