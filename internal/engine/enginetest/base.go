package enginetest

import (
	_ "embed"
	"regexp"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/engine"
)

// Conversation is what the base model has read.
type Conversation []engine.Message

//go:embed corpus.txt
var corpusText string

// DefaultCorpus is what the base model reads when it is given nothing else:
// conversations between blank lines, whose messages begin with "system:",
// "user:", "assistant:" or "tool:".
func DefaultCorpus() []Conversation {
	role := regexp.MustCompile(`(?m)^(system|user|assistant|tool): ?`)
	var all []Conversation
	for _, text := range strings.Split(corpusText, "\n\n") {
		var c Conversation
		marks := role.FindAllStringSubmatchIndex(text, -1)
		for i, at := range marks {
			end := len(text)
			if i+1 < len(marks) {
				end = marks[i+1][0]
			}
			c = append(c, engine.Message{Role: text[at[2]:at[3]], Content: strings.TrimSuffix(text[at[1]:end], "\n")})
		}
		if len(c) > 0 {
			all = append(all, c)
		}
	}
	return all
}

var words = regexp.MustCompile(` ?[A-Za-z_]+|[^\sA-Za-z_0-9]{2,}|\n[ \t]*`)

// pieces are the most frequent words of a corpus, at most n of them.
func pieces(corpus []Conversation, n int) (*engine.Pieces, error) {
	count := map[string]int{}
	for _, c := range corpus {
		for _, m := range c {
			for _, w := range words.FindAllString(m.Content, -1) {
				if len(w) > 1 && len(w) <= 24 {
					count[w]++
				}
			}
		}
	}
	var list []string
	for w := range count {
		list = append(list, w)
	}
	worth := func(w string) int { return count[w] * (len(w) - 1) }
	sort.Slice(list, func(i, j int) bool {
		if a, b := worth(list[i]), worth(list[j]); a != b {
			return a > b
		}
		return list[i] < list[j]
	})
	list = list[:min(n, len(list))]
	slices.Sort(list)
	return engine.NewPieces(list)
}

// order is the longest context of the base model's counts, in tokens.
const order = 4

// base is the frozen part: how often what followed what in the corpus, each
// order smoothed by the one below: p_k(v|h) = (c(h,v) + a p_{k-1}(v)) / (c(h) + a).
type base struct {
	size    int // of the vocabulary
	unigram []float64
	after   [order + 1]map[uint64]*followers
}

type followers struct {
	total float64
	ids   []int32
	times []float64
}

// smoothing is a of the formula: how many sightings the order below is worth.
const smoothing = 0.5

func newBase(size int, texts [][]int32) *base {
	b := &base{size: size, unigram: make([]float64, size)}
	for k := range b.after {
		b.after[k] = map[uint64]*followers{}
	}
	total := float64(size)
	for v := range b.unigram {
		b.unigram[v] = 1
	}
	for _, ids := range texts {
		for i, id := range ids {
			b.unigram[id]++
			total++
			for k := 1; k <= min(order, i); k++ {
				h := hashOf(ids[i-k:i], 0)
				f := b.after[k][h]
				if f == nil {
					f = &followers{}
					b.after[k][h] = f
				}
				f.add(id)
			}
		}
	}
	for v := range b.unigram {
		b.unigram[v] /= total
	}
	return b
}

func (f *followers) add(id int32) {
	f.total++
	for i, known := range f.ids {
		if known == id {
			f.times[i]++
			return
		}
	}
	f.ids, f.times = append(f.ids, id), append(f.times, 1)
}

// probabilities writes p(v | context) of every v.
func (b *base) probabilities(context []int32, p []float64) {
	copy(p, b.unigram)
	for k := 1; k <= min(order, len(context)); k++ {
		f := b.after[k][hashOf(context[len(context)-k:], 0)]
		if f == nil {
			break
		}
		keep := smoothing / (f.total + smoothing)
		for v := range p {
			p[v] *= keep
		}
		for i, id := range f.ids {
			p[id] += f.times[i] / (f.total + smoothing)
		}
	}
}

// hashOf is FNV-1a over ids, with a salt.
func hashOf(ids []int32, salt uint64) uint64 {
	h := uint64(14695981039346656037) ^ salt*0x9e3779b97f4a7c15
	for _, id := range ids {
		for s := 0; s < 32; s += 8 {
			h = (h ^ uint64(id>>s)&0xff) * 1099511628211
		}
	}
	return h ^ h>>29
}
