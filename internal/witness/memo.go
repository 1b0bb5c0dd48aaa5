package witness

import (
	"context"
	"sync"
)

// memo keeps what was found out under a name; what two ask for at the same time
// is found out once. An error is not kept.
type memo[T any] struct {
	mu sync.Mutex
	m  map[string]*entry[T]
}

type entry[T any] struct {
	done  chan struct{} // closed when the rest is set
	value T
	err   error
}

func (m *memo[T]) get(ctx context.Context, key string, find func() (T, error)) (T, error) {
	for {
		m.mu.Lock()
		e, ok := m.m[key]
		if !ok {
			if m.m == nil {
				m.m = map[string]*entry[T]{}
			}
			e = &entry[T]{done: make(chan struct{})}
			m.m[key] = e
			m.mu.Unlock()
			if e.value, e.err = find(); e.err != nil {
				m.mu.Lock()
				delete(m.m, key)
				m.mu.Unlock()
			}
			close(e.done)
			return e.value, e.err
		}
		m.mu.Unlock()
		select {
		case <-e.done:
			if e.err == nil {
				return e.value, nil
			}
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
}
