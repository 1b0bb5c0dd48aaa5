package grade

import (
	"strconv"
	"testing"

	"breakfix/internal/outcome"
)

func TestTheLatestGradingsAloneAreKept(t *testing.T) {
	c := NewCache()
	key := func(i int) cacheKey { return cacheKey{bug: strconv.Itoa(i)} }
	for i := range 3 * mostGradings {
		c.put(key(i), Result{Outcome: outcome.Fixed})
		c.put(key(i), Result{Outcome: outcome.Wrong}) // two attempts graded it at the same time
	}
	last := 3*mostGradings - 1
	if len(c.m) != mostGradings || len(c.keys) != mostGradings {
		t.Errorf("%d gradings are kept under %d keys, at most %d", len(c.m), len(c.keys), mostGradings)
	}
	if r, ok := c.get(key(last)); !ok || r.Outcome != outcome.Wrong {
		t.Errorf("the latest one says %v, %v", r.Outcome, ok)
	}
	if _, ok := c.get(key(last - mostGradings)); ok {
		t.Error("an old one is kept for ever")
	}
}
