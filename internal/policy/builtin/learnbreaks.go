package builtin

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/stat"
)

// breaks is what was learned of breaks: a linear model over hashed features of
// (site, operator, variant), which is added to the log prior of each site, and of
// the repairs of the few sites that are drawn by it. A snapshot has tens of thousands
// of sites and all of them are scored for each break, which the network would take a
// minute for.
type breaks struct {
	model *network.Linear
	hand  bool // the prior beneath was set by hand; false: it began from nothing
}

func newBreaks(hand bool) *breaks {
	m := network.NewLinear()
	m.Rate = breakRate
	return &breaks{m, hand}
}

// How breaks are learned. The floor is a share of the entropy that the prior has
// alone: 0.8 of 8 nats (of some 3,000 sites drawn in earnest) leaves 600.
const (
	breakRate    = 0.3 // of FTRL: there are few breaks, each with an advantage around 1
	choiceRate   = 1.0 // of what is learned of repairs, which are described by a few dozen features in all (methods.md)
	breakFloor   = 0.8
	breakEntropy = 4.0 // worth of a nat, for each nat below the floor
	breakRatio   = 2.0 // most that a break of an earlier version counts
)

// logs gives the log-probability of each site.
func (p *Policy) logs(sites []mutate.Mutation, a arena.Break) ([]float64, error) {
	if p.uniform {
		even := make([]float64, len(sites))
		normalise(even)
		return even, nil
	}
	logs := prior(sites, a, p.breaks == nil || p.breaks.hand)
	if p.breaks == nil {
		return logs, nil
	}
	moves, err := p.looks.of(sites, a)
	if err != nil {
		return nil, err
	}
	return p.breaks.over(logs, moves), nil
}

// over gives the log-probabilities of what was learned over those of the prior.
func (b *breaks) over(prior []float64, moves []network.Move) []float64 {
	scores := make([]float32, len(moves))
	b.model.Score(moves, scores)
	logs := slices.Clone(prior)
	for i, s := range scores {
		logs[i] += float64(s)
	}
	normalise(logs)
	return logs
}

// learnBreaks takes two steps for each break, for what was drawn and for what was chosen
// of that: policy gradient (Williams 1992), of the former on its advantage, with a price on
// entropy below the floor, of the latter on what it was worth beside the other valid bugs of
// the batch. What an earlier version chose, while this one was made, counts by how much
// likelier this one makes it, at most twice (truncated importance sampling, Ionides 2008).
// It returns how many there were.
func (p *Policy) learnBreaks(into *breaks, scored []policy.Scored) (int, error) {
	n, beside := 0, besideValid(scored)
	for i := range scored {
		s := &scored[i]
		if !tellsOfBreaks(s) || s.Advantage == 0 && beside[i] == 0 {
			continue
		}
		var did broke
		if err := json.Unmarshal(s.Trajectory.Data, &did); err != nil {
			return n, fmt.Errorf("read a break to learn from: %w", err)
		}
		sites, at := s.Break.Sites(), -1
		for k := range sites {
			if sites[k].ID == did.Mutation {
				at = k
			}
		}
		if at < 0 { // of other code
			continue
		}
		moves, err := p.looks.of(sites, s.Break)
		if err != nil {
			return n, err
		}
		logs := prior(sites, s.Break, into.hand)
		for k, l := range logs {
			moves[k].Base = float32(l)
		}
		floor := breakFloor * entropyOf(logs)
		of, several := did.chosen(), looksOf(did.Drawn)
		likelier := 1.0
		if s.Trajectory.Version != p.Version() {
			now := p.breaks.over(logs, moves)[at]
			if of >= 0 {
				now += p.breaks.among(several)[of]
			}
			likelier = min(breakRatio, math.Exp(now-did.LogProb))
		}
		price := breakEntropy * max(0, floor-entropyOf(into.over(logs, moves)))
		if _, err := into.model.Train(&network.Problem{Moves: moves}, []network.Target{{Move: at, Weight: float32(s.Advantage * likelier)}}, float32(price)); err != nil {
			return n, err
		}
		if of >= 0 {
			into.model.Rate = choiceRate
			_, err := into.model.Train(&network.Problem{Moves: several}, []network.Target{{Move: of, Weight: float32(beside[i] * likelier)}}, 0)
			into.model.Rate = breakRate
			if err != nil {
				return n, err
			}
		}
		n++
	}
	return n, nil
}

