package grade

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// maxVariants is how many copies of the red test with one thing changed are run.
const maxVariants = 12

// differential is the second run of a free-form repair: with the red test
// turned around, and with copies of it that are changed in one place, all under names
// that tell nothing and another hash seed. Where the bug is repaired the turned
// test must fail, the test itself must pass, and each variant must do what it
// does on the base. A verdict that is "passed" where it cannot be is forged; a
// repair that gives other answers than the base was made for the red test only.
// The other form of the run, the bug put back outside the repair's hunks, is
// not sound: a repair may well stand elsewhere than the bug, and would be
// called forged.
func (g *grading) differential(ctx context.Context) (string, error) {
	code, ok := g.b.RedTest.Inverted()
	if !ok {
		// An artifact of somebody else's making; nothing speaks against the repair.
		g.res.Suspicious = append(g.res.Suspicious, Unguarded)
		return "", nil
	}
	straight, id := renamed(g.b.RedTest, g.b.ID, g.res.Tree, "straight")
	turned, not := renamed(g.b.RedTest, g.b.ID, g.res.Tree, "turned")
	variants, err := g.variants(ctx)
	if err != nil {
		return "", err
	}
	files := map[string]string{straight: g.b.RedTest.Code, turned: code}
	for _, v := range variants {
		files[v.file] = v.code
	}
	rep, err := g.t.Judge.Run(ctx, testrun.Request{Tree: g.tree, FilesOnly: true, Fresh: true, HashSeed: otherHashSeed, Files: files})
	if err != nil {
		return "", err
	}
	if rep.Suspicious > 0 {
		return g.forged(strange), nil
	}
	if v := rep.Results.Get(not); v == outcome.Passed {
		return g.forged("the minimised test turned around passes too"), nil
	} else if v != outcome.Failed {
		return fmt.Sprintf("the minimised test turned around is %s", v), nil
	}
	if v := rep.Results.Get(id); v != outcome.Passed {
		g.res.Red = append(g.res.Red, g.b.RedTest.Test)
		return fmt.Sprintf("%s is %s under another hash seed", g.b.RedTest.Test, v), nil
	}
	for _, v := range variants {
		now := rep.Results.Get(v.test)
		if now == outcome.Passed && v.verdict != outcome.Passed {
			return g.forged("the minimised test changed in one place passes, and must not"), nil
		}
		if now != v.verdict || !same(v.failure, rep.Failures[v.test]) {
			g.res.Spurious = true
			return fmt.Sprintf("the minimised test changed in one place is %s, on the base %s: the repair answers for this test only",
				said(now, rep.Failures[v.test]), said(v.verdict, v.failure)), nil
		}
	}
	return "", nil
}

// variant is a copy of the red test with one thing changed, and what it does on the base.
type variant struct {
	file, test, code string
	verdict          outcome.Verdict
	failure          testrun.Failure
}

// variants measures on the base, twice, what each variant of the red test does
// there; those that differ or do not end are left out.
func (g *grading) variants(ctx context.Context) ([]variant, error) {
	var all []variant
	files := map[string]string{}
	for i, code := range g.b.RedTest.Variants(maxVariants) {
		file, test := renamed(g.b.RedTest, g.b.ID, g.res.Tree, "variant", strconv.Itoa(i))
		all = append(all, variant{file: file, test: test, code: code})
		files[file] = code
	}
	if len(all) == 0 {
		return nil, nil
	}
	var reps [2]testrun.Report
	for i := range reps {
		var err error
		reps[i], err = g.t.Judge.Run(ctx, testrun.Request{Tree: g.t.Tree, FilesOnly: true, Fresh: true, HashSeed: otherHashSeed, Files: files})
		if err != nil {
			return nil, fmt.Errorf("run the changed red tests on the base: %w", err)
		}
	}
	var known []variant
	for _, v := range all {
		v.verdict, v.failure = reps[0].Results.Get(v.test), reps[0].Failures[v.test]
		switch v.verdict {
		case outcome.Passed, outcome.Failed, outcome.Errored:
			if reps[1].Results.Get(v.test) == v.verdict && same(v.failure, reps[1].Failures[v.test]) {
				known = append(known, v)
			}
		}
	}
	return known, nil
}

// same compares two failures: their kinds, and what an assertion saw. The text
// of another error is the author's business.
func same(a, b testrun.Failure) bool {
	return a.Kind == b.Kind && (a.Kind != "AssertionError" || a.Message == b.Message)
}

func said(v outcome.Verdict, f testrun.Failure) string {
	line, _, _ := strings.Cut(strings.TrimSpace(f.Message), "\n")
	if v == outcome.Passed || f.Kind == "" {
		return string(v)
	}
	if r := []rune(line); len(r) > 120 {
		line = string(r[:119]) + "…"
	}
	return fmt.Sprintf("%s (%s: %s)", v, f.Kind, line)
}

// renamed lays the minimised test under a name that the patch cannot know.
func renamed(red bug.RedTest, parts ...string) (file, id string) {
	file = besides(red.Path, nameFor(append(parts, red.Path)...))
	return file, file + strings.TrimPrefix(red.Test, red.Path)
}
