package network

// catalog numbers distinct lists of tokens.
type catalog struct {
	number map[uint64]int32
	lists  [][]Token
	memory []Token // that the lists stand in
}

// find gives the number of a list, of which the first MaxFiller tokens count.
func (c *catalog) find(list []Token) int32 {
	list = list[:min(len(list), MaxFiller)]
	if c.number == nil {
		c.number = map[uint64]int32{}
	}
	for hash := digest(list); ; hash++ {
		n, ok := c.number[hash]
		if !ok {
			n = int32(len(c.lists))
			c.number[hash] = n
			c.lists = append(c.lists, c.copy(list))
			return n
		}
		if equal(c.lists[n], list) {
			return n
		}
	}
}

func (c *catalog) copy(list []Token) []Token {
	if cap(c.memory)-len(c.memory) < len(list) {
		c.memory = make([]Token, 0, 1024)
	}
	at := len(c.memory)
	c.memory = append(c.memory, list...)
	return c.memory[at:len(c.memory):len(c.memory)]
}

func equal(a, b []Token) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// digest mixes tokens by multiplication (after SplitMix64, Steele et al. 2014).
func digest(list []Token) uint64 {
	h := uint64(len(list))
	for i := range list {
		t := &list[i]
		x := uint64(t.Pieces[0]) | uint64(t.Pieces[1])<<16 | uint64(t.Pieces[2])<<32 | uint64(t.Pieces[3])<<48
		h = (h ^ x ^ uint64(t.Kind)<<59) * 0xbf58476d1ce4e5b9
		h ^= h >> 29
	}
	return h
}
