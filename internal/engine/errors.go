package engine

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is what went wrong with a server, in the few ways that a caller can do
// something about.
type Kind string

// The kinds of errors.
const (
	Absent  Kind = "absent"  // nothing answers, or it stopped answering
	Refused Kind = "refused" // the key, or payment
	Foreign Kind = "foreign" // no server of this protocol, or of a version that is not known
	Missing Kind = "missing" // no such model or checkpoint
	Invalid Kind = "invalid" // the server does not accept what was asked
	Wrong   Kind = "wrong"   // an answer that cannot be used: cut off, too few log-probabilities, not finite
	Slow    Kind = "slow"    // a future that never finishes
	Failed  Kind = "failed"  // the server says that it failed
	lost    Kind = "lost"    // the model or its session are gone; the client restores them
	unsure  Kind = "unsure"  // whether a training request was taken is not known; the client restores
)

// Error is a failure of a server, after everything that the client tries.
type Error struct {
	Kind   Kind
	Server string // its address, without user and key
	Doing  string // what was asked
	Status int    // of HTTP, 0 when there was no answer
	Reason string
	Next   string // what to do
	err    error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s: %s", e.Server, e.Doing, e.Reason)
	if e.Next != "" {
		s += "; " + e.Next
	}
	return s
}

func (e *Error) Unwrap() error { return e.err }

// KindOf is the kind of an error of a server, "" of any other.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// DataError is an array that must not be sent: servers train on wrong ones
// without a word.
type DataError struct {
	Datum  int
	Reason string
}

func (e *DataError) Error() string {
	return fmt.Sprintf("datum %d cannot be trained on: %s", e.Datum, e.Reason)
}

// next is what to do about an error of a kind.
func next(k Kind) string {
	switch k {
	case Absent:
		return "see that the server runs and that the address is right"
	case Refused:
		return "set " + KeyVariable + " (or " + KeyVariable + "_FILE) to a key that the server takes"
	case Foreign:
		return "docs/engines.md lists the servers that breakfix speaks with"
	case Missing:
		return "breakfix engine probe shows what the server has"
	case Slow:
		return "look at the server's log, then start again"
	case Wrong, Failed:
		return "look at the server's log; breakfix engine probe tests the server on a scratch model"
	}
	return ""
}

// excerpt is the beginning of what a server said, on one line.
func excerpt(body []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 2000)]), "?")), " ")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}
