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
	cache string        // breakfix's cache folder
}

// language is the one whose repositories can be played in this version.
var language lang.Language = python.Python

// Setup says how boards are prepared.
type Setup struct {
	Box      sandbox.Sandbox
	Options  source.Options
	Deadline time.Duration // of a test while the baseline is measured; 0 means the default
	// Deadlines of tests on changed code; the zero value means the defaults.
	Deadlines testrun.Deadlines
	NoCache   bool // verdicts of earlier runs are neither read nor kept
	Progress  func(stage, detail string)
}

// Open fetches a source, makes its environment, measures its baseline and
// looks for code to break. A source that cannot be played is a
// *source.TargetError.
func (s Setup) Open(ctx context.Context, spec string) (*Board, error) {
	s.Progress("source", spec)
	snap, err := source.Open(ctx, spec, s.Options)
	if err != nil {
		return nil, err
	}
	return s.Prepare(ctx, snap)
}

// Prepare is Open for a snapshot that is there already.
func (s Setup) Prepare(ctx context.Context, snap *source.Snapshot) (*Board, error) {
	o := s.Options
	began := time.Now()
	code, err := source.Selected(snap.Tree, o, language.IsCode)
	if err != nil {
		return nil, err
	}
	b := &Board{Prepared: map[string]float64{}, cache: o.Cache}
	stage := "prepare"
	mark := time.Now()
	watch := func(step, detail string) {
		b.Prepared[stage] += time.Since(mark).Seconds()
		mark = time.Now()
		stage = "prepare"
		if step == "baseline" || step == "tiers" || step == "lint" || step == "smoke" {
			stage = "baseline"
		}
		s.Progress(step, detail)
	}
	b.Prepared[stage] = time.Since(began).Seconds()
	b.Work, err = testrun.Prepare(ctx, testrun.Config{Box: s.Box, Snapshot: snap, Options: o, Deadline: s.Deadline, Deadlines: s.Deadlines, NoCache: s.NoCache, Progress: watch})
	if err != nil {
		return nil, err
	}
	watch("ready", fmt.Sprintf("%s, %s of code", counted(len(b.Work.Base.Results), "test"), counted(len(code), "file")))
	chosen := map[string]bool{}
	for _, p := range code {
		chosen[p] = true
	}
	b.Bank = arena.NewBank(snap.Tree, func(p string) bool { return chosen[p] }, func(p string, first, last int) int {
		n := b.Work.Covers(p, first, last)
		if b.Work.Imported(p, first, last) {
			n++
		}
		return n
	})
	b.Target = bug.Target{
		Judge: b.Work, Paths: language, Snapshot: snap, Recipe: b.Work.Env.Recipe, Lock: b.Work.Env.Lock,
		Options: bug.Options{Tests: o.Tests, Env: o.Env}, Base: b.Work.Base,
	}
	b.Grading = grade.Target{Judge: b.Work, Paths: language, Base: b.Work.Base, Tree: snap.Tree}
	return b, nil
}

// counted writes "1 test", "2 tests".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
