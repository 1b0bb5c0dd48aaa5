package export

import "breakfix/internal/bug"

// linesName is the file of breakfix's own form.
const linesName = "bugs.jsonl"

type breakfixWriter struct{ out *jsonl }

func openBreakfix(dir string, _ Options) (writer, error) {
	out, err := newJSONL(dir, linesName)
	return &breakfixWriter{out}, err
}

func (w *breakfixWriter) add(it *item) error {
	b := *it.bug
	if b.Source.Local && b.Source.Tree == nil {
		b.Source.Tree = it.base
	}
	line, err := (&b).MarshalLine()
	if err != nil {
		return err
	}
	if _, err := bug.ParseLine(line); err != nil {
		return err
	}
	return w.out.raw(line)
}

func (w *breakfixWriter) close() error { return w.out.close() }
