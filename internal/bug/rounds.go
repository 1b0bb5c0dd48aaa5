package bug

import (
	"bytes"
	"context"
	"slices"
)

// round returns a smaller variant of v that works, nil when there is none.
// done says that another round would find nothing: what could not be taken out
// alone is not tried again after something else went. fine judges single units
// however many there are.
func (z *minimiser) round(ctx context.Context, v *variant, fine bool) (next *variant, done bool, err error) {
	m, ok := parse(v.src)
	if !ok {
		return nil, true, nil
	}
	defer m.Close()
	units := m.units(v.id)
	var tries []*variant
	var single []int // index in tries → group
	var groups [][]cut
	coarse := false
	add := func(unit int, cuts []cut) {
		if w := z.cut(m, v, cuts); w != nil && w.less(v) {
			tries = append(tries, w)
			single = append(single, unit)
		}
	}
	plainer := false
	if src, id, ok := plain(v.src, v.id); ok {
		if w := z.pruned(newVariant(v.dir, src, id)); w.less(v) || len(id.classes) < len(v.id.classes) {
			tries, single, plainer = append(tries, w), append(single, -1), true
		}
	}
	exhaustive := len(units) <= 5
	if exhaustive {
		for set := 1; set < 1<<len(units); set++ {
			var cuts []cut
			for i, u := range units {
				if set>>i&1 == 1 {
					cuts = append(cuts, u)
				}
			}
			add(-1, cuts)
		}
	} else {
		if after := m.after(units, v); len(after) > 0 {
			add(-1, after)
		}
		// Many units: large parts first, singles once few are left or when no
		// part can go.
		parts := len(units)
		if len(units) > maxSingles && !fine {
			parts = maxSingles / 2
		}
		for n := 2; n <= 8 && n < parts; n *= 2 {
			for i := range n {
				add(-1, units[i*len(units)/n:(i+1)*len(units)/n])
			}
		}
		for i := range min(parts, 3*maxVariants) {
			groups = append(groups, units[i*len(units)/parts:(i+1)*len(units)/parts])
			add(i, groups[i])
		}
		coarse = parts < len(units)
	}
	best, err := z.pick(ctx, tries)
	if err == nil && best == nil && coarse {
		return z.round(ctx, v, true)
	}
	if err != nil || best == nil || z.kind == "" {
		return best, true, err
	}
	if exhaustive {
		return best, !plainer, nil
	}
	var good [][]cut
	for i, w := range tries {
		if w.red != "" && single[i] >= 0 {
			good = append(good, groups[single[i]])
		}
	}
	if len(good) < 2 || z.gaveUp {
		return best, false, nil
	}
	var more []*variant
	combine := func(groups [][]cut) {
		if w := z.cut(m, v, slices.Concat(groups...)); w != nil && w.less(best) && len(more) < maxVariants {
			more = append(more, w)
		}
	}
	combine(good)
	union := len(more) == 1
	for n := len(good) - 1; n > 1; n -= max(1, len(good)/8) {
		combine(good[:n])
		combine(good[len(good)-n:])
	}
	for i := range good {
		combine(append(slices.Clone(good[:i]), good[i+1:]...))
	}
	w, err := z.pick(ctx, more)
	if err != nil {
		return nil, false, err
	}
	if w != nil && w.less(best) {
		best = w
	}
	return best, union && more[0].red != "" && !plainer && !coarse, nil
}

// after returns the units that lie behind the line at which the test failed.
func (m *module) after(units []cut, v *variant) []cut {
	line := v.failure.TestLine
	if line <= 0 {
		return nil
	}
	var out []cut
	for _, u := range units {
		if u.statement && u.block >= 0 && bytes.Count(m.src[:u.own[0]], []byte("\n"))+1 > line {
			out = append(out, u)
		}
	}
	return out
}

func (z *minimiser) cut(m *module, v *variant, cuts []cut) *variant {
	src, ok := m.apply(cuts)
	if !ok {
		return nil
	}
	return z.pruned(newVariant(v.dir, src, v.id))
}

// pruned drops what nothing mentions any more.
func (z *minimiser) pruned(v *variant) *variant {
	if p, ok := prune(v.src, v.id); ok {
		return newVariant(v.dir, p, v.id)
	}
	return v
}
