package source

import (
	"regexp"
	"strconv"
	"strings"
)

// version is a Python version number (PEP 440), as far as ordering needs it.
type version struct {
	epoch   int
	release []int
	phase   int // -2 development release, -1 alpha, beta or candidate, 0 final, 1 post release
	tail    string
	number  int
}

var versionForm = regexp.MustCompile(`^v?(?:(\d+)!)?(\d+(?:\.\d+)*)[-_.]?(?:(a|alpha|b|beta|c|rc|pre|preview)[-_.]?(\d*))?(?:[-_.]?(post|rev|r)[-_.]?(\d*)|-(\d+))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+.*)?$`)

// parseVersion reads s; ok is false for text that is no version.
func parseVersion(s string) (v version, ok bool) {
	m := versionForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s)))
	if m == nil {
		return v, false
	}
	v.epoch = atoi(m[1])
	for _, part := range strings.Split(m[2], ".") {
		v.release = append(v.release, atoi(part))
	}
	switch {
	case m[3] != "":
		v.phase, v.tail, v.number = -1, m[3][:1], atoi(m[4])
		if m[3] == "c" || m[3] == "pre" || m[3] == "preview" {
			v.tail = "r" // spellings of a release candidate
		}
	case m[8] != "":
		v.phase, v.number = -2, atoi(m[9])
	case m[5] != "" || m[7] != "":
		v.phase, v.number = 1, atoi(m[6]+m[7])
	}
	return v, true
}

func atoi(s string) int { n, _ := strconv.Atoi(s); return n }

// final reports a version that is no pre-release.
func (v version) final() bool { return v.phase >= 0 }

// compare returns -1, 0 or 1; missing parts of a release count as zero.
func (v version) compare(o version) int {
	if c := sign(v.epoch - o.epoch); c != 0 {
		return c
	}
	if c := compareReleases(v.release, o.release, max(len(v.release), len(o.release))); c != 0 {
		return c
	}
	if c := sign(v.phase - o.phase); c != 0 {
		return c
	}
	if c := strings.Compare(v.tail, o.tail); c != 0 {
		return c
	}
	return sign(v.number - o.number)
}

func compareReleases(a, b []int, n int) int {
	for i := range n {
		x, y := 0, 0
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return sign(x - y)
		}
	}
	return 0
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

var clauseForm = regexp.MustCompile(`^(===|==|!=|<=|>=|~=|<|>|\^|~)?\s*([^\s]+)$`)

// satisfies reports whether a version of Python meets a specifier such as
// ">=3.9,!=3.9.7,<4" (PEP 440; Poetry's "^3.8" and "~3.8" too). A clause that
// cannot be read excludes nothing: the installer judges it again.
func satisfies(python, spec string) bool {
	v, ok := parseVersion(python)
	if !ok {
		return false
	}
	for _, alternative := range strings.Split(spec, "||") {
		all := true
		for _, clause := range strings.Split(alternative, ",") {
			all = all && meets(v, strings.TrimSpace(clause))
		}
		if all {
			return true
		}
	}
	return false
}

func meets(v version, clause string) bool {
	m := clauseForm.FindStringSubmatch(clause)
	if m == nil || m[2] == "*" {
		return true
	}
	op, text := m[1], m[2]
	text, wild := strings.CutSuffix(text, ".*")
	w, ok := parseVersion(text)
	if !ok {
		return true
	}
	n := len(w.release)
	prefix := compareReleases(v.release, w.release, n) == 0
	c := v.compare(w)
	switch op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case "<":
		return c < 0
	case "!=":
		return !(c == 0 || wild && prefix)
	case "~=":
		return c >= 0 && compareReleases(v.release, w.release, max(n-1, 1)) == 0
	case "^":
		return c >= 0 && compareReleases(v.release, w.release, 1) == 0
	case "~":
		return c >= 0 && compareReleases(v.release, w.release, min(n, 2)) == 0
	default: // "==", "===" and none
		return c == 0 || wild && prefix
	}
}
