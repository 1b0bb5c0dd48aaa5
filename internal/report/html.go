package report

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/store"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"v": Visible}).Parse(pageText))

// pageData is what the page shows. What the run does not hold stays empty, and
// the page then leaves its part out.
type pageData struct {
	Sum       Summary
	Times     string
	Facts     []fact
	Curves    []curve
	Orders    [][]string
	Operators [][]string
	Bugs      []bugRow
}

type fact struct{ Name, Value, Note string }

type bugRow struct {
	ID, Operator, Where, Minutes, Weight             string
	Episode, Order, Red, Statements, Fixed, Attempts int
	Diff                                             []diffLine
}

type diffLine struct{ Class, Text string }

// HTML writes the run as one page that needs nothing else: no script, style,
// font or image from elsewhere.
func HTML(ctx context.Context, w io.Writer, s *store.Store) error {
	sum, err := Summarise(ctx, s)
	if err != nil {
		return err
	}
	d := pageData{Sum: sum, Times: strings.ReplaceAll(phases(sum.Seconds), glue, " "), Facts: facts(sum), Operators: operatorRows(sum), Orders: orderRows(sum)}
	solved, err := d.readEpisodes(ctx, s)
	if err != nil {
		return err
	}
	if c, ok := draw("difficulty: median of the bugs so far, minutes", sum.Difficulty.Series, 0); ok {
		d.Curves = append(d.Curves, c)
	}
	if c, ok := draw(fmt.Sprintf("solve rate of the last %d attempts, percent", solveWindow), solved, 100); ok {
		d.Curves = append(d.Curves, c)
	}
	if err := pageTemplate.Execute(w, d); err != nil {
		return fmt.Errorf("write the page of run %s: %w", sum.Run, err)
	}
	return nil
}

// solveWindow is how many scored attempts the solve rate looks back.
const solveWindow = 50

// readEpisodes collects the bugs, and the solve rate (percent) after each
// episode that had a scored attempt.
func (d *pageData) readEpisodes(ctx context.Context, s *store.Store) ([]Point, error) {
	var solved []Point
	var last []bool
	row := map[string]int{}
	for e, err := range s.Episodes(ctx) {
		if err != nil {
			return nil, err
		}
		b := e.Break
		if b.Outcome == outcome.Valid && e.Kind != store.KindReplay {
			row[b.Bug] = len(d.Bugs)
			d.Bugs = append(d.Bugs, newBugRow(e))
		}
		at, known := row[b.Bug]
		scored := false
		for _, a := range e.Attempts {
			if a.Outcome == outcome.Infrastructure {
				continue
			}
			scored = true
			last = append(last, a.Outcome == outcome.Fixed)
			if known {
				d.Bugs[at].Attempts++
				if a.Outcome == outcome.Fixed {
					d.Bugs[at].Fixed++
				}
			}
		}
		if !scored {
			continue
		}
		last = last[max(0, len(last)-solveWindow):]
		n := 0
		for _, fixed := range last {
			if fixed {
				n++
			}
		}
		solved = append(solved, Point{e.Number, 100 * float64(n) / float64(len(last))})
	}
	return solved, nil
}

func newBugRow(e store.Episode) bugRow {
	b := e.Break
	r := bugRow{ID: b.Bug, Episode: e.Number, Order: b.Order, Operator: strings.Join(b.Operators, ", "), Red: len(b.Red), Statements: b.Statements,
		Minutes: short(b.Minutes), Weight: number(b.Weight)}
	if b.Path != "" {
		r.Where = fmt.Sprintf("%s:%d", b.Path, b.Line)
	}
	for _, line := range strings.Split(strings.TrimRight(b.Diff, "\n"), "\n") {
		l := diffLine{Text: line}
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
		case strings.HasPrefix(line, "+"):
			l.Class = "add"
		case strings.HasPrefix(line, "-"):
			l.Class = "del"
		}
		r.Diff = append(r.Diff, l)
	}
	return r
}

func facts(s Summary) []fact {
	plain := func(cs []count) string { return strings.ReplaceAll(counts(cs), glue, " ") }
	fs := []fact{{"episodes", fmt.Sprint(s.Episodes), plural(s.Steps, "step")}}
	if t, ok := s.Seconds["total"]; ok {
		fs = append(fs, fact{"time", duration(t), ""})
	}
	fs = append(fs, fact{"valid bugs", fmt.Sprint(s.Breaks.Valid), plain(breakCounts(s.Breaks)[1:])},
		fact{"fixed attempts", fmt.Sprint(s.Attempts.Fixed), plain(attemptCounts(s.Attempts)[1:])})
	if s.Spurious.Rate != nil {
		fs = append(fs, fact{"spurious", percent(s.Spurious.Rate), fmt.Sprintf("%d of %d; %s to %s", s.Spurious.Spurious, s.Spurious.Judged, percent(s.Spurious.Low), percent(s.Spurious.High))})
	}
	if len(s.Suspicious) > 0 {
		n := 0
		for _, c := range s.Suspicious {
			n += c
		}
		fs = append(fs, fact{"suspicious gradings", fmt.Sprint(n), strings.Join(keys(s.Suspicious), ", ")})
	}
	if s.Difficulty.Median != nil {
		fs = append(fs, fact{"difficulty", short(*s.Difficulty.Median) + " min", "median"})
	}
	if s.Bugs.MinimalStatementsMedian != nil {
		fs = append(fs, fact{"red test", short(*s.Bugs.MinimalStatementsMedian), "statements, median"})
	}
	if v := s.Verdicts; v != nil {
		fs = append(fs, fact{"verdicts", fmt.Sprint(v.Run + v.Cached), fmt.Sprintf("%d run, %d cached; %d trees audited, %d mismatches", v.Run, v.Cached, v.Audited, v.Mismatch)})
	}
	if s.PeakMemory > 0 {
		fs = append(fs, fact{"memory", fmt.Sprintf("%d MB", (s.PeakMemory+1<<19)>>20), "at most"})
	}
	return fs
}

// curve is a series inside the 370 × 135 units of its figure.
type curve struct {
	Name, Points, Top string
	First, Last       int
	Single            bool // one point makes no line
	SingleY           string
}

// draw lays a series out; top 0 takes the highest value. False for no points.
func draw(name string, series []Point, top float64) (curve, bool) {
	if len(series) == 0 {
		return curve{}, false
	}
	for _, p := range series {
		top = max(top, p.Value)
	}
	if top <= 0 {
		top = 1
	}
	first, last := series[0].Episode, series[len(series)-1].Episode
	c := curve{Name: name, Top: short(top), First: first, Last: last, Single: first == last}
	var points []string
	for _, p := range series {
		x := 40 + 370*float64(p.Episode-first)/float64(max(1, last-first))
		y := 145 - 135*p.Value/top
		points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
		c.SingleY = fmt.Sprintf("%.1f", y)
	}
	c.Points = strings.Join(points, " ")
	return c, true
}
