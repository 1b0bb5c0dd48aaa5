package source

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// checkGlob reports a pattern that cannot be read.
func checkGlob(g string) error {
	if !doublestar.ValidatePattern(cleanGlob(g)) {
		return doublestar.ErrBadPattern
	}
	return nil
}

// cleanGlob brings "./src/" into the form that paths of a tree have.
func cleanGlob(g string) string {
	return strings.Trim(strings.TrimPrefix(g, "./"), "/")
}

// matchesAny reports whether one of the globs takes the path: the whole path,
// one of its folders, or, for a pattern without a slash, any part of it.
func matchesAny(globs []string, p string) bool {
	for _, raw := range globs {
		g := cleanGlob(raw)
		if g == "" || g == "." {
			return true
		}
		for end := len(p); end > 0; end = strings.LastIndexByte(p[:end], '/') {
			if ok, _ := doublestar.Match(g, p[:end]); ok {
				return true
			}
		}
		if !strings.Contains(g, "/") {
			for _, part := range strings.Split(p, "/") {
				if ok, _ := doublestar.Match(g, part); ok {
					return true
				}
			}
		}
	}
	return false
}
