package eval

import (
	"math/rand/v2"
	"slices"
	"sort"
)

// Interval is a mean with its 95 % interval.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Gain is how much more of the held-out bugs a variant solves than another one,
// with the seeds that both have.
type Gain struct {
	Interval
	Seeds int `json:"seeds"`
}

// Row is a variant in the table.
type Row struct {
	Variant string          `json:"variant"`
	About   string          `json:"about"`
	Seeds   int             `json:"seeds"`
	Solved  Interval        `json:"solved"`
	BySeed  []float64       `json:"by_seed"` // solved share, seeds in order
	Steps   []int           `json:"steps"`   // of the fixer in play, by seed
	Gains   map[string]Gain `json:"gains"`   // over uniform and fixer-only, as far as they were measured
}

// Table compares what a file holds, in the order of Variants.
func Table(lines []Line) []Row {
	by := map[string]map[uint64]Line{}
	for _, l := range lines {
		if by[l.Variant] == nil {
			by[l.Variant] = map[uint64]Line{}
		}
		by[l.Variant][l.Seed] = l
	}
	var rows []Row
	for _, v := range Variants {
		mine := by[v.Name]
		if len(mine) == 0 {
			continue
		}
		row := Row{Variant: v.Name, About: v.About, Seeds: len(mine), Gains: map[string]Gain{}}
		var all [][]float64
		for _, seed := range seedsOf(mine) {
			wins := winsOf(mine[seed])
			all = append(all, wins)
			row.BySeed = append(row.BySeed, mean(wins))
			row.Steps = append(row.Steps, mine[seed].Steps)
		}
		row.Solved = Bootstrap(all)
		for _, other := range []string{Uniform, FixerOnly} {
			if other == v.Name || len(by[other]) == 0 {
				continue
			}
			var diffs [][]float64
			for _, seed := range seedsOf(mine) {
				if theirs, ok := by[other][seed]; ok {
					diffs = append(diffs, less(winsOf(mine[seed]), winsOf(theirs)))
				}
			}
			if len(diffs) > 0 {
				row.Gains[other] = Gain{Bootstrap(diffs), len(diffs)}
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// resamples of a bootstrap.
const resamples = 4000

// Bootstrap gives the mean of values by seed and bug and its 95 % interval, by
// drawing seeds and bugs again, each apart: both are samples, and the values of one
// seed, or of one bug, belong together (the pigeonhole bootstrap, Owen, Annals of
// Applied Statistics 2007). Of differences between two variants it is the paired
// interval. With one seed the interval says nothing of seeds. It is drawn with a
// fixed seed. All rows are as long as the first.
func Bootstrap(values [][]float64) Interval {
	if len(values) == 0 || len(values[0]) == 0 {
		return Interval{}
	}
	seeds, bugs := len(values), len(values[0])
	var iv Interval
	for _, row := range values {
		iv.Mean += mean(row) / float64(seeds)
	}
	r := rand.New(rand.NewPCG(1, 0x6576616c))
	means := make([]float64, resamples)
	drawn, of := make([]float64, bugs), make([]float64, seeds)
	for i := range means {
		clear(drawn)
		for range bugs {
			drawn[r.IntN(bugs)]++
		}
		for s, row := range values {
			of[s] = 0
			for b, n := range drawn {
				of[s] += n * row[b]
			}
		}
		for range seeds {
			means[i] += of[r.IntN(seeds)]
		}
		means[i] /= float64(seeds * bugs)
	}
	sort.Float64s(means)
	iv.Low, iv.High = means[resamples*25/1000], means[resamples*975/1000-1]
	return iv
}

func seedsOf(m map[uint64]Line) []uint64 {
	var seeds []uint64
	for s := range m {
		seeds = append(seeds, s)
	}
	slices.Sort(seeds)
	return seeds
}

func winsOf(l Line) []float64 {
	wins := make([]float64, len(l.Solved))
	for i, k := range l.Solved {
		if k > 0 {
			wins[i] = 1
		}
	}
	return wins
}

func less(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(max(1, len(xs)))
}
