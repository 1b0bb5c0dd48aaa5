package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"breakfix/internal/eval"
)

// Ablation is what breakfix ablate prints as JSON.
type Ablation struct {
	File     string      `json:"file"`
	Plot     string      `json:"plot"`
	Config   eval.Config `json:"config"`
	Bugs     int         `json:"bugs"` // held out
	Variants []eval.Row  `json:"variants"`
}

// Summary says what was played and judged, in one line.
func (a Ablation) Summary() string {
	return fmt.Sprintf("%s of the fixer in play; one attempt of %s at each of %s of code that was never played on",
		plural(a.Config.Budget, "step"), plural(a.Config.Judge, "step"), plural(a.Bugs, "bug"))
}

// solved is a share in percent with so many digits.
func solved(i eval.Interval, digits int) string {
	return fmt.Sprintf("%.*f (%.*f to %.*f)", digits, 100*i.Mean, digits, 100*i.Low, digits, 100*i.High)
}

func gained(r eval.Row, over string, digits int) string {
	g, ok := r.Gains[over]
	if !ok {
		return "-"
	}
	s := fmt.Sprintf("%+.*f (%+.*f to %+.*f)", digits, 100*g.Mean, digits, 100*g.Low, digits, 100*g.High)
	if g.Seeds < r.Seeds {
		s += fmt.Sprintf(", %s", plural(g.Seeds, "seed"))
	}
	return s
}

// AblationText writes the table.
func AblationText(w io.Writer, a Ablation, o Options) error {
	p := &page{w: w, o: o}
	p.printf("%s\n", p.paint(bold, a.Summary()))
	var rows [][]string
	for _, r := range a.Variants {
		rows = append(rows, []string{r.Variant, fmt.Sprint(r.Seeds), solved(r.Solved, 0), gained(r, eval.Uniform, 0), gained(r, eval.FixerOnly, 0)})
	}
	p.table([]string{"variant", "seeds", "solved, %", "over uniform", "over fixer-only"}, rows)
	return p.err
}

//go:embed ablation.html
var ablationText string

var ablationTemplate = template.Must(template.New("ablation").Funcs(template.FuncMap{"v": Visible}).Parse(ablationText))

// Places of the plot, in units of its view box.
const (
	plotLeft, plotRight = 150.0, 690.0
	plotTop, plotRow    = 14.0, 30.0
)

type plotRows struct {
	Ablation
	Height, Foot, TextFoot float64
	Ticks                  []tick
	Rows                   []plotRowOf
}

type tick struct {
	X    float64
	Text string
}

type plotRowOf struct {
	Name, About, Solved, Uniform, Fixer string
	N                                   int
	Y, TextY, Low, Mean, High           float64
	Dots                                []float64
	Steps                               string
}

// AblationHTML writes table and plot as one page that needs nothing else.
func AblationHTML(w io.Writer, a Ablation) error {
	top := 0.1
	for _, r := range a.Variants {
		top = max(top, r.Solved.High)
		for _, x := range r.BySeed {
			top = max(top, x)
		}
	}
	step := 0.1
	if top <= 0.3 {
		step = 0.05
	}
	top = min(1, step*float64(int(top/step+0.999)))
	x := func(v float64) float64 { return plotLeft + (plotRight-plotLeft)*v/top }
	d := plotRows{Ablation: a}
	for n := 0; float64(n)*step <= top+1e-9; n++ {
		d.Ticks = append(d.Ticks, tick{x(float64(n) * step), fmt.Sprintf("%.0f %%", 100*float64(n)*step)})
	}
	for i, r := range a.Variants {
		y := plotTop + plotRow*(float64(i)+0.5)
		row := plotRowOf{Name: r.Variant, About: r.About, N: r.Seeds, Solved: solved(r.Solved, 1), Uniform: gained(r, eval.Uniform, 1), Fixer: gained(r, eval.FixerOnly, 1),
			Y: y, TextY: y + 4, Low: x(r.Solved.Low), Mean: x(r.Solved.Mean), High: x(r.Solved.High)}
		for _, s := range r.BySeed {
			row.Dots = append(row.Dots, x(s))
		}
		low, high := r.Steps[0], r.Steps[0]
		for _, n := range r.Steps {
			low, high = min(low, n), max(high, n)
		}
		row.Steps = fmt.Sprint(low)
		if high > low {
			row.Steps = fmt.Sprintf("%d to %d", low, high)
		}
		d.Rows = append(d.Rows, row)
	}
	d.Foot = plotTop + plotRow*float64(len(d.Rows))
	d.TextFoot, d.Height = d.Foot+16, d.Foot+26
	if err := ablationTemplate.Execute(w, d); err != nil {
		return fmt.Errorf("write the page of the ablation: %w", err)
	}
	return nil
}
