// Package strategy draws candidates for bugs: each strategy is a way to come
// from a target to a broken tree (one mutation, several that interact, code
// that is removed, a past fix that is undone). A strategy is drawn from with a
// seed and with nothing else, so the same seed gives the same candidates; what
// its own cheap look throws away is a proposal too, with the screen's name, so
// that nothing is dropped without being counted. Whether a candidate is a bug
// is for package bug to say.
package strategy

import (
	"context"
	"errors"
	"math/rand/v2"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
)

// Source is what a strategy draws from.
type Source struct {
	Target bug.Target  // the prepared snapshot
	Bank   *arena.Bank // its mutations that a test could notice
	Looks  *Looks      // at its mutations so far; nil begins with none and makes one at a time
}

// Proposal is one draw.
type Proposal struct {
	Candidate bug.Candidate
	// Screened names the cheap look that threw the candidate away before
	// validation, "" when it is to be validated; Reason says why.
	Screened, Reason string
}

// The names of the cheap looks.
const (
	NoInteraction = "no_interaction"  // the parts do what each does alone
	PartNotNeeded = "part_not_needed" // without one part the red set is the same
	OnePartIsAll  = "one_part_is_all" // repairing one part repairs all
	Unnoticed     = "unnoticed"       // no test goes red
	DoesNotLoad   = "does_not_load"   // the tree, or one of its parts alone, cannot be imported
	GaveUp        = "gave_up"         // too many tests timed out for the red set to be known
	DoesNotApply  = "does_not_apply"  // the code has changed too much since
	NoCode        = "no_code"         // only comments, documentation or annotations would change
	Uncovered     = "uncovered"       // no test runs what would change
)

// ErrExhausted says that a strategy has nothing left that it did not propose.
var ErrExhausted = errors.New("nothing left to propose")

// Strategy proposes candidates, one after another. It is used by one goroutine
// at a time.
type Strategy interface {
	// Name is what a candidate's Strategy says.
	Name() string
	// Propose draws the next candidate. The error is ErrExhausted, the
	// context's, or a fault of our own.
	Propose(ctx context.Context, r *rand.Rand) (Proposal, error)
}
