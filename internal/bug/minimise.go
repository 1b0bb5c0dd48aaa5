package bug

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"sort"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

const (
	maxRounds   = 8  // of delta debugging
	maxVariants = 40 // files judged in one process
	maxBytes    = 64 << 10
)

// Minimise makes a standalone test file from one red test: it is red on the
// broken tree with the same type of exception, green on the base, and as short
// as delta debugging over the syntax makes it. The reason says why there is
// none; the error is ours.
//
// The search is hierarchical: first other tests, unused definitions and imports
// go, by names and without a run; then statements, nested ones too, cases of a
// parametrised test and the class around it. Each round judges all single
// removals and some large ones together in one process on the broken tree and
// one on the base, then combinations of what worked, because starting a process
// costs far more than one more small test file. State may leak between the files of one
// process, so the winner is judged once more alone, twice on the broken tree;
// if that fails, the winner before it.
func Minimise(ctx context.Context, r testrun.Runner, base, broken *tree.Tree, test string, failure testrun.Failure) (RedTest, string, error) {
	id := parseID(test)
	src, err := base.Read(id.path)
	if err != nil || id.fn == "" || !strings.HasSuffix(id.path, ".py") || len(src) > maxTestFile {
		return RedTest{}, fmt.Sprintf("%s is no function in a Python file", test), nil
	}
	z := &minimiser{r: r, base: base, broken: broken, kind: failure.Kind,
		name: "test_breakfix_" + string(tree.DigestOf([]byte(string(base.Digest()) + string(broken.Digest()) + test))[:8])}
	whole := inline(base, src, id)
	var best *variant
	for _, tier := range z.starts(src, whole, id) {
		if best, err = z.pick(ctx, tier); err != nil {
			return RedTest{}, "", err
		}
		if best != nil {
			break
		}
	}
	if best == nil {
		return RedTest{}, "no file with this test alone is red on the bug and green on the base", nil
	}
	history := []*variant{best}
	rounds := maxRounds
	if z.kind == "" {
		rounds = 1
	}
	for range rounds {
		next, done, err := z.round(ctx, best)
		if err != nil {
			return RedTest{}, "", err
		}
		if next != nil {
			best = next
			history = append(history, best)
		}
		if done {
			break
		}
	}
	for tries := 0; tries < 3 && len(history) > 0; tries++ {
		v := history[len(history)-1]
		history = history[:len(history)-1]
		red, ok, err := z.confirm(ctx, v)
		if err != nil {
			return RedTest{}, "", err
		}
		if !ok {
			continue
		}
		red.From = test
		red.Before = supportOf(whole, id)
		red.Original = original(whole, id)
		if red.Statements > red.Before {
			return RedTest{}, fmt.Sprintf("it stays at %d statements, the test that it came from has %d", red.Statements, red.Before), nil
		}
		return red, "", nil
	}
	return RedTest{}, "alone in a process it is not red on the bug and green on the base", nil
}

// minimiser holds what stays the same during one minimisation.
type minimiser struct {
	r            testrun.Runner
	base, broken *tree.Tree
	kind         string
	name         string // file name without ending
}

// variant is a candidate for the minimised test.
type variant struct {
	dir     string // folder of the tree that it lies in, "" for the root
	src     []byte
	id      testID
	size    int // statements
	red     string
	failure testrun.Failure
}

func newVariant(dir string, src []byte, id testID) *variant {
	return &variant{dir: dir, src: tidy(src), id: id, size: countStatements(src)}
}

