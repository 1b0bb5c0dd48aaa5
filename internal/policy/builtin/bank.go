package builtin

// fromBank offers the operators of the bank: most undo themselves or each
// other.
func (g *generator) fromBank() {}
