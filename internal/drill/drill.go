// Package drill finds functions whose docstrings show calls of them, and how
// damaged versions of them get these calls wrong: what a red test says of a
// bug, without a test suite. Everything runs in the sandbox, without network.
package drill

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

//go:embed inside/drill.py
var program string

// Function is a function of a module's top level, without its docstring.
type Function struct {
	Path   string      `json:"path"`
	Name   string      `json:"name"`
	Source string      `json:"source"`
	Calls  [][2]string `json:"calls"` // a call and the value that it has, as Python writes it
}

// Test is the calls as a test.
func (f *Function) Test() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "def test_%s():\n", f.Name)
	for _, c := range f.Calls {
		fmt.Fprintf(&b, "    assert %s\n", asserted(c))
	}
	return b.String()
}

func asserted(c [2]string) string {
	switch c[1] {
	case "True":
		return c[0]
	case "False":
		return "not " + c[0]
	}
	return c[0] + " == " + c[1]
}

// Failing is a damaged function that gets a call wrong.
type Failing struct {
	Function Function        `json:"function"`
	Damaged  string          `json:"damaged"`
	Failure  testrun.Failure `json:"failure"`
	// Lines of the damaged text that ran up to and in the call that is wrong,
	// with their Ochiai coefficient over these calls; 0: not in the wrong one.
	Lines map[int]float64 `json:"lines"`
}

// Box is where drills run.
type Box struct {
	Sandbox sandbox.Sandbox
	Python  string
	Binds   []sandbox.Bind
	Workers int
}

// Bounds of one box.
const (
	boxWall   = time.Hour
	boxMemory = 1 << 30
	boxOutput = 256 << 20
)

// run gives the lines that the program prints for each part, part after part.
func (b *Box) run(ctx context.Context, t *tree.Tree, what string, parts [][]byte) ([][]byte, error) {
	out, errs := make([][]byte, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for i := range parts {
		wg.Add(1)
		go func() {
			defer wg.Done()
			res, err := b.Sandbox.Run(ctx, sandbox.Spec{
				Tree: t, Argv: []string{b.Python, "-I", "/breakfix/drill.py", what, sandbox.TreeAt}, Stdin: parts[i],
				Env:    []string{"PATH=/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8", "PYTHONHASHSEED=0", "TZ=UTC"},
				Binds:  b.Binds,
				Extra:  map[string]*tree.File{"/breakfix/drill.py": tree.Text(program)},
				Limits: sandbox.Limits{Wall: boxWall, Memory: boxMemory, Output: boxOutput},
			})
			if err == nil && (res.Stopped != sandbox.Exited || res.Exit != 0) {
				err = fmt.Errorf("the box ended with %s %d: %.300s", res.Stopped, res.Exit, res.Stderr)
			}
			out[i], errs[i] = res.Stdout, err
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("drill: %w", err)
		}
	}
	return out, nil
}

// deal spreads lines over boxes in turn.
func (b *Box) deal(lines [][]byte) [][]byte {
	parts := make([][]byte, max(1, min(b.Workers, len(lines))))
	for i, l := range lines {
		parts[i%len(parts)] = append(append(parts[i%len(parts)], l...), '\n')
	}
	return parts
}

// Show lists the functions of some files of a tree whose docstrings show calls
// of them, with the values that these have, twice the same. What cannot be
// imported shows nothing.
func (b *Box) Show(ctx context.Context, t *tree.Tree, paths []string) ([]Function, error) {
	var lines [][]byte
	for _, p := range paths {
		l, err := json.Marshal(p)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	outs, err := b.run(ctx, t, "show", b.deal(lines))
	if err != nil {
		return nil, err
	}
	byPath := map[string][]Function{}
	for _, out := range outs {
		if err := each(out, func(f Function) { byPath[f.Path] = append(byPath[f.Path], f) }); err != nil {
			return nil, err
		}
	}
	var found []Function
	for _, p := range paths { // the order has nothing to do with the boxes
		found = append(found, byPath[p]...)
	}
	return found, nil
}

// Damage is one damaged text of a function.
type Damage struct {
	Function *Function
	Source   string
}

// Fail runs the calls on damaged functions and gives those that get one wrong,
// in order. What does not end fails by that.
func (b *Box) Fail(ctx context.Context, t *tree.Tree, ds []Damage) ([]Failing, error) {
	type question struct {
		Path   string      `json:"path"`
		Source string      `json:"source"`
		Calls  [][2]string `json:"calls"`
		N      int         `json:"n"`
	}
	n := max(1, min(b.Workers, len(ds)))
	parts := make([][]byte, n)
	for i, d := range ds { // the damages of a function stay together
		l, err := json.Marshal(question{d.Function.Path, d.Source, d.Function.Calls, i})
		if err != nil {
			return nil, err
		}
		parts[i*n/len(ds)] = append(append(parts[i*n/len(ds)], l...), '\n')
	}
	outs, err := b.run(ctx, t, "fail", parts)
	if err != nil {
		return nil, err
	}
	said := make([]*Failing, len(ds))
	for _, out := range outs {
		err := each(out, func(a struct {
			N      int
			Answer json.RawMessage
		}) {
			if a.N >= 0 && a.N < len(ds) {
				said[a.N] = ds[a.N].failing(a.Answer)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	var found []Failing
	for _, f := range said {
		if f != nil {
			found = append(found, *f)
		}
	}
	return found, nil
}

// each reads JSON lines.
func each[T any](out []byte, f func(T)) error {
	s := bufio.NewScanner(bytes.NewReader(out))
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var x T
		if err := json.Unmarshal(s.Bytes(), &x); err != nil {
			return fmt.Errorf("drill: read what the box printed: %w", err)
		}
		f(x)
	}
	return s.Err()
}

// failing reads an answer; nil where no call was wrong.
func (d *Damage) failing(raw json.RawMessage) *Failing {
	f := &Failing{Function: *d.Function, Damaged: d.Source, Lines: map[int]float64{}}
	if string(raw) == `"timeout"` {
		f.Failure = testrun.Failure{Kind: testrun.KindTimedOut, Message: "the test did not end"}
		for l := 1; l <= bytes.Count([]byte(d.Source), []byte("\n")); l++ {
			f.Lines[l] = 1
		}
		return f
	}
	var a struct {
		Call, Raised       int
		Kind, Message, Got string
		Ran                [][]int
		Lines              []int
	}
	if json.Unmarshal(raw, &a) != nil || a.Call < 0 || a.Call >= len(d.Function.Calls) {
		return nil
	}
	call := d.Function.Calls[a.Call]
	f.Failure = testrun.Failure{Kind: a.Kind, Message: a.Message, TestLine: 2 + a.Call}
	if a.Got != "" {
		said := "assert " + a.Got
		switch call[1] {
		case "True":
		case "False":
			said = "assert not " + a.Got
		default:
			said += " == " + call[1]
		}
		f.Failure.Message = said + "\n +  where " + a.Got + " = " + call[0]
	}
	if a.Raised > 0 {
		f.Failure.Frames = []testrun.Frame{{Path: d.Function.Path, Line: a.Raised, Func: d.Function.Name}}
	}
	green := map[int]int{}
	for _, lines := range a.Ran {
		for _, l := range lines {
			green[l]++
			f.Lines[l] = 0
		}
	}
	for _, l := range a.Lines {
		f.Lines[l] = 1 / math.Sqrt(float64(1+green[l]))
	}
	return f
}
