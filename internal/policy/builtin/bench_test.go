package builtin

import (
	"os"
	"path/filepath"
	"testing"

	"breakfix/internal/arena"
)

// BenchmarkRank lists and ranks the moves of a function of a real module, by
// the hand-set prior alone and with untaught and shipped weights.
func BenchmarkRank(b *testing.B) {
	src, err := os.ReadFile(filepath.Join(standardLibrary(b), "textwrap.py"))
	if err != nil {
		b.Fatal(err)
	}
	v := View{Path: "textwrap.py", Source: src, Context: arena.Context{Path: "textwrap.py", FirstLine: 242, LastLine: 340, WindowFirst: 270, WindowLast: 276}}
	shipped, err := Shipped()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		w    *Weights
	}{{"hand", nil}, {"scratch", Scratch(1)}, {"shipped", shipped}} {
		b.Run(c.name, func(b *testing.B) {
			n := len(Candidates(v))
			for b.Loop() {
				ordered(v, c.w)
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "moves/s")
		})
	}
}
