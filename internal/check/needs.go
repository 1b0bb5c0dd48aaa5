package check

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Tests describes the tests of a baseline in the suite's order: where each
// stands, and the digest of what its verdict rests on. With the same
// environment and the same digest a test does on a mutation what it did: its
// own function, what else its file holds but for other tests, every file that
// it loads, runs or reads as far as the baseline saw, what configures the
// runner, and every file that is no Python. A test that starts processes
// rests on the whole tree.
func Tests(t *tree.Tree, b *testrun.Baseline) []Test {
	d := describer{tree: t, base: b, files: map[string]*testFile{}, rest: map[string]map[string]bool{}}
	d.config = map[string]bool{}
	for _, p := range t.Paths() {
		if !strings.HasSuffix(p, ".py") || python.Python.IsRunnerConfig(p) {
			d.config[p] = true
		}
	}
	for _, p := range b.Trace.Edges[""] { // what a plugin of pytest loads; that it loads test files is no news
		if !python.Python.IsTest(p) {
			d.config[p] = true
		}
	}
	spawns := map[string]bool{}
	for _, id := range b.Spawns {
		spawns[id] = true
	}
	runs := d.filesRun()
	tests := make([]Test, len(b.Order))
	for i, id := range b.Order {
		one := Test{ID: id}
		file, name, _ := strings.Cut(id, "::")
		if t.Has(file) {
			one.Path, one.Line = file, d.file(file).line(name)
		}
		switch {
		case spawns[id]:
			one.Needs = "tree " + string(t.Digest())
		case one.Path != "":
			one.Needs = d.needs(id, file, name, runs[id])
		}
		tests[i] = one
	}
	return tests
}

type describer struct {
	tree   *tree.Tree
	base   *testrun.Baseline
	config map[string]bool
	files  map[string]*testFile
	rest   map[string]map[string]bool // by test file: what it and its conftests load
}

// filesRun lists the files that each test runs lines of.
func (d *describer) filesRun() map[string][]string {
	runs := map[string][]string{}
	if d.base.Cover == nil {
		return runs
	}
	for p := range d.base.Cover.Files {
		for _, id := range d.base.Cover.Covering(p, 1, 1<<30) {
			runs[id] = append(runs[id], p)
		}
	}
	return runs
}

func (d *describer) needs(id, file, name string, runs []string) string {
	need := map[string]bool{}
	add := func(ps map[string]bool) {
		for p := range ps {
			need[p] = true
		}
	}
	add(d.config)
	add(d.loadedWith(file))
	for _, more := range [][]string{runs, d.base.Trace.Imports[id], d.base.Trace.Reads[id], d.base.Trace.Reads[""]} {
		for _, p := range more {
			if !need[p] {
				add(reachable(p, d.base.Trace.Edges))
			}
		}
	}
	delete(need, file)
	paths := make([]string, 0, len(need))
	for p := range need {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	h := sha256.New()
	for _, p := range paths {
		fmt.Fprintf(h, "%s %s\n", d.tree.FileDigest(p), p)
	}
	fmt.Fprintf(h, "%s\n", id)
	h.Write(d.file(file).without(name))
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// loadedWith are the files that loading a test file brings.
func (d *describer) loadedWith(file string) map[string]bool {
	if known, ok := d.rest[file]; ok {
		return known
	}
	all := reachable(file, d.base.Trace.Edges)
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		for _, name := range []string{"conftest.py", "__init__.py"} {
			if p := path.Join(dir, name); d.tree.Has(p) {
				for q := range reachable(p, d.base.Trace.Edges) {
					all[q] = true
				}
			}
		}
		if dir == "." || dir == "/" {
			break
		}
	}
	d.rest[file] = all
	return all
}

// testFile is one file of tests, cut into its test functions and the rest.
type testFile struct {
	src   []byte
	tests []lang.Scope // functions that the runner takes for tests, by start
}

func (d *describer) file(p string) *testFile {
	if f, ok := d.files[p]; ok {
		return f
	}
	tf := &testFile{}
	d.files[p] = tf
	src, err := d.tree.Read(p)
	if err != nil {
		return tf
	}
	tf.src = src
	f, err := python.Python.Parse(src)
	if err != nil || f.HasError {
		return tf
	}
	for _, s := range python.Analyse(f).Scopes {
		last := s.Name[strings.LastIndexByte(s.Name, '.')+1:]
		if s.Function && strings.HasPrefix(last, "test") && (s.Parent.Parent == nil || !s.Parent.Function) {
			tf.tests = append(tf.tests, s.Scope)
		}
	}
	return tf
}

// function is the dotted name of a test's function: "Class::test_a[1]" is "Class.test_a".
func functionOf(name string) string {
	name, _, _ = strings.Cut(name, "[")
	return strings.ReplaceAll(name, "::", ".")
}

func (f *testFile) line(name string) int {
	for _, s := range f.tests {
		if s.Name == functionOf(name) {
			return s.FirstLine
		}
	}
	return 0
}

// without is the file's text but for the test functions that are not the named
// one; all of it when the named one is not found.
func (f *testFile) without(name string) []byte {
	if f.line(name) == 0 {
		return f.src
	}
	var out []string
	keep := func(b []byte) {
		if text := strings.TrimRight(strings.TrimLeft(string(b), "\n"), " \t\n"); text != "" {
			out = append(out, text)
		}
	}
	at := 0
	for _, s := range f.tests {
		if s.Start < at {
			continue // inside of another
		}
		keep(f.src[at:s.Start])
		if s.Name == functionOf(name) {
			keep(f.src[s.Start:s.End])
		}
		at = s.End
	}
	keep(f.src[at:])
	return []byte(strings.Join(out, "\n"))
}
