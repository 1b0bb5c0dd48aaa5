package builtin

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// What is added to the log prior of a move by what the expression that it makes
// would have been while the red test ran: test-equivalence (Mechtaev, Gao, Tan,
// Roychoudhury, TOSEM 2018) as evidence, not as a proof, since a look has its bounds. Chosen on
// a hundred bugs (methods.md).
var worth = [...]float64{
	arena.Unrun:  -48,
	arena.Same:   -72,
	arena.Alike:  -30,
	arena.Raises: -24,
	arena.Mends:  10,
	arena.Wanted: 36,
	arena.Early:  -16,
	arena.Breaks: -48,
	arena.Partly: 12,
	arena.Fits:   14,
	arena.Hints:  7,
}

// saying is what an answer adds to the log prior of a move: what was set by hand, where that
// counts, and what was learned.
func (w *Weights) saying(a arena.Answer) float64 {
	if w == nil {
		return worth[a]
	}
	learned := 0.0
	if w.model != nil { // a baseline has none
		learned = float64(w.model.Seen(uint8(a)))
	}
	if !w.byHand() {
		return learned
	}
	return worth[a] + learned
}

// beneath is the part of a move's score that is not learned.
func (w *Weights) beneath(c *Candidate, a arena.Answer) float64 {
	if !w.byHand() {
		return 0
	}
	return handWeight*c.LogPrior + worth[a]
}

// Moves of a view that are asked about, the likeliest first: mostAsked of all, and mostCalling
// of those that change what calls the code's own functions.
const (
	mostAsked   = 1500
	mostCalling = 1500
)

// ask puts the list in the order that values give it, once: all attempts of a
// group begin with the same list.
func (l *list) ask(ctx context.Context, a arena.Fix, w *Weights) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked {
		return nil
	}
	said := make(map[int32]arena.Answer, mostAsked)
	for i := range min(len(l.cs), mostAsked) {
		said[l.cs[i].at] = arena.Unknown
	}
	answers, err := answered(ctx, a, l.view, l.cs)
	if err != nil {
		return err
	}
	if len(answers) > 0 {
		for i, answer := range answers {
			l.cs[i].LogPrior += w.saying(answer)
			said[l.cs[i].at] = answer
		}
		sort.SliceStable(l.cs, func(i, j int) bool { return l.cs[i].LogPrior > l.cs[j].LogPrior })
		l.parse, l.binds = nil, nil
	}
	var order saw
	for i := range l.cs {
		if a, ok := said[l.cs[i].at]; ok {
			order.moves, order.said = append(order.moves, l.cs[i].at), append(order.said, a)
		}
	}
	l.saw, l.asked = order.pack(l.drafts), true
	return nil
}

// answered asks about moves, and gives the answer of each that something could be asked about.
// Where calls of the code's own functions change what is looked at it asks again without them.
func answered(ctx context.Context, a arena.Fix, v View, cs []Candidate) (map[int]arena.Answer, error) {
	questions, of, calling := questionsOf(v, cs)
	if len(questions) == 0 {
		return nil, nil
	}
	answers, err := a.Values(ctx, questions, wantedBy(v))
	if err == nil && answers == nil && calling > 0 && calling < len(questions) {
		of = of[calling:]
		answers, err = a.Values(ctx, questions[calling:], wantedBy(v))
	}
	if err != nil {
		return nil, err
	}
	out := map[int]arena.Answer{}
	for k := range answers {
		for i, answer := range answers[k] {
			move := of[k][i]
			out[move] = weightier(out[move], answer)
		}
	}
	return out, nil
}

// weightier is what counts of what two expressions say of one move, the larger one first: what
// that says for the move, else what is said of the smaller one.
func weightier(larger, smaller arena.Answer) arena.Answer {
	if smaller == arena.Unknown || worth[larger] > max(0, worth[smaller]) {
		return larger
	}
	return smaller
}

// questionsOf finds the expressions that moves change, each the largest without an effect, and
// what each move makes of it; of gives the moves. The first calling are those with calls of the
// code's own functions: smaller ones may be within.
func questionsOf(v View, cs []Candidate) (questions []arena.Question, of [][]int, calling int) {
	root := parse(v.Path, v.Source)
	if root == nil {
		return nil, nil, 0
	}
	ask := func(sites []*node, own []string, moves [][]int) {
		for k, n := range sites {
			q := arena.Question{Path: v.Path, Start: n.start, End: n.end, Truth: isCondition(n), Returned: n.parent.kind == "return_statement", Own: own}
			var asked []int
			for _, i := range moves[k] {
				if text, ok := editedWithin(v.Source, n, cs[i].Edits); ok {
					q.Others = append(q.Others, text)
					asked = append(asked, i)
				}
			}
			if len(asked) > 0 {
				questions, of = append(questions, q), append(of, asked)
			}
		}
	}
	if own := contained(root, v.Source); len(own) > 0 {
		e := &effects{v.Source, own}
		sites := slices.DeleteFunc(e.sites(root, false, nil), func(n *node) bool { return isCondition(n) || !e.calls(n) })
		ask(sites, slices.Sorted(maps.Keys(own)), insideOf(sites, cs, mostCalling))
		calling = len(questions)
	}
	sites := (&effects{src: v.Source}).sites(root, false, nil)
	ask(sites, nil, insideOf(sites, cs[:min(len(cs), mostAsked)], mostAsked))
	return questions, of, calling
}

