package zygote

import (
	"context"
	"strings"
	"testing"
)

func TestTheProbeTellsWhetherCagesWork(t *testing.T) {
	k := keeper(t)
	p, err := Probe(context.Background(), k, "/usr/bin/python3")
	if err != nil {
		t.Fatal(err)
	}
	if p.Run <= 0 || p.Group != (layoutOf(t) != "none") {
		t.Errorf("%+v", p)
	}
	if _, err := Probe(context.Background(), k, "/no/such/python3"); err == nil {
		t.Error("it works without an interpreter")
	} else if !strings.Contains(err.Error(), "did not get ready") {
		t.Errorf("without an interpreter: %v", err)
	}
}
