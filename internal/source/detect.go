package source

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"sort"
	"strings"

	"breakfix/internal/tree"
)

// alwaysInstalled is what every environment has besides the package.
var alwaysInstalled = []string{"hypothesis", "pytest"}

// rank tells how likely a set of dependencies (an extra, a group) is the one
// for tests: 2 test-named, 1 for developers, 0 something else.
func rank(name string) int {
	switch normalName(name) {
	case "test", "tests", "testing", "pytest", "unittest", "unit-test", "unit-tests":
		return 2
	case "dev", "develop", "development":
		return 1
	}
	return 0
}

var (
	testFiles   = regexp.MustCompile(`^(?:[^/]*requirements[^/]*test[^/]*|[^/]*test[^/]*requirements[^/]*|(?:requirements|reqs|deps)/[^/]*test[^/]*|tests?/[^/]*requirements[^/]*)\.txt$`)
	devFiles    = regexp.MustCompile(`^(?:[^/]*requirements[^/]*dev[^/]*|dev[^/]*requirements[^/]*|(?:requirements|reqs|deps)/dev[^/]*)\.txt$`)
	otherPython = regexp.MustCompile(`^(.*[A-Za-z])[-_.]?(?:py|python)?[-_.]?[23]\.?\d+\.txt$`)
	buildFile   = regexp.MustCompile(`(?:^(?:pyproject\.toml|setup\.py|setup\.cfg|MANIFEST\.in|PKG-INFO|hatch_build\.py|build\.py|meson\.build|CMakeLists\.txt|Cargo\.(?:toml|lock)|tox\.ini|tox\.toml)|\.(?:c|cc|cpp|cxx|h|hpp|pyx|pxd|pxi|f|f90|rs))$`)
)

// Detect finds out, without running anything of the snapshot, how an
// environment for its tests is made: the interpreter, and where the test
// dependencies are named. Test-named extras, groups and files are preferred to
// those for developers, which often bring whole documentation tools.
func Detect(ctx context.Context, s *Snapshot, o Options) (Recipe, error) {
	p := readProject(s.Tree)
	if p.unparsed != nil {
		return Recipe{}, &TargetError{Reason: "its pyproject.toml cannot be read", First: p.unparsed.Error(), Next: "repair the file or name another version"}
	}
	if o.Python != "" {
		return existing(ctx, s, o)
	}
	in, err := chooseInterpreter(ctx, p.requiresPython())
	if err != nil {
		return Recipe{}, err
	}
	r := Recipe{Python: in.Base, Version: in.Version, Base: in.BasePrefix, Install: p.installable(), Requirements: append([]string(nil), alwaysInstalled...)}
	r.find(s.Tree, p)
	if !r.Install {
		r.Path = searchPath(s.Tree)
		r.Notes = append(r.Notes, "the tree is no package that can be installed: its folders go on the module search path")
	}
	settings := readIndexSettings().public()
	r.Settings = append(r.Settings, "index "+settings.index, "version "+s.Version)
	for _, u := range append(append([]string(nil), settings.extra...), settings.findLinks...) {
		r.Settings = append(r.Settings, "also "+u)
	}
	r.Build = buildDigest(s.Tree, r.Files)
	r.tidy()
	return r, nil
}

