package arena

import (
	"sync"

	"breakfix/internal/lang"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// Bank is every mutation of a snapshot that a test could notice. It is
// enumerated once, on first use, and safe for concurrent use.
type Bank struct {
	base     *tree.Tree
	selected func(path string) bool
	covered  func(path string, first, last int) bool
	sites    func() ([]mutate.Mutation, error)
}

// NewBank prepares the bank of a snapshot. selected says which code files may
// be broken (nil: all), covered whether some test of the baseline, or
// importing the package, runs one of the lines first to last (nil: all do).
func NewBank(base *tree.Tree, selected func(path string) bool, covered func(path string, first, last int) bool) *Bank {
	b := &Bank{base: base, selected: selected, covered: covered}
	b.sites = sync.OnceValues(b.enumerate)
	return b
}

// Sites lists the mutations by path, and in a file as mutate.Enumerate orders
// them. The caller must not change the list.
func (b *Bank) Sites() ([]mutate.Mutation, error) { return b.sites() }

// Files lists the code files that may be broken, sorted.
func (b *Bank) Files() []string {
	var ps []string
	for _, p := range b.base.Paths() {
		if b.base.Kind(p) != tree.Link && isCode(p) && (b.selected == nil || b.selected(p)) {
			ps = append(ps, p)
		}
	}
	return ps
}

func (b *Bank) enumerate() ([]mutate.Mutation, error) {
	var all []mutate.Mutation
	for _, p := range b.Files() {
		src, err := b.base.Read(p)
		if err != nil {
			return nil, err
		}
		l, ok := lang.ForPath(p)
		if !ok {
			continue
		}
		f, err := l.Parse(src)
		if err != nil || f.HasError {
			continue // too large, or not of this Python: it cannot be broken exactly
		}
		for _, m := range mutate.Enumerate(l, p, f, mutate.Operators()) {
			if b.covered == nil || b.covered(p, m.Line, m.LastLine) {
				all = append(all, m)
			}
		}
	}
	return all, nil
}
