package builtin

import (
	"encoding/json"
	"math"
	"runtime"
	"sync"

	"breakfix/internal/tree"
)

// Limits of what is kept of a view.
const (
	maxList  = 400  // candidates of a shortlist
	maxKept  = 4096 // candidates of a view: as many as 64 roll-outs of 64 steps try
	maxLists = 24   // views; the attempts of a group share theirs
)

// Shortlist returns the first maxList candidates that are sound, in the order of
// the weights; without any, of the prior that was set by hand.
func Shortlist(v View, w *Weights) ([]Candidate, error) {
	l := &list{view: v}
	l.order(w, math.MaxInt, math.MaxInt)
	var kept []Candidate
	for i := range l.cs {
		if len(kept) == maxList {
			break
		}
		ok, err := l.sound(i)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, l.cs[i])
		}
	}
	return kept, nil
}

// orderedAtOnce has as many views ordered at the same time as there are cores: it is nothing
// but work for them, and the moves of a view can take a hundred MB meanwhile.
var orderedAtOnce = make(chan struct{}, runtime.GOMAXPROCS(0))

// ordered lists all candidates of a view that are ranked, whether they parse or not.
func ordered(v View, w *Weights) []Candidate {
	l := list{view: v}
	l.order(w, math.MaxInt, math.MaxInt)
	return l.cs
}

// order fills the list with the first keep of at most most candidates. The moves of a large
// function are several hundred thousand: only what is kept becomes a candidate.
func (l *list) order(w *Weights, most, keep int) {
	orderedAtOnce <- struct{}{}
	defer func() { <-orderedAtOnce }()
	g := generate(l.view, true)
	if g == nil {
		return
	}
	l.drafts, l.value = g.drafts.len(), noValue
	if w == nil {
		l.cs = g.candidates(g.picks(min(most, keep, l.drafts)))
		return
	}
	ps := g.picks(min(most, w.most(l.drafts)))
	l.mass = w.mass(ps)
	l.cs, l.value = w.rank(g, ps, keep)
}

// lists remembers the candidates of the latest views: they are a pure function of it, and
// all attempts of a group begin with the same view.
type lists struct {
	mu     sync.Mutex
	byView map[tree.Digest]*list
	keys   []tree.Digest // oldest first
}

type list struct {
	once sync.Once
	view View
	cs   []Candidate
	// Mass is what the log priors of this view lack beside those of another one: weights give
	// each candidate its chance among those of its view alone. Value is that of the view.
	mass, value float64
	drafts      int // that the candidates were taken from

	mu     sync.Mutex
	asked  bool   // it is in the order that values give it,
	saw    string // and this was seen
	looked []bool // a batch of candidates was looked at
	parse  []bool
	binds  map[int]bool // by candidate: it leaves no name unbound; of those that were asked for
}

// atOnce is how many neighbours in the order are looked at together: to begin
// costs as much as some ten of them.
const atOnce = 32

// parses reports whether the i-th candidate leaves a file that parses. All
// attempts of a group ask for much the same ones, and for few of them.
func (l *list) parses(i int) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parse == nil {
		l.parse, l.looked = make([]bool, len(l.cs)), make([]bool, len(l.cs)/atOnce+1)
	}
	if batch := i / atOnce; !l.looked[batch] {
		check, free, err := checker(l.view.Path, l.view.Source)
		if err != nil {
			return false, err
		}
		defer free()
		for k := batch * atOnce; k < min(len(l.cs), (batch+1)*atOnce); k++ {
			l.parse[k] = check(l.cs[k].Edits)
		}
		l.looked[batch] = true
	}
	return l.parse[i], nil
}

// sound reports whether the i-th candidate leaves a file that parses and reads no name that
// nothing has bound, where it read none before.
func (l *list) sound(i int) (bool, error) {
	if ok, err := l.parses(i); !ok || err != nil {
		return ok, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ok, known := l.binds[i]
	if !known {
		unbinds, err := unbinds(l.view.Path, l.view.Source, l.cs[i].Edits)
		if err != nil {
			return false, err
		}
		if l.binds == nil {
			l.binds = map[int]bool{}
		}
		ok = !unbinds
		l.binds[i] = ok
	}
	return ok, nil
}

// of gives the list of a view. Values may put it in another order (ask), so where they are
// asked it is a list of its own, kept by all views of the tree that they are asked of.
func (l *lists) of(v View, w *Weights, asked []View) (*list, error) {
	b, err := json.Marshal(append([]View{v}, asked...))
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
	e.once.Do(func() {
		e.view = v
		e.order(w, math.MaxInt, maxKept)
	})
	return e, nil
}
