package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"breakfix/internal/bugset"
	"breakfix/internal/check"
	"breakfix/internal/engine"
	"breakfix/internal/eval"
	"breakfix/internal/policy/scripted"
	"breakfix/internal/repair"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/store"
)

// The exit codes, as documented in --help and docs/cli.md.
const (
	exitDone        = 0
	exitOurs        = 1 // breakfix failed
	exitUsage       = 2 // bad usage or bad input
	exitTarget      = 3 // the target cannot be played
	exitNo          = 4 // done, and the answer is "no"
	exitInterrupted = 5 // interrupted; the run is whole
)

// usageError is bad usage or bad input that cmd itself found.
type usageError struct{ reason, next string }

func (e *usageError) Error() string { return sentence(e.reason, e.next) }

func usagef(next, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), next}
}

// errNo ends a command that is done and whose answer is "no".
var errNo = errors.New("the answer is no")

// interrupted ends a run that was told to stop; resume is the line to type,
// empty when there is no run yet.
type interrupted struct{ resume string }

// stopped ends a check that was told to stop: kept says what is kept of it,
// line is what to type.
type stopped struct{ kept, line string }

func (e *stopped) Error() string { return "interrupted; " + e.kept + ": " + e.line }

func (e *interrupted) Error() string {
	if e.resume == "" {
		return "interrupted before the first game; no run folder was made, and the same command starts anew"
	}
	return "interrupted; the run is whole. To go on: " + e.resume
}

func sentence(reason, next string) string {
	if next == "" {
		return reason
	}
	if strings.HasSuffix(reason, "\n") { // it ends with a list
		return reason + "  next: " + next
	}
	return strings.TrimSuffix(reason, ".") + "; " + next
}

// explain writes err to w as one clear error with its next step, and returns
// the exit code that cli documents for it.
func explain(w io.Writer, err error) int {
	var (
		usage   *usageError
		susage  *source.UsageError
		target  *source.TargetError
		missing *sandbox.MissingError
		run     *store.RunError
		stop    *interrupted
		halt    *stopped
		move    *scripted.MoveError
		hand    *check.ApplyError
		write   *repair.ApplyError
		folder  *check.FolderError
		set     *bugset.SetError
		results *eval.FileError
		server  *engine.Error
	)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &stop):
		fmt.Fprintln(w, "breakfix:", stop)
		return exitInterrupted
	case errors.As(err, &halt):
		fmt.Fprintln(w, "breakfix:", halt)
		return exitInterrupted
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "breakfix: interrupted")
		return exitInterrupted
	case errors.Is(err, store.ErrFull):
		fmt.Fprintln(w, "breakfix:", err)
		return exitOurs
	case errors.As(err, &usage), errors.As(err, &susage), errors.As(err, &missing), errors.As(err, &run), errors.As(err, &move),
		errors.As(err, &hand), errors.As(err, &write), errors.As(err, &folder), errors.As(err, &set), errors.As(err, &results):
		fmt.Fprintln(w, "breakfix:", err)
		return exitUsage
	case errors.As(err, &server):
		fmt.Fprintln(w, "breakfix:", err)
		switch server.Kind {
		case engine.Wrong, engine.Slow, engine.Failed: // of a server that was there and of the right kind
			return exitOurs
		}
		return exitUsage
	case errors.As(err, &target):
		fmt.Fprintln(w, "breakfix:", target.Reason)
		if target.First != "" {
			fmt.Fprintln(w, indent(target.First))
		}
		if target.Log != "" {
			fmt.Fprintln(w, "  log: ", shorten(target.Log))
		}
		if target.Next != "" {
			fmt.Fprintln(w, "  next:", target.Next)
		}
		return exitTarget
	default:
		fmt.Fprintln(w, "breakfix: failed:", err)
		fmt.Fprintln(w, "  this is a fault of breakfix or of this machine, not of the target; run `breakfix doctor`, and report it with the line above and the run's log.jsonl")
		return exitOurs
	}
}

func indent(s string) string {
	return "  | " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  | ")
}

// shorten writes a path relative to the working folder where that is shorter.
func shorten(p string) string {
	if wd, err := os.Getwd(); err == nil && strings.HasPrefix(p, wd+"/") {
		return "./" + strings.TrimPrefix(p, wd+"/")
	}
	return p
}
