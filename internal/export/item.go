package export

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"breakfix/internal/bug"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// Origin says where a bug's base and environment come from. It stands in every
// export, and is enough to make both again.
type Origin struct {
	Bug     string          `json:"bug"`
	Base    tree.Digest     `json:"base"`
	Source  source.Snapshot `json:"source"`
	Archive *source.Archive `json:"archive,omitempty"` // of a source distribution
	Python  string          `json:"python"`
	Lock    []string        `json:"lock"`
	Install bool            `json:"install"`
	Path    []string        `json:"path"`
	Order   int             `json:"order"`
	Minutes float64         `json:"minutes"` // difficulty
	Removed []string        `json:"removed"` // files of the base that the solver's tree does not have
}

func (o Origin) text() string {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(b)
}

func (o Origin) lock() source.Lock {
	return source.Lock{Python: o.Python, Versions: o.Lock, Install: o.Install, Path: o.Path}
}

// item is a bug with all that formats take from it.
type item struct {
	bug       *bug.Bug
	origin    Origin
	base      *tree.Tree // the correct code
	broken    *tree.Tree // with the bug
	visible   *tree.Tree // what a solver starts from: with the bug, without the red tests
	repair    []byte     // broken → base; applies to visible too
	tests     []byte     // puts the red tests of the suite back and adds the minimised one
	suite     Suite
	pass      []string // tests that pass with and without the bug, sorted
	statement string
	embedded  bool // the base cannot be fetched by others
	created   string
}

// failToPass lists the tests that the bug breaks: the minimised one first, those
// of the suite, and a witness that is held back.
func (it *item) failToPass() []string {
	fail := append([]string{it.bug.RedTest.Test}, it.bug.InSuite()...)
	if it.bug.HiddenTest != nil {
		_, id := hidden(it.bug)
		fail = append(fail, id)
	}
	return fail
}

// hidden is where a bug's hidden test is laid, beside the minimised one, and its
// id there.
func hidden(b *bug.Bug) (file, id string) {
	h := b.HiddenTest
	file = path.Join(path.Dir(h.Path), strings.TrimSuffix(path.Base(b.RedTest.Path), ".py")+"_hidden.py")
	return file, file + strings.TrimPrefix(h.Test, h.Path)
}

// added are the tests that no suite has, by path: the minimised one, and the
// hidden one where there is one.
func (it *item) added() map[string]*tree.File {
	files := map[string]*tree.File{it.bug.RedTest.Path: tree.Text(it.bug.RedTest.Code)}
	if h := it.bug.HiddenTest; h != nil {
		file, _ := hidden(it.bug)
		files[file] = tree.Text(h.Code)
	}
	return files
}

// base is what bugs of one base share.
type base struct {
	tree    *tree.Tree
	archive *source.Archive
}

// packer makes items.
type packer struct {
	o     Options
	bases map[tree.Digest]*base
	seen  map[string]bool
}

func (p *packer) baseOf(b *bug.Bug) (*base, error) {
	if known, ok := p.bases[b.Base]; ok {
		return known, nil
	}
	var made base
	var err error
	switch {
	case p.o.Base != nil:
		made.tree, err = p.o.Base(b)
	case b.Source.Tree != nil:
		made.tree = b.Source.Tree
	default:
		var snap *source.Snapshot
		if snap, err = b.Open(context.Background(), p.o.Cache); err == nil {
			made.tree = snap.Tree
		}
	}
	if err != nil {
		return nil, err
	}
	if got := made.tree.Digest(); got != b.Base {
		return nil, cannot("its base has the digest %s, not %s", got.Short(), b.Base.Short())
	}
	if strings.HasPrefix(b.Source.Source, "pypi:") && !b.Source.Local {
		ask := p.o.Archive
		if ask == nil {
			ask = func(b *bug.Bug) (source.Archive, error) {
				return source.ArchiveOf(context.Background(), b.Source.Source, source.Options{Cache: p.o.Cache})
			}
		}
		a, err := ask(b)
		if err != nil {
			return nil, err
		}
		made.archive = &a
	}
	p.bases[b.Base] = &made
	return &made, nil
}

