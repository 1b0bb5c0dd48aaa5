package builtin

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/tree"
)

// TestMovesAreScoredInParts: to score all moves at once takes tens of MB, and says the same to the last bit.
func TestMovesAreScoredInParts(t *testing.T) {
	var src strings.Builder
	src.WriteString("def total(items, rate, least):\n")
	for i := range 12 {
		fmt.Fprintf(&src, "    value_%d = items[%d] * rate + least if rate < %d else least - items[0]\n", i, i, i)
	}
	src.WriteString("    return value_0\n")
	g := generate(wholeView("f.py", []byte(src.String())), true)
	ps := g.picks(g.drafts.len())
	cs := g.candidates(ps)
	if len(cs) <= 2*posedAtOnce || len(cs)%posedAtOnce == 0 {
		t.Fatalf("%d moves are no test of parts of %d", len(cs), posedAtOnce)
	}
	w, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	scores, whole := make([]float32, len(cs)), make([]float32, len(cs))
	value := w.score(g, ps, scores)
	p := w.pose(g, cs)
	code := w.model.Encode(p)
	w.model.Score(code, p.Moves, whole)
	if got := float64(w.model.Value(code)); got != value {
		t.Errorf("value %v, in parts %v", got, value)
	}
	for i := range scores {
		if scores[i] != whole[i] {
			t.Fatalf("move %d of %d: %v at once, %v in parts", i, len(cs), whole[i], scores[i])
		}
	}
}

// TestViewsAreOrderedByAsManyAsThereAreCores: each takes up to a hundred MB meanwhile.
func TestViewsAreOrderedByAsManyAsThereAreCores(t *testing.T) {
	var now, most atomic.Int32
	w := Scratch(1)
	w.version = "of this test"
	w.other = func(cs []Candidate, _ *network.Problem, _ []float32) {
		n := now.Add(1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		time.Sleep(10 * time.Millisecond)
		now.Add(-1)
	}
	var all sync.WaitGroup
	for range 4 * cap(orderedAtOnce) {
		all.Go(func() { ordered(wholeView("f.py", []byte("def f(a, b):\n    return a + b\n")), w) })
	}
	all.Wait()
	if n := int(most.Load()); n == 0 || n > cap(orderedAtOnce) || n > runtime.GOMAXPROCS(0) {
		t.Errorf("%d at the same time, of %d", n, cap(orderedAtOnce))
	}
}

// TestWhatIsKeptOfAListIsItsBeginning: how many are asked for changes nothing in front of them.
func TestWhatIsKeptOfAListIsItsBeginning(t *testing.T) {
	v := wholeView("f.py", []byte("def low(items, least):\n    for x in items:\n        if x < least:\n            return x + 1\n    return None\n"))
	shipped, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]*Weights{"hand": nil, "scratch": Scratch(1), "shipped": shipped} {
		const keep = 7
		whole, some := list{view: v}, list{view: v}
		whole.order(w, math.MaxInt, math.MaxInt)
		some.order(w, math.MaxInt, keep)
		if len(whole.cs) <= keep || !reflect.DeepEqual(some.cs, whole.cs[:keep]) {
			t.Errorf("%s: %d of %d are other ones", name, len(some.cs), len(whole.cs))
		}
		if some.drafts != whole.drafts || some.mass != whole.mass || some.value != whole.value {
			t.Errorf("%s: %d drafts, mass %v and value %v of what is kept, %d, %v and %v of all", name, some.drafts, some.mass, some.value, whole.drafts, whole.mass, whole.value)
		}
	}
}

func TestEditsAreTrimmedWhereTheyStay(t *testing.T) {
	src := []byte("total = price + tax")
	for _, c := range []struct{ edits, want []tree.Edit }{
		{[]tree.Edit{{Start: 14, End: 15, New: "-"}}, []tree.Edit{{Start: 14, End: 15, New: "-"}}},
		{[]tree.Edit{{Start: 8, End: 19, New: "price - tax"}}, []tree.Edit{{Start: 14, End: 15, New: "-"}}},
		{[]tree.Edit{{Start: 16, End: 19, New: "fee"}, {Start: 8, End: 13, New: "price"}, {Start: 0, End: 5, New: "sum"}}, []tree.Edit{{Start: 0, End: 5, New: "sum"}, {Start: 16, End: 19, New: "fee"}}},
		{[]tree.Edit{{Start: 0, End: 5, New: "total"}}, []tree.Edit{}},
	} {
		given := slices.Clone(c.edits)
		if got := trimEdits(src, c.edits); !slices.Equal(got, c.want) {
			t.Errorf("%v becomes %v, want %v", c.edits, got, c.want)
		}
		if !slices.Equal(given, c.edits) {
			t.Errorf("%v was changed to %v", given, c.edits)
		}
	}
}
