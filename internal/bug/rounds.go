package bug

import (
	"bytes"
	"context"
	"slices"
)

// round returns a smaller variant of v that works, nil when there is none.
// done says that another round would find nothing: what could not be taken out
// alone is not tried again after something else went. The list says what can be
// taken out; fine judges single units however many there are.
func (z *minimiser) round(ctx context.Context, v *variant, list func(*module, *variant) []cut, fine bool) (next *variant, done bool, err error) {
	m, ok := parse(v.src)
	if !ok {
		return nil, true, nil
	}
	defer m.Close()
	units := list(m, v)
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
	for _, w := range z.plainer(v) {
		if w.less(v) || len(w.id.classes) < len(v.id.classes) {
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
		for i := range min(parts, 3*z.most()) {
			groups = append(groups, units[i*len(units)/parts:(i+1)*len(units)/parts])
			add(i, groups[i])
		}
		coarse = parts < len(units)
	}
	best, err := z.pick(ctx, tries)
	if err == nil && best == nil && coarse {
		return z.round(ctx, v, list, true)
	}
	if err != nil || best == nil || z.hangs() {
		return best, best == nil, err
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
		if w := z.cut(m, v, slices.Concat(groups...)); w != nil && w.less(best) && len(more) < z.most() {
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
	line := v.at[testSite]
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
	src, at, ok := m.without(cuts, v.at)
	if !ok {
		return nil
	}
	if slices.ContainsFunc(cuts, func(c cut) bool { return !c.statement && c.with == "" }) {
		src = commas(src)
	}
	w := z.pruned(newVariant(v.dir, src, v.id, at))
	w.risky = m.mayHang(cuts)
	return w
}

// pruned drops what nothing mentions any more.
func (z *minimiser) pruned(v *variant) *variant {
	if p, at, ok := pruneAt(v.src, v.id, v.at); ok {
		return newVariant(v.dir, p, v.id, at)
	}
	return v
}
