package arena

import (
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/lang"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// Bank is every mutation of a snapshot that a test could notice. It is
// enumerated once, on first use, and safe for concurrent use.
type Bank struct {
	base     *tree.Tree
	selected func(path string) bool
	tests    func(path string, first, last int) int
	sites    func() ([]mutate.Mutation, error)
}

// NewBank prepares the bank of a snapshot. selected says which code files may
// be broken (nil: all), tests how many tests of the baseline run one of
// the lines first to last (nil: one does); lines that none runs are left out.
func NewBank(base *tree.Tree, selected func(path string) bool, tests func(path string, first, last int) int) *Bank {
	if tests == nil {
		tests = func(string, int, int) int { return 1 }
	}
	b := &Bank{base: base, selected: selected, tests: tests}
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
	files := b.Files()
	found := make([][]mutate.Mutation, len(files))
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for i, p := range files {
		g.Go(func() (err error) {
			found[i], err = b.enumerateFile(p)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

func (b *Bank) enumerateFile(path string) ([]mutate.Mutation, error) {
	src, err := b.base.Read(path)
	if err != nil {
		return nil, err
	}
	l, ok := lang.ForPath(path)
	if !ok {
		return nil, nil
	}
	f, err := l.Parse(src)
	if err != nil || f.HasError {
		return nil, nil // too large, or not of this Python: it cannot be broken exactly
	}
	return mutate.EnumerateWhere(l, path, f, mutate.Operators(), func(first, last int) bool { return b.tests(path, first, last) > 0 }), nil
}
