package export

import (
	"fmt"
	"path/filepath"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/tree"
)

// messagesName is the file of conversations.
const messagesName = "messages.jsonl"

const chatSystem = `You repair code. You are given a failing test and the code around the place where the fault may lie. ` +
	`Answer with one unified diff in a fenced block, with paths relative to the root of the repository, that makes the test pass ` +
	`and breaks nothing else. Do not change tests.`

// chatLine is one conversation. Tools is always empty: the answer is a diff.
type chatLine struct {
	Messages []chatMessage `json:"messages"`
	Tools    []any         `json:"tools"`
	Origin   string        `json:"breakfix"` // a chatOrigin, JSON in a string
}

type chatMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// chatOrigin is an Origin with what judging the answer needs.
type chatOrigin struct {
	Origin
	Inject     string   `json:"inject"`
	RedPath    string   `json:"red_path"`
	RedTest    string   `json:"red_test"`
	FailToPass []string `json:"fail_to_pass"`
	PassToPass []string `json:"pass_to_pass"`
	Command    string   `json:"command"` // runs the tests at the root of the tree
}

type chatWriter struct {
	dir   string
	out   *jsonl
	bases map[tree.Digest]bool // embedded already
}

func openChat(dir string, _ Options) (writer, error) {
	out, err := newJSONL(dir, messagesName)
	return &chatWriter{dir, out, map[tree.Digest]bool{}}, err
}

func (w *chatWriter) close() error { return w.out.close() }

func (w *chatWriter) add(it *item) error {
	if it.embedded && !w.bases[it.bug.Base] {
		packed, err := bug.Pack(it.base)
		if err != nil {
			return err
		}
		if err := write(w.dir, embeddedAt(it.bug.Base), packed); err != nil {
			return err
		}
		w.bases[it.bug.Base] = true
	}
	places, err := it.places()
	if err != nil {
		return err
	}
	fail, pass := swebenchTests(it)
	o := chatOrigin{Origin: it.origin, Inject: string(it.bug.Inject), RedPath: it.bug.RedTest.Path, RedTest: it.bug.RedTest.Code,
		FailToPass: fail, PassToPass: pass, Command: it.pytest(inSummary, filesOf(fail, pass))}
	o.Removed = []string{} // the suite is whole here
	text, err := encode(o)
	if err != nil {
		return err
	}
	return w.out.line(chatLine{Tools: []any{}, Origin: string(text), Messages: []chatMessage{
		{"system", chatSystem},
		{"user", it.statement + "\n" + places},
		{"assistant", fence("diff", string(it.repair))},
	}})
}

// embeddedAt is where an embedded base lies in an export that has no images.
func embeddedAt(base tree.Digest) string { return filepath.Join("bases", base.Short()+".tar.gz") }

// places shows the code around each change as it is now, as the fixer of a game
// sees it.
func (it *item) places() (string, error) {
	contexts, err := arena.Contexts(it.bug.Inject, it.broken)
	if err != nil {
		return "", cannot("%v", err)
	}
	var b strings.Builder
	for _, c := range contexts {
		src, err := it.broken.Read(c.Path)
		if err != nil {
			return "", err
		}
		all := strings.SplitAfter(string(src), "\n")
		first, last := max(1, min(c.FirstLine, c.WindowFirst)), min(len(all), max(c.LastLine, c.WindowLast))
		if last-first > 200 { // a class: what lies around the window is enough
			first, last = max(first, c.WindowFirst-40), min(last, c.WindowLast+40)
		}
		fmt.Fprintf(&b, "%s, lines %d to %d:\n\n%s\n", c.Path, first, last, fence("python", strings.Join(all[first-1:last], "")))
	}
	return b.String(), nil
}

// fence puts text into a fenced block that no line of it ends.
func fence(language, text string) string {
	ticks := "```"
	for strings.Contains(text, ticks) {
		ticks += "`"
	}
	return ticks + language + "\n" + strings.TrimSuffix(text, "\n") + "\n" + ticks + "\n"
}
