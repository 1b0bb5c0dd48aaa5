package lang

import (
	"strings"
	"testing"

	sitter "github.com/tree-sitter/go-tree-sitter"
	python "github.com/tree-sitter/tree-sitter-python/bindings/go"
)

func TestTheParserUsesTheAllocatorOfC(t *testing.T) {
	if !useNativeAllocator() {
		t.Error("the parser's library is not linked")
	}
}

func BenchmarkParse(b *testing.B) {
	src := []byte(strings.Repeat("def clamp(value, low, high):\n    if value < low:\n        return [low, {'a': value}]\n    return min(high, value)\n\n\n", 40))
	g := NewGrammar(sitter.NewLanguage(python.Language()))
	for _, c := range []struct {
		name string
		set  func()
	}{{"binding", func() { sitter.SetAllocator(nil, nil, nil, nil) }}, {"native", func() { useNativeAllocator() }}} {
		b.Run(c.name, func(b *testing.B) {
			c.set()
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if f, err := g.Parse(src); err != nil || f.HasError {
					b.Fatal(err)
				}
			}
		})
	}
}
