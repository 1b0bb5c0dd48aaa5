package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"breakfix/internal/tree"
)

// Since returns the files of a git source as they were where its history and
// that of rev part: what differs from them is what was changed since rev, and
// nothing that others changed on a branch rev meanwhile. The source is spec as
// Open takes it with the same options. The error is a *UsageError when there
// is no such commit or no history.
func Since(ctx context.Context, spec, rev string, o Options) (*tree.Tree, error) {
	cache, err := CacheDir(o.Cache)
	if err != nil {
		return nil, err
	}
	o.Cache = cache
	next := "name a folder that is a git repository, or a git URL; or leave --in-diff out"
	var repo repository
	switch {
	case strings.HasPrefix(spec, "pypi:"):
		return nil, &UsageError{fmt.Sprintf("--in-diff %s needs a git source, and %s has no commits", rev, spec), next}
	case schemeLike.MatchString(spec) || scpLike.MatchString(spec):
		whole := o
		if rev != "HEAD" {
			whole.At = rev // all of the history
		}
		r, remove, err := clone(ctx, spec, whole)
		if err != nil {
			return nil, err
		}
		defer remove()
		repo = r
	default:
		abs, err := filepath.Abs(spec)
		if err != nil {
			return nil, err
		}
		if abs, err = filepath.EvalSymlinks(abs); err != nil {
			if os.IsNotExist(err) {
				return nil, &UsageError{fmt.Sprintf("the folder %s does not exist", spec), forms}
			}
			return nil, err
		}
		repo = repository{dir: abs}
		if !isBare(abs) && !repo.known(ctx) {
			return nil, &UsageError{fmt.Sprintf("--in-diff %s: %s is not a git repository", rev, spec), next}
		}
	}
	then, err := repo.resolve(ctx, rev)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, &UsageError{fmt.Sprintf("--in-diff %s: no such commit, branch or tag", rev),
			"git log shows the commits; a shallow clone lacks older ones until git fetch --unshallow"}
	}
	now, err := repo.commit(ctx, o.At, o.Seed)
	if err != nil {
		return nil, err
	}
	// Two histories without a common commit part nowhere: then rev itself is compared.
	if out, err := repo.run(ctx, "find where "+rev+" parts", "merge-base", then, now); err == nil {
		if base := strings.TrimSpace(string(out)); base != "" {
			then = base
		}
	}
	return repo.tree(ctx, then, cache)
}
