package report_test

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"breakfix/internal/outcome"
	"breakfix/internal/report"
	"breakfix/internal/store"
)

func page(t *testing.T, s *store.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTML(t.Context(), &b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageHoldsSummaryOperatorsAndBugs(t *testing.T) {
	got := page(t, openSynthetic(t, 20))
	golden(t, "report.html", []byte(got))
	for _, want := range []string{"<h2>Operators</h2>", "<h2>Bugs</h2>", "<h2>Orders</h2>", "relational_boundary", "b00000000001", "<polyline"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestThePageFetchesNothing(t *testing.T) {
	got := page(t, openSynthetic(t, 20))
	if found := regexp.MustCompile(`(?i)https?:|//[a-z]|\b(src|href)=|@import|url\(`).FindAllString(got, -1); len(found) > 0 {
		t.Errorf("the page names %q", found)
	}
}

func TestThePageOfARunWithoutABugLeavesItsPartsOut(t *testing.T) {
	s, err := store.Create(filepath.Join(t.TempDir(), "x-1"), store.Run{Reward: "shared"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := page(t, s)
	for _, not := range []string{"<h2>", "<svg", "<script", "memory", "spurious"} {
		if strings.Contains(got, not) {
			t.Errorf("the page of an empty run has %q", not)
		}
	}
}

func TestNothingFromATargetReachesThePageUnescaped(t *testing.T) {
	const evil = "</pre><script>alert(1)</script>\x1b[31m\u202e\"'"
	s, err := store.Create(filepath.Join(t.TempDir(), "x-1"), store.Run{Name: evil, Sources: []string{evil}, Snapshots: []string{evil}, Policy: evil, Reward: "shared"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e := store.Episode{Number: 1, Kind: store.KindFresh, Schema: "shared", Break: store.Break{Outcome: outcome.Valid, Operators: []string{evil}, Path: evil, Function: evil, Bug: evil,
		Diff: "+" + evil, Red: []string{evil}, Order: 1}, Attempts: []store.Attempt{{Number: 1, Outcome: outcome.Wrong, Suspicious: []string{evil}, Gates: map[outcome.Gate]string{outcome.GateRed: evil}}}}
	if err := s.PutEpisode(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got := page(t, s)
	if strings.Contains(got, "<script>alert") || strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("text of the target is on the page as it was:\n%s", got)
	}
	if n := strings.Count(got, "&lt;script&gt;alert"); n < 8 {
		t.Errorf("the text was to be seen in 8 places at least, and is in %d", n)
	}
}
