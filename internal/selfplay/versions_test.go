package selfplay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// solvedOf are the results of a match of 32 bugs of which the first n were solved at the first step.
func solvedOf(n int) []int {
	s := make([]int, 32)
	for i := range n {
		s[i] = 1
	}
	return s
}

// TestWhatTheFirstLookWouldRefuseIsLookedAtAgain, on other bugs, beside the best of those before:
// what is as good there was only less lucky, and what is worse there too is refused.
func TestWhatTheFirstLookWouldRefuseIsLookedAtAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		first    int
		again    map[int]int // what versions solve of the other bugs
		accepted bool
		asked    []int // versions that play these
	}{
		{"not worse at the first look", 24, nil, true, nil},
		{"as good on other bugs", 20, map[int]int{1: 15, 3: 15}, true, []int{3, 1}},
		{"worse on both", 20, map[int]int{1: 19, 3: 15}, false, []int{3, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			vs := versions{{Accepted: true, Solved: solvedOf(18)}, {Accepted: true, Solved: solvedOf(24)}, {Solved: solvedOf(30)}} // the last was refused, whatever it solved
			v := version{Solved: solvedOf(c.first)}
			var asked []int
			if err := vs.judge(&v, 8, func(n int) ([]int, error) { asked = append(asked, n); return solvedOf(c.again[n]), nil }); err != nil {
				t.Fatal(err)
			}
			if v.Accepted != c.accepted || !slices.Equal(asked, c.asked) || strings.Contains(v.Gate, "on other bugs") != (c.again != nil) {
				t.Errorf("accepted: %v, %q, after %v played again; want accepted: %v, after %v", v.Accepted, v.Gate, asked, c.accepted, c.asked)
			}
			if c.again == nil {
				return
			}
			// What the best did is known from now on.
			next := version{Solved: solvedOf(c.first)}
			asked = nil
			if err := vs.judge(&next, 8, func(n int) ([]int, error) { asked = append(asked, n); return solvedOf(c.again[3]), nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(asked, []int{3}) || next.Accepted != c.accepted {
				t.Errorf("the next one: accepted: %v after %v played again", next.Accepted, asked)
			}
		})
	}
}

// TestWithoutOtherBugsTheFirstLookDecides, and an error of the second is no decision.
func TestWithoutOtherBugsTheFirstLookDecides(t *testing.T) {
	vs := versions{{Accepted: true, Solved: solvedOf(24)}}
	v := version{Solved: solvedOf(20)}
	if err := vs.judge(&v, 8, nil); err != nil || v.Accepted {
		t.Errorf("accepted: %v, %v", v.Accepted, err)
	}
	if err := vs.judge(&v, 8, func(int) ([]int, error) { return nil, fmt.Errorf("no tests") }); err == nil {
		t.Error("an error was lost")
	}
}
