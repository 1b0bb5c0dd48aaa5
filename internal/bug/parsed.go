package bug

import (
	"sync"

	sitter "github.com/tree-sitter/go-tree-sitter"
	python "github.com/tree-sitter/tree-sitter-python/bindings/go"
)

// Limits of what is kept parsed: the texts of one minimisation are looked at
// several times each, most of them within a few calls.
const (
	maxParsed      = 128
	maxParsedBytes = 1 << 20 // C takes 17 times as much
)

// parsed keeps the syntax trees of the texts parsed last; nil for a text that
// does not parse. Copies of a tree share its nodes.
var parsed = struct {
	sync.Mutex
	trees map[string]*sitter.Tree
	order []string // oldest first
	bytes int
}{trees: map[string]*sitter.Tree{}}

// treeOf returns the syntax tree of a text that parses without error, nil for
// others. The caller closes it.
func treeOf(src []byte) *sitter.Tree {
	key := string(src)
	parsed.Lock()
	defer parsed.Unlock()
	t, ok := parsed.trees[key]
	if !ok {
		parsed.Unlock()
		t = parseNew(src)
		parsed.Lock()
		keep(key, t)
	}
	if t == nil {
		return nil
	}
	return t.Clone()
}

// keep is called with parsed locked.
func keep(key string, t *sitter.Tree) {
	if was, ok := parsed.trees[key]; ok { // somebody else parsed it meanwhile
		if was != nil {
			was.Close()
		}
		parsed.trees[key] = t
		return
	}
	parsed.trees[key] = t
	parsed.order = append(parsed.order, key)
	parsed.bytes += len(key)
	for len(parsed.order) > 1 && (len(parsed.order) > maxParsed || parsed.bytes > maxParsedBytes) {
		oldest := parsed.order[0]
		parsed.order = parsed.order[1:]
		parsed.bytes -= len(oldest)
		if was := parsed.trees[oldest]; was != nil {
			was.Close()
		}
		delete(parsed.trees, oldest)
	}
}

func parseNew(src []byte) *sitter.Tree {
	p := sitter.NewParser()
	defer p.Close()
	if err := p.SetLanguage(sitter.NewLanguage(python.Language())); err != nil {
		return nil
	}
	t := p.Parse(src, nil)
	if t != nil && t.RootNode().HasError() {
		t.Close()
		return nil
	}
	return t
}
