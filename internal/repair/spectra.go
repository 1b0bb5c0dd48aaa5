package repair

import (
	"math"
	"math/bits"
	"slices"
	"sort"

	"breakfix/internal/arena"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Ochiai is the suspicion of a line: red and green are how many tests of each
// colour run it, all how many red tests there are. It is the coefficient that
// came out best of the simple ones (Abreu, Zoeteweij, van Gemund, 2007).
func Ochiai(red, green, all int) float64 {
	if red == 0 {
		return 0
	}
	return float64(red) / math.Sqrt(float64(all)*float64(red+green))
}

// Bounds of what is looked at for one failure.
const (
	mostFunctions = 8
	mostModules   = 3
	// What runs while modules are loaded runs for every test, and is seldom what
	// is wrong: its suspicion counts this much.
	loadedShare = 0.5
	// Suspicion of functions where no line of the red test is known: of those
	// that it names, and of others.
	namedScore, otherScore = 1.0, 0.4
	// What the first red test does not run cannot turn it green.
	offShare = 0.3
	// The report of a failure runs what shows values, which green tests do not.
	shownShare = 0.3
)

// spectra is what the tests of a suite run, by unit.
type spectra struct {
	units []*unit
	at    map[string]int // number of a test
	green []byte         // mask of the tests that passed
	known []byte         // mask of the tests of which some line is known
	width int
}

// newSpectra reads what each test runs. code says which files may be edited.
func newSpectra(t *tree.Tree, b *testrun.Baseline, code func(path string) bool) (*spectra, error) {
	s := &spectra{at: map[string]int{}, width: (len(b.Cover.Tests) + 7) / 8}
	red := make([]byte, s.width)
	s.green, s.known = make([]byte, s.width), make([]byte, s.width)
	for _, f := range b.Cover.Files { // tests themselves too
		for i, bits := range f.Bits {
			s.known[i%s.width] |= bits
		}
	}
	for i, id := range b.Cover.Tests {
		s.at[id] = i
		switch v := b.Results.Get(id); {
		case v.Red():
			red[i/8] |= 1 << (i % 8)
		case v == outcome.Passed:
			s.green[i/8] |= 1 << (i % 8)
		}
	}
	for _, p := range t.Paths() {
		if t.Kind(p) == tree.Link || !code(p) {
			continue
		}
		us, err := unitsOf(t, p)
		if err != nil {
			return nil, err
		}
		f := b.Cover.Files[p]
		if f == nil {
			f = &testrun.FileCover{}
		}
		for i, n := range f.Lines {
			row := f.Bits[i*s.width : (i+1)*s.width]
			if u := unitAt(us, n); u != nil && u.function && count(row, red) > 0 {
				u.lines = append(u.lines, line{n, row})
			}
		}
		for _, n := range f.Imported {
			if u := unitAt(us, n); u != nil && !u.function {
				u.loaded = append(u.loaded, n)
			}
		}
		s.units = append(s.units, us...)
	}
	return s, nil
}

// count tells how many bits two rows have in common.
func count(a, b []byte) int {
	n := 0
	for i := range a {
		n += bits.OnesCount8(a[i] & b[i])
	}
	return n
}

// mask is the set of tests as a row.
func (s *spectra) mask(tests []string) []byte {
	m := make([]byte, s.width)
	for _, id := range tests {
		if i, ok := s.at[id]; ok {
			m[i/8] |= 1 << (i % 8)
		}
	}
	return m
}

// explains is how well a line accounts for red tests: how suspicious it is for
// those that run it, times a weak preference for one that all of them run. A line
// of its own for each of two failures wins over one that these and many green
// tests share.
func (s *spectra) explains(l line, red []byte, all int) float64 {
	n := count(l.row, red)
	return Ochiai(n, count(l.row, s.green), n) * math.Pow(float64(n)/float64(all), 0.25)
}

// share is what the suspicion of a function's lines counts.
func share(u *unit) float64 {
	switch lastName(u.Function) {
	case "__repr__", "__str__", "__format__":
		return shownShare
	}
	return 1
}

// groups separates red tests into failures with different causes, as far as what
// they run tells: the function that explains most of them best takes those that
// run its most suspicious line, and so on with the rest. raised is the line that
// raised in each test; among equals the function that raised comes first. Tests
// of which nothing is known are one group for each file.
func (s *spectra) groups(tests []string, raised map[string]testrun.Frame) [][]string {
	var groups [][]string
	rest := slices.Clone(tests)
	for len(rest) > 0 {
		red := s.mask(rest)
		best, explained, from := 0.0, line{}, 0
		for _, u := range s.units {
			n := 0
			for _, id := range rest {
				if f, ok := raised[id]; ok && f.Path == u.Path && f.Line >= u.FirstLine && f.Line <= u.LastLine {
					n++
				}
			}
			for _, l := range u.lines {
				if score := s.explains(l, red, len(rest)) * share(u); score > best || score > 0 && score == best && n > from {
					best, explained, from = score, l, n
				}
			}
		}
		if best == 0 {
			break
		}
		var group, left []string
		for _, id := range rest {
			if i, ok := s.at[id]; ok && explained.row[i/8]&(1<<(i%8)) != 0 {
				group = append(group, id)
			} else {
				left = append(left, id)
			}
		}
		groups, rest = append(groups, group), left
	}
	byFile := map[string]int{}
	for _, id := range rest {
		f := fileOf(id)
		if _, ok := byFile[f]; !ok {
			byFile[f] = len(groups)
			groups = append(groups, nil)
		}
		groups[byFile[f]] = append(groups[byFile[f]], id)
	}
	return groups
}

// suspects ranks what the red tests of one failure run: the functions to look
// at, the most suspicious first, and the suspicion of their lines. frames is
// the traceback of the first of them, named the identifiers of its source.
func (s *spectra) suspects(tests []string, frames []testrun.Frame, named map[string]bool) ([]arena.Context, []arena.Suspect) {
	red, first, greens := s.mask(tests), s.mask(tests[:1]), 0
	for _, b := range s.green {
		greens += bits.OnesCount8(b)
	}
	type ranked struct {
		*unit
		score float64
	}
	var functions, modules []ranked
	lines := map[*unit]map[int]float64{}
	files := map[string]bool{}
	for _, u := range s.units {
		top := 0.0
		for _, l := range u.lines {
			if o := Ochiai(count(l.row, red), count(l.row, s.green), len(tests)); o > 0 {
				if count(l.row, first) == 0 {
					o *= offShare
				}
				o *= share(u)
				if lines[u] == nil {
					lines[u] = map[int]float64{}
				}
				lines[u][l.number], top = o, max(top, o)
			}
		}
		if top > 0 {
			files[u.Path] = true
			functions = append(functions, ranked{u, top + raisedIn(u, frames)})
		}
	}
	if len(functions) == 0 && !s.traced(tests) { // they hung: by name
		for _, u := range s.units {
			if !u.function {
				continue
			}
			score := otherScore
			if named[lastName(u.Function)] {
				score = namedScore
			}
			files[u.Path] = true
			functions = append(functions, ranked{u, score})
			lines[u] = map[int]float64{}
			for n := u.FirstLine; n <= u.LastLine; n++ {
				lines[u][n] = score
			}
		}
	}
	for _, u := range s.units {
		if !u.function && len(u.loaded) > 0 && (files[u.Path] || len(functions) == 0) {
			score := loadedShare * Ochiai(len(tests), greens, len(tests))
			modules = append(modules, ranked{u, score})
			lines[u] = map[int]float64{}
			for _, n := range u.loaded {
				lines[u][n] = score
			}
		}
	}
	var cs []arena.Context
	var all []arena.Suspect
	for _, kind := range []struct {
		list []ranked
		most int
	}{{functions, mostFunctions}, {modules, mostModules}} {
		sort.SliceStable(kind.list, func(i, j int) bool { return kind.list[i].score > kind.list[j].score })
		for _, r := range kind.list[:min(kind.most, len(kind.list))] {
			cs = append(cs, r.Context)
			for n, score := range lines[r.unit] {
				all = append(all, arena.Suspect{Path: r.Path, Line: n, Score: score})
			}
		}
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if a.Score != b.Score {
			return a.Score > b.Score
		}
		return a.Path < b.Path || a.Path == b.Path && a.Line < b.Line
	})
	return cs, all
}

// traced reports whether it is known what one of the tests runs.
func (s *spectra) traced(tests []string) bool {
	for _, id := range tests {
		if i, ok := s.at[id]; ok && s.known[i/8]&(1<<(i%8)) != 0 {
			return true
		}
	}
	return false
}

// raisedIn ranks a function up that stands in the traceback, the innermost most.
func raisedIn(u *unit, frames []testrun.Frame) float64 {
	bonus := 1.0
	for i := len(frames) - 1; i >= 0; i-- {
		if f := frames[i]; f.Path == u.Path && f.Line >= u.FirstLine && f.Line <= u.LastLine {
			return bonus
		}
		bonus /= 2
	}
	return 0
}
