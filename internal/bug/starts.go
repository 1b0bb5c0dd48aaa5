package bug

import (
	"path"
	"slices"
)

// starts are the files to begin with, at the root and beside the original, in
// tiers: a later tier is tried when nothing of those before it works. First
// what shows the whole test, reduced by names, with guesses of what of it
// matters; last the file as it is.
func (z *minimiser) starts(src, whole []byte, id testID, at marks) [][]*variant {
	dirs := []string{""}
	if d := path.Dir(id.path); d != "." {
		dirs = append(dirs, d)
	}
	seen := map[string]bool{}
	tier := func(lists ...[]*variant) (out []*variant) {
		for _, v := range slices.Concat(lists...) {
			for _, d := range dirs {
				if key := d + "\n" + string(v.src); len(v.src) > 0 && !seen[key] {
					seen[key] = true
					w := *v
					w.dir = d
					out = append(out, &w)
				}
			}
		}
		return out
	}
	as := func(text []byte, at marks) []*variant { return []*variant{newVariant("", text, id, at)} }
	var first []*variant
	if text, now, ok := pruneAt(whole, id, at); ok {
		first = as(text, now)
	} else if text, ok := prune(whole, id); ok {
		first = as(text, marks{})
	}
	for _, v := range first[:len(first):len(first)] {
		first = append(first, z.plainer(v)...)
	}
	for _, v := range first[:len(first):len(first)] {
		first = append(first, z.sliced(v)...)
	}
	only, _ := onlyTest(whole, id)
	unmerged, _ := prune(src, id)
	return [][]*variant{tier(first), tier(as(only, marks{})), tier(as(unmerged, marks{})), tier(as(whole, marks{}), as(src, marks{}))}
}

// plainer returns the test in plainer forms: one case of a parametrised test, no
// fixtures of its own file, no class.
func (z *minimiser) plainer(v *variant) (out []*variant) {
	last := []*variant{v}
	add := func(more []*variant) {
		for _, w := range more {
			w = z.pruned(w)
			out = append(out, w)
			last = append(last, w)
		}
	}
	for _, w := range last {
		add(w.resolved())
	}
	for _, w := range last[:len(last):len(last)] {
		add(w.withoutFixtures())
	}
	for _, w := range last[:len(last):len(last)] {
		if x := w.plain(); x != nil {
			add([]*variant{x})
		}
	}
	return out
}

// sliced returns guesses of what of a test matters.
func (z *minimiser) sliced(v *variant) []*variant {
	out := z.slices(v)
	for _, w := range out[:len(out):len(out)] {
		if f := z.folds(w); len(f) > 0 && z.direct {
			out = append(out, f[0])
		}
	}
	return out
}
