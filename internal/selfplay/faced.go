package selfplay

import (
	"context"

	"golang.org/x/sync/errgroup"

	"breakfix/internal/policy"
	"breakfix/internal/testrun"
)

// Faced is what came of a break that a fixer had a group of attempts at.
type Faced struct {
	Mutation string `json:"mutation,omitempty"` // empty: none was chosen
	Valid    bool   `json:"valid"`              // some of the fast tests that run it went red, and none hung
	Fixed    int    `json:"fixed"`              // attempts after which all of these pass
}

// Sometimes reports whether of a group of attempts some repaired it and some did not.
func (f Faced) Sometimes(group int) bool { return 0 < f.Fixed && f.Fixed < group }

// FaceOptions say how many breaks, and what the fixer has for each.
type FaceOptions struct {
	Breaks, Group, Steps, Workers int
	Seed                          uint64
}

// Face has breaker break, the boards in turn, and fixer attempt each break as a group does in
// play, each attempt with noise of its own. So breakers can be compared with each other while the
// fixer stays what it is. Bugs and repairs are judged as in a Match: nothing is minimised or graded.
func Face(ctx context.Context, boards []*Board, breaker, fixer policy.Policy, o FaceOptions) ([]Faced, error) {
	out, drawn := make([]Faced, 0, o.Breaks), map[int]drawnBreak{}
	for d := newDrawing(boards, breaker, o.Seed, nil); len(out) < o.Breaks && d.empty < len(boards); {
		b, ok, err := d.next(ctx)
		if err != nil {
			return nil, err
		}
		if ok {
			drawn[len(out)] = b
			out = append(out, Faced{Mutation: b.mutation.ID})
		} else if d.empty == 0 {
			out = append(out, Faced{})
		}
	}
	var g errgroup.Group
	g.SetLimit(testrun.AtOnce(o.Workers))
	for i, b := range drawn {
		g.Go(func() error {
			return guarded(func() (err error) {
				out[i].Valid, out[i].Fixed, err = b.face(ctx, fixer, o)
				return err
			})
		})
	}
	return out, g.Wait()
}

func (b *drawnBreak) face(ctx context.Context, fixer policy.Policy, o FaceOptions) (valid bool, fixed int, err error) {
	red, valid, err := redOf(ctx, b.board, b.tree, b.mutation)
	if err != nil || !valid {
		return false, 0, err
	}
	for k := range o.Group {
		bug := matchBug{board: b.board, red: red, seed: attemptSeed(b.seed, k+1)}
		step, err := bug.attempt(ctx, fixer, o.Steps)
		if err != nil {
			return true, fixed, err
		}
		if step > 0 {
			fixed++
		}
	}
	return true, fixed, nil
}