// tidy takes out comments' leftovers: runs of blank lines, and those at the ends.
func tidy(src []byte) []byte {
	lines := strings.Split(string(src), "\n")
	var out []string
	blank := 0
	for _, l := range lines {
		if strings.TrimSpace(l) == "" && !strings.Contains(l, `"""`) {
			if blank++; blank > 2 || len(out) == 0 {
				continue
			}
			l = ""
		} else {
			blank = 0
		}
		out = append(out, l)
	}
	text := []byte(strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n")
	if m, ok := parse(text); ok {
		m.Close()
		return text
	}
	return src
}

func (v *variant) less(w *variant) bool {
	if v.size != w.size {
		return v.size < w.size
	}
	if len(v.src) != len(w.src) {
		return len(v.src) < len(w.src)
	}
	return bytes.Compare(v.src, w.src) < 0
}

// starts are the files to begin with, at the root and beside the original, in
// tiers: a later tier is tried when nothing of those before it works. First
// what shows the whole test, reduced by names; last the file as it is.
func (z *minimiser) starts(src, whole []byte, id testID) [][]*variant {
	dirs := []string{""}
	if d := path.Dir(id.path); d != "." {
		dirs = append(dirs, d)
	}
	seen := map[string]bool{}
	tier := func(texts ...[]byte) (out []*variant) {
		for _, x := range texts {
			for _, d := range dirs {
				if x != nil && !seen[d+"\n"+string(x)] {
					seen[d+"\n"+string(x)] = true
					out = append(out, newVariant(d, x, id))
				}
			}
		}
		return out
	}
	pruned, _ := prune(whole, id)
	only, _ := onlyTest(whole, id)
	first := tier(pruned)
	for _, v := range first[:len(first):len(first)] {
		if p, pid, ok := plain(v.src, v.id); ok && z.kind != "" {
			first = append(first, z.pruned(newVariant(v.dir, p, pid)))
		}
	}
	unmerged, _ := prune(src, id)
	return [][]*variant{first, tier(only), tier(unmerged), tier(whole, src)}
}

// round returns a smaller variant of v that works, nil when there is none.
// done says that another round would find nothing: what could not be taken out
// alone is not tried again after something else went.
func (z *minimiser) round(ctx context.Context, v *variant) (next *variant, done bool, err error) {
	m, ok := parse(v.src)
	if !ok {
		return nil, true, nil
	}
	defer m.Close()
	units := m.units(v.id)
	var tries []*variant
	var single []int // index in tries → unit
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
		for parts := 2; parts <= 8 && parts < len(units); parts *= 2 {
			for i := range parts {
				add(-1, units[i*len(units)/parts:(i+1)*len(units)/parts])
			}
		}
		for i := range min(len(units), 3*maxVariants) {
			add(i, units[i:i+1])
		}
	}
	best, err := z.pick(ctx, tries)
	if err != nil || best == nil || z.kind == "" {
		return best, true, err
	}
	if exhaustive {
		return best, !plainer, nil
	}
	var good []cut
	for i, w := range tries {
		if w.red != "" && single[i] >= 0 {
			good = append(good, units[single[i]])
		}
	}
	if len(good) < 2 {
		return best, false, nil
	}
	var more []*variant
	combine := func(cuts []cut) {
		if w := z.cut(m, v, cuts); w != nil && w.less(best) && len(more) < maxVariants {
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
		combine(append(append([]cut(nil), good[:i]...), good[i+1:]...))
	}
	w, err := z.pick(ctx, more)
	if err != nil {
		return nil, false, err
	}
	if w != nil && w.less(best) {
		best = w
	}
	return best, union && more[0].red != "" && !plainer, nil
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

func smallest(vs []*variant) *variant {
	var best *variant
	for _, v := range vs {
		if v.red != "" && (best == nil || v.less(best)) {
			best = v
		}
	}
	return best
}

// pick judges all variants and returns the smallest that works.
func (z *minimiser) pick(ctx context.Context, vs []*variant) (*variant, error) {
	if err := z.judge(ctx, vs); err != nil {
		return nil, err
	}
	return smallest(vs), nil
}

// judge sets red and failure of every variant that works: some test of it is
// red on the broken tree with the exception that is looked for, and all of its
// tests pass on the base.
func (z *minimiser) judge(ctx context.Context, vs []*variant) error {
	batch := maxVariants
	if z.kind == "" {
		batch = 2 // a hang: each red variant costs its deadline
		vs = vs[:min(len(vs), 4)]
	}
	for lo := 0; lo < len(vs); lo += batch {
		part := vs[lo:min(lo+batch, len(vs))]
		files := map[string]string{}
		for i, v := range part {
			if len(v.src) <= maxBytes {
				files[z.path(v, i)] = string(v.src)
			}
		}
		on, off, err := z.both(ctx, files, false)
		if err != nil {
			return err
		}
		for i, v := range part {
			v.red, v.failure = z.agree(z.path(v, i), on, off)
		}
	}
	return nil
}

func (z *minimiser) path(v *variant, i int) string {
	return path.Join(v.dir, fmt.Sprintf("%s_%d.py", z.name, i))
}

// both runs the files on the broken tree and on the base at the same time.
func (z *minimiser) both(ctx context.Context, files map[string]string, fresh bool) (on, off testrun.Report, err error) {
	g, ctx := errgroup.WithContext(ctx)
	deadline := variantDeadline
	if fresh {
		deadline = testDeadline
	}
	one := func(t *tree.Tree, into *testrun.Report) {
		g.Go(func() (err error) {
			*into, err = z.r.Run(ctx, testrun.Request{Tree: t, Files: files, FilesOnly: true, Fresh: fresh, GiveUp: giveUp,
				Deadline: func(string) time.Duration { return deadline }})
			return err
		})
	}
	one(z.broken, &on)
	one(z.base, &off)
	return on, off, g.Wait()
}

// Wall time of a test: a new file has no time of its own on the base. Taking a
// statement out often leaves a test that never ends; such a variant is given
// up early, and after a few of them the rest of the batch counts as not working.
const (
	testDeadline    = 3 * time.Second
	variantDeadline = 1500 * time.Millisecond
	giveUp          = 3
)

// agree returns the red test of one file and how it failed, "" when the file
// does not work.
func (z *minimiser) agree(file string, on, off testrun.Report) (string, testrun.Failure) {
	var reds []string
	count := 0
	for id, v := range off.Results {
		if strings.HasPrefix(id, file+"::") {
			if v != outcome.Passed {
				return "", testrun.Failure{}
			}
			count++
		}
	}
	for id, v := range on.Results {
		if strings.HasPrefix(id, file+"::") && v.Red() && on.Failures[id].Kind == z.kind && off.Results.Get(id) == outcome.Passed {
			reds = append(reds, id)
		}
	}
	if count == 0 || len(reds) == 0 {
		return "", testrun.Failure{}
	}
	sort.Strings(reds)
	return reds[0], on.Failures[reds[0]]
}

// confirm judges a variant under its final name in processes of its own, twice
// on the broken tree.
func (z *minimiser) confirm(ctx context.Context, v *variant) (RedTest, bool, error) {
	file := path.Join(v.dir, z.name+".py")
	files := map[string]string{file: string(v.src)}
	var again testrun.Report
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		again, err = z.r.Run(gctx, testrun.Request{Tree: z.broken, Files: files, FilesOnly: true, Fresh: true,
			Deadline: func(string) time.Duration { return testDeadline }})
		return err
	})
	on, off, err := z.both(gctx, files, true)
	if e := g.Wait(); err == nil {
		err = e
	}
	if err != nil {
		return RedTest{}, false, err
	}
	id, failure := z.agree(file, on, off)
	if id == "" || !again.Results.Get(id).Red() || again.Failures[id].Kind != z.kind {
		return RedTest{}, false, nil
	}
	return RedTest{Path: file, Code: string(v.src), Test: id, Statements: countStatements(v.src), Failure: failure}, true, nil
}

// supportOf counts the statements of a test with the support code of its file.
func supportOf(whole []byte, id testID) int {
	if s, ok := onlyTest(whole, id); ok {
		return countStatements(s)
	}
	return countStatements(whole)
}

// onlyTest returns the file without the other tests.
func onlyTest(src []byte, id testID) ([]byte, bool) {
	m, ok := parse(src)
	if !ok {
		return nil, false
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if fn == nil && len(classes) > 0 {
		fn = m.inherits(classes[len(classes)-1], id.fn, 0)
	}
	if fn == nil {
		return nil, false
	}
	var cuts []cut
	for _, p := range m.pieces(id) {
		d := definition(p.node)
		if d != nil && d.Kind() == "function_definition" && strings.HasPrefix(m.name(d), "test") && p.node.Id() != fn.Id() {
			cuts = append(cuts, m.cutStatement(p.node))
		}
	}
	return m.apply(cuts)
}

// original returns the source of the test itself.
func original(whole []byte, id testID) string {
	m, ok := parse(whole)
	if !ok {
		return ""
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if fn == nil && len(classes) > 0 {
		fn = m.inherits(classes[len(classes)-1], id.fn, 0)
	}
	if fn == nil {
		return ""
	}
	return m.text(fn)
}