// tellsOfBreaks reports whether there is anything to learn of breaks from a trajectory: each is
// learned from once.
func tellsOfBreaks(s *policy.Scored) bool {
	return s.Role == arena.Breaker && s.Break != nil && s.Uses == 0
}

// besideValid gives the place of each of some trajectories among those that are valid bugs, by
// reward (stat.Above); 0 for all else. Whether a break is valid says little of its repair and much
// of its site: beside invalid ones a bug that nobody repairs would look well. Of how repairs are
// ranked sources differ less than of what is valid, and one source has few: all are compared.
func besideValid(scored []policy.Scored) []float64 {
	var valid []int
	var rewards []float64
	for i := range scored {
		if tellsOfBreaks(&scored[i]) && scored[i].Won {
			valid, rewards = append(valid, i), append(rewards, scored[i].Reward)
		}
	}
	out := make([]float64, len(scored))
	for k, above := range stat.Above(rewards) {
		out[valid[k]] = above
	}
	return out
}

// looks remembers what sites look like: a pure function of the code, and
// every break asks for all of them.
type looks struct {
	mu   sync.Mutex
	hash map[string][]uint32 // by the mutation's id
}

// mostLooks bounds what is remembered.
const mostLooks = 200_000

// of gives the features of sites as moves without anything else.
func (l *looks) of(sites []mutate.Mutation, a arena.Break) ([]network.Move, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hash == nil || len(l.hash) > mostLooks {
		l.hash = map[string][]uint32{}
	}
	moves := make([]network.Move, len(sites))
	path, src, root := "", []byte(nil), (*node)(nil)
	for i := range sites {
		m := &sites[i]
		h, ok := l.hash[m.ID]
		if !ok {
			if path != m.Path { // sites come by path
				var err error
				if src, err = a.Read(m.Path); err != nil {
					return nil, fmt.Errorf("read the code to break: %w", err)
				}
				path, root = m.Path, parse(m.Path, src)
			}
			h = look(m, src, root, a.Tests(*m))
			l.hash[m.ID] = h
		}
		moves[i].Hash = h
	}
	return moves, nil
}

// look hashes what can be seen of a break: operator and variant, the syntax around
// the site, how deep it is, how many tests run it, and the names that it touches by
// their sub-words, so that what is learned carries over to other code.
func look(m *mutate.Mutation, src []byte, root *node, tests int) []uint32 {
	h := &hasher{out: make([]uint32, 0, 24)}
	op := m.Operator
	h.put("b op", op)
	h.put("b variant", op, m.Variant)
	seen := bucket(tests)
	h.put("b tests", seen)
	h.put("b op tests", op, seen)
	if root == nil || len(m.Edits) == 0 {
		return h.out
	}
	start, end := m.Edits[0].Start, m.Edits[len(m.Edits)-1].End
	n := nodeOver(root, start, max(start, end))
	parent, grand := n, n
	if n.parent != nil {
		parent, grand = n.parent, n.parent
		if parent.parent != nil {
			grand = parent.parent
		}
	}
	h.put("b kind", n.kind, n.field)
	h.put("b op kind", op, n.kind, parent.kind)
	h.put("b kinds", n.kind, parent.kind, grand.kind)
	depth := 0
	for k := n; k != nil; k = k.parent {
		depth++
	}
	h.put("b depth", strconv.Itoa(depth/2))
	within := ""
	for _, w := range [...]struct {
		name  string
		kinds []string
	}{{"loop", []string{"for_statement", "while_statement", "list_comprehension", "generator_expression"}}, {"if", []string{"if_statement", "elif_clause"}},
		{"return", []string{"return_statement"}}, {"call", []string{"argument_list"}}, {"try", []string{"try_statement"}}} {
		if n.up(w.kinds...) != nil {
			within += " " + w.name
		}
	}
	h.put("b in", within)
	h.put("b op in", op, within)
	h.put("b grows", op, strconv.FormatBool(len(m.Edits[0].New) > m.Edits[0].End-m.Edits[0].Start))
	if f := n.up("function_definition"); f != nil {
		h.put("b size", bucket((f.last-f.row)/4))
		h.put("b op size", op, bucket((f.last-f.row)/4))
	}
	names := 0
	for _, text := range []string{m.Function, string(src[start:max(start, min(end, start+60))])} {
		for _, w := range words(text, nil, nil) {
			if w.class == classMark || w.class == classWord {
				continue
			}
			for _, piece := range piecesOf(w.text) {
				if piece != 0 && names < 8 {
					h.put("b name", strconv.Itoa(int(piece)))
					names++
				}
			}
		}
	}
	return h.out
}
