package testrun

import (
	"bytes"
	"crypto/sha256"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/tree"
)

// syntaxCache keeps the syntax of the snapshot's files, the shapes of its
// statements and the latest changes.
type syntaxCache struct {
	mu      sync.Mutex
	m       map[string]*lang.File       // nil: not to be parsed
	shapes  map[[sha256.Size]byte]shape // by the hash of a text
	changes []known                     // who was asked for last at the end
}

// known is a change that was looked at: who judges a tree asks what it affects
// first and runs it then. Trees never change.
type known struct {
	tree   *tree.Tree
	change *change
}

// latest is how many changes are kept. Each holds a tree with its broken files, and a run of
// several packages has a cache for each; who asks twice does so while it is at the tree.
var latest = max(16, 4*runtime.NumCPU())

// mostShapes bounds the shapes: there is one for each stretch of text that was ever changed.
const mostShapes = 4096

func (c *syntaxCache) changed(t *tree.Tree) *change {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range c.changes {
		if k.tree == t {
			c.changes = append(slices.Delete(c.changes, i, i+1), k)
			return k.change
		}
	}
	return nil
}

func (c *syntaxCache) keep(t *tree.Tree, ch *change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.changes) >= latest {
		c.changes = slices.Delete(c.changes, 0, 1)
	}
	c.changes = append(c.changes, known{t, ch})
}

func (c *syntaxCache) get(t *tree.Tree, path string) *lang.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.m[path]; ok {
		return f
	}
	if c.m == nil {
		c.m = map[string]*lang.File{}
	}
	c.m[path] = nil
	src, err := t.Read(path)
	if err != nil {
		return nil
	}
	if f, err := python.Python.Parse(src); err == nil && !f.HasError {
		python.Analyse(f) // here, where nobody else is at it
		c.m[path] = f
	}
	return c.m[path]
}

// bindingsDiffer reports whether the scopes of two texts bind other names or
// are other kinds of functions: then a place that the edit does not touch can
// act otherwise, since a name is local to all of a function.
func (c *syntaxCache) bindingsDiffer(old, now string) bool {
	key := sha256.Sum256([]byte(old))
	c.mu.Lock()
	x, known := c.shapes[key]
	c.mu.Unlock()
	if !known {
		var err error
		if x, err = shapeOf(old); err != nil {
			return true
		}
		c.mu.Lock()
		if c.shapes == nil || len(c.shapes) >= mostShapes {
			c.shapes = map[[sha256.Size]byte]shape{}
		}
		c.shapes[key] = x
		c.mu.Unlock()
	}
	y, err := shapeOf(now)
	return err != nil || x != y
}

// shape is a hash of what the scopes of a text bind and are.
type shape [sha256.Size]byte

func shapeOf(text string) (shape, error) {
	f, err := python.Python.Parse([]byte(text))
	if err != nil {
		return shape{}, err
	}
	var parts []string
	for _, s := range python.Analyse(f).Scopes {
		var names []string
		for _, b := range s.Bindings {
			names = append(names, b.Name)
		}
		sort.Strings(names)
		parts = append(parts, s.Name+"("+strings.Join(slices.Compact(names), ",")+")")
	}
	f.Root.Walk(func(n *lang.Node) bool {
		if n.Is("yield", "await", "global_statement", "nonlocal_statement", "named_expression") {
			parts = append(parts, n.Kind+string(bytes.TrimSpace(f.Source[n.Start:min(n.End, n.Start+20)])))
		}
		return true
	})
	return sha256.Sum256([]byte(strings.Join(parts, "\x00"))), nil
}
