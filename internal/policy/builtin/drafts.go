package builtin

import (
	"iter"

	"breakfix/internal/tree"
)

// draft is a candidate before ranking. Drafts of one kind at one site share
// the mass of the kind there in proportion to their weights.
type draft struct {
	kind       Kind
	start, end int32 // the site
	turns      turned
	weight     float64
	line       float64 // log prior of the place
	edits      []tree.Edit
	what       string
}

// turned is the condition whose truth a move turns around, by its bytes: moves that turn the
// same one are the same repair in other words. The zero value is none.
type turned struct{ start, end int32 }

// drafts are the drafts of a view, and their edits, in blocks that stay where they are: a large
// function has several hundred thousand, and a list that grows is copied, with the old one there
// until it is collected.
type drafts struct {
	n      int
	blocks [][]draft
	edits  []tree.Edit // the rest of the latest block of edits
}

const draftsInBlock = 1024

// add puts a draft at the end, with a copy of the edits.
func (ds *drafts) add(d draft, edits []tree.Edit) {
	if len(edits) > cap(ds.edits)-len(ds.edits) {
		ds.edits = make([]tree.Edit, 0, max(draftsInBlock, len(edits)))
	}
	from := len(ds.edits)
	ds.edits = append(ds.edits, edits...)
	d.edits = ds.edits[from:len(ds.edits):len(ds.edits)]
	if ds.n%draftsInBlock == 0 {
		ds.blocks = append(ds.blocks, make([]draft, 0, draftsInBlock))
	}
	last := &ds.blocks[len(ds.blocks)-1]
	*last = append(*last, d)
	ds.n++
}

func (ds *drafts) len() int { return ds.n }

// at gives the i-th draft.
func (ds *drafts) at(i int32) *draft { return &ds.blocks[i/draftsInBlock][i%draftsInBlock] }

// all gives each draft with its number, in the order in which they were added.
func (ds *drafts) all() iter.Seq2[int32, *draft] {
	return func(yield func(int32, *draft) bool) {
		for i := range int32(ds.n) {
			if !yield(i, ds.at(i)) {
				return
			}
		}
	}
}
