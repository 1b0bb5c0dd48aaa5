package network

import "math"

// Packed is a problem that waits to be learned from, in a quarter of the memory: what its
// moves share, which is most of what they say, is there once.
type Packed struct {
	scene  Problem // without its moves
	lists  [][]Token
	facts  []float32
	hashes []uint32
	moves  []uint16 // for each move: site, action and sight, the numbers of its two lists and of its facts and base, how many hashes and their numbers
	n      int
	whole  *Problem // where something has more than 65,536 different ones
}

// numbered gives things numbers in the order in which they are first seen.
type numbered[T comparable] struct {
	at   map[T]uint16
	list []T
	full bool
}

func (n *numbered[T]) of(x T) uint16 {
	i, ok := n.at[x]
	if !ok {
		if n.at == nil {
			n.at = map[T]uint16{}
		}
		n.full = n.full || len(n.list) > math.MaxUint16
		i = uint16(len(n.list))
		n.at[x], n.list = i, append(n.list, x)
	}
	return i
}

// Pack keeps what Unpack needs; of fillers the tokens that count. The problem may be forgotten
// then, and must not be changed.
func Pack(p *Problem) *Packed {
	out := &Packed{scene: *p, n: len(p.Moves)}
	out.scene.Moves = nil
	var facts numbered[uint32] // their bits: there are two zeros
	var hashes numbered[uint32]
	var known catalog
	full := len(p.Sites) > math.MaxUint16
	for i := range p.Moves {
		m := &p.Moves[i]
		full = full || len(m.Hash) > math.MaxUint16
		out.moves = append(out.moves, uint16(m.Site), uint16(m.Action)|uint16(m.Seen)<<8, uint16(known.find(m.Old)), uint16(known.find(m.New)))
		for _, f := range m.Facts {
			out.moves = append(out.moves, facts.of(math.Float32bits(f)))
		}
		out.moves = append(out.moves, facts.of(math.Float32bits(m.Base)), uint16(len(m.Hash)))
		for _, h := range m.Hash {
			out.moves = append(out.moves, hashes.of(h))
		}
	}
	if full || facts.full || hashes.full || len(known.lists) > math.MaxUint16 {
		return &Packed{whole: p}
	}
	out.moves = append(make([]uint16, 0, len(out.moves)), out.moves...)
	out.hashes = append(make([]uint32, 0, len(hashes.list)), hashes.list...)
	for _, b := range facts.list {
		out.facts = append(out.facts, math.Float32frombits(b))
	}
	total := 0
	for _, l := range known.lists {
		total += len(l)
	}
	memory := make([]Token, 0, total)
	out.lists = make([][]Token, 0, len(known.lists))
	for _, l := range known.lists {
		at := len(memory)
		memory = append(memory, l...)
		out.lists = append(out.lists, memory[at:len(memory):len(memory)])
	}
	return out
}

// Unpack is the problem again. It shares memory with what is packed.
func (p *Packed) Unpack() *Problem {
	if p.whole != nil {
		return p.whole
	}
	out := p.scene
	out.Moves = make([]Move, p.n)
	hashes := make([]uint32, 0, max(0, len(p.moves)-p.n*(6+MoveFacts)))
	at := p.moves
	for i := range out.Moves {
		m := &out.Moves[i]
		m.Site, m.Action, m.Seen, m.Old, m.New = int32(at[0]), uint8(at[1]), uint8(at[1]>>8), p.lists[at[2]], p.lists[at[3]]
		for k := range m.Facts {
			m.Facts[k] = p.facts[at[4+k]]
		}
		m.Base = p.facts[at[4+MoveFacts]]
		at = at[5+MoveFacts:]
		from, n := len(hashes), int(at[0])
		for _, h := range at[1 : 1+n] {
			hashes = append(hashes, p.hashes[h])
		}
		m.Hash = hashes[from:len(hashes):len(hashes)]
		at = at[1+n:]
	}
	return &out
}
