package bug

import (
	"maps"
	"math"
	"regexp"
	"strings"

	"breakfix/internal/outcome"
)

var (
	bugID     = regexp.MustCompile(`^[0-9a-f]{12}$`)
	commitID  = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	fetchable = regexp.MustCompile(`^(pypi:|(https?|ssh|git)://|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:)`)
)

// derived checks what bug.json says and what follows from the rest of it.
func (b *Bug) derived() error {
	for _, p := range b.Parents {
		if !bugID.MatchString(p) {
			return notArtifact("%s: %q is no id of a parent", bugFile, p)
		}
	}
	if b.Origin != "" && !commitID.MatchString(b.Origin) {
		return notArtifact("%s: the origin %q is no commit", bugFile, b.Origin)
	}
	size, err := sizeOf(b.Inject, len(b.Red), b.Order)
	if err != nil {
		return &CheckError{outcome.CheckApplies, "inject.diff cannot be read: " + err.Error()}
	}
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.011 } // processors differ in the last digit of a logarithm
	if want := Estimate(size); !near(b.Difficulty.Minutes, want.Minutes) || !maps.EqualFunc(b.Difficulty.Terms, want.Terms, near) {
		return notArtifact("%s: the difficulty is %g minutes, its content's is %g", bugFile, b.Difficulty.Minutes, want.Minutes)
	}
	if want := WeightOf(b.Order); b.Weight != want {
		return notArtifact("%s: the weight is %g, that of its order is %g", bugFile, b.Weight, want)
	}
	for _, c := range outcome.Checks {
		if v := b.Checks[c]; v != outcome.GatePassed && !strings.HasPrefix(v, "not applicable: ") {
			return notArtifact("%s: check %s is %q", bugFile, c, v)
		}
	}
	return b.origin()
}

// origin checks where the artifact says that its base comes from. What can be
// fetched by everybody is fetched; a path names something else on every
// machine, so a base that was a folder stands in the artifact.
func (b *Bug) origin() error {
	switch s := b.Source; {
	case s.Local:
		return nil
	case !fetchable.MatchString(s.Source):
		return notArtifact("%s: %q is nothing that can be fetched, and the base is not embedded", bugFile, s.Source)
	case !strings.HasPrefix(s.Source, "pypi:") && !commitID.MatchString(s.Revision):
		return notArtifact("%s: %q is no commit", bugFile, s.Revision)
	}
	if _, embedded := b.Files[baseFile]; embedded {
		return notArtifact("%s: the base is to be fetched, and %s is there", bugFile, baseFile)
	}
	return nil
}
