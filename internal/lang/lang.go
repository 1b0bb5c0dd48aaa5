// Package lang says what a programming language must provide so that its
// repositories can be broken and fixed: parsing, sites, which files are code,
// tests and runner configuration. Languages are in sub-packages and enter one
// registry.
package lang

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"breakfix/internal/tree"
)

// Language is one programming language. Paths are slash-separated and relative
// to the root of a repository. A Language is safe for concurrent use.
type Language interface {
	Name() string
	// IsCode reports whether the file at path is source that may be broken:
	// not a test, not runner configuration, not documentation, an example or a
	// build script.
	IsCode(path string) bool
	// IsTest reports whether the file at path belongs to the tests: a test
	// file, or anything in a folder of tests.
	IsTest(path string) bool
	// IsRunnerConfig reports whether the file at path changes how tests or
	// linters run. No player may write it.
	IsRunnerConfig(path string) bool
	// Parse returns the syntax of src. A file that is too large or takes too
	// long is an error that callers may skip (ErrTooLarge, ErrTooSlow); a file
	// with syntax errors is a File with HasError.
	Parse(src []byte) (*File, error)
	// Enclosing returns the innermost function or class that holds the byte
	// at offset, and false at module level.
	Enclosing(f *File, offset int) (Scope, bool)
	// Unbinds reports whether edits of f, which leave it parsing, have a name read where nothing
	// has bound it, which none is in f: whoever comes there gets an error. False where that
	// cannot be told.
	Unbinds(f *File, edits []tree.Edit) bool
	// Unbound lists the names of f that are read where nothing has bound them, sorted; none where
	// that cannot be told.
	Unbound(f *File) []string
	// Checker returns what tells whether an edited f still parses.
	Checker(f *File) (*Checker, error)
}

// Scope is a named stretch of a file: a function or a class. Its span includes
// decorators.
type Scope struct {
	Name                string // qualified by the scopes around it: "Class.method.inner"
	Function            bool   // false: a class
	Start, End          int    // bytes
	FirstLine, LastLine int    // 1-based, inclusive
}

var registry = struct {
	sync.RWMutex
	m map[string]Language
}{m: map[string]Language{}}

// Register enters a language under its name. A second one of the same name is
// a mistake of the program and panics.
func Register(l Language) {
	registry.Lock()
	defer registry.Unlock()
	if _, ok := registry.m[l.Name()]; ok {
		panic("lang: " + l.Name() + " is registered twice")
	}
	registry.m[l.Name()] = l
}

// Get returns the language of that name.
func Get(name string) (Language, error) {
	registry.RLock()
	defer registry.RUnlock()
	if l, ok := registry.m[name]; ok {
		return l, nil
	}
	return nil, fmt.Errorf("language %q is not known; known are: %s", name, strings.Join(names(), ", "))
}

// Names returns the names of the registered languages, sorted.
func Names() []string {
	registry.RLock()
	defer registry.RUnlock()
	return names()
}

func names() []string {
	ns := make([]string, 0, len(registry.m))
	for n := range registry.m {
		ns = append(ns, n)
	}
	sort.Strings(ns)
	return ns
}

// ForPath returns the language that the file at path is code or a test of,
// false when no registered language knows it.
func ForPath(path string) (Language, bool) {
	registry.RLock()
	defer registry.RUnlock()
	for _, n := range names() {
		if l := registry.m[n]; l.IsCode(path) || l.IsTest(path) {
			return l, true
		}
	}
	return nil, false
}
