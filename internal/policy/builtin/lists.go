package builtin

import (
	"encoding/json"
	"sync"

	"breakfix/internal/tree"
)

// Limits of what is kept of a view.
const (
	maxList  = 400 // candidates; more than the steps of any attempt
	maxLists = 24  // views; the attempts of a group share theirs
)

// Shortlist returns the first maxList candidates that parse, in the order of
// the weights; without any, of the prior that was set by hand.
func Shortlist(v View, w *Weights) ([]Candidate, error) {
	g := generate(v, true)
	if g == nil {
		return nil, nil
	}
	all := g.ranked()
	if w != nil {
		w.rank(g, all)
	}
	parses, free, err := checker(v.Path, v.Source)
	if err != nil {
		return nil, err
	}
	defer free()
	var kept []Candidate
	for _, c := range all {
		if len(kept) == maxList {
			break
		}
		if parses(c.Edits) {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// lists remembers the shortlists of the latest views: Shortlist is pure, and
// all attempts of a group begin with the same view.
type lists struct {
	mu     sync.Mutex
	byView map[tree.Digest]*list
	keys   []tree.Digest // oldest first
}

type list struct {
	once sync.Once
	cs   []Candidate
	err  error
}

func (l *lists) of(v View, w *Weights) ([]Candidate, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	key := tree.DigestOf(b)
	l.mu.Lock()
	if l.byView == nil {
		l.byView = map[tree.Digest]*list{}
	}
	e, ok := l.byView[key]
	if !ok {
		e = &list{}
		l.byView[key] = e
		l.keys = append(l.keys, key)
		if len(l.keys) > maxLists {
			delete(l.byView, l.keys[0])
			l.keys = l.keys[1:]
		}
	}
	l.mu.Unlock()
	e.once.Do(func() { e.cs, e.err = Shortlist(v, w) })
	return e.cs, e.err
}
