package arena

import (
	"fmt"
	"strings"
	"sync"

	"breakfix/internal/tree"
)

// Memo keeps what edits made of trees, for the attempts at one bug: they make much the same
// edits. It is safe for concurrent use; nil keeps nothing.
type Memo struct {
	mu sync.Mutex
	m  map[string]edited
}

// edited is what an edit made of a tree.
type edited struct {
	tree *tree.Tree
	why  string // it does not apply
	diff string // against the tree that was edited
}

// memoMost is how many edits are kept: the steps of a group of attempts are fewer.
const memoMost = 4096

// edit returns what do makes of the tree, which it is asked for once.
func (m *Memo) edit(at *tree.Tree, path string, edits []tree.Edit, do func() (edited, error)) (edited, error) {
	if m == nil {
		return do()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\x00%s", at.Digest(), path)
	for _, e := range edits {
		fmt.Fprintf(&b, "\x00%d %d %s", e.Start, e.End, e.New)
	}
	key := b.String()
	m.mu.Lock()
	e, ok := m.m[key]
	m.mu.Unlock()
	if ok {
		return e, nil
	}
	e, err := do()
	if err != nil {
		return e, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil || len(m.m) >= memoMost {
		m.m = map[string]edited{}
	}
	m.m[key] = e
	return e, nil
}
