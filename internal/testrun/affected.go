package testrun

import (
	"slices"
	"sort"
	"strings"

	"breakfix/internal/lang/python"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// Affected returns the tests of the baseline that passed there and whose
// verdict can differ between the snapshot and t, fastest first. None means
// that no test runs what changed.
func (w *Workspace) Affected(t *tree.Tree) ([]string, error) {
	c, err := w.changeOf(t)
	if err != nil {
		return nil, err
	}
	may := w.affected(c)
	var ids []string
	for id := range may {
		if w.Base.Results.Get(id) == outcome.Passed {
			ids = append(ids, id)
		}
	}
	return w.fastestFirst(ids), nil
}

// affected returns every test that may notice a change: that runs a line of
// it; for what may act while its file is loaded, that loads the file or uses
// any of it; and tests that read the file or start processes, of which nobody
// knows what they run.
func (w *Workspace) affected(c *change) map[string]bool {
	may := map[string]bool{}
	code := false
	for _, s := range c.spots {
		code = true
		if !s.loading {
			for _, id := range w.Base.Cover.Covering(s.path, s.first, s.last) {
				may[id] = true
			}
			w.readers(s.path, may)
			continue
		}
		if !strings.HasSuffix(s.path, ".py") {
			return w.everyTest()
		}
		loads := w.Base.Trace.Edges.importers(s.path)
		if f := w.Base.Cover.Files[s.path]; len(loads) == 1 && f != nil && len(f.Imported) > 0 {
			return w.everyTest() // it was loaded, and who did so is not known: an import that fails on the base
		}
		if w.loadedFromOutside(loads) || strings.HasSuffix(s.path, "conftest.py") && !strings.Contains(s.path, "/") {
			return w.everyTest() // something outside of the tree loads it
		}
		for _, id := range w.Base.Order {
			file := fileOf(id)
			if loads[file] || file == s.path {
				may[id] = true
				continue
			}
			for _, f := range conftests(w.Snapshot.Tree, file) {
				if loads[f] || f == s.path {
					may[id] = true
				}
			}
			if !w.Snapshot.Tree.Has(file) {
				may[id] = true // it stands in no file that we know
			}
			for _, f := range w.Base.Trace.Imports[id] {
				if loads[f] {
					may[id] = true
				}
			}
		}
		for _, id := range w.Base.Cover.Covering(s.path, 1, 1<<30) {
			may[id] = true
		}
		w.readers(s.path, may)
	}
	if code {
		for _, id := range w.Base.Spawns {
			may[id] = true
		}
		for _, id := range w.untraced() {
			may[id] = true
		}
	}
	return may
}

// untracedTests lists the red tests of which no line is known: they hung or
// ended their process on the base, and what they run went with it.
func (w *Workspace) untracedTests() []string {
	c := w.Base.Cover
	if c == nil {
		return nil
	}
	runs := make([]byte, c.width())
	for _, f := range c.Files {
		for i, b := range f.Bits {
			runs[i%len(runs)] |= b
		}
	}
	var ids []string
	for i, id := range c.Tests {
		if runs[i/8]&(1<<(i%8)) == 0 && w.Base.Results.Get(id).Red() {
			ids = append(ids, id)
		}
	}
	return ids
}

// loadedFromOutside reports whether something that is not of the tree loads one
// of the files: a plugin of pytest, say. That pytest itself loads test files
// and conftests is no news.
func (w *Workspace) loadedFromOutside(files map[string]bool) bool {
	suite := filesOf(w.Base.Order)
	for _, f := range w.Base.Trace.Edges[""] {
		if files[f] && !python.Python.IsTest(f) && !python.Python.IsRunnerConfig(f) && !slices.Contains(suite, f) {
			return true
		}
	}
	return false
}

// readers adds the tests that read a file as text. What is read while the
// suite is loaded can be behind every test.
func (w *Workspace) readers(path string, may map[string]bool) {
	for id, files := range w.Base.Trace.Reads {
		if !slices.Contains(files, path) {
			continue
		}
		if id == "" {
			for id := range w.everyTest() {
				may[id] = true
			}
			return
		}
		may[id] = true
	}
}

func (w *Workspace) everyTest() map[string]bool {
	all := make(map[string]bool, len(w.Base.Order))
	for _, id := range w.Base.Order {
		all[id] = true
	}
	return all
}

// fastestFirst sorts ids by their time on the base.
func (w *Workspace) fastestFirst(ids []string) []string {
	ids = slices.Clone(ids)
	sort.Strings(ids)
	sort.SliceStable(ids, func(i, j int) bool { return w.Base.Seconds[ids[i]] < w.Base.Seconds[ids[j]] })
	return ids
}
