package check

import (
	"cmp"
	"slices"

	"breakfix/internal/mutate"
)

// ByImportance sorts results so that what matters most comes first: what a test
// is known to notice, then what most functions depend on, then what most tests run and still miss, then by place.
func (p Plan) ByImportance(rs []Result) {
	slices.SortStableFunc(rs, func(a, b Result) int {
		return cmp.Or(
			-cmp.Compare(found(a), found(b)),
			-cmp.Compare(p.Depending(a.Mutation), p.Depending(b.Mutation)),
			-cmp.Compare(a.Tests, b.Tests),
			place(a, b),
		)
	})
}

func found(r Result) int {
	if r.Witness != nil {
		return 1
	}
	return 0
}

func place(a, b Result) int { return Place(a.Mutation, b.Mutation) }

// Place compares where two mutations are: path, line, operator, id.
func Place(m, n mutate.Mutation) int {
	return cmp.Or(cmp.Compare(m.Path, n.Path), cmp.Compare(m.Line, n.Line), cmp.Compare(m.Operator, n.Operator), cmp.Compare(m.ID, n.ID))
}
