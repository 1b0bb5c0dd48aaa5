package testrun

import (
	"fmt"
	"testing"

	"breakfix/internal/tree"
)

func TestTheLatestChangesAloneAreKept(t *testing.T) {
	var c syntaxCache
	trees := make([]*tree.Tree, 3*latest)
	for i := range trees {
		made, err := tree.FromFiles(nil)
		if err != nil {
			t.Fatal(err)
		}
		trees[i] = made
		c.keep(made, &change{})
		if c.changed(trees[0]) == nil {
			t.Fatalf("a tree that is asked for again and again was forgotten after %d others", i)
		}
	}
	if len(c.changes) != latest || c.changed(trees[1]) != nil || c.changed(trees[len(trees)-1]) == nil {
		t.Errorf("%d changes are kept of %d", len(c.changes), latest)
	}
}

func TestShapesAreBounded(t *testing.T) {
	var c syntaxCache
	for i := range mostShapes + 10 {
		old := fmt.Sprintf("x = %d\n", i)
		if c.bindingsDiffer(old, "x = 0\n") || i < 2 && !c.bindingsDiffer(old, "y = 0\n") {
			t.Fatalf("%q binds something else", old)
		}
	}
	if n := len(c.shapes); n == 0 || n > mostShapes {
		t.Errorf("%d shapes are kept, at most %d", n, mostShapes)
	}
}
