package network

import (
	"fmt"
	"math"
)

// Sizes of what a problem is made of.
const (
	Vocabulary   = 8192 // hashed sub-words, 0 being none
	Kinds        = 32   // kinds of token
	Syntaxes     = 128  // kinds of syntax node
	Actions      = 64
	Pieces       = 4 // sub-words a token
	SiteFacts    = 12
	MoveFacts    = 12
	ProblemFacts = 16
	MaxCode      = 512 // tokens
	MaxSaid      = 256
	MaxFiller    = 12 // tokens of Old or New that count
	Sights       = 16 // kinds of what was seen of a move
)

// Token is a leaf of code or a word of text.
type Token struct {
	Pieces [Pieces]uint16 // hashed sub-words 1..Vocabulary-1, 0: none
	Kind   uint8          // < Kinds
}

// Site is a place in the code that a move may change: a span of tokens.
type Site struct {
	First, Last int32    // tokens of Code, inclusive
	Syntax      [3]uint8 // kinds of the node, its parent, its grandparent, < Syntaxes
	Facts       [SiteFacts]float32
}

// Move is one edit: at a site, an action, a filler.
type Move struct {
	Site     int32
	Action   uint8   // < Actions
	Old, New []Token // taken out, put in; the first MaxFiller of each count
	Facts    [MoveFacts]float32
	Hash     []uint32 // hashed sparse features of the linear part, taken modulo Features
	Seen     uint8    // what running the code showed of it, < Sights, 0: nothing
	Base     float32  // a log score beneath that of the network, which is not learned
}

// Problem is one choice among moves.
type Problem struct {
	Code  []Token // at most MaxCode
	Said  []Token // the red test, then the failure; at most MaxSaid
	Facts [ProblemFacts]float32
	Sites []Site
	Moves []Move
}

// Target is what training wants of a move: weight 1/k of each of k right moves
// is cross-entropy, an advantage is policy gradient. Any sign.
type Target struct {
	Move   int
	Weight float32
}

// Check says what a problem has that the network cannot read.
func (p *Problem) Check() error {
	if err := p.checkContext(); err != nil {
		return err
	}
	return checkMoves(p.Moves, len(p.Sites))
}

func (p *Problem) checkContext() error {
	if len(p.Code) > MaxCode {
		return fmt.Errorf("network: %d tokens of code, at most %d", len(p.Code), MaxCode)
	}
	if err := checkTokens("code", p.Code); err != nil {
		return err
	}
	for i := range p.Sites {
		s := &p.Sites[i]
		if s.First < 0 || s.Last < s.First || int(s.Last) >= len(p.Code) {
			return fmt.Errorf("network: site %d spans tokens %d to %d of %d", i, s.First, s.Last, len(p.Code))
		}
		for _, k := range s.Syntax {
			if k >= Syntaxes {
				return fmt.Errorf("network: site %d has syntax kind %d, at most %d", i, k, Syntaxes-1)
			}
		}
		if !finite(s.Facts[:]) {
			return fmt.Errorf("network: a fact of site %d is no finite number", i)
		}
	}
	return checkSaid(p.Said, &p.Facts)
}

func checkSaid(said []Token, facts *[ProblemFacts]float32) error {
	if len(said) > MaxSaid {
		return fmt.Errorf("network: %d tokens said, at most %d", len(said), MaxSaid)
	}
	if !finite(facts[:]) {
		return fmt.Errorf("network: a fact of the problem is no finite number")
	}
	return checkTokens("what was said", said)
}

func checkMoves(moves []Move, sites int) error {
	for i := range moves {
		m := &moves[i]
		if m.Site < 0 || int(m.Site) >= sites {
			return fmt.Errorf("network: move %d is at site %d of %d", i, m.Site, sites)
		}
		if m.Action >= Actions {
			return fmt.Errorf("network: move %d has action %d, at most %d", i, m.Action, Actions-1)
		}
		if m.Seen >= Sights {
			return fmt.Errorf("network: move %d was seen as %d, at most %d", i, m.Seen, Sights-1)
		}
		if !finite([]float32{m.Base}) || !finite(m.Facts[:]) {
			return fmt.Errorf("network: a fact of move %d is no finite number", i)
		}
		if err := checkTokens("a move", m.Old); err != nil {
			return err
		}
		if err := checkTokens("a move", m.New); err != nil {
			return err
		}
	}
	return nil
}

func checkTokens(where string, tokens []Token) error {
	for i := range tokens {
		t := &tokens[i]
		if t.Kind >= Kinds {
			return fmt.Errorf("network: token %d of %s has kind %d, at most %d", i, where, t.Kind, Kinds-1)
		}
		for _, p := range t.Pieces {
			if p >= Vocabulary {
				return fmt.Errorf("network: token %d of %s has sub-word %d, at most %d", i, where, p, Vocabulary-1)
			}
		}
	}
	return nil
}

func checkTargets(targets []Target, moves int) error {
	for i, t := range targets {
		if t.Move < 0 || t.Move >= moves {
			return fmt.Errorf("network: target %d is move %d of %d", i, t.Move, moves)
		}
		if !finite([]float32{t.Weight}) {
			return fmt.Errorf("network: the weight of target %d is no finite number", i)
		}
	}
	return nil
}

func finite[T real](x []T) bool {
	for _, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
