package builtin

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// exploration is c of PUCT: how much a tree that was seldom gone on from is preferred.
const exploration = 1.25

// puct orders the trees by Q + U (Rosin 2011; Silver et al. 2017). Q is the mean of a tree's value
// and of the values of those that steps from it led to, 0 where a step got no further; U is
// its prior, the chance of its next move among the next moves of all trees, times the root of
// all steps over one more than its own.
func (s *search) puct(ctx context.Context) ([]*stand, error) {
	for _, st := range s.stands {
		if st.open {
			continue
		}
		if err := s.open(ctx, st); err != nil {
			return nil, err
		}
		if st.from != nil {
			st.from.worth += st.value
		}
	}
	best, sum, steps := math.Inf(-1), 0.0, 0
	for _, st := range s.stands {
		if len(st.queue) > 0 {
			best = max(best, st.queue[0].score)
		}
		steps += st.visits
	}
	chance := func(st *stand) float64 {
		if len(st.queue) == 0 {
			return 0
		}
		return math.Exp(st.queue[0].score - best)
	}
	for _, st := range s.stands {
		sum += chance(st)
	}
	rank := make(map[*stand]float64, len(s.stands))
	for _, st := range s.stands {
		n := float64(1 + st.visits)
		rank[st] = (st.value+st.worth)/n + exploration*chance(st)/max(sum, 1e-300)*math.Sqrt(float64(1+steps))/n
	}
	order := slices.Clone(s.stands)
	slices.SortStableFunc(order, func(a, b *stand) int { return cmp.Compare(rank[b], rank[a]) })
	return order, nil
}
