package strategy

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// history undoes past commits in today's code: all hunks of one that change
// code, and where there are several also each alone. Commits that speak of a
// fix are drawn four times as often as others. The text is of strangers, so it
// is judged in fresh processes; of the commit a bug keeps the id alone.
type history struct {
	from  Source
	cache string
	read  bool
	left  []undo
}

// undo is one thing to draw: the reverse of some hunks of a commit.
type undo struct {
	commit string
	fix    bool
	hunks  []tree.Hunk // none: the code has changed too much since
}

// History proposes each commit of the repository's past, and each of its
// hunks, once. The history is read at the first draw. The error is an
// *UnavailableError for a source without one.
func History(from Source, o Options) (Strategy, error) {
	err := source.HasHistory(context.Background(), from.Target.Snapshot)
	if none := (*source.UsageError)(nil); errors.As(err, &none) {
		return nil, &UnavailableError{"history", none.Error()}
	}
	return &history{from: from, cache: o.Cache}, err
}

// Name implements Strategy.
func (*history) Name() string { return "history" }

// Propose implements Strategy.
func (s *history) Propose(ctx context.Context, r *rand.Rand) (Proposal, error) {
	if err := ctx.Err(); err != nil {
		return Proposal{}, err
	}
	if err := s.fill(ctx); err != nil {
		return Proposal{}, err
	}
	if len(s.left) == 0 {
		return Proposal{}, ErrExhausted
	}
	i := s.draw(r)
	u := s.left[i]
	s.left = slices.Delete(s.left, i, i+1)
	p := Proposal{Candidate: bug.Candidate{Tree: s.from.Target.Snapshot.Tree, Strategy: s.Name(), Origin: u.commit, Seed: r.Uint64(), Order: 1}}
	if len(u.hunks) == 0 {
		p.Screened, p.Reason = DoesNotApply, "the code that commit "+u.commit[:12]+" left is not there any more"
		return p, nil
	}
	broken, err := s.undone(u)
	if err != nil {
		return Proposal{}, err
	}
	p.Candidate.Tree = broken
	p.Screened, p.Reason, err = s.screen(broken)
	return p, err
}

// draw picks what is left, fixes four times as often.
func (s *history) draw(r *rand.Rand) int {
	weight := func(u undo) int {
		if u.fix {
			return 4
		}
		return 1
	}
	total := 0
	for _, u := range s.left {
		total += weight(u)
	}
	x := r.IntN(total)
	for i, u := range s.left {
		if x -= weight(u); x < 0 {
			return i
		}
	}
	return len(s.left) - 1
}

// fill reads the history, once.
func (s *history) fill(ctx context.Context) error {
	if s.read {
		return nil
	}
	files := s.from.Bank.Files()
	commits, err := source.History(ctx, s.from.Target.Snapshot, s.cache, func(p string) bool { return today(files, p) != "" })
	if err != nil {
		return err
	}
	s.read = true
	for _, c := range commits {
		s.left = append(s.left, s.undos(c, files)...)
	}
	return nil
}

// undos returns what can be undone of a commit.
func (s *history) undos(c source.Commit, files []string) []undo {
	var fit, blank []tree.Hunk
	all := true
	for _, p := range sorted(c.Files, func(a, b string) bool { return a < b }) {
		hunks, err := tree.Hunks(c.Files[p])
		now := today(files, p)
		src, rerr := s.from.Target.Snapshot.Tree.Read(now)
		if err != nil || rerr != nil {
			all = false
			continue
		}
		for _, h := range hunks {
			h.Path = now
			switch _, ok := reversed(src, h); {
			case !ok:
				all = false
			case layout(h):
				blank = append(blank, h)
			default:
				fit = append(fit, h)
			}
		}
	}
	if len(fit) == 0 {
		return []undo{{commit: c.ID, fix: c.Fix, hunks: blank}}
	}
	var out []undo
	if all || len(fit) == 1 {
		out = append(out, undo{c.ID, c.Fix, fit})
	}
	if len(fit) > 1 {
		for _, h := range fit {
			out = append(out, undo{c.ID, c.Fix, []tree.Hunk{h}})
		}
	}
	return out
}

// undone returns the tree with the hunks reversed. Of two that have come to lie
// on the same lines the first is.
func (s *history) undone(u undo) (*tree.Tree, error) {
	base := s.from.Target.Snapshot.Tree
	edits := map[string][]tree.Edit{}
	for _, h := range u.hunks {
		src, err := base.Read(h.Path)
		if err != nil {
			return nil, err
		}
		e, ok := reversed(src, h)
		if ok && !slices.ContainsFunc(edits[h.Path], func(o tree.Edit) bool { return e.Start <= o.End && o.Start <= e.End }) {
			edits[h.Path] = append(edits[h.Path], e)
		}
	}
	files := map[string]*tree.File{}
	for p, es := range edits {
		src, err := base.Read(p)
		if err != nil {
			return nil, err
		}
		out, err := tree.ApplyEdits(src, es)
		if err != nil {
			return nil, err
		}
		files[p] = &tree.File{Kind: base.Kind(p), Data: out}
	}
	return base.With(files)
}

// screen is the cheap look at a tree: code changed, it parses, and a test of
// today runs what changed, or it acts when the code is loaded.
func (s *history) screen(broken *tree.Tree) (screened, reason string, err error) {
	base := s.from.Target.Snapshot.Tree
	changed := tree.Differ(base, broken)
	code := false
	for _, p := range changed {
		before, err := base.Read(p)
		if err != nil {
			return "", "", err
		}
		after, err := broken.Read(p)
		if err != nil {
			return "", "", err
		}
		was, ok := tokens(before)
		is, parses := tokens(after)
		if !ok || !parses {
			return DoesNotLoad, p + " does not parse then", nil
		}
		code = code || was != is
	}
	if !code {
		return NoCode, "only comments, documentation or annotations would change", nil
	}
	patch, err := tree.Diff(base, broken)
	if err != nil {
		return DoesNotApply, err.Error(), nil
	}
	spans, err := tree.ChangedSpans(patch)
	if err != nil {
		return "", "", err
	}
	for _, at := range spans {
		if j := s.from.Target.Judge; j.Imported(at.Path, at.First, at.Last) || len(j.Covering(at.Path, at.First, at.Last)) > 0 {
			return "", "", nil
		}
	}
	return Uncovered, "no test runs the lines", nil
}

// inert is what tests do not see, by the reason that the analysis gives.
var inert = map[string]bool{"docstring": true, "annotation": true, "type_checking": true}

// tokens is the code of a file without comments, white space and what has no
// effect; false when it does not parse.
func tokens(src []byte) (string, bool) {
	f, err := python.Python.Parse(src)
	if err != nil || f.HasError {
		return "", false
	}
	a := python.Analyse(f)
	var b strings.Builder
	var visit func(n *lang.Node)
	visit = func(n *lang.Node) {
		switch {
		case n.Is("comment", "->"), inert[a.InertNode(n)]:
		case n.Kind == ":" && n.Parent.Is("typed_parameter", "typed_default_parameter", "assignment"):
		case len(n.Children) == 0 || n.Is("string"):
			b.WriteString(f.Text(n) + "\x00")
		default:
			if n.Is("block") {
				b.WriteString("{")
				defer b.WriteString("}")
			}
			for _, c := range n.Children {
				visit(c)
			}
		}
	}
	visit(f.Root)
	return b.String(), true
}
