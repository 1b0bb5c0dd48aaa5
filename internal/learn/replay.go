package learn

import (
	"math/rand/v2"
	"slices"
)

// Limits of replay.
const (
	ReuseMost   = 4    // batches that a game is in
	PerNew      = 2.0  // games that may be replayed for each new one
	BucketMost  = 256  // games that may be owed
	WindowGames = 1024 // latest games with something to learn from that are kept
)

// Due reports whether a version is made after so many games since the last one;
// every 0 means never.
func Due(games, every int) bool { return every > 0 && games >= every }

// Short reports whether a batch of games, of which asked groups were to be learned from,
// goes on: varied of its groups have attempts that earned differently. It has twice as
// many games as it should at most.
func Short(asked, varied, games, every int) bool { return varied < asked && games < 2*every }

// Replay remembers which games may be learned from again. The zero value is empty.
// Its fields are its state, as stored.
type Replay struct {
	Rows   []Row   `json:"rows"`   // oldest first
	Bucket float64 `json:"bucket"` // games that may be replayed now
}

// Row is a game and in how many batches it was.
type Row struct {
	Episode int `json:"episode"`
	Uses    int `json:"uses"`
}

// Put takes in games that were in a batch for the first time. Each fills the bucket by
// PerNew, as new rows fill KataGo's: a run that makes few games replays few.
func (r *Replay) Put(episodes ...int) {
	for _, e := range episodes {
		r.Rows = append(r.Rows, Row{e, 1})
	}
	r.Bucket = min(BucketMost, r.Bucket+PerNew*float64(len(episodes)))
	if n := len(r.Rows) - WindowGames; n > 0 {
		r.Rows = slices.Delete(r.Rows, 0, n)
	}
}

// Draw draws games for a batch, each once, without those that were in
// ReuseMost batches, takes them out of the bucket, and counts the use. They come
// oldest first, with the uses before this one.
func (r *Replay) Draw(seed uint64) []Row {
	var open []int
	for i := range r.Rows {
		if r.Rows[i].Uses < ReuseMost {
			open = append(open, i)
		}
	}
	random := rand.New(rand.NewPCG(seed, 0x7265706c6179))
	random.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	open = open[:min(len(open), int(r.Bucket))]
	slices.Sort(open)
	r.Bucket -= float64(len(open))
	drawn := make([]Row, 0, len(open))
	for _, i := range open {
		drawn = append(drawn, r.Rows[i])
		r.Rows[i].Uses++
	}
	return drawn
}
