package engine

import (
	"context"
	"sync"
)

// gate lets samples in while it is open. Shutting it waits for those inside.
type gate struct {
	mu     sync.Mutex
	open   chan struct{} // closed while the gate is open
	inside int
	empty  chan struct{} // closed when the last one leaves a gate that is being shut
}

func (g *gate) init() {
	g.open = make(chan struct{})
	close(g.open)
}

// enter waits until the gate is open; leave must follow.
func (g *gate) enter(ctx context.Context) error {
	for {
		g.mu.Lock()
		open := g.open
		select {
		case <-open:
			g.inside++
			g.mu.Unlock()
			return nil
		default:
		}
		g.mu.Unlock()
		select {
		case <-open:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// shut lets nobody in any more, and returns when nobody is inside.
func (g *gate) shut(ctx context.Context) error {
	g.mu.Lock()
	select {
	case <-g.open:
		g.open = make(chan struct{})
	default:
	}
	if g.inside == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	g.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// release opens the gate.
func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}
