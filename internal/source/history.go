package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/tree"
)

// Bounds of what is read of a history. They keep the newest and, of those, what
// speaks of a fix; a repository of any age is read in seconds.
const (
	maxLog     = 5000     // commits looked at, newest first
	maxCommits = 400      // commits of which the change is read
	maxTouched = 20       // files that one commit may change
	maxHistory = 64 << 20 // bytes of all changes together
)

// Commit is a past change of files that the repository still had afterwards.
// Neither its message nor its author is kept: nobody downstream may show them.
type Commit struct {
	ID    string
	Fix   bool              // its message or a test changed with it speaks of a fix
	Files map[string][]byte // by path, the change of one file as git writes it
}

var (
	anyCommit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	fixWords  = regexp.MustCompile(`(?i)\b(fix(e[sd])?|bug(s|fix)?|regression|crash(es|ed)?|wrong(ly)?|incorrect(ly)?|broken|breaks|fail(s|ed|ure)?|missing|leak(s|ed)?|hang(s)?|deadlock|race|off.by.one|(close[sd]?|resolve[sd]?) #\d+)\b`)
)

// HasHistory returns nil when History can be asked, else a *UsageError that
// says why the snapshot has none.
func HasHistory(ctx context.Context, s *Snapshot) error {
	switch {
	case strings.HasPrefix(s.Source, "pypi:"):
		return &UsageError{s.Source + " is a source distribution, which has no history", "name the package's git repository"}
	case schemeLike.MatchString(s.Source) || scpLike.MatchString(s.Source):
		return nil
	case isBare(s.Source) || repository{dir: s.Source}.known(ctx):
		return nil
	}
	return &UsageError{s.Source + " is not a git repository", "name one for its history"}
}

// History returns past commits that changed a file that code accepts (a path
// from the root of the snapshot as it was then), those that speak of a fix
// first, newest first. A URL is cloned again for it, into a temporary folder of
// the cache that is removed: no history stays with a snapshot, and no box sees it.
func History(ctx context.Context, s *Snapshot, cache string, code func(path string) bool) ([]Commit, error) {
	if err := HasHistory(ctx, s); err != nil {
		return nil, err
	}
	repo := repository{dir: s.Source}
	if schemeLike.MatchString(s.Source) || scpLike.MatchString(s.Source) {
		dir, err := CacheDir(cache)
		if err != nil {
			return nil, err
		}
		cloned, remove, err := clone(ctx, s.Source, Options{Cache: dir, At: "random"}) // all of it
		if err != nil {
			return nil, err
		}
		defer remove()
		repo = cloned
	}
	rev := s.Revision
	if rev == "" {
		rev = "HEAD"
	}
	all, err := repo.log(ctx, rev, code)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Commit) int { // fixes first
		switch {
		case a.Fix == b.Fix:
			return 0
		case a.Fix:
			return -1
		}
		return 1
	})
	if len(all) > maxCommits {
		all = all[:maxCommits]
	}
	return all, repo.changes(ctx, all, code)
}

// diffOptions make git write plain diffs whatever the repository's settings are.
var diffOptions = []string{"--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--diff-filter=M", "--ignore-submodules=all", "--relative"}

// log lists the commits that are not merges and changed code, newest first.
func (r repository) log(ctx context.Context, rev string, code func(string) bool) ([]Commit, error) {
	args := append([]string{"-c", "log.showSignature=false", "-c", "core.quotePath=false", "log", "--no-merges", "--no-notes", fmt.Sprintf("--max-count=%d", maxLog), "--name-only", "--format=%x01%H%x02%B%x02"}, diffOptions...)
	out, err := r.run(ctx, "read the history", append(args, "--end-of-options", rev, "--")...)
	if err != nil {
		return nil, err
	}
	var all []Commit
	for _, one := range strings.Split(string(out), "\x01") {
		f := strings.Split(one, "\x02")
		if len(f) != 3 || !anyCommit.MatchString(f[0]) {
			continue
		}
		c := Commit{ID: f[0], Fix: fixWords.MatchString(f[1])}
		changed, touched := 0, 0
		for _, p := range strings.Split(f[2], "\n") {
			switch {
			case p == "":
				continue
			case code(p):
				changed++
			case strings.HasSuffix(p, ".py") && strings.Contains(path.Base(p), "test"):
				c.Fix = true // code and an existing test changed together
			}
			touched++
		}
		if changed > 0 && touched <= maxTouched {
			all = append(all, c)
		}
	}
	return all, nil
}

// changes fills in what each commit did to files of code.
func (r repository) changes(ctx context.Context, all []Commit, code func(string) bool) error {
	var ids bytes.Buffer
	at := map[string]int{}
	for i := range all {
		all[i].Files = map[string][]byte{}
		at[all[i].ID] = i
		ids.WriteString(all[i].ID + "\n")
	}
	args := append([]string{"-c", "core.quotePath=false", "diff-tree", "--stdin", "-r", "--root", "-p", "--unified=3", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/"}, diffOptions...)
	cmd := git(ctx, r.dir, "none", args...)
	cmd.Stdin = &ids
	var errs bytes.Buffer
	cmd.Stderr = &errs
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	out, err := io.ReadAll(io.LimitReader(pipe, maxHistory))
	if len(out) == maxHistory {
		_ = cmd.Process.Kill() // what was read is enough
	}
	werr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case werr != nil && len(out) < maxHistory:
		return gitError("read the changes of the history", werr, errs.Bytes())
	}
	into := -1
	var file []byte
	flush := func() {
		if into >= 0 && len(file) > 0 && len(file) <= tree.MaxLine {
			if p := pathOf(file); p != "" && code(p) {
				all[into].Files[p] = file
			}
		}
		file = nil
	}
	for len(out) > 0 {
		n := bytes.IndexByte(out, '\n') + 1
		if n == 0 {
			break // cut off
		}
		line := out[:n]
		out = out[n:]
		if id := string(line[:n-1]); anyCommit.MatchString(id) {
			flush()
			into = at[id]
			continue
		}
		if bytes.HasPrefix(line, []byte("diff --git ")) {
			flush()
		}
		file = append(file, line...)
	}
	flush()
	return nil
}

// pathOf is the file that a diff of one file changes, "" for a name that git quotes.
func pathOf(diff []byte) string {
	_, rest, ok := bytes.Cut(diff, []byte("\n+++ b/"))
	if !ok {
		return ""
	}
	name, _, _ := bytes.Cut(rest, []byte("\n"))
	return strings.TrimSuffix(string(name), "\t")
}
