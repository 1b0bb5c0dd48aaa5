package selfplay

import (
	"context"
	"errors"
	"math/rand/v2"

	"breakfix/internal/strategy"
	"breakfix/internal/tree"
)

// pastDraws bounds how many past commits are looked at for one that fits.
const pastDraws = 20

// past draws a past fix that can be undone in today's code, with its commit. It
// rests on the seed alone, so that a game that is played again gets the same one.
func (b *Board) past(ctx context.Context, seed uint64) (diff []byte, origin string, ok bool, err error) {
	s, err := strategy.New("history", strategy.Source{Target: b.Target, Bank: b.Bank}, strategy.Options{Cache: b.cache})
	if none := (*strategy.UnavailableError)(nil); errors.As(err, &none) {
		return nil, "", false, nil
	}
	if err != nil {
		return nil, "", false, err
	}
	r := rand.New(rand.NewPCG(seed, 0x70617374))
	for range pastDraws {
		p, err := s.Propose(ctx, r)
		if errors.Is(err, strategy.ErrExhausted) {
			break
		}
		if err != nil {
			return nil, "", false, err
		}
		if p.Screened != "" {
			continue
		}
		diff, err := tree.Diff(b.Work.Snapshot.Tree, p.Candidate.Tree)
		return diff, p.Candidate.Origin, err == nil, err
	}
	return nil, "", false, nil
}
