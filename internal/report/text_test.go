package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"breakfix/internal/report"
	"breakfix/internal/store"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (go test -update writes it anew): %s", file, d)
	}
}

func summary(t *testing.T, s *store.Store) report.Summary {
	t.Helper()
	sum, err := report.Summarise(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestSummaryIsTheObjectThatTheContractNames(t *testing.T) {
	b, err := json.MarshalIndent(summary(t, openSynthetic(t, 20)), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.json", append(b, '\n'))
}

func TestSummaryForPeopleFitsEightyColumns(t *testing.T) {
	sum := summary(t, openSynthetic(t, 20))
	sum.Source = strings.Repeat("a-long-source-name/", 9)
	sum.Operators[strings.Repeat("very_long_operator_", 5)] = report.Operator{Tried: 1}
	for _, width := range []int{0, 60, 80, 160} {
		var b bytes.Buffer
		if err := report.Text(&b, sum, report.Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		if width == 80 {
			golden(t, "summary.txt", b.Bytes())
		}
		checkLines(t, b.String(), max(60, width+80*b2i(width == 0)))
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func checkLines(t *testing.T, text string, width int) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if n := runewidth.StringWidth(line); n > width {
			t.Errorf("%d columns, at most %d: %q", n, width, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("blanks at the end of %q", line)
		}
	}
}

func TestAnEpisodeCanBeFollowed(t *testing.T) {
	s := openSynthetic(t, 20)
	for _, n := range []int{1, 4, 7} {
		var b bytes.Buffer
		if err := report.EpisodeText(t.Context(), &b, s, n, report.Options{}); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("episode%d.txt", n), b.Bytes())
		checkLines(t, b.String(), 80)
	}
	if err := report.EpisodeText(t.Context(), &bytes.Buffer{}, s, 99, report.Options{}); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("an episode that is not there: %v", err)
	}
}

var colours = regexp.MustCompile("\x1b\\[[0-9]+m")

func TestColourIsOnlyThereWhenAskedForAndChangesNothingElse(t *testing.T) {
	s := openSynthetic(t, 20)
	for n := range 21 {
		write := func(o report.Options) string {
			var b bytes.Buffer
			err := report.Text(&b, summary(t, s), o)
			if n > 0 {
				b.Reset()
				err = report.EpisodeText(t.Context(), &b, s, n, o)
			}
			if err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		plain, coloured := write(report.Options{}), write(report.Options{Color: true})
		if strings.ContainsAny(plain, "\x1b\x07") {
			t.Errorf("%d: a control character without colour: %q", n, plain)
		}
		if got := colours.ReplaceAllString(coloured, ""); got == coloured || got != plain {
			t.Errorf("%d: coloured text without its colours: %s", n, cmp.Diff(plain, got))
		}
	}
}

func TestWhatATargetPrintsCannotMoveTheCursor(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[2Jb":         `a\x1b[2Jb`,
		"title\x1b]0;x\x07": `title\x1b]0;x\x07`,
		"\r forged":         `\x0d forged`,
		"\xff\u009b1m":      `\xff\u009b1m`,
		"ab\u202ecd\u200b":  `ab\u202ecd\u200b`,
		"ok\n\tü 漢 ✓":       "ok\n\tü 漢 ✓",
	} {
		if got := report.Visible(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestTwoRunsWithTheSameSeedDifferOnlyInNameAndTimes(t *testing.T) {
	a, b := summary(t, openSynthetic(t, 20)), summary(t, openSynthetic(t, 20))
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
}

func TestARunThatHasJustBegunIsSummedUpWithoutInventedZeros(t *testing.T) {
	s, err := store.Create(filepath.Join(t.TempDir(), "x-1"), store.Run{Sources: []string{"pypi:x==1"}, Reward: "shared"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b, err := json.Marshal(summary(t, s))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"seconds", "verdicts", "peak_memory_bytes", "config"} {
		if v, ok := got[k]; ok {
			t.Errorf("%s is %v though nothing was measured", k, v)
		}
	}
	if d := cmp.Diff(map[string]any{"unit": "minutes", "series": []any{}, "plateau": nil}, got["difficulty"]); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]any{"judged": 0.0, "spurious": 0.0}, got["spurious"]); d != "" {
		t.Error(d)
	}
	var text bytes.Buffer
	if err := report.Text(&text, summary(t, s), report.Options{}); err != nil || !strings.Contains(text.String(), "none yet") {
		t.Errorf("%v: %s", err, text.String())
	}
}

func TestSpuriousRateHasTheIntervalOfWilson(t *testing.T) {
	sum := summary(t, openSynthetic(t, 40)).Spurious
	// Independent check: both ends solve (p̂ − p)² = z²·p·(1 − p)/n.
	for _, end := range []*float64{sum.Low, sum.High} {
		p, n := *end, float64(sum.Judged)
		left, right := (*sum.Rate-p)*(*sum.Rate-p), 1.959963984540054*1.959963984540054*p*(1-p)/n
		if math.Abs(left-right) > 1e-12 {
			t.Errorf("%d of %d: %v is no end of the interval (%v, %v)", sum.Spurious, sum.Judged, p, left, right)
		}
	}
	if *sum.Low >= *sum.Rate || *sum.High <= *sum.Rate {
		t.Errorf("%v is not inside %v to %v", *sum.Rate, *sum.Low, *sum.High)
	}
}
