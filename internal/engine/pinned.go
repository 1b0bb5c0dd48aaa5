package engine

import (
	"context"
	"errors"
	"sync/atomic"

	"breakfix/internal/engine/wire"
)

// ErrOneSlot says that a server has no place for an older version beside the one that learns.
var ErrOneSlot = errors.New("this server does not keep a published version apart from the weights under training, or is not known to: nothing can be sampled from the one while the other learns")

// Pinned is a sampler of the version that is published now, whatever the model learns,
// publishes or loads later. It needs a server that keeps the two apart (Profile.OwnSamplers).
func (m *Model) Pinned() (Sampler, error) {
	if !m.srv.profile.OwnSamplers {
		return nil, ErrOneSlot
	}
	p := &pinned{m: m}
	p.from.Store(m.current.Load())
	return p, nil
}

// pinned is a version of a model.
type pinned struct {
	m    *Model
	from atomic.Pointer[published]
}

func (p *pinned) Model() string   { return p.m.Model() }
func (p *pinned) Version() string { return p.from.Load().version }

func (p *pinned) Count(ctx context.Context, a Ask) (int, error) { return p.m.Count(ctx, a) }

func (p *pinned) Sample(ctx context.Context, a Ask) (Answer, error) {
	return p.m.answer(ctx, a, func(ctx context.Context, a TokenAsk) ([]wire.Sequence, string, error) {
		return p.m.sampled(ctx, a, p.once, p.reopen)
	})
}

func (p *pinned) once(ctx context.Context, a TokenAsk) (*published, []wire.Sequence, error) {
	now := p.from.Load()
	got, err := p.m.sampleFrom(ctx, now, a)
	return now, got, err
}

// reopen opens another sampling session, in another session where that is gone too.
func (p *pinned) reopen(ctx context.Context, gone *published) error {
	if p.from.Load() != gone {
		return nil // another has done it
	}
	s := p.m.srv
	session, err := s.in(ctx)
	if err != nil {
		return err
	}
	again, err := s.samplingSession(ctx, session, gone.path)
	if err != nil && !s.alive(ctx, session) {
		s.expire()
		if session, err = s.in(ctx); err == nil {
			again, err = s.samplingSession(ctx, session, gone.path)
		}
	}
	if err != nil {
		return err
	}
	p.from.CompareAndSwap(gone, &published{version: gone.version, path: gone.path, session: again})
	return nil
}
