package testrun

import (
	"math/bits"
	"regexp"
	"sort"
)

var addresses = regexp.MustCompile(`0x[0-9a-fA-F]{4,}`)

// Cover tells which test runs which line, as one bit a pair: a suite of 2,500
// tests over 10,000 lines takes about 3 MB.
type Cover struct {
	Tests []string              `json:"tests"`
	Files map[string]*FileCover `json:"files"` // by path in the tree
}

// FileCover is Cover of one file. Bits holds, for Lines[i], the bytes
// [i*w, (i+1)*w) with w = (tests+7)/8; test t is bit t%8 of byte t/8.
type FileCover struct {
	Lines    []int  `json:"lines"` // sorted, 1-based
	Bits     []byte `json:"bits"`
	Imported []int  `json:"imported"` // sorted lines that ran outside of any test
}

func newCover(tests []string) *Cover {
	return &Cover{Tests: tests, Files: map[string]*FileCover{}}
}

func (c *Cover) width() int { return (len(c.Tests) + 7) / 8 }

// add takes lines of one file; what does not fit together is left out.
func (c *Cover) add(file string, lines []int, bits []byte, imported []int) {
	f := c.Files[file]
	if f == nil {
		f = &FileCover{}
		c.Files[file] = f
	}
	f.Imported = append(f.Imported, imported...)
	if len(bits) == len(lines)*c.width() && sort.IntsAreSorted(lines) &&
		(len(f.Lines) == 0 || len(lines) == 0 || f.Lines[len(f.Lines)-1] < lines[0]) {
		f.Lines = append(f.Lines, lines...)
		f.Bits = append(f.Bits, bits...)
	}
}

// between returns the range of indices of f.Lines in [first, last].
func (f *FileCover) between(first, last int) (lo, hi int) {
	return sort.SearchInts(f.Lines, first), sort.SearchInts(f.Lines, last+1)
}

// Covering returns the ids of the tests that run a line of the file in
// [first, last], in the order in which they ran.
func (c *Cover) Covering(file string, first, last int) []string {
	f := c.Files[file]
	if f == nil {
		return nil
	}
	w := c.width()
	row := make([]byte, w)
	for lo, hi := f.between(first, last); lo < hi; lo++ {
		for i, b := range f.Bits[lo*w : (lo+1)*w] {
			row[i] |= b
		}
	}
	var ids []string
	for i, b := range row {
		for ; b != 0; b &= b - 1 {
			if t := i*8 + bits.TrailingZeros8(b); t < len(c.Tests) {
				ids = append(ids, c.Tests[t])
			}
		}
	}
	return ids
}

// Imported reports whether a line of the file in [first, last] ran outside of
// any test: at import, during collection or in a fixture wider than a module.
func (c *Cover) Imported(file string, first, last int) bool {
	f := c.Files[file]
	if f == nil {
		return false
	}
	i := sort.SearchInts(f.Imported, first)
	return i < len(f.Imported) && f.Imported[i] <= last
}

// LinesOf returns what one test runs; "" stands for what ran outside of any test.
func (c *Cover) LinesOf(test string) Lines {
	out := Lines{}
	if test == "" {
		for p, f := range c.Files {
			if len(f.Imported) > 0 {
				out[p] = f.Imported
			}
		}
		return out
	}
	n := -1
	for i, t := range c.Tests {
		if t == test {
			n = i
		}
	}
	if n < 0 {
		return out
	}
	w := c.width()
	for p, f := range c.Files {
		for i, line := range f.Lines {
			if f.Bits[i*w+n/8]&(1<<(n%8)) != 0 {
				out[p] = append(out[p], line)
			}
		}
	}
	return out
}

// Covered returns the lines of a file that some test runs, sorted.
func (c *Cover) Covered(file string) []int {
	if f := c.Files[file]; f != nil {
		return f.Lines
	}
	return nil
}
