package bug

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// TargetOf returns a prepared workspace as what Validate asks about it.
func TargetOf(w *testrun.Workspace, paths Paths, o Options) Target {
	return Target{Judge: w, Paths: paths, Snapshot: w.Snapshot, Recipe: w.Env.Recipe, Lock: w.Env.Lock, Options: o, Base: w.Base}
}

// VerifyConfig says where an artifact is verified.
type VerifyConfig struct {
	Box      sandbox.Sandbox
	Paths    Paths
	Cache    string // breakfix's cache folder; "" means the user's
	Progress func(stage, detail string)
}

// VerifyResult is the verdict on an artifact: each check's outcome, and the
// one that objected, if any.
type VerifyResult struct {
	ID     string                   `json:"id"`
	Valid  bool                     `json:"valid"`
	Check  outcome.Check            `json:"check,omitempty"`
	Reason string                   `json:"reason,omitempty"`
	Checks map[outcome.Check]string `json:"checks"`
	Notes  []string                 `json:"notes,omitempty"` // what differs from when it was made and is no objection
}

func rejected(id string, check outcome.Check, reason string) VerifyResult {
	return VerifyResult{ID: id, Check: check, Reason: reason, Checks: map[outcome.Check]string{check: reason}}
}

// Verify judges an artifact from its folder alone: it loads it, brings the
// base again (fetched, or unpacked when it is embedded), prepares a workspace,
// and runs every check anew. The error is an infrastructure failure, or the
// source's *source.UsageError or *source.TargetError.
func Verify(ctx context.Context, dir string, c VerifyConfig) (VerifyResult, error) {
	b, err := Load(dir)
	if err != nil {
		var ce *CheckError
		if errors.As(err, &ce) {
			return rejected("", ce.Check, ce.Reason), nil
		}
		return VerifyResult{}, err
	}
	snap, err := b.Open(ctx, c.Cache)
	if err != nil {
		var ce *CheckError
		if errors.As(err, &ce) {
			return rejected(b.ID, ce.Check, ce.Reason), nil
		}
		return VerifyResult{}, err
	}
	w, err := testrun.Prepare(ctx, testrun.Config{Box: c.Box, Snapshot: snap, Options: b.sourceOptions(c.Cache), Cache: c.Cache, Progress: c.Progress})
	if err != nil {
		return VerifyResult{}, err
	}
	defer w.Close()
	res, err := Recheck(ctx, TargetOf(w, c.Paths, b.Options), b)
	if err != nil {
		return VerifyResult{}, err
	}
	if !slices.Equal(w.Env.Lock, b.Lock) {
		res.Notes = append(res.Notes, "the environment holds other versions than the one in which the bug was made")
	}
	return res, nil
}

// Recheck runs every check again on a loaded artifact, in a workspace that is
// prepared on its base.
func Recheck(ctx context.Context, t Target, b *Bug) (VerifyResult, error) {
	base := t.Snapshot.Tree
	if base.Digest() != b.Base {
		return rejected(b.ID, outcome.CheckFiles, "the base is not the one that the bug was made on"), nil
	}
	brokenTree, err := tree.Apply(base, b.Inject)
	if err != nil {
		return rejected(b.ID, outcome.CheckApplies, fmt.Sprintf("inject.diff does not apply: %v", err)), nil
	}
	if brokenTree.Digest() != b.Broken {
		return rejected(b.ID, outcome.CheckApplies, "inject.diff does not make the broken tree that bug.json names"), nil
	}
	again := &trial{t: t, given: b, base: base, broken: brokenTree,
		cand: Candidate{Tree: brokenTree, Order: b.Order, Parents: b.Parents, Strategy: b.Strategy, Seed: b.Seed}}
	res, err := validate(ctx, again)
	if err != nil {
		return VerifyResult{}, fmt.Errorf("verify bug %s: %w", b.ID, err)
	}
	var notes []string
	if was, now := b.RedTest.Failure, again.redTest.Failure; res.Outcome == outcome.Valid && (was.Kind != now.Kind || was.Message != now.Message) {
		notes = append(notes, fmt.Sprintf("the minimised test fails with %s: %q, bug.json says %s: %q", now.Kind, now.Message, was.Kind, was.Message))
	}
	return VerifyResult{ID: b.ID, Valid: res.Outcome == outcome.Valid, Check: res.Check, Reason: res.Reason, Checks: res.Checks, Notes: notes}, nil
}

func (b *Bug) sourceOptions(cache string) source.Options {
	return source.Options{Tests: b.Options.Tests, Env: b.Options.Env, Cache: cache}
}

// Open brings the bug's base again: fetched, or unpacked from the artifact.
// A base that is not what
// the bug was made on is a *CheckError of the check files.
func (b *Bug) Open(ctx context.Context, cache string) (snap *source.Snapshot, err error) {
	o := b.sourceOptions(cache)
	if b.Source.Local {
		if b.Source.Tree == nil {
			return nil, notArtifact("%s is missing: the base cannot be fetched again", baseFile)
		}
		tmp, err := os.MkdirTemp("", "breakfix-base-")
		if err != nil {
			return nil, fmt.Errorf("unpack the base: %w", err)
		}
		defer os.RemoveAll(tmp) // the snapshot rests in the cache
		dir := filepath.Join(tmp, "base")
		if err := b.Source.Tree.WriteTo(dir); err != nil {
			return nil, fmt.Errorf("unpack the base: %w", err)
		}
		if snap, err = source.Open(ctx, dir, o); err != nil {
			return nil, err
		}
		snap.Source, snap.Name, snap.Revision, snap.Version, snap.Local = b.Source.Source, b.Source.Name, b.Source.Revision, b.Source.Version, true
	} else {
		if !strings.HasPrefix(b.Source.Source, "pypi:") {
			o.At = b.Source.Revision
		}
		if snap, err = source.Open(ctx, b.Source.Source, o); err != nil {
			return nil, err
		}
	}
	if snap.Digest != b.Base {
		return nil, notArtifact("%s gives a base with the digest %s, the bug was made on %s", b.Source.Source, snap.Digest.Short(), b.Base.Short())
	}
	return snap, nil
}
