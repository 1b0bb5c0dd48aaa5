package main

// bound is what a flag's number may be.
type bound struct {
	name          string
	value, lowest float64
	highest       float64 // 0: none
}

// within refuses the first number that is beyond its bounds.
func within(all []bound) error {
	for _, b := range all {
		if b.value < b.lowest {
			return usagef("", "--%s must be at least %v, not %v", b.name, b.lowest, b.value)
		}
		if b.highest > 0 && b.value > b.highest {
			return usagef("", "--%s must be at most %v, not %v", b.name, b.highest, b.value)
		}
	}
	return nil
}

// least is the bound of a number that has a lowest one.
func least[N int | float64](name string, value N, lowest float64) bound {
	return bound{name: name, value: float64(value), lowest: lowest}
}

// bounds are those of a source's flags.
func (f *sourceFlags) bounds() []bound {
	return []bound{least("test-seconds", f.TestSeconds, 0.1), least("deadline-floor", f.DeadlineFloor, 0.1), least("deadline-factor", f.DeadlineFactor, 1)}
}