// find fills in the sources of test dependencies.
func (r *Recipe) find(t *tree.Tree, p project) {
	tox := readTox(t, p)
	type set struct {
		rank int
		take func()
	}
	var sets []set
	extras := p.extras()
	if r.Install {
		for name := range extras {
			sets = append(sets, set{rank(name), func() { r.Extras = append(r.Extras, name) }})
		}
	}
	for name := range p.Groups {
		sets = append(sets, set{rank(name), func() { r.Groups = append(r.Groups, name) }})
	}
	for name, list := range p.toolDependencies() {
		sets = append(sets, set{rank(name), func() { r.take(screen("dependencies "+name, list, nil)) }})
	}
	for _, file := range t.Paths() {
		if m := otherPython.FindStringSubmatch(file); m != nil && t.Has(m[1]+".txt") {
			continue // "tests37.txt" beside "tests.txt" is for another Python
		}
		switch {
		case testFiles.MatchString(file):
			sets = append(sets, set{2, func() { r.Files = append(r.Files, file) }})
		case devFiles.MatchString(file):
			sets = append(sets, set{1, func() { r.Files = append(r.Files, file) }})
		}
	}
	best := 0
	for _, s := range sets {
		best = max(best, s.rank)
	}
	for _, s := range sets {
		if s.rank == best && best > 0 {
			s.take()
		}
	}
	r.take(screen("tox", tox.deps, func(file string) needs {
		r.Files = append(r.Files, path.Clean(file))
		return needs{}
	}))
	for _, name := range tox.extras {
		if _, ok := extras[name]; ok && r.Install {
			r.Extras = append(r.Extras, name)
		}
	}
	for _, name := range tox.groups {
		if _, err := p.group(name); err == nil {
			r.Groups = append(r.Groups, name)
		}
	}
	r.take(screen("setup.cfg", strings.Split(p.cfg["options"]["tests_require"], "\n"), nil))
	if !r.Install {
		r.take(screen("pyproject.toml", p.Project.Dependencies, nil))
		r.take(needs{requirements: poetryNames(p.Tool.Poetry.Dependencies)})
		if t.Has("requirements.txt") {
			r.Files = append(r.Files, "requirements.txt")
		}
	}
}

func (r *Recipe) take(n needs) {
	r.Requirements = append(r.Requirements, n.requirements...)
	if r.Install {
		r.Extras = append(r.Extras, n.extras...)
	}
	r.Notes = append(r.Notes, n.notes...)
}

// tidy sorts and removes doubles, so that equal recipes are equal.
func (r *Recipe) tidy() {
	for _, list := range []*[]string{&r.Extras, &r.Groups, &r.Files, &r.Requirements, &r.Settings, &r.Notes} {
		*list = unique(*list)
	}
}

func unique(list []string) []string {
	sorted := append([]string(nil), list...)
	sort.Strings(sorted)
	out := sorted[:0]
	for i, s := range sorted {
		if i == 0 || s != sorted[i-1] {
			out = append(out, s)
		}
	}
	return out
}

// With returns the recipe with further requirements (what collection reported
// missing). It is another recipe, with an environment of its own.
func (r Recipe) With(requirements ...string) Recipe {
	r.Requirements = unique(append(append([]string(nil), r.Requirements...), requirements...))
	return r
}

// searchPath lists the folders of a tree that hold its top-level modules.
func searchPath(t *tree.Tree) []string {
	for _, p := range t.Paths() {
		if strings.HasPrefix(p, "src/") && strings.HasSuffix(p, ".py") {
			return []string{"src", "."}
		}
	}
	return []string{"."}
}

// buildDigest covers what an installation reads of the tree: configuration,
// requirements, sources of compiled modules, and which packages there are (an
// editable install may list them). Code is not covered: all trees of a recipe
// share its environment.
func buildDigest(t *tree.Tree, files []string) tree.Digest {
	extra := map[string]bool{}
	for _, f := range files {
		extra[f] = true
	}
	var b strings.Builder
	for _, p := range t.Paths() {
		switch {
		case buildFile.MatchString(p) || extra[p] || strings.Contains(path.Base(p), "requirements") && strings.HasSuffix(p, ".txt"):
			fmt.Fprintf(&b, "%s %s\n", t.FileDigest(p), p)
		case strings.HasSuffix(p, "/__init__.py") || strings.HasSuffix(p, ".py") && !strings.Contains(strings.TrimPrefix(p, "src/"), "/"):
			fmt.Fprintf(&b, "module %s\n", p)
		}
	}
	return tree.DigestOf([]byte(b.String()))
}