// insideOf lists the first moves, at most most, that change nothing but one of the sites, which
// stand one after the other.
func insideOf(sites []*node, cs []Candidate, most int) [][]int {
	moves, n := make([][]int, len(sites)), 0
	for i := range cs {
		first, last := cs[i].Edits[0].Start, cs[i].Edits[len(cs[i].Edits)-1].End
		at := sort.Search(len(sites), func(k int) bool { return sites[k].end >= last })
		for ; at < len(sites) && sites[at].start <= first; at++ {
			if last <= sites[at].end {
				moves[at] = append(moves[at], i)
				n++
				break
			}
		}
		if n == most {
			break
		}
	}
	return moves
}

// editedWithin applies edits to the text of a node.
func editedWithin(src []byte, n *node, edits []tree.Edit) (string, bool) {
	inner := slices.Clone(edits)
	for i := range inner {
		inner[i].Start -= n.start
		inner[i].End -= n.start
	}
	out, err := tree.ApplyEdits(src[n.start:n.end], inner)
	return string(out), err == nil && strings.TrimSpace(string(out)) != ""
}

// sites lists the largest expressions in bodies of functions that can be
// evaluated without an effect, in source order.
func (e *effects) sites(n *node, inFunction bool, sites []*node) []*node {
	switch n.kind {
	case "function_definition":
		if body := n.child("body"); body != nil {
			return e.sites(body, true, sites)
		}
		return sites
	case "class_definition":
		if body := n.child("body"); body != nil {
			return e.sites(body, false, sites)
		}
		return sites
	case "comment", "import_statement", "import_from_statement", "future_import_statement", "global_statement", "nonlocal_statement", "delete_statement",
		"decorator", "type", "lambda", "match_statement", "pattern_list", "tuple_pattern", "list_pattern", "as_pattern", "type_alias_statement":
		return sites
	}
	if inFunction && e.harmless(n) && !part(n) {
		return append(sites, n)
	}
	if n.kind == "string" || n.kind == "concatenated_string" { // within it are other quotes
		return sites
	}
	for _, k := range n.kids {
		switch {
		case k.field == "left" && (n.kind == "assignment" || n.kind == "augmented_assignment" || n.kind == "for_statement" || n.kind == "for_in_clause"):
			if k.kind == "subscript" { // a[i] = x: what i is
				for _, part := range k.kids {
					if part.field == "subscript" {
						sites = e.sites(part, inFunction, sites)
					}
				}
			}
		case k.field == "function" && n.kind == "call":
			if object := k.child("object"); object != nil && k.kind == "attribute" {
				sites = e.sites(object, inFunction, sites)
			}
		case k.field == "name" || k.field == "attribute", k.field == "target" && n.kind == "named_expression":
		default:
			sites = e.sites(k, inFunction, sites)
		}
	}
	return sites
}

// part reports whether a node is a part of an expression and none itself.
func part(n *node) bool {
	switch n.kind {
	case "argument_list", "keyword_argument", "pair", "slice":
		return true
	case "expression_list": // returned it is what an assertion compares
		return n.parent.kind != "return_statement"
	case "string": // a text that documents
		return n.parent.kind == "expression_statement"
	}
	return n.kind == "generator_expression" && n.field == "arguments"
}

// isCondition reports whether only the truth of a node counts.
func isCondition(n *node) bool {
	switch n.parent.kind {
	case "if_statement", "while_statement", "elif_clause", "if_clause":
		return n.field == "condition" || n.parent.kind == "if_clause"
	case "conditional_expression":
		return n.index > 0 && n.parent.kids[n.index-1].kind == "if"
	case "not_operator":
		return true
	case "assert_statement":
		return n.index == 1
	}
	return false
}

var comparedWith = regexp.MustCompile(`^(?:assert )?(.+?) (?:==|!=) (.+)$`)

// wantedBy gives literals that the failing assertion compares with: what it
// wants, and also what it got, which the arena knows to tell apart.
func wantedBy(v View) []string {
	if v.Failure.Kind != "AssertionError" {
		return nil
	}
	var out []string
	take := func(line string) {
		line = strings.TrimSpace(line)
		if m := comparedWith.FindStringSubmatch(line); m != nil {
			out = append(out, m[1], m[2])
		}
		switch line {
		case "assert False", "False is not true":
			out = append(out, "True")
		case "assert not True", "True is not false":
			out = append(out, "False")
		}
	}
	for _, line := range strings.SplitN(v.Failure.Message, "\n", 4) {
		take(line)
	}
	if line := failingLine(v.RedTest, v.Failure); line != "" {
		take(line)
	}
	return out
}

// failingLine is the line of the red test that failed.
func failingLine(redTest string, f testrun.Failure) string {
	lines := strings.Split(redTest, "\n")
	if f.TestLine < 1 || f.TestLine > len(lines) {
		return ""
	}
	return lines[f.TestLine-1]
}
