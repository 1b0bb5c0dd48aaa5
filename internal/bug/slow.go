package bug

import (
	"context"
	"slices"
	"strconv"
	"time"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// Each variant takes what the test takes, and one that never ends its deadline: of
// slow tests and of those that hang the search is bounded by that too.
const (
	maxHung   = 8                     // variants that hang in one search
	slowTest  = 50 * time.Millisecond // from here on a test is slow
	slowTime  = 6 * time.Second       // for those of its variants that are slow too
	leastSlow = 12                    // of them, however slow it is
	fast      = 4                     // times less than the test, and a variant is slow no more
	maxQuick  = 24                    // looked at for one that is faster
	large     = 16                    // a number that may be what makes a test slow
)

// small are the numbers that large ones become.
var small = []int{3, 10}

// hangs tells whether the test does not end, rather than fail.
func (z *minimiser) hangs() bool { return z.kind == "" || z.kind == testrun.KindTimedOut }

// affordable returns the variants that may still be judged in the order in which they are:
// those last that may hang, and of a slow test as many as its time allows.
func (z *minimiser) affordable(vs []*variant) []*variant {
	vs = slices.Clone(vs)
	slices.SortStableFunc(vs, func(a, b *variant) int {
		switch {
		case z.alone != nil: // the first of a process is the one that fails as it should
			return a.size - b.size
		case a.risky == b.risky:
			return 0
		case a.risky:
			return 1
		}
		return -1
	})
	if z.takes < slowTest {
		return vs
	}
	return vs[:max(0, min(len(vs), max(leastSlow, int(slowTime/z.takes))-z.slow))]
}

// strikes is how many variants may hang in one run before it ends.
func (z *minimiser) strikes() int {
	if z.hangs() {
		return 1
	}
	return max(1, min(giveUp, maxHung-z.hung))
}

// count notes how many variants hung, and how many took about what the test does.
func (z *minimiser) count(on testrun.Report) {
	for id, v := range on.Results {
		if v == outcome.TimedOut {
			z.hung++
		}
		if on.Seconds[id] >= (z.takes / fast).Seconds() {
			z.slow++
		}
	}
	z.gaveUp = z.gaveUp || z.hung >= maxHung || on.GaveUp && !z.hangs()
}

// judgeHanging judges variants of a test that hangs, the smallest first, until one
// hangs: those before it cost next to nothing, and those after it are not needed.
func (z *minimiser) judgeHanging(ctx context.Context, vs []*variant) error {
	vs = slices.Clone(vs)
	slices.SortStableFunc(vs, func(a, b *variant) int {
		switch {
		case a.less(b):
			return -1
		case b.less(a):
			return 1
		}
		return 0
	})
	for len(vs) > 0 && !z.spent() {
		part := vs[:min(len(vs), z.most())]
		_, on, off, err := z.batch(ctx, part)
		if err != nil {
			return err
		}
		var left []*variant
		for i, v := range part {
			file := z.path(v, i)
			if v.red, v.failure = z.agree(v, file, on, off); v.red != "" {
				return nil
			}
			for id, verdict := range on.Results {
				if verdict == outcome.Absent && fileOf(id) == file && on.GaveUp {
					left = append(left, v)
					break
				}
			}
		}
		vs = append(left, vs[len(part):]...)
	}
	return nil
}

// mayHang tells whether cuts take something out of a while loop and leave the loop.
func (m *module) mayHang(cuts []cut) (found bool) {
	walk(m.root, func(n *sitter.Node) bool {
		if n.Kind() == "while_statement" {
			from, to := int(n.StartByte()), int(n.EndByte())
			found = found || slices.ContainsFunc(cuts, func(c cut) bool { return from < c.start && c.end <= to })
		}
		return !found
	})
	return found
}

// quicken looks for a start that is faster than a slow test, nil when there is none: one
// with large numbers made small, as most tests are slow because they do something often.
func (z *minimiser) quicken(ctx context.Context, starts []*variant) (*variant, error) {
	if z.takes < slowTest || z.hangs() {
		return nil, nil
	}
	var all, alone []*variant
	for _, v := range starts {
		if z.direct && !v.callable() {
			continue
		}
		sets := z.quickened(v)
		for _, set := range sets {
			all = append(all, set[0])
			if alone == nil {
				alone = append(alone, set[1:]...)
			}
		}
	}
	quick := append(all, alone...)
	was := *z
	z.takes = 0 // what takes longer than a small test is of no use
	best, err := z.pick(ctx, quick[:min(len(quick), maxQuick)])
	if *z = was; best != nil {
		z.takes = 0
	}
	return best, err
}

// quickened returns the file with large numbers made small, for each of the small ones: all
// of them at once, then each alone.
func (z *minimiser) quickened(v *variant) (out [][]*variant) {
	m, ok := parse(v.src)
	if !ok {
		return nil
	}
	defer m.Close()
	for _, n := range small {
		cuts := m.numbers(strconv.Itoa(n))
		sets := [][]cut{cuts}
		for i := 0; i < len(cuts) && len(cuts) > 1; i++ {
			sets = append(sets, cuts[i:i+1])
		}
		var made []*variant
		for _, set := range sets {
			if w := z.cut(m, v, set); w != nil && len(set) > 0 {
				made = append(made, w)
			}
		}
		if len(made) > 0 {
			out = append(out, made)
		}
	}
	return out
}

// numbers puts another in the place of each large whole number, and of each call whose value a
// variable keeps that is given to range.
func (m *module) numbers(with string) (out []cut) {
	counts := map[string]bool{}
	walk(m.root, func(n *sitter.Node) bool {
		if n.Kind() == "call" && m.text(n.ChildByFieldName("function")) == "range" {
			m.identifiers(n.ChildByFieldName("arguments"), counts)
		}
		return true
	})
	walk(m.root, func(n *sitter.Node) bool {
		switch n.Kind() {
		case "integer":
			if v, err := strconv.ParseInt(m.text(n), 0, 64); err != nil || v >= large {
				out = append(out, cut{start: int(n.StartByte()), end: int(n.EndByte()), with: with})
			}
		case "assignment":
			left, right := n.ChildByFieldName("left"), n.ChildByFieldName("right")
			if left != nil && right != nil && right.Kind() == "call" && counts[m.text(left)] {
				out = append(out, cut{start: int(right.StartByte()), end: int(right.EndByte()), with: with})
				return false
			}
		}
		return true
	})
	return out
}
