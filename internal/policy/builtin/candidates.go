package builtin

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"

	"breakfix/internal/arena"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// View is all that the generator looks at: one file of the fixer's tree, the
// place of the change, and what the red test showed.
type View struct {
	Path    string
	Source  []byte
	Context arena.Context
	Failure testrun.Failure
	RedTest string
	// Suspects are the lines of the context where it has no window.
	Suspects []arena.Suspect
}

// Candidate is one edit that may be a repair.
type Candidate struct {
	Path       string
	Edits      []tree.Edit
	Kind       Kind
	Line       int     // 1-based line of the first edit
	LogPrior   float64 // natural logarithm, up to a constant of the view
	what       string
	start, end int     // the site
	turns      turned  // what it turns around
	at         int32   // its place by the prior that was set by hand
	share      float64 // of the mass of its kind at its site, by hand
	place      float64 // log prior of the place, by hand
}

// What says for people what it does: "compare: < → <=".
func (c *Candidate) What() string { return string(c.Kind) + ": " + c.what }

// Candidates lists the edits in and around the context that may be repairs,
// the likeliest first. It is pure: the same view gives the same list. Edits
// that lead to the same text are listed once, under the likeliest reading.
// The list is not checked for syntax: see Parses.
func Candidates(v View) []Candidate {
	g := generate(v, true)
	if g == nil {
		return nil
	}
	return g.ranked()
}

// generate drafts the candidates, those of the bank too or not; nil when the
// file does not parse.
func generate(v View, bank bool) *generator {
	root := parse(v.Path, v.Source)
	if root == nil {
		return nil
	}
	g := &generator{view: v, src: v.Source, root: root, span: spanOf(v, root), hints: hintsOf(v)}
	g.facts = gather(g)
	g.once()
	if f := g.facts.function; f != nil {
		g.facts.pool = g.pool(f)
	}
	if g.windowed() {
		g.facts.fillers, g.facts.callees, g.facts.holes, g.facts.unbound = g.fillers(), g.callees(), g.withHole(), g.unbound()
	}
	if bank {
		g.fromBank()
	}
	g.visit(root)
	g.statements()
	g.enclose()
	g.general()
	g.culprits()
	return g
}

// turning says what the latest draft turns around, where it was offered.
func (g *generator) turning(condition *node, offered bool) {
	if !offered {
		return
	}
	condition = bare(condition)
	g.drafts.at(int32(g.drafts.len() - 1)).turns = turned{int32(condition.start), int32(condition.end)}
}

type generator struct {
	view   View
	src    []byte
	root   *node
	span   span
	hints  hints
	facts  *facts
	drafts drafts

	// What is found once, when it is asked for: see find….
	patterns                                                               func() []pattern
	tails, ofSelf, names1, imports, plainly, strings, classes, annotations func() []string
	stores                                                                 func() (holders, items []string)
	lines                                                                  func() []int // offsets at which lines begin
}

// once has what is found by walking the file found once.
func (g *generator) once() {
	list := func(find func() []string) func() []string {
		return sync.OnceValue(func() []string { return slices.Clip(find()) })
	}
	g.patterns, g.stores = sync.OnceValue(g.findPatterns), sync.OnceValues(g.findStores)
	g.lines = sync.OnceValue(func() []int { return lineStarts(g.src) })
	g.tails, g.ofSelf, g.names1, g.imports = list(g.findTails), list(g.findOfSelf), list(g.findNames1), list(g.findImports)
	g.plainly, g.strings, g.classes, g.annotations = list(g.findPlainly), list(g.findStrings), list(g.findClasses), list(g.findAnnotations)
}

// emit offers an edit. site is what the drafts of a group have in common.
func (g *generator) emit(kind Kind, site *node, edits []tree.Edit, what string, weight float64) (offered bool) {
	at := site
	if len(edits) > 0 && edits[0].Start >= site.start { // the line of the edit itself, for sites of many lines
		for _, k := range site.kids {
			if k.start <= edits[0].Start && edits[0].End <= k.end {
				at = k
			}
		}
	}
	return g.offer(kind, site.start, site.end, g.span.line(at.row, at.last), edits, what, weight)
}

func (g *generator) offer(kind Kind, start, end int, place float64, edits []tree.Edit, what string, weight float64) (offered bool) {
	if weight <= 0 || place < unreachable {
		return false
	}
	g.drafts.add(draft{kind: kind, start: int32(start), end: int32(end), what: what, weight: weight, line: place}, edits)
	return true
}

// swap offers the exchange of two nodes.
func (g *generator) swap(kind Kind, site, a, b *node, what string, weight float64) (offered bool) {
	ta, tb := a.text(g.src), b.text(g.src)
	if ta == tb {
		return false
	}
	if what == "" {
		what = "swap " + clip(ta) + " and " + clip(tb)
	}
	return g.emit(kind, site, []tree.Edit{{Start: a.start, End: a.end, New: tb}, {Start: b.start, End: b.end, New: ta}}, what, weight)
}

