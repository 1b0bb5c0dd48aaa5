package bugset

import (
	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/strategy"
	"breakfix/internal/tree"
)

// Screened and Infrastructure are what can become of a candidate beside the
// outcomes of a break: a screen of its strategy threw it away before
// validation, or it could not be validated by a fault of our own.
const (
	Screened       = "screened"
	Infrastructure = "infrastructure"
)

// Candidate is one line of candidates.jsonl: a proposal and what became of it.
type Candidate struct {
	Number    int                       `json:"number"` // 1-based, of the set
	Origin    int                       `json:"origin"` // index of its source in set.json
	Source    string                    `json:"source"`
	Strategy  string                    `json:"strategy"`
	Seed      uint64                    `json:"seed"`
	Mutations []Place                   `json:"mutations,omitempty"`
	Outcome   string                    `json:"outcome"`         // of a break, or screened, or infrastructure
	Check     string                    `json:"check,omitempty"` // the check that objected, or the screen
	Reason    string                    `json:"reason,omitempty"`
	Bug       string                    `json:"bug,omitempty"` // id, when valid
	Seconds   map[outcome.Check]float64 `json:"seconds,omitempty"`
	Broken    tree.Digest               `json:"broken,omitempty"`
	Diff      string                    `json:"diff,omitempty"`
}

// Place is a mutation of a candidate.
type Place struct {
	ID       string `json:"id"`
	Operator string `json:"operator"`
	Variant  string `json:"variant"`
	Path     string `json:"path"`
	Function string `json:"function"`
	Line     int    `json:"line"`
}

// item is a proposal of this origin as it goes through a round.
func (o *origin) item(p strategy.Proposal) (*item, error) {
	it := &item{proposal: p, done: make(chan struct{})}
	it.Candidate = Candidate{
		Origin: o.index, Source: o.Target.Snapshot.Source, Strategy: p.Candidate.Strategy, Seed: p.Candidate.Seed,
	}
	if p.Screened != "" {
		it.Outcome, it.Check, it.Reason = Screened, p.Screened, p.Reason
	}
	for _, m := range p.Candidate.Mutations {
		it.Mutations = append(it.Mutations, Place{m.ID, m.Operator, m.Variant, m.Path, m.Function, m.Line})
	}
	if t := p.Candidate.Tree; t != nil {
		it.Broken = t.Digest()
		diff, err := tree.Diff(o.Target.Snapshot.Tree, t)
		if err != nil && p.Screened == "" {
			it.Reason = err.Error() // validation will say so too
		}
		it.Diff = string(diff)
	}
	return it, nil
}

// key tells whether a candidate is one that was judged before.
func (c Candidate) key() string {
	if c.Broken != "" {
		return c.Strategy + "\x00" + string(c.Broken)
	}
	key := c.Strategy + "\x00" + c.Check + "\x00" + c.Reason
	for _, m := range c.Mutations {
		key += "\x00" + m.ID
	}
	return key
}

// judgedAs takes in the result of validation.
func (c *Candidate) judgedAs(r bug.Result, err error) {
	if err != nil {
		c.Outcome, c.Check, c.Reason = Infrastructure, string(outcome.CheckInfrastructure), err.Error()
		return
	}
	c.Outcome, c.Check, c.Reason, c.Seconds = string(r.Outcome), string(r.Check), r.Reason, r.Seconds
	if r.Bug != nil {
		c.Bug = r.Bug.ID
	}
}

// again says that the candidate made a bug that the set has already.
func (c *Candidate) again(why string) {
	c.Outcome, c.Check, c.Reason, c.Bug = string(outcome.Rejected), string(outcome.CheckDuplicate), why, ""
}

// operators are the names of the operators of a candidate, each once.
func (c Candidate) operators() []string {
	seen := map[string]bool{}
	var names []string
	for _, m := range c.Mutations {
		if !seen[m.Operator] {
			seen[m.Operator] = true
			names = append(names, m.Operator)
		}
	}
	return names
}
