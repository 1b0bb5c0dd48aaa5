package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

const stackSource = `class Stack:
    def push(self, item):
        self.items.append(item)
        return len(self.items) + 1

    def peek(self, depth=0):
        return self.items[-1 - depth]
`

func ids(ms []mutate.Mutation) []string {
	var all []string
	for _, m := range ms {
		all = append(all, m.ID)
	}
	return all
}

func TestASampleIsDrawnWithTheSeedAndStaysWhenCodeIsAdded(t *testing.T) {
	ms := mutationsOf(t, treeOf(t, map[string]string{"stack.py": stackSource}))
	one, same, other := ids(Shuffle(ms, 1)), ids(Shuffle(ms, 1)), ids(Shuffle(ms, 2))
	if !slices.Equal(one, same) {
		t.Error("the same seed drew another order")
	}
	if slices.Equal(one, other) || slices.Equal(one, ids(ms)) {
		t.Error("another seed drew the same order")
	}
	more := mutationsOf(t, treeOf(t, map[string]string{"stack.py": stackSource, "added.py": "def f(a):\n    return a + 1\n"}))
	old := map[string]bool{}
	for _, id := range one {
		old[id] = true
	}
	kept := slices.DeleteFunc(ids(Shuffle(more, 1)), func(id string) bool { return !old[id] })
	if !slices.Equal(one, kept) {
		t.Error("code that was added changed the order of what was there")
	}
}

func TestOnlyMutationsOnChangedLinesAreLeft(t *testing.T) {
	changed := strings.Replace(stackSource, "-1 - depth", "-1-depth", 1)
	for name, c := range map[string]struct {
		then  map[string]string
		lines []int // of stack.py that mutations are left on
	}{
		"one line":       {map[string]string{"stack.py": changed}, []int{7}},
		"nothing":        {map[string]string{"stack.py": stackSource}, nil},
		"a new file":     {map[string]string{"other.py": ""}, []int{3, 4, 6, 7}},
		"a line is gone": {map[string]string{"stack.py": strings.Replace(stackSource, "        return len", "        print(1)\n        return len", 1)}, []int{3, 4}},
		"was no text":    {map[string]string{"stack.py": "\x00"}, []int{3, 4, 6, 7}},
	} {
		now := treeOf(t, map[string]string{"stack.py": stackSource, "test_stack.py": "x = 1 + 1\n"})
		spans, err := ChangedLines(now, treeOf(t, c.then), []string{"stack.py"})
		if err != nil {
			t.Fatal(err)
		}
		var lines []int
		for _, m := range Touching(mutationsOf(t, now), spans) {
			if m.Path != "stack.py" {
				t.Errorf("%s: %s is not among the files", name, m.Path)
			}
			lines = append(lines, m.Line)
		}
		slices.Sort(lines)
		if got := slices.Compact(lines); !slices.Equal(got, c.lines) {
			t.Errorf("%s: mutations on lines %v, want %v", name, got, c.lines)
		}
	}
	// A mode is no change of lines.
	now := treeOf(t, map[string]string{"stack.py": stackSource})
	then, err := now.With(map[string]*tree.File{"stack.py": {Kind: tree.Executable, Data: []byte(stackSource)}})
	if err != nil {
		t.Fatal(err)
	}
	if spans, err := ChangedLines(now, then, []string{"stack.py"}); err != nil || len(spans) != 0 {
		t.Errorf("%v, %v", spans, err)
	}
}

func TestAnAcceptedMutationHasAReason(t *testing.T) {
	got, err := Accepted([]byte("# ours\n\n0123456789ab   a comment of two words\r\nba9876543210\tanother\n"))
	if err != nil || len(got) != 2 || got["0123456789ab"] != "a comment of two words" || got["ba9876543210"] != "another" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"0123456789ab", "0123456789ab   ", "0123  too short", "stack.py:7  a place", "0123456789ab one\n0123456789ab two"} {
		if _, err := Accepted([]byte("# x\n" + bad + "\n")); err == nil || !strings.HasPrefix(err.Error(), AcceptedFile+":") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTheSummaryCountsByOperatorAndFileAndPutsFirstWhatMostDependsOn(t *testing.T) {
	at := func(path string, line int, op string, o outcome.Break) Result {
		m := mutate.Mutation{ID: op + path, Path: path, Line: line, Operator: op, Edits: []tree.Edit{{Start: 0, End: 1, New: "y"}}}
		return Result{Mutation: m, Outcome: o}
	}
	record := Record{Ended: Done, Plan: Plan{Files: map[string]string{"a.py": "x\n", "b.py": "x\n"}, Reach: map[string]int{"b.py::": 3, "a.py::": 1}}, Results: []Result{
		at("b.py", 1, "x", outcome.Unnoticed), at("a.py", 9, "x", outcome.Unnoticed), at("a.py", 2, "y", outcome.Unnoticed),
		at("a.py", 3, "y", outcome.Valid), at("a.py", 4, "y", outcome.TimedOutBreak), at("a.py", 5, "y", outcome.Broken),
		at("a.py", 6, "y", outcome.Uncovered), at("a.py", 7, "y", outcome.FlakyBreak),
	}}
	s, err := record.Summary()
	if err != nil {
		t.Fatal(err)
	}
	if s.Counts != (Counts{Caught: 1, Missed: 3, TimedOut: 1, NotCovered: 1, DoesNotLoad: 1, SetAside: 1}) || s.Judged != 8 {
		t.Errorf("%+v", s.Counts)
	}
	if *s.Score != 0.4 {
		t.Errorf("score %v", *s.Score)
	}
	var places []string
	for _, m := range s.MissedList {
		places = append(places, m.ID)
	}
	if want := []string{"xb.py", "ya.py", "xa.py"}; !slices.Equal(places, want) {
		t.Errorf("missed %v, want %v", places, want)
	}
	if m := s.MissedList[0]; m.Reach != 3 || m.Diff != "diff --git a/b.py b/b.py\n--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-x\n+y\n" {
		t.Errorf("%+v", m)
	}
	if s.Operators["x"].Missed != 2 || s.Files["a.py"].Missed != 2 || s.Files["b.py"].Missed != 1 || len(s.AsideList) != 1 {
		t.Errorf("%+v, %+v", s.Operators, s.Files)
	}
	if (Counts{NotCovered: 3}).Score() != nil {
		t.Error("nothing to notice has a score")
	}
}

func TestShardsTogetherAreTheWholeAndNoneHasWhatAnotherHas(t *testing.T) {
	var ms []mutate.Mutation
	for i := range 1000 {
		ms = append(ms, mutate.Mutation{ID: fmt.Sprintf("%012x", i*7919)})
	}
	seen := map[string]int{}
	for k := 1; k <= 4; k++ {
		part := Shard{k, 4}.Of(ms)
		if len(part) < 200 || len(part) > 300 {
			t.Errorf("shard %d of 4 has %d of 1000", k, len(part))
		}
		for _, m := range part {
			seen[m.ID]++
		}
		if again := (Shard{k, 4}).Of(ms[:500]); len(again) == 0 || again[0].ID != part[0].ID {
			t.Errorf("shard %d is another when the code is", k)
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d of 1000 are in a shard", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is in %d shards", id, n)
		}
	}
	if len((Shard{}).Of(ms)) != 1000 {
		t.Error("no shard is not the whole")
	}
	for text, want := range map[string]Shard{"1/1": {1, 1}, "3/4": {3, 4}} {
		if got, err := ParseShard(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "4", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/2/3", "1.5/2"} {
		if _, err := ParseShard(bad); err == nil {
			t.Errorf("%q is a shard", bad)
		}
	}
}
