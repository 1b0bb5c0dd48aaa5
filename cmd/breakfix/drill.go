package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"

	"breakfix/internal/arena"
	"breakfix/internal/drill"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// drilling is the file of train's --drill: read, or made source by source.
type drilling struct {
	cmd   *trainCmd
	file  string
	made  []drill.Failing
	known bool // the file was there
}

// perFunction is how many damages of a function are run.
const perFunction = 12

// openDrill reads the file where it is there.
func (c *trainCmd) openDrill() (*drilling, error) {
	d := &drilling{cmd: c, file: c.Drill}
	if d.file == "" {
		return d, nil
	}
	f, err := os.Open(d.file)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, usagef("name a file that train --drill made, or one that is not there", "cannot read the failures: %v", err)
	}
	defer f.Close()
	d.known = true
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var one drill.Failing
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil || one.Damaged == "" || one.Function.Source == "" {
			return nil, usagef("name a file that train --drill made, or one that is not there", "%s: line %d is no failure of a damaged function", d.file, len(d.made)+1)
		}
		d.made = append(d.made, one)
	}
	return d, lines.Err()
}

// source damages the functions of one source whose docstrings show calls, and
// runs these.
func (d *drilling) source(a *app, watch closingWatcher, t *tree.Tree, paths []string) error {
	if d.file == "" || d.known {
		return nil
	}
	sandbox, err := a.openSandbox()
	if err != nil {
		return err
	}
	python, _, binds, err := source.Bare(a.drain)
	if err != nil {
		return err
	}
	box := drill.Box{Sandbox: sandbox, Python: python, Binds: binds, Workers: d.cmd.workers()}
	watch.Stage("calls", strconv.Itoa(len(paths))+" files")
	functions, err := box.Show(a.drain, t, paths)
	if err != nil {
		return err
	}
	var damages []drill.Damage
	for i := range functions {
		f := &functions[i]
		for _, text := range builtin.Damages(f.Path, []byte(f.Source), perFunction, rand.New(rand.NewPCG(d.cmd.Seed, uint64(i)))) {
			damages = append(damages, drill.Damage{Function: f, Source: string(text)})
		}
	}
	watch.Stage("drill", fmt.Sprintf("%d damages of %d functions", len(damages), len(functions)))
	failing, err := box.Fail(a.drain, t, damages)
	if err != nil {
		return err
	}
	d.made = append(d.made, failing...)
	return nil
}

// teach keeps what was made, and adds it to a course.
func (d *drilling) teach(course *builtin.Course) error {
	if d.file == "" {
		return nil
	}
	if !d.known {
		f, err := os.Create(d.file)
		if err != nil {
			return usagef("name a file in a folder that exists", "cannot write the failures: %v", err)
		}
		w := bufio.NewWriter(f)
		out := json.NewEncoder(w)
		for _, one := range d.made {
			if err := out.Encode(one); err != nil {
				return errors.Join(err, f.Close())
			}
		}
		if err := errors.Join(w.Flush(), f.Close()); err != nil {
			return err
		}
	}
	for i := range d.made {
		one := &d.made[i]
		path := one.Function.Path
		v := builtin.View{Path: path, Source: []byte(one.Damaged), RedTest: one.Function.Test(), Failure: one.Failure,
			Context: arena.Context{Path: path, Function: one.Function.Name, FirstLine: 1, LastLine: countLines(one.Damaged)}}
		var at []int
		for l := range one.Lines {
			at = append(at, l)
		}
		slices.Sort(at)
		for _, l := range at {
			score := one.Lines[l]
			if i%2 == 0 { // as if all calls stood in one test
				score = 1
			}
			v.Suspects = append(v.Suspects, arena.Suspect{Path: path, Line: l, Score: score})
		}
		course.Solved, course.Right = append(course.Solved, v), append(course.Right, []byte(one.Function.Source))
	}
	course.Card["failures of damaged functions"] = strconv.Itoa(len(d.made))
	return nil
}

func countLines(text string) int {
	n := 0
	for i := range text {
		if text[i] == '\n' {
			n++
		}
	}
	return n
}
