package selfplay

import (
	"context"
	"fmt"
	"time"

	"breakfix/internal/arena"
	"breakfix/internal/bug"
	"breakfix/internal/grade"
	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
)

// Board is one source, ready to be played on.
type Board struct {
	Work     *testrun.Workspace
	Bank     *arena.Bank
	Target   bug.Target
	Grading  grade.Target
	Prepared map[string]float64 // seconds by phase: prepare, baseline

	began testrun.Stats // when the run took it up
}

// language is the one whose repositories can be played in this version.
var language lang.Language = python.Python

// Open fetches a source, makes its environment, measures its baseline and
// looks for code to break. progress may be nil. A source that cannot be played
// is a *source.TargetError.
func Open(ctx context.Context, box sandbox.Sandbox, spec string, o source.Options, progress func(stage, detail string)) (*Board, error) {
	if progress == nil {
		progress = func(string, string) {}
	}
	progress("source", spec)
	snap, err := source.Open(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	return Prepare(ctx, box, snap, o, progress)
}

// Prepare is Open for a snapshot that is there already.
func Prepare(ctx context.Context, box sandbox.Sandbox, snap *source.Snapshot, o source.Options, progress func(stage, detail string)) (*Board, error) {
	began := time.Now()
	code, err := source.Selected(snap.Tree, o, language.IsCode)
	if err != nil {
		return nil, err
	}
	b := &Board{Prepared: map[string]float64{}}
	stage := "prepare"
	mark := time.Now()
	watch := func(s, detail string) {
		b.Prepared[stage] += time.Since(mark).Seconds()
		mark = time.Now()
		stage = "prepare"
		if s == "baseline" || s == "lint" || s == "smoke" {
			stage = "baseline"
		}
		progress(s, detail)
	}
	b.Prepared[stage] = time.Since(began).Seconds()
	b.Work, err = testrun.Prepare(ctx, testrun.Config{Box: box, Snapshot: snap, Options: o, Progress: watch})
	if err != nil {
		return nil, err
	}
	watch("ready", fmt.Sprintf("%d tests, %d files of code", len(b.Work.Base.Results), len(code)))
	b.began = b.Work.Stats()
	chosen := map[string]bool{}
	for _, p := range code {
		chosen[p] = true
	}
	b.Bank = arena.NewBank(snap.Tree, func(p string) bool { return chosen[p] }, func(p string, first, last int) bool {
		return b.Work.Imported(p, first, last) || len(b.Work.Covering(p, first, last)) > 0
	})
	b.Target = bug.Target{
		Judge: b.Work, Paths: language, Snapshot: snap, Recipe: b.Work.Env.Recipe, Lock: b.Work.Env.Lock,
		Options: bug.Options{Tests: o.Tests, Env: o.Env}, Base: b.Work.Base,
	}
	b.Grading = grade.Target{Judge: b.Work, Paths: language, Base: b.Work.Base, Tree: snap.Tree}
	return b, nil
}
