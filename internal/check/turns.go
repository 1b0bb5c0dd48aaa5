package check

import "context"

// turns bounds what goes on at the same time: work keeps a processor busy;
// what only waits for its deadline stands aside, so that others get to work.
type turns struct{ work, waiting places }

// patients is how many mutations may stand aside for each that is worked at.
const patients = 4

func newTurns(workers int) turns {
	return turns{work: make(places, workers), waiting: make(places, patients*workers)}
}

// aside gives the caller's place at work to others while f runs. That it has
// one again afterwards holds unless ctx is done, which is the error then.
func (t turns) aside(ctx context.Context, f func() error) error {
	t.work.give()
	defer t.work.retake()
	if err := t.waiting.take(ctx); err != nil {
		return err
	}
	defer t.waiting.give()
	return f()
}

// places are so many as the channel has room.
type places chan struct{}

func (p places) take(ctx context.Context) error {
	select {
	case p <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p places) retake() { p <- struct{}{} }

func (p places) give() { <-p }