func (p *packer) item(b *bug.Bug) (*item, error) {
	from, err := p.baseOf(b)
	if err != nil {
		return nil, err
	}
	it := &item{bug: b, base: from.tree, embedded: b.Source.Local, created: p.o.Created.UTC().Format("2006-01-02T15:04:05Z")}
	if it.broken, err = tree.Apply(it.base, b.Inject); err != nil {
		return nil, cannot("inject.diff does not apply: %v", err)
	}
	if it.visible, err = tree.Apply(it.broken, b.Weaken); err != nil {
		return nil, cannot("weaken.diff does not apply: %v", err)
	}
	graded, err := it.broken.With(it.added())
	if err != nil {
		return nil, err
	}
	if it.repair, err = tree.Diff(it.broken, it.base); err != nil {
		return nil, err
	}
	if it.tests, err = tree.Diff(it.visible, graded); err != nil {
		return nil, err
	}
	for _, text := range [][]byte{it.repair, it.tests, b.Inject, []byte(b.RedTest.Code)} {
		if !utf8.Valid(text) {
			return nil, cannot("its code is not UTF-8, and JSON holds nothing else")
		}
	}
	if p.o.Suite != nil {
		if it.suite, err = p.o.Suite(b); err != nil {
			return nil, err
		}
	}
	if it.suite.Args == nil {
		it.suite.Args = []string{"-p", "no:cacheprovider", "-o", "addopts="}
	}
	it.pass = []string{}
	for _, id := range it.suite.Passing {
		if !slices.Contains(b.Red, id) && !slices.Contains(b.Unrun, id) {
			it.pass = append(it.pass, id)
		}
	}
	slices.Sort(it.pass)
	it.origin = it.originOf(from.archive)
	it.statement, err = statement(it)
	return it, err
}

func (it *item) originOf(archive *source.Archive) Origin {
	b := it.bug
	o := Origin{Bug: b.ID, Base: b.Base, Source: b.Source, Archive: archive, Python: b.Recipe.Version, Install: b.Recipe.Install,
		Path: orEmpty(b.Recipe.Path), Order: b.Order, Minutes: b.Difficulty.Minutes, Removed: []string{}}
	if o.Source.Local {
		o.Source.Source = o.Source.Name // a folder of this machine means nothing to others
	}
	o.Lock = orEmpty(source.Lock{Versions: b.Lock, Install: b.Recipe.Install}.Others(it.base))
	for _, p := range it.base.Paths() {
		if !it.visible.Has(p) {
			o.Removed = append(o.Removed, p)
		}
	}
	return o
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

var (
	forge    = regexp.MustCompile(`^(?:https?://|ssh://git@|git@)[^/:]+[/:]([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+?)(?:\.git)?/?$`)
	unusable = regexp.MustCompile(`[^a-z0-9_-]+`)
)

// project is the owner and the name of the source, as names of images and tasks
// may have them: the owner is pypi or local where there is none.
func (it *item) project() (owner, name string) {
	s := it.bug.Source
	owner, name = "local", s.Name
	if strings.HasPrefix(s.Source, "pypi:") {
		owner = "pypi"
	} else if m := forge.FindStringSubmatch(s.Source); m != nil && !s.Local {
		owner, name = m[1], m[2]
	}
	clean := func(text, or string) string {
		if text = strings.Trim(unusable.ReplaceAllString(strings.ToLower(text), "-"), "-_"); text == "" {
			return or
		}
		return strings.ReplaceAll(text, "__", "_")
	}
	return clean(owner, "local"), clean(name, "target")
}

// commit is the base's commit; where there is none, 40 digits of its digest.
func (it *item) commit() string {
	if s := it.bug.Source; !s.Local && !strings.HasPrefix(s.Source, "pypi:") {
		return s.Revision
	}
	return string(it.bug.Base)[:40]
}

// title names the source for a person.
func (it *item) title() string {
	s := it.bug.Source
	if s.Version == "" {
		return s.Name
	}
	return fmt.Sprintf("%s %s", s.Name, s.Version)
}