// ranked turns the drafts into candidates.
func (g *generator) ranked() []Candidate { return g.candidates(g.picks(g.drafts.len())) }

// pick is a draft that may become a candidate. A large function has several hundred thousand,
// of which few are wanted: a candidate takes more than four times the memory.
type pick struct {
	draft int32
	key   uint64  // of its edits
	prior float64 // log prior of the candidate
	share float64 // of the mass of its kind at its site
}

// picks finds the likeliest drafts, at most most of them, the likeliest first: of those that
// lead to the same text one.
func (g *generator) picks(most int) []pick {
	type site struct {
		kind       Kind
		start, end int32
	}
	total := map[site]float64{}
	for _, d := range g.drafts.all() {
		total[site{d.kind, d.start, d.end}] += d.weight
	}
	crash, complaint := g.crash(), g.complaint()
	all := make([]pick, 0, g.drafts.len())
	for i, d := range g.drafts.all() {
		share := d.weight / math.Max(total[site{d.kind, d.start, d.end}], 1)
		all = append(all, pick{draft: i, share: share, prior: d.line + logPrior(d.kind) + math.Log(share) + g.hints.bonus(d.kind) + crash(d) + complaint.met(d.edits)})
	}
	slices.SortFunc(all, func(a, b pick) int { return cmp.Or(cmp.Compare(b.prior, a.prior), cmp.Compare(a.draft, b.draft)) })
	n, seen := 0, make(map[uint64]bool, min(most, len(all)))
	for _, p := range all {
		if n == most {
			break
		}
		edits := g.edits(p.draft)
		p.key = editKey(edits)
		if len(edits) == 0 || seen[p.key] {
			continue
		}
		seen[p.key] = true
		all[n] = p
		n++
	}
	return all[:n]
}

// edits are those of a draft without what does not change.
func (g *generator) edits(draft int32) []tree.Edit {
	return trimEdits(g.src, g.drafts.at(draft).edits)
}

// candidates makes candidates of picks.
func (g *generator) candidates(ps []pick) []Candidate {
	cs := make([]Candidate, len(ps))
	for i := range ps {
		cs[i] = g.candidate(&ps[i], i)
	}
	return cs
}

// candidate makes a candidate of a pick; place is its place among all of them.
func (g *generator) candidate(p *pick, place int) Candidate {
	d, edits := g.drafts.at(p.draft), g.edits(p.draft)
	return Candidate{Path: g.view.Path, Edits: edits, Kind: d.kind, what: d.what, at: int32(place),
		Line: sort.SearchInts(g.lines(), edits[0].Start+1), LogPrior: p.prior, start: int(d.start), end: int(d.end), turns: d.turns, share: p.share, place: d.line}
}

// trimEdits takes what does not change off both ends of each edit, so that
// edits which lead to the same text look the same. What it is given stays as it is.
func trimEdits(src []byte, edits []tree.Edit) []tree.Edit {
	var out []tree.Edit // nil while they are what they were
	for i, e := range edits {
		for e.Start < e.End && e.New != "" && src[e.Start] == e.New[0] {
			e.Start++
			e.New = e.New[1:]
		}
		for e.Start < e.End && e.New != "" && src[e.End-1] == e.New[len(e.New)-1] {
			e.End--
			e.New = e.New[:len(e.New)-1]
		}
		nothing := e.Start == e.End && e.New == ""
		if out == nil && (nothing || e != edits[i]) {
			out = append(make([]tree.Edit, 0, len(edits)), edits[:i]...)
		}
		if out != nil && !nothing {
			out = append(out, e)
		}
	}
	if out == nil {
		out = edits
	}
	begin := func(a, b tree.Edit) int { return cmp.Compare(a.Start, b.Start) }
	if !slices.IsSortedFunc(out, begin) {
		out = slices.Clone(out)
		slices.SortStableFunc(out, begin)
	}
	return out
}

// editKey is a hash of edits (FNV-1a over 64 bits).
func editKey(edits []tree.Edit) uint64 {
	h := uint64(fnvOffset)
	for _, e := range edits {
		h = (h ^ uint64(e.Start)) * fnvPrime
		h = (h ^ uint64(e.End)) * fnvPrime
		for i := 0; i < len(e.New); i++ {
			h = (h ^ uint64(e.New[i])) * fnvPrime
		}
		h = (h ^ 0x100) * fnvPrime
	}
	return h
}

// lineStarts lists the offsets at which lines begin.
func lineStarts(src []byte) []int {
	starts := []int{0}
	for i, c := range src {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// clip shortens text to one line for people.
func clip(s string) string {
	if len(s) <= 38 && !strings.ContainsAny(s, "\n\t") && !strings.Contains(s, "  ") {
		return s
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 40 {
		r := []rune(s)
		if len(r) > 38 {
			s = string(r[:37]) + "…"
		}
	}
	return s
}
