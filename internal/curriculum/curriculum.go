// Package curriculum decides what is played next: a new break, a failed
// repair as a harder bug, or a known bug again.
//
// The schedule is composed from small sources (see plan), not configured. A
// whole round is drawn at once and its results are observed in episode order,
// so that any number of workers plays the same games. A Curriculum is not safe
// for concurrent use: one goroutine owns it, as it owns the order of episodes.
package curriculum

import (
	"encoding/json"
	"fmt"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
)

// Item is one game to play. It carries everything that its player needs.
type Item struct {
	Number int     `json:"number"`           // 1-based: the episode that plays it
	Kind   string  `json:"kind"`             // store.KindFresh, KindHigherOrder, KindReplay
	Source int     `json:"source"`           // index of the source
	BugID  string  `json:"bug,omitempty"`    // replay: the bug; higher order: the parent that was not repaired
	Repair []byte  `json:"repair,omitempty"` // higher order: the failed repair, a diff against the parent's broken tree
	Order  int     `json:"order"`            // of the bug that the game is about
	Seed   uint64  `json:"seed"`             // all randomness of the game
	Weight float64 `json:"weight"`           // bug.WeightOf(Order)
}

// Attempt is what the curriculum needs to know of one attempt.
type Attempt struct {
	Outcome outcome.Attempt
	Patch   []byte // diff against the broken tree; empty when none was handed in
	Tree    string // digest of the tree that it left
}

// Result is what became of an item.
type Result struct {
	Item     Item
	Outcome  outcome.Break
	BugID    string // of the valid bug that was played
	Order    int
	Attempts []Attempt
}

// Config is what stays the same during a run.
type Config struct {
	Seed     uint64
	Sources  int  // how many sources are played in turn; 0 means 1
	OrderCap int  // highest order of a bug; 0 means DefaultOrderCap
	Fresh    bool // nothing but new breaks: no failed repair and no known bug is played
}

// Limits of the default curriculum.
const (
	DefaultOrderCap = 5
	PerParent       = 2   // higher-order candidates taken from one bug
	ReplayBelow     = 0.5 // solve rate below which a bug is played again
	ReplayAtMost    = 3   // times that one bug is played again
)

// candidate is a failed repair that waits to be played as a bug.
type candidate struct {
	Source int    `json:"source"`
	Parent string `json:"parent"`
	Repair []byte `json:"repair"`
	Order  int    `json:"order"` // of the bug that it would be
}

// known is a valid bug, as far as replay is concerned.
type known struct {
	Bug      string `json:"bug"`
	Source   int    `json:"source"`
	Order    int    `json:"order"`
	Attempts int    `json:"attempts"` // scored ones
	Fixed    int    `json:"fixed"`
	Replays  int    `json:"replays"`
}

// state is all that changes; it is what a resumed run needs.
type state struct {
	Drawn  int            `json:"drawn"`  // items handed out
	Fresh  int            `json:"fresh"`  // of these fresh ones; turns the sources round
	Queue  []candidate    `json:"queue"`  // waiting, in the order in which they were seen
	Bugs   []known        `json:"bugs"`   // in the order in which they became valid
	Trees  []string       `json:"trees"`  // digests of failed trees that were queued, in order
	Taken  map[string]int `json:"taken"`  // candidates taken from each parent
	Capped int            `json:"capped"` // candidates above the order cap
}

// Curriculum hands out games.
type Curriculum struct {
	config Config
	state  state
	seen   map[string]bool // state.Trees
	plan   source
}

// New starts a curriculum.
func New(c Config) *Curriculum {
	if c.Sources < 1 {
		c.Sources = 1
	}
	if c.OrderCap < 1 {
		c.OrderCap = DefaultOrderCap
	}
	schedule := plan()
	if c.Fresh {
		schedule = fresh
	}
	return &Curriculum{config: c, state: state{Taken: map[string]int{}}, seen: map[string]bool{}, plan: schedule}
}

