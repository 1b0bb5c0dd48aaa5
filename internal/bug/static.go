package bug

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"

	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// The checks that only read. They cost nothing, so they come first.

// maxChanged bounds how many files one break may touch.
const maxChanged = 64

// filesExist: something changed, and what changed is there to be read.
func filesExist(_ context.Context, t *trial) (objection, error) {
	changed := tree.Differ(t.base, t.broken)
	if len(changed) == 0 {
		return object("the break changes nothing")
	}
	for _, p := range t.cand.Tests {
		if !t.base.Has(p) || !t.t.Paths.IsTest(p) {
			return object("%s, which was handed in as tests, is no file of tests", p)
		}
	}
	if len(changed) > maxChanged {
		return object("the break changes %d files, over the limit of %d", len(changed), maxChanged)
	}
	alike := true
	for _, p := range changed {
		switch {
		case !t.base.Has(p):
			return object("%s does not exist in the base", p)
		case !t.broken.Has(p):
			return object("%s is removed", p)
		}
		before, err := t.base.Read(p)
		if err != nil {
			return objection{}, err
		}
		after, err := t.broken.Read(p)
		if err != nil {
			return objection{}, err
		}
		alike = alike && strings.HasSuffix(p, ".py") && !bytes.Equal(before, after) && mutate.Same(before, after)
	}
	if alike {
		return object("the break changes nothing that runs: comments, layout, docstrings, or code that is never reached")
	}
	return objection{}, nil
}

// applies: the change is a patch, the patch makes the broken tree, and its
// reverse restores the base byte for byte.
func applies(_ context.Context, t *trial) (objection, error) {
	inject := []byte(nil)
	var err error
	if t.given != nil {
		inject = t.given.Inject
	} else if inject, err = tree.Diff(t.base, t.broken); err != nil {
		return object("%v", err)
	}
	forth, err := tree.Apply(t.base, inject)
	if err != nil {
		return object("inject.diff does not apply: %v", err)
	}
	if forth.Digest() != t.broken.Digest() {
		return object("inject.diff does not make the broken tree")
	}
	reverse, err := tree.Diff(t.broken, t.base)
	if err != nil {
		return object("%v", err)
	}
	back, err := tree.Apply(forth, reverse)
	if err != nil {
		return object("the reverse of inject.diff does not apply: %v", err)
	}
	if back.Digest() != t.base.Digest() {
		return object("the reverse of inject.diff does not restore the base")
	}
	t.inject = inject
	return objection{}, nil
}

// codeOnly: no test, no runner configuration, nothing else than code.
func codeOnly(_ context.Context, t *trial) (objection, error) {
	for _, p := range tree.Differ(t.base, t.broken) {
		switch {
		case t.t.Paths.IsTest(p):
			return object("%s is a test", p)
		case t.t.Paths.IsRunnerConfig(p):
			return object("%s is runner configuration", p)
		case !t.t.Paths.IsCode(p):
			return object("%s is not code", p)
		}
	}
	return objection{}, nil
}

// notKnown: neither this tree nor this patch was a bug before.
func notKnown(_ context.Context, t *trial) (objection, error) {
	if t.given != nil && t.known == nil {
		return notApplicable("an artifact is verified by itself")
	}
	if id := t.known.find(t.base.Digest(), t.broken.Digest(), t.inject); id != "" {
		return object("%s", itIs(id))
	}
	return objection{}, nil
}

// outside are the names through which code reads the clock, randomness, the
// environment, or what depends on the hash seed or on addresses.
var outside = map[string]string{
	"time": "the clock", "monotonic": "the clock", "perf_counter": "the clock", "process_time": "the clock", "time_ns": "the clock", "monotonic_ns": "the clock",
	"now": "the clock", "utcnow": "the clock", "today": "the clock", "localtime": "the clock", "gmtime": "the clock",
	"random": "randomness", "randint": "randomness", "randrange": "randomness", "choice": "randomness", "shuffle": "randomness", "urandom": "randomness",
	"secrets": "randomness", "uuid": "randomness", "uuid1": "randomness", "uuid4": "randomness", "SystemRandom": "randomness",
	"environ": "the environment", "getenv": "the environment", "getpid": "the environment", "gethostname": "the environment", "getcwd": "the environment",
	"hash": "the hash seed", "id": "object addresses",
}

// readsNothingOutside: the change adds no reference to the clock, randomness,
// the environment, hash() or id(). Names are counted in the whole file before
// and after, so that moving a line that has one is no objection.
func readsNothingOutside(_ context.Context, t *trial) (objection, error) {
	for _, p := range tree.Differ(t.base, t.broken) {
		before, err := t.base.Read(p)
		if err != nil {
			return objection{}, err
		}
		after, err := t.broken.Read(p)
		if err != nil {
			return objection{}, err
		}
		if !strings.HasSuffix(p, ".py") {
			continue
		}
		was, is := references(before), references(after)
		var names []string
		for name, n := range is {
			if n > was[name] {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			sort.Strings(names)
			return object("%s: the change adds a reference to %s (%s)", p, outside[names[0]], names[0])
		}
	}
	return objection{}, nil
}

// references counts the uses of the names in outside. hash and id count only
// where they are called as functions: as attributes and variables they are common.
func references(src []byte) map[string]int {
	count := map[string]int{}
	m, ok := parse(src)
	if !ok {
		return count
	}
	defer m.Close()
	walk(m.root, func(n *sitter.Node) bool {
		if n.Kind() != "identifier" {
			return true
		}
		name := m.text(n)
		if _, ok := outside[name]; !ok {
			return true
		}
		p := n.Parent()
		if name == "hash" || name == "id" || name == "choice" || name == "time" || name == "now" || name == "today" {
			attribute := p != nil && p.Kind() == "attribute"
			called := p != nil && p.Kind() == "call" && p.ChildByFieldName("function").Id() == n.Id()
			if (name == "hash" || name == "id") && !called {
				return true
			}
			if name != "hash" && name != "id" && !called && !attribute {
				return true
			}
		}
		count[name]++
		return true
	})
	return count
}

// tokens are those of a text, without comments, with the structure of its blocks.
func tokens(src []byte) (string, bool) {
	m, ok := parse(src)
	if !ok {
		return "", false
	}
	defer m.Close()
	var b strings.Builder
	var visit func(n *sitter.Node)
	visit = func(n *sitter.Node) {
		if n.Kind() == "comment" {
			return
		}
		if n.Kind() == "string" || n.ChildCount() == 0 {
			fmt.Fprintf(&b, "%s\x00", m.text(n))
			return
		}
		if n.Kind() == "block" { // indentation means something
			b.WriteString("{\x00")
			defer b.WriteString("}\x00")
		}
		for i := uint(0); i < n.ChildCount(); i++ {
			visit(n.Child(i))
		}
	}
	visit(m.root)
	return b.String(), true
}
