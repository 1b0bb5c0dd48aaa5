package strategy

import (
	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
)

// decides reports whether a mutation changes what a piece of code decides, for
// some inputs: part of a condition, of a comparison or of a boolean expression,
// or a whole guard.
func decides(f *lang.File, m mutate.Mutation) bool {
	if m.Operator == "guard_clause_removal" || m.Operator == "branch_body_swap" {
		return true
	}
	n := f.Root.At(m.Edits[0].Start, m.Edits[len(m.Edits)-1].End)
	for ; n != nil && !python.IsStatement(n) && !python.IsBlock(n); n = n.Parent {
		if n.Field == "condition" || n.Is("if_clause", "boolean_operator", "comparison_operator", "not_operator", "conditional_expression") {
			return true
		}
		if n.Is("call", "lambda", "dictionary", "list", "subscript") {
			return false // a value on the way to it
		}
	}
	return false
}

// deciders lists the mutations of a place that decide.
func (x *index) deciders(p place) ([]mutate.Mutation, error) {
	if ms, ok := x.decide[p]; ok {
		return ms, nil
	}
	f, ok := x.files[p.path]
	if !ok {
		var err error
		if f, err = x.parse(p.path); err != nil {
			return nil, err
		}
		x.files[p.path] = f
	}
	var out []mutate.Mutation
	for _, m := range x.at[p] {
		if f != nil && decides(f, m) {
			out = append(out, m)
		}
	}
	x.decide[p] = out
	return out, nil
}
