package builtin

import (
	"math/rand/v2"
	"strings"

	"breakfix/internal/arena"
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
	texts   []Text
	made    map[way]int
	ready   []*Example
	total   int
	refused int // damages in a row whose kind there is enough of
}

// Text is one file to learn from.
type Text struct {
	Path   string
	Source []byte
}

// NewCorruptor takes the files that parse and hold functions.
func NewCorruptor(texts []Text, seed uint64) *Corruptor {
	c := &Corruptor{random: rand.New(rand.NewPCG(seed, 0x7761726d)), made: map[way]int{}}
	for _, t := range texts {
		c.texts = append(c.texts, functionsOf(t)...)
	}
	return c
}

// Functions is how many functions there are to damage.
func (c *Corruptor) Functions() int { return len(c.texts) }

// functionsOf cuts a file into its functions, each a text of its own.
func functionsOf(t Text) []Text {
	if len(t.Source) > 1<<18 {
		return nil
	}
	root := parse(t.Path, t.Source)
	if root == nil {
		return nil
	}
	var out []Text
	root.walk(func(n *node) bool {
		if n.kind != "function_definition" {
			return true
		}
		if lines := n.last - n.row + 1; lines >= 3 && lines <= 60 && !heldOut[digestOfFunction(t.Source, n)] {
			indent := indentAt(t.Source, n.start)
			text := indent + string(t.Source[n.start:n.end]) + "\n"
			if indent != "" {
				text = outdent(text, indent)
			}
			out = append(out, Text{t.Path, []byte(text)})
		}
		return true
	})
	return out
}

func outdent(text, indent string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n")
}

// Limits of self-supervision.
const (
	perFunction = 4   // examples that are made of a function while it is at hand
	fruitless   = 500 // functions in a row that give none before it gives up
	tries       = 12  // damages of it that are looked at
	refusals    = 25  // damages in a row that are refused for their kind
	negatives   = 200 // moves beside the right ones that an example keeps
)

// Next makes an example; nil when no function gives one.
func (c *Corruptor) Next() *Example {
	for try := 0; len(c.ready) == 0; try++ {
		if len(c.texts) == 0 || try > fruitless {
			return nil
		}
		c.damage(c.texts[c.random.IntN(len(c.texts))])
	}
	ex := c.ready[len(c.ready)-1]
	c.ready = c.ready[:len(c.ready)-1]
	return ex
}

// damage makes some examples of one function: half of the time by operators of
// the bank, as breakers do.
func (c *Corruptor) damage(t Text) {
	g := generate(wholeView(t.Path, t.Source), false)
	if g == nil || len(g.drafts) == 0 {
		return
	}
	draw := damagesOf(g)
	if c.random.IntN(2) == 0 {
		if by := breaksOf(t); by != nil {
			draw = by
		}
	}
	made := 0
	for range tries {
		broken := draw(c.random)
		if broken == nil {
			continue
		}
		if ex := c.ask(t, broken); ex != nil {
			c.ready = append(c.ready, ex)
			if made++; made == perFunction {
				return
			}
		}
	}
}

// ask makes the example of one damage; nil when the grammar knows no way back,
// or there are enough of its kind.
func (c *Corruptor) ask(t Text, broken []byte) *Example {
	g := generate(c.viewOf(t, broken), true)
	if g == nil {
		return nil
	}
	ex := g.example(t.Source, negatives, c.random)
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

// pickIn draws in proportion to the share that a move has at its site.
func pickIn(r *rand.Rand, of []int, cs []Candidate) int {
	total := 0.0
	for _, i := range of {
		total += cs[i].share + 0.02
	}
	x := r.Float64() * total
	for _, i := range of {
		if x -= cs[i].share + 0.02; x < 0 {
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

// viewOf shows the broken function, half of the time with the place of the
// change as a diff shows it, else as a whole.
func (c *Corruptor) viewOf(t Text, broken []byte) View {
	v := wholeView(t.Path, broken)
	if c.random.IntN(2) == 0 {
		return v
	}
	return placed(v, t.Source)
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
// known; nil where the grammar does not know it in one move. At most most
// wrong moves are kept, drawn with r.
func ExampleOf(v View, right []byte, most int, r *rand.Rand) *Example {
	g := generate(v, true)
	if g == nil {
		return nil
	}
	return g.example(right, most, r)
}

// example keeps the ways back and some other moves; nil where there is none.
func (g *generator) example(want []byte, most int, r *rand.Rand) *Example {
	all := g.ranked()
	back := sameProgram(g.src, want)
	var right []int
	for i := range all {
		if back(all[i].Edits) {
			right = append(right, i)
		}
	}
	if len(right) == 0 {
		return nil
	}
	ex := &Example{Kind: all[right[0]].Kind, way: wayOf(&all[right[0]])}
	weight := 1 / float32(len(right))
	var kept []Candidate
	share := float64(most) / float64(len(all))
	for i := range all {
		if len(right) > 0 && right[0] == i {
			right = right[1:]
			ex.Targets = append(ex.Targets, network.Target{Move: len(kept), Weight: weight})
		} else if share < 1 && r.Float64() >= share {
			continue
		}
		kept = append(kept, all[i])
	}
	ex.Problem = g.pose(kept)
	return ex
}
