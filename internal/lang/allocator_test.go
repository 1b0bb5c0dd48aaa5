package lang

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	sitter "github.com/tree-sitter/go-tree-sitter"
	python "github.com/tree-sitter/tree-sitter-python/bindings/go"
)

func TestTheParserUsesTheAllocatorOfC(t *testing.T) {
	if !useNativeAllocator() {
		t.Error("the parser's library is not linked")
	}
}

func TestTheAllocatorOfCHasFewHeaps(t *testing.T) {
	if _, err := os.Stat("/lib64/ld-linux-x86-64.so.2"); err != nil {
		t.Skip("no GNU C library")
	}
	if !useFewArenas() {
		t.Error("the settings were refused")
	}
}

// TestWhatParsingTookIsGivenBack: threads that parse at the same time leave no heap each.
func TestWhatParsingTookIsGivenBack(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is read from /proc")
	}
	g := NewGrammar(sitter.NewLanguage(python.Language()))
	src := []byte(strings.Repeat("def clamp(value, low, high):\n    return [low, {'a': value}]\n\n\n", 1000))
	parse := func(threads int) {
		var all sync.WaitGroup
		for range threads {
			all.Go(func() {
				runtime.LockOSThread() // ends with its thread
				p, err := g.parser()
				if err != nil {
					t.Error(err)
					return
				}
				defer freed(giveBackAfter)
				defer p.Close()
				tree, err := g.parse(p, src, nil)
				if err != nil {
					t.Error(err)
					return
				}
				tree.Close()
			})
		}
		all.Wait()
		debug.FreeOSMemory()
	}
	parse(1)
	before := resident(t)
	parse(24)
	if grown := resident(t) - before; grown > 24<<20 {
		t.Errorf("24 threads that parsed left %d MB", grown>>20)
	}
}

func resident(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
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
