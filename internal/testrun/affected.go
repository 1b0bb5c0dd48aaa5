package testrun

import (
	"slices"
	"sort"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// Affected returns the tests of the baseline that passed there and whose
// verdict can differ between the snapshot and t, fastest first. None means
// that no test runs what changed.
func (w *Workspace) Affected(t *tree.Tree) ([]string, error) {
	diff, err := tree.Diff(w.Snapshot.Tree, t)
	if err != nil {
		return nil, err
	}
	spans, err := tree.ChangedSpans(diff)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, s := range spans {
		if w.Imported(s.Path, s.First, s.Last) {
			return w.fastestFirst(w.Base.Results.Passed()), nil
		}
		for _, id := range w.Covering(s.Path, s.First, s.Last) {
			if w.Base.Results.Get(id) == outcome.Passed {
				seen[id] = true
			}
		}
	}
	return w.fastestFirst(sortedKeys(seen)), nil
}

// fastestFirst sorts ids by their time on the base.
func (w *Workspace) fastestFirst(ids []string) []string {
	ids = slices.Clone(ids)
	sort.Strings(ids)
	sort.SliceStable(ids, func(i, j int) bool { return w.Base.Seconds[ids[i]] < w.Base.Seconds[ids[j]] })
	return ids
}
