package builtin

import (
	"math"
	"math/rand/v2"

	"breakfix/internal/arena"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin/network"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Example is one thing to learn from: a choice among moves, and which of them
// were right.
type Example struct {
	Problem *network.Problem
	Targets []network.Target
	Kind    Kind // of the first right move
	way     way
	solved  bool // a broken file with a red test, not a damage of our own
}

// way is a kind of fix and whether it makes the code longer: to put a term in
// is another thing to learn than to take one out.
type way struct {
	kind  Kind
	grows bool
}

func wayOf(c *Candidate) way {
	n := 0
	for _, e := range c.Edits {
		n += len(e.New) - (e.End - e.Start)
	}
	switch c.Kind {
	case kindOffset, kindNegate, kindArgument, kindElement, kindNone, kindAwait, kindAddTerm, kindValue:
		return way{c.Kind, n > 0}
	}
	return way{kind: c.Kind}
}

// quotas are the shares of the ways in self-supervision: those of real bugs
// rather than those that random corruptions give. What is not named has half a
// share.
var quotas = map[way]float64{
	{kindName, false}: 8, {kindValue, false}: 4, {kindValue, true}: 4, {kindLiteral, false}: 9, {kindOffset, true}: 7, {kindOffset, false}: 4,
	{kindDropTerm, false}: 8, {kindDropCond, false}: 3, {kindCompare, false}: 10, {kindAddTerm, true}: 7, {kindAddCond, false}: 4,
	{kindSwap, false}: 4, {kindArgs, false}: 3, {kindInsert, false}: 6, {kindGuard, false}: 2, {kindUnwrap, false}: 4, {kindWrap, false}: 5,
	{kindAttr, false}: 4, {kindArith, false}: 5, {kindElement, true}: 2, {kindElement, false}: 1, {kindArgument, true}: 3, {kindArgument, false}: 2,
	{kindBool, false}: 2, {kindNegate, true}: 2, {kindNegate, false}: 2, {kindAugment, false}: 3, {kindReturn, false}: 4, {kindString, false}: 3,
	{kindDelete, false}: 3, {kindOrder, false}: 2, {kindBranches, false}: 2, {kindJump, false}: 2, {kindKeyword, false}: 1, {kindCondition, false}: 3,
	{kindBank, false}: 40, // half of the damages are made by operators
}

// Corruptor makes examples out of code that nobody says anything about: it
// takes a function, damages it, and asks for the way back.
type Corruptor struct {
	random  *rand.Rand
	of      []function
	made    map[way]int
	ready   []*Example
	total   int
	refused int // damages in a row whose kind there is enough of
}

// NewCorruptor takes the files that parse and hold functions.
func NewCorruptor(texts []policy.Text, seed uint64) *Corruptor {
	c := &Corruptor{random: rand.New(rand.NewPCG(seed, 0x7761726d)), made: map[way]int{}}
	for _, t := range texts {
		c.of = append(c.of, functionsOf(t)...)
	}
	return c
}

// Functions is how many functions there are to damage.
func (c *Corruptor) Functions() int { return len(c.of) }

// Limits of self-supervision.
const (
	perFunction = 4   // examples that are made of a function while it is at hand
	fruitless   = 500 // functions in a row that give none before it gives up
	tries       = 12  // damages of it that are looked at
	refusals    = 25  // damages in a row that are refused for their kind
	negatives   = 200 // moves beside the right ones that an example keeps, of which
	foremost    = 100 // are those that the prior that was set by hand puts first: what a fixer tries
	inFile      = 0.5 // of the damages are asked about where the function stands in its file, as in play
)

// Next makes an example; nil when no function gives one.
func (c *Corruptor) Next() *Example {
	for try := 0; len(c.ready) == 0; try++ {
		if len(c.of) == 0 || try > fruitless {
			return nil
		}
		c.damage(&c.of[c.random.IntN(len(c.of))])
	}
	ex := c.ready[len(c.ready)-1]
	c.ready = c.ready[:len(c.ready)-1]
	return ex
}

// damage makes some examples of one function: half of the time by operators of
// the bank, as breakers do.
func (c *Corruptor) damage(f *function) {
	g := generate(wholeView(f.path, f.text), false)
	if g == nil || g.drafts.len() == 0 {
		return
	}
	var draw func(r *rand.Rand) []byte
	if c.random.IntN(2) == 0 {
		draw = breaksOf(f.path, f.text)
	}
	if draw == nil {
		draw = damagesOf(g)
	}
	made := 0
	for range tries {
		broken := draw(c.random)
		if broken == nil {
			continue
		}
		if ex := c.ask(f, broken); ex != nil {
			c.ready = append(c.ready, ex)
			if made++; made == perFunction {
				return
			}
		}
	}
}

// ask makes the example of one damage; nil when the grammar knows no way back,
// or there are enough of its kind.
func (c *Corruptor) ask(f *function, broken []byte) *Example {
	v, right := c.viewOf(f, broken)
	g := generate(v, true)
	if g == nil {
		return nil
	}
	ex := g.example(right, negatives, c.random)
	if ex == nil || !c.admit(ex.way, 2) {
		return nil
	}
	return ex
}

// recall makes the example of a broken file with a red test: half of the time
// with the place of the change as a diff shows it, and in one of four without
// what the test says. nil where the grammar knows no way back, or there are
// enough of its kind.
func (c *Corruptor) recall(v View, right []byte, silent bool) *Example {
	if c.random.IntN(2) == 0 {
		v = placed(v, right)
	}
	if silent || c.random.IntN(4) == 0 {
		v.RedTest, v.Failure = "", testrun.Failure{}
	}
	ex := ExampleOf(v, right, negatives, c.random)
	if ex == nil || !c.admit(ex.way, 3) {
		return nil
	}
	ex.solved = true
	return ex
}

// back lists the moves that lead to a program.
func (g *generator) back(want []byte, ps []pick) []int {
	leads := sameProgram(g.src, want)
	var right []int
	for i := range ps {
		if leads(g.edits(ps[i].draft)) {
			right = append(right, i)
		}
	}
	return right
}

// pickIn draws in proportion to the share that a move has at its site.
func pickIn(r *rand.Rand, of []int, ps []pick) int {
	total := 0.0
	for _, i := range of {
		total += ps[i].share + 0.02
	}
	x := r.Float64() * total
	for _, i := range of {
		if x -= ps[i].share + 0.02; x < 0 {
			return i
		}
	}
	return of[len(of)-1]
}

// admit keeps the kinds within slack times their quotas, as long as the code
// gives others: some code has damages of few kinds only.
func (c *Corruptor) admit(k way, slack float64) bool {
	q := quotas[k] / 140
	if q == 0 {
		q = 0.005
	}
	if c.total > 50 && float64(c.made[k]) > slack*q*float64(c.total)+2 && c.refused < refusals {
		c.refused++
		return false
	}
	c.refused = 0
	c.made[k]++
	c.total++
	return true
}

// viewOf shows the broken function in its file, with the place of the change as a diff shows
// it, or alone, half of the time with that place, else as a whole; and the right text of that.
func (c *Corruptor) viewOf(f *function, broken []byte) (v View, right []byte) {
	if f.file != nil && c.random.Float64() < inFile {
		return placed(wholeView(f.path, f.within(broken)), f.file), f.file
	}
	v = wholeView(f.path, broken)
	if c.random.IntN(2) == 0 {
		return v, f.text
	}
	return placed(v, f.text), f.text
}

// placed gives a view the place of the change as a diff from the right text
// shows it.
func placed(v View, right []byte) View {
	before, err := tree.FromFiles(map[string]*tree.File{v.Path: {Kind: tree.Regular, Data: right}})
	if err != nil {
		return v
	}
	after, err := tree.FromFiles(map[string]*tree.File{v.Path: {Kind: tree.Regular, Data: v.Source}})
	if err != nil {
		return v
	}
	diff, err := tree.Diff(before, after)
	if err != nil {
		return v
	}
	if contexts, err := arena.Contexts(diff, after); err == nil && len(contexts) > 0 {
		v.Context, v.Suspects = contexts[0], nil
	}
	return v
}

// wholeView shows a text that is one function, all of it suspected alike.
func wholeView(path string, src []byte) View {
	last := lines(src)
	return View{Path: path, Source: src, Context: arena.Context{Path: path, FirstLine: 1, LastLine: last, WindowFirst: -2, WindowLast: last + 3}}
}

// ExampleOf asks for the way back from a broken file whose right text is
// known; nil where the grammar does not know it in one move. At most most wrong moves are
// kept, or a few more: the foremost by the prior that was set by hand, and others drawn with
// r, each for its share of them (importance sampling).
func ExampleOf(v View, right []byte, most int, r *rand.Rand) *Example {
	g := generate(v, true)
	if g == nil {
		return nil
	}
	return g.example(right, most, r)
}

// example keeps the ways back and some other moves; nil where there is none.
func (g *generator) example(want []byte, most int, r *rand.Rand) *Example {
	all := g.picks(g.drafts.len())
	right := g.back(want, all)
	if len(right) == 0 {
		return nil
	}
	first := g.candidate(&all[right[0]], right[0])
	ex := &Example{Kind: first.Kind, way: wayOf(&first)}
	weight := 1 / float32(len(right))
	var kept []Candidate
	var base []float32
	share := min(1, float64(most-foremost)/float64(max(1, len(all)-foremost)))
	for i := range all {
		stands := 0.0 // for how many it stands, as a logarithm
		if len(right) > 0 && right[0] == i {
			right = right[1:]
			ex.Targets = append(ex.Targets, network.Target{Move: len(kept), Weight: weight})
		} else if i >= foremost {
			if r.Float64() >= share {
				continue
			}
			stands = -math.Log(share)
		}
		kept, base = append(kept, g.candidate(&all[i], i)), append(base, float32(stands))
	}
	ex.Problem = g.pose(kept)
	for i := range base {
		ex.Problem.Moves[i].Base = base[i]
	}
	return ex
}
