package testrun

import (
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
)

// Workspace is everything needed to judge trees of one snapshot: its
// environment, its baseline, a runner with a verdict cache, the linters and
// the smoke run. It is safe for concurrent use.
//
//	func Prepare(ctx, Config) (*Workspace, error)              // environment, missing modules, baseline
//	func (w *Workspace) Run(ctx, Request) (Report, error)      // a Runner
//	func (w *Workspace) Lint(ctx, *tree.Tree) (Findings, error)   // pylint, cached by tree
//	func (w *Workspace) Types(ctx, *tree.Tree) (Findings, error)  // mypy, cached by tree
//	func (w *Workspace) Smoke(ctx, *tree.Tree) (string, error)    // "" or what crashed or hung; cached by tree
//	func (w *Workspace) Covering(path string, firstLine, lastLine int) []string // tests by coverage, fastest first
//	func (w *Workspace) Stats() Stats                          // verdicts run and cached, seconds by phase
type Workspace struct {
	Snapshot *source.Snapshot
	Env      *source.Environment
	Box      sandbox.Sandbox
	Base     *Baseline
}
