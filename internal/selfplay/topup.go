package selfplay

import (
	"context"
	"log/slog"

	"breakfix/internal/learn"
	"breakfix/internal/policy"
	"breakfix/internal/store"
)

// short reports whether a batch is to be topped up by another round: of a learner that
// learns from differences alone, while groups whose attempts all earned the same are not
// made up for by others. A batch grows to twice its games at most.
func (g *Game) short(ctx context.Context) (bool, error) {
	if !policy.Compares(g.Learner) {
		return false, nil
	}
	from := g.learning.state.Last
	most := from + g.Config.Learn
	asked, varied, all := 0, 0, 0
	for _, p := range g.learning.state.Pending {
		if !p.Tries || p.Episode <= from {
			continue
		}
		ep, err := g.Store.Episode(ctx, p.Episode)
		if err != nil {
			return false, err
		}
		_, n, err := learn.Fixes([]store.Episode{ep})
		if err != nil {
			return false, err
		}
		all += n.Groups
		varied += n.Groups - n.Flat
		if p.Episode <= most {
			asked += n.Groups
		}
	}
	games := g.next - 1 - from
	short := learn.Short(asked, varied, games, g.Config.Learn)
	if all > 0 {
		slog.Info("groups to learn from", "games", games, "groups", all, "flat", float64(all-varied)/float64(all), "wanted", asked, "tops_up", short)
	}
	return short, nil
}
