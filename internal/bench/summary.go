package bench

import (
	"slices"
	"time"

	"breakfix/internal/testrun"
)

// Summary is what was measured, as `bench exec --json` prints it. Times that
// could not be measured are nil.
type Summary struct {
	Source         string             `json:"source"`
	Seed           uint64             `json:"seed"`
	Workers        int                `json:"workers"`
	Machine        Machine            `json:"machine"`
	Mutants        int                `json:"mutants"`
	PrepareSeconds float64            `json:"prepare_seconds"` // of all that is below
	Prepare        map[string]float64 `json:"prepare"`         // seconds: environment, baseline, warm
	Ways           map[Way]Figures    `json:"ways"`
	Core           Figures            `json:"core"`             // the same as in Ways
	EmptyChild     *float64           `json:"empty_child_ms"`   // median
	Inside         float64            `json:"inside_tests"`     // share of the core's time inside of covering tests
	Limit          *float64           `json:"limit_per_second"` // mutants, were nothing but covering tests to take time
	Disagree       Disagreements      `json:"disagree"`
	Tiers          map[string]int     `json:"tiers"`        // mutants that the core judged in each, its slowest
	ZygoteBytes    int64              `json:"zygote_bytes"` // peak of a warm process with its children
	Seconds        float64            `json:"seconds"`      // of measuring
	Ended          string             `json:"ended"`        // "done" or "interrupted"
}

// Machine is where it was measured.
type Machine struct {
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Python string `json:"python"`
}

// Figures are the numbers of one way. Mutants that were judged several times
// count as often.
type Figures struct {
	Mutants   int     `json:"mutants"`
	Seconds   float64 `json:"seconds"` // wall time
	PerSecond float64 `json:"per_second"`
	Ratio     float64 `json:"ratio"`       // of PerSecond to that of fresh_suite; 0 when unknown
	CPU       float64 `json:"cpu_seconds"` // per mutant, breakfix's own included
	Median    float64 `json:"median_ms"`
	P95       float64 `json:"p95_ms"`
	Body      float64 `json:"body_median_ms"` // of mutants in bodies of functions
	Inside    float64 `json:"inside_tests"`
	// Tiers tells the latency apart by the slowest tier that ran some of it.
	Tiers    map[string]Latency `json:"tiers"`
	Disagree Counts             `json:"disagree"`
}

// Latency is how long mutants took.
type Latency struct {
	Mutants int     `json:"mutants"`
	Median  float64 `json:"median_ms"`
	P95     float64 `json:"p95_ms"`
}

// Ended says why measuring ended.
const (
	Done        = "done"
	Interrupted = "interrupted"
)

func (r *runner) summarise(interrupted bool) Summary {
	s := Summary{Workers: r.Workers, Mutants: len(r.mutants), Prepare: map[string]float64{"warm": r.warm.Seconds()}, Ways: map[Way]Figures{}, Tiers: map[string]int{},
		ZygoteBytes: r.Suite.Heat().Peak, Seconds: (time.Since(r.began) - r.warm).Seconds(), Ended: Done}
	if interrupted {
		s.Ended = Interrupted
	}
	for _, w := range Ways {
		s.Ways[w] = r.figures(w)
	}
	for w, f := range s.Ways {
		if base := s.Ways[FreshSuite].PerSecond; base > 0 {
			f.Ratio = f.PerSecond / base
		}
		s.Ways[w] = f
	}
	s.Core = s.Ways[Core]
	s.Inside = s.Core.Inside
	for t, l := range s.Core.Tiers {
		s.Tiers[t] = l.Mutants
	}
	if inside := s.Core.Inside; inside > 0 {
		limit := s.Core.PerSecond / inside
		s.Limit = &limit
	}
	if len(r.empty) > 0 {
		ms := quantile(milliseconds(r.empty), 0.5)
		s.EmptyChild = &ms
	}
	return s
}

// figures does the arithmetic of one way.
func (r *runner) figures(w Way) Figures {
	t := r.ways[w]
	f := Figures{Mutants: len(t.shots), Seconds: t.wall.Seconds(), Tiers: map[string]Latency{}}
	if f.Mutants == 0 || f.Seconds <= 0 {
		return f
	}
	var all, body []time.Duration
	tiers := map[string][]time.Duration{}
	inside := 0.0
	for _, s := range t.shots {
		all = append(all, s.took)
		if r.mutants[s.mutant].body {
			body = append(body, s.took)
		}
		tiers[tierName(s.report.Tier)] = append(tiers[tierName(s.report.Tier)], s.took)
		inside += s.inside
	}
	f.PerSecond = float64(f.Mutants) / f.Seconds
	f.CPU = t.cpu.Seconds() / float64(f.Mutants)
	f.Median, f.P95 = quantile(milliseconds(all), 0.5), quantile(milliseconds(all), 0.95)
	f.Body = quantile(milliseconds(body), 0.5)
	f.Inside = inside / (f.Seconds * float64(r.Workers))
	for name, took := range tiers {
		ms := milliseconds(took)
		f.Tiers[name] = Latency{len(took), quantile(ms, 0.5), quantile(ms, 0.95)}
	}
	return f
}

// tierName is the name of a tier; "none" where no test had to run.
func tierName(t testrun.Tier) string {
	if t == 0 {
		return "none"
	}
	return t.String()
}

func milliseconds(ds []time.Duration) []float64 {
	out := make([]float64, len(ds))
	for i, d := range ds {
		out[i] = d.Seconds() * 1000
	}
	return out
}

// quantile returns the q-quantile, interpolated between neighbours (type 7 of
// Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996); 0 of nothing.
func quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	at := q * float64(len(xs)-1)
	i := int(at)
	if i+1 >= len(xs) {
		return xs[len(xs)-1]
	}
	return xs[i] + (at-float64(i))*(xs[i+1]-xs[i])
}
