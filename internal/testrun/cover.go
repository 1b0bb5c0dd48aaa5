package testrun

import (
	"math/bits"
	"regexp"
	"slices"
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

func (c *Cover) width() int { return (len(c.Tests) + 7) / 8 }

// coverBuilder collects what tests ran, in any order.
type coverBuilder struct {
	at    map[string]int // number of a test
	files map[string]map[int][]byte
	cover *Cover
}

func newCoverBuilder(tests []string) *coverBuilder {
	b := &coverBuilder{at: map[string]int{}, files: map[string]map[int][]byte{}, cover: &Cover{Tests: tests, Files: map[string]*FileCover{}}}
	for i, t := range tests {
		b.at[t] = i
	}
	return b
}

// add takes lines that a test ran; "" stands for what ran while the suite was
// loaded. Unknown tests are left out.
func (b *coverBuilder) add(test string, lines Lines) {
	n, known := b.at[test]
	for file, list := range lines {
		if test == "" {
			f := b.file(file)
			f.Imported = append(f.Imported, list...)
			continue
		}
		if !known {
			return
		}
		b.file(file)
		rows := b.files[file]
		if rows == nil {
			rows = map[int][]byte{}
			b.files[file] = rows
		}
		for _, l := range list {
			row := rows[l]
			if row == nil {
				row = make([]byte, b.cover.width())
				rows[l] = row
			}
			row[n/8] |= 1 << (n % 8)
		}
	}
}

func (b *coverBuilder) file(path string) *FileCover {
	f := b.cover.Files[path]
	if f == nil {
		f = &FileCover{}
		b.cover.Files[path] = f
	}
	return f
}

// build returns the finished map.
func (b *coverBuilder) build() *Cover {
	for path, f := range b.cover.Files {
		sort.Ints(f.Imported)
		f.Imported = slices.Compact(f.Imported)
		rows := b.files[path]
		f.Lines = make([]int, 0, len(rows))
		for l := range rows {
			f.Lines = append(f.Lines, l)
		}
		sort.Ints(f.Lines)
		f.Bits = make([]byte, 0, len(f.Lines)*b.cover.width())
		for _, l := range f.Lines {
			f.Bits = append(f.Bits, rows[l]...)
		}
	}
	return b.cover
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
