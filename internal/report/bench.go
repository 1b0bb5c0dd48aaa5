package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"breakfix/internal/bench"
	"breakfix/internal/testrun"
)

// maxDisagreements bounds how many a person is shown; --json has all.
const maxDisagreements = 20

// BenchText writes what a measurement of the execution core found.
func BenchText(w io.Writer, s bench.Summary, o Options) error {
	p := &page{w: w, o: o}
	p.printf("%s\n", p.paint(bold, "execution of "+oneLine(s.Source)))
	p.line("machine", fmt.Sprintf("%s, kernel %s, Python %s", plural(s.Machine.Cores, "core"), oneLine(s.Machine.Kernel), oneLine(s.Machine.Python)))
	p.line("measured", fmt.Sprintf("%s, seed %d, %s at a time, in %s", plural(s.Mutants, "mutant"), s.Seed, plural(s.Workers, "mutant"), duration(s.Seconds)))
	p.line("prepared", fmt.Sprintf("in %s: %s", duration(s.PrepareSeconds), phases(s.Prepare)))
	p.printf("\n")
	var rows [][]string
	for _, way := range bench.Ways {
		f := s.Ways[way]
		ratio := "-"
		if f.Ratio > 0 {
			ratio = significant(f.Ratio) + "×"
		}
		rows = append(rows, []string{string(way), fmt.Sprint(f.Mutants), significant(f.PerSecond), ratio, significant(f.CPU),
			significant(f.Median), significant(f.P95), fmt.Sprintf("%.0f %%", 100*f.Inside), disagreements(f.Disagree)})
	}
	p.table([]string{"way", "n", "per s", "ratio", "CPU s", "median", "p95 ms", "in tests", "wrong"}, rows)
	p.printf("\n")
	p.line("core", fmt.Sprintf("a mutant in a function's body takes %s ms (median)", significant(s.Core.Body)))
	var tiers []string
	for _, name := range slices.Sorted(slices.Values(keys(s.Core.Tiers))) {
		l := s.Core.Tiers[name]
		tiers = append(tiers, fmt.Sprintf("%d in %s (median %s ms, p95 %s ms)", l.Mutants, name, significant(l.Median), significant(l.P95)))
	}
	p.line("tiers", strings.Join(tiers, ", "))
	if s.EmptyChild != nil {
		p.line("empty child", significant(*s.EmptyChild)+" ms (median)")
	} else {
		p.line("empty child", "none: tier "+testrun.CodeSwap.String()+" is not used here")
	}
	if s.Limit != nil {
		p.line("limit", fmt.Sprintf("%s mutants a second, were nothing but covering tests to take time", significant(*s.Limit)))
	}
	p.line("memory", fmt.Sprintf("%d MB, the largest warm process with its children", s.ZygoteBytes/1_000_000))
	d := s.Disagree
	p.line("agreement", fmt.Sprintf("core and truth differ on %s of %d and on %s of %d tests; apart from that %d differences did not repeat and %d hang on a deadline",
		plural(d.Mutants, "mutant"), s.Ways[bench.FreshSuite].Mutants, fmt.Sprint(d.Tests), d.Labels, d.Unstable, d.TimedOut))
	if len(d.List) > 0 {
		p.heading("disagreements")
	}
	for i, x := range d.List {
		if i == maxDisagreements {
			p.printf("  and %d more\n", len(d.List)-i)
			break
		}
		what, note := "the mutant", ""
		if x.Test != "" {
			what = oneLine(x.Test)
		}
		if !x.Repeats {
			note = ", apart"
		}
		p.printf("  %s  %s: %s  %s: %s, truly %s (%s%s)\n", p.paint(cyan, fmt.Sprintf("%s:%d", oneLine(x.Path), x.Line)), oneLine(x.Operator), oneLine(x.Variant),
			what, oneLine(x.Verdict), oneLine(x.Truth), x.Way, note)
	}
	return p.err
}

// disagreements are those that count: of mutants, then of tests.
func disagreements(c bench.Counts) string {
	return fmt.Sprintf("%d, %d", c.Mutants, c.Tests)
}

// significant writes a number with three digits that mean something.
func significant(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