// Next draws the n games of a round.
func (c *Curriculum) Next(n int) []Item {
	items := make([]Item, 0, max(n, 0))
	for range n {
		c.state.Drawn++
		seed := mix(c.config.Seed, uint64(c.state.Drawn))
		item, ok := c.plan(c, draw{position: c.state.Drawn, random: generator(seed)})
		if !ok { // cannot be: the plan ends in a source that is never empty
			panic("curriculum: the plan ran empty")
		}
		item.Number, item.Seed, item.Weight = c.state.Drawn, seed, bug.WeightOf(item.Order)
		items = append(items, item)
	}
	return items
}

// Observe takes in the results of a round. They are taken in the order given,
// which must be that of the episodes.
func (c *Curriculum) Observe(results []Result) {
	for _, r := range results {
		if r.Outcome != outcome.Valid || r.BugID == "" {
			continue
		}
		c.count(r)
		c.queue(r)
	}
}

// count brings a bug's solve rate up to date. Attempts that failed by our own
// fault do not count.
func (c *Curriculum) count(r Result) {
	at := -1
	for i := range c.state.Bugs {
		if c.state.Bugs[i].Bug == r.BugID {
			at = i
		}
	}
	if at < 0 {
		c.state.Bugs = append(c.state.Bugs, known{Bug: r.BugID, Source: r.Item.Source, Order: max(r.Order, 1)})
		at = len(c.state.Bugs) - 1
	}
	for _, a := range r.Attempts {
		if a.Outcome == outcome.Infrastructure {
			continue
		}
		c.state.Bugs[at].Attempts++
		if a.Outcome == outcome.Fixed {
			c.state.Bugs[at].Fixed++
		}
	}
}

// queue takes failed repairs as candidates for bugs of the next order: at
// most PerParent of one bug, no tree twice, none above the cap.
func (c *Curriculum) queue(r Result) {
	order := max(r.Order, 1) + 1
	for _, a := range r.Attempts {
		failed := a.Outcome == outcome.Wrong || a.Outcome == outcome.OutOfSteps
		if !failed || len(a.Patch) == 0 || a.Tree == "" || c.seen[a.Tree] {
			continue
		}
		if order > c.config.OrderCap {
			c.state.Capped++
			continue
		}
		if c.state.Taken[r.BugID] >= PerParent {
			return
		}
		c.seen[a.Tree] = true
		c.state.Trees = append(c.state.Trees, a.Tree)
		c.state.Taken[r.BugID]++
		c.state.Queue = append(c.state.Queue, candidate{Source: r.Item.Source, Parent: r.BugID, Repair: a.Patch, Order: order})
	}
}

// Waiting returns how many failed repairs wait to be played as bugs.
func (c *Curriculum) Waiting() int { return len(c.state.Queue) }

// WaitingByOrder returns how many failed repairs wait, by the order that they
// would have as bugs.
func (c *Curriculum) WaitingByOrder() map[int]int {
	n := map[int]int{}
	for _, k := range c.state.Queue {
		n[k.Order]++
	}
	return n
}

// State returns everything that a later Restore needs to go on as this
// curriculum would. Take it between rounds.
func (c *Curriculum) State() ([]byte, error) { return json.Marshal(c.state) }

// Restore makes a curriculum that goes on from a state, with the same
// configuration as before.
func Restore(cfg Config, saved []byte) (*Curriculum, error) {
	c := New(cfg)
	if err := json.Unmarshal(saved, &c.state); err != nil {
		return nil, fmt.Errorf("read the curriculum's state: %w; start a new run", err)
	}
	if c.state.Taken == nil {
		c.state.Taken = map[string]int{}
	}
	for _, k := range c.state.Queue {
		if k.Source < 0 || k.Source >= c.config.Sources {
			return nil, fmt.Errorf("the curriculum's state names source %d of %d; resume with the sources that the run was started with", k.Source+1, c.config.Sources)
		}
	}
	for _, t := range c.state.Trees {
		c.seen[t] = true
	}
	return c, nil
}
