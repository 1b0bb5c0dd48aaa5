package source

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"breakfix/internal/tree"
)

var (
	scpLike    = regexp.MustCompile(`^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:.+`)
	schemeLike = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://`)
	pypiName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	pypiSpec   = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._!+-]*)$`)
	otherIndex = regexp.MustCompile(`^(go|npm|crates|maven):`)
)

// forms is what a user can type as a source.
const forms = "a source is a folder, a git URL, or pypi:NAME==VERSION"

// Open fetches what spec names and returns its snapshot. The error is a
// *UsageError when spec names something that is not there, a *TargetError when
// what is there cannot be played.
func Open(ctx context.Context, spec string, o Options) (*Snapshot, error) {
	cache, err := CacheDir(o.Cache)
	if err != nil {
		return nil, err
	}
	o.Cache = cache
	var s *Snapshot
	switch {
	case spec == "":
		return nil, &UsageError{"no source was named", forms}
	case strings.HasPrefix(spec, "pypi:"):
		if o.At != "" {
			return nil, &UsageError{fmt.Sprintf("--at %s needs a git source, and %s has no commits", o.At, spec), "leave --at out"}
		}
		s, err = openIndex(ctx, strings.TrimPrefix(spec, "pypi:"), o)
	case otherIndex.MatchString(spec):
		return nil, &UsageError{fmt.Sprintf("%s: only Python packages can be played so far", spec), forms}
	case schemeLike.MatchString(spec) || scpLike.MatchString(spec):
		s, err = openURL(ctx, spec, o)
	default:
		s, err = openPath(ctx, spec, o)
	}
	if err != nil {
		return nil, err
	}
	s.Digest = s.Tree.Digest()
	if s.Version == "" {
		s.Version = versionOf(s.Tree)
	}
	s.Licence = licenceOf(s.Tree)
	if len(s.Tree.Paths()) == 0 {
		return nil, &UsageError{fmt.Sprintf("%s holds no files", spec), forms}
	}
	if !o.Reading && len(o.Tests) == 0 && !hasTests(s.Tree) {
		return nil, &TargetError{
			Reason: fmt.Sprintf("%s ships no tests", spec),
			Next:   "breakfix learns from what tests notice: name a source that has some, or name where they are with --tests",
		}
	}
	return s, nil
}

// openPath opens a folder or a bare repository.
func openPath(ctx context.Context, spec string, o Options) (*Snapshot, error) {
	abs, err := filepath.Abs(spec)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(abs)
	switch {
	case err != nil:
		next := forms
		if m := pypiSpec.FindStringSubmatch(spec); m != nil {
			next = "for the package on the index type pypi:" + spec
		} else if pypiName.MatchString(spec) {
			next = "for the package on the index type pypi:" + spec + "==VERSION"
		}
		return nil, &UsageError{fmt.Sprintf("the folder %s does not exist", spec), next}
	case !info.IsDir():
		return nil, &UsageError{spec + " is not a folder", forms}
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, err
	}
	s := &Snapshot{Source: abs, Name: shortName(strings.TrimSuffix(filepath.Base(abs), ".git")), Local: true}
	if isBare(abs) {
		err := s.takeCommit(ctx, repository{dir: abs}, o)
		return s, err
	}
	repo := repository{dir: abs}
	inGit := repo.known(ctx)
	if o.At != "" {
		if !inGit {
			return nil, &UsageError{fmt.Sprintf("--at %s: %s is not a git repository", o.At, spec), "leave --at out to take the folder as it is"}
		}
		err := s.takeCommit(ctx, repo, o)
		return s, err
	}
	var list []string
	if inGit {
		if list, err = repo.workingFiles(ctx); err != nil {
			return nil, err
		}
	}
	s.Tree, err = fromFolder(ctx, abs, o.Cache, list)
	return s, err
}

// isBare reports whether dir is a bare repository.
func isBare(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	_, err := os.Stat(filepath.Join(dir, ".git"))
	return err != nil
}

// openURL clones a repository into a temporary folder and takes one commit.
func openURL(ctx context.Context, spec string, o Options) (*Snapshot, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, &UsageError{"git is needed for " + withoutPassword(spec) + " and is not installed", "apt-get install git"}
	}
	shown := withoutPassword(spec)
	s := &Snapshot{Source: shown, Name: shortName(strings.TrimSuffix(path.Base(strings.TrimRight(shown, "/")), ".git"))}
	if i := strings.LastIndex(s.Name, ":"); i >= 0 {
		s.Name = s.Name[i+1:]
	}
	s.Local = strings.HasPrefix(spec, "file://")
	repo, remove, err := clone(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	defer remove()
	err = s.takeCommit(ctx, repo, o)
	return s, err
}

// takeCommit puts the commit that o.At names into the snapshot.
func (s *Snapshot) takeCommit(ctx context.Context, repo repository, o Options) error {
	commit, err := repo.commit(ctx, o.At, o.Seed)
	if err != nil {
		return err
	}
	s.Revision = commit
	s.Tree, err = repo.tree(ctx, commit, o.Cache)
	return err
}

// withoutPassword takes user and password out of a URL: what is recorded and
// shown must hold no credentials.
func withoutPassword(spec string) string {
	u, err := url.Parse(spec)
	if err != nil || u.User == nil {
		return spec
	}
	if _, secret := u.User.Password(); !secret && u.Scheme == "ssh" {
		return spec // ssh://git@host: a user name, no secret
	}
	u.User = nil
	return u.String()
}

// Shown is a source as a person may see it on a screen or in a log.
func Shown(spec string) string { return withoutPassword(spec) }

// Selected returns the code files that --only and --exclude leave, sorted.
// code says which files of the tree are code to break at all. A glob is
// matched against the whole path; a bare folder or file name also means
// everything under it. The error is a *UsageError when nothing is left.
func Selected(t *tree.Tree, o Options, code func(path string) bool) ([]string, error) {
	var all []string
	for _, p := range t.Paths() {
		if code(p) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil, &TargetError{Reason: "the tree holds no Python code that is not a test", Next: "name the folder that holds the package"}
	}
	for _, set := range []struct {
		flag  string
		globs []string
	}{{"--only", o.Only}, {"--exclude", o.Exclude}} {
		for _, g := range set.globs {
			if err := checkGlob(g); err != nil {
				return nil, &UsageError{fmt.Sprintf("%s %q is no pattern that can be read", set.flag, g), examples(all)}
			}
		}
	}
	var left []string
	hit := false
	for _, p := range all {
		if len(o.Only) > 0 && !matchesAny(o.Only, p) {
			continue
		}
		hit = true
		if !matchesAny(o.Exclude, p) {
			left = append(left, p)
		}
	}
	switch {
	case !hit:
		return nil, &UsageError{fmt.Sprintf("--only %s matches nothing", strings.Join(o.Only, ",")), examples(all)}
	case len(left) == 0:
		return nil, &UsageError{fmt.Sprintf("--exclude %s leaves nothing to break", strings.Join(o.Exclude, ",")), examples(all)}
	}
	return left, nil
}

// examples names up to three paths that exist.
func examples(all []string) string {
	shown := all
	if len(shown) > 3 {
		shown = []string{all[0], all[len(all)/2], all[len(all)-1]}
	}
	return "code files that exist are for example " + strings.Join(shown, ", ")
}
