package builtin

import (
	"slices"
	"testing"

	"breakfix/internal/tree"
)

// TestDraftsStayWhatTheyWere: beyond one block of them, with more edits than a block has, and
// where the one who offered them goes on with the same slice.
func TestDraftsStayWhatTheyWere(t *testing.T) {
	var ds drafts
	given := make([]tree.Edit, 0, 3*draftsInBlock)
	many := 2*draftsInBlock + 3
	lengths := func(i int) int {
		if i == 7 {
			return draftsInBlock + 1
		}
		return i % 4
	}
	for i := range many {
		given = given[:lengths(i)]
		for k := range given {
			given[k] = tree.Edit{Start: i, End: i + k}
		}
		ds.add(draft{weight: float64(i)}, given)
	}
	if ds.len() != many {
		t.Fatalf("%d drafts of %d", ds.len(), many)
	}
	n := 0
	for i, d := range ds.all() {
		var want []tree.Edit
		for k := range lengths(n) {
			want = append(want, tree.Edit{Start: n, End: n + k})
		}
		if int(i) != n || d != ds.at(i) || d.weight != float64(n) || !slices.Equal(d.edits, want) {
			t.Fatalf("draft %d of %d has weight %v and edits %v, want %v", i, n, d.weight, d.edits, want)
		}
		n++
	}
	if n != many {
		t.Errorf("%d drafts are listed of %d", n, many)
	}
}
