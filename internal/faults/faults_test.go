package faults

import (
	"errors"
	"testing"
)

func TestAFifthOfTheLastHundredIsBorneAndMoreIsNot(t *testing.T) {
	bad := errors.New("no box")
	var w Window
	for range minimum - 1 {
		w.Add(bad)
	}
	if _, _, _, stop := w.TooMany(); stop {
		t.Error("it stops before there is enough to judge by")
	}
	w.Add(bad)
	if n, of, last, stop := w.TooMany(); n != minimum || of != minimum || last != bad || !stop {
		t.Errorf("%d of %d, %v, %v", n, of, last, stop)
	}
	for range 4 * minimum {
		w.Add(nil)
	}
	if _, _, _, stop := w.TooMany(); stop {
		t.Error("a fifth is borne")
	}
	for range size {
		w.Add(nil)
	}
	if n, of, _, _ := w.TooMany(); n != 0 || of != size {
		t.Errorf("what lies back further counts: %d of %d", n, of)
	}
}
