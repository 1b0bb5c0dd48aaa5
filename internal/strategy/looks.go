package strategy

import (
	"slices"
	"strings"
	"sync"

	"breakfix/internal/mutate"
)

// Look is what the suite said of some mutations made together.
type Look struct {
	Mutations []string `json:"mutations"` // their ids, sorted
	Red       []string `json:"red"`       // sorted
	Trouble   string   `json:"trouble,omitempty"`
	Reason    string   `json:"reason,omitempty"` // of Trouble, the screen's name, when there is no red set to speak of
}

// Looks are the looks at one source. What a strategy draws next follows from
// them, so whoever goes on with a sequence that was drawn before gives it the
// looks of then: none is made again, and none can come out another way.
type Looks struct {
	atOnce int
	keep   func(Look) error

	mu   sync.Mutex
	seen map[string]Look
}

// NewLooks begins with none. Up to atOnce are made at the same time, and keep,
// when it is not nil, is told each, one after another.
func NewLooks(atOnce int, keep func(Look) error) *Looks {
	return &Looks{atOnce: max(1, atOnce), keep: keep, seen: map[string]Look{}}
}

// Remember takes in a look of earlier.
func (l *Looks) Remember(one Look) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[strings.Join(one.Mutations, " ")] = one
}

func (l *Looks) at(ms []mutate.Mutation) (Look, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.seen[keyOf(ms...)]
	return one, ok
}

func (l *Looks) add(one Look) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[strings.Join(one.Mutations, " ")] = one
	if l.keep == nil {
		return nil
	}
	return l.keep(one)
}

func keyOf(ms ...mutate.Mutation) string { return strings.Join(idsOf(ms), " ") }

func idsOf(ms []mutate.Mutation) []string {
	ids := make([]string, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return ids
}
