package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
	"sort"

	"breakfix/internal/outcome"
)

// BreakEvidence is the digest over everything that a break's outcome and
// reward rest on, and what is said of it: the verdict rows of its runs, its
// outcome, red set, diff and weight, where and how it was made, and how many
// attempts followed. Only times and what was shown are left out. PutRound stores it; replay computes
// it again, and a difference shows that a row was changed, added or removed.
func BreakEvidence(e Episode) string {
	h := newHashing("break 2")
	b := e.Break
	h.text(e.Kind, e.Schema, string(b.Outcome), string(b.Check), b.Bug, b.MinimalTest, b.Diff)
	h.number(e.Number, e.Source, e.Group, b.Order, len(e.Attempts), len(b.Runs))
	h.bits(math.Float64bits(b.Weight))
	h.bits(e.Seed)
	h.list(b.Red)
	h.list(b.Hidden)
	h.list(b.Parents)
	for _, r := range b.Runs {
		h.verdicts(r)
	}
	checks := make(map[string]string, len(b.Checks))
	for c, v := range b.Checks {
		checks[string(c)] = v
	}
	h.pairs(checks)
	h.text(b.Reason, b.Version, b.Variant, b.Path, b.Function, b.Original, string(b.Data))
	h.number(b.Line, b.Statements, b.StatementsBefore)
	h.bits(math.Float64bits(b.Minutes))
	h.list(b.Operators)
	return h.sum()
}

// AttemptEvidence is the same for one attempt: the verdict rows of its
// grading, its gates, outcome, patch and steps.
func AttemptEvidence(episode int, a Attempt) string {
	h := newHashing("attempt 2")
	h.text(string(a.Outcome), a.Patch, a.Tree, a.Version, string(a.Data))
	h.number(episode, a.Number, len(a.Steps), flag(a.Spurious), flag(a.Judged))
	h.list(a.Suspicious)
	gates := make(map[string]string, len(a.Gates))
	for g, v := range a.Gates {
		gates[string(g)] = v
	}
	h.pairs(gates)
	h.verdicts(a.Verdicts)
	for _, s := range a.Steps {
		h.number(s.Number, s.From, flag(s.Applied))
		h.text(s.What, s.Diff, string(s.Verdict), s.Failure, s.Version)
	}
	return h.sum()
}

// BaselineEvidence is the digest over the baseline of one source.
func BaselineEvidence(results outcome.Results) string {
	h := newHashing("baseline 1")
	h.verdicts(Verdicts(results))
	return h.sum()
}

// StateEvidence is the digest over the curriculum's state, "" for none.
func StateEvidence(state json.RawMessage) string {
	if len(state) == 0 {
		return ""
	}
	h := newHashing("state 1")
	h.text(string(state))
	return h.sum()
}

// hashing writes fields so that no two different sequences give the same bytes:
// every text is preceded by its length, every list by its count.
type hashing struct{ hash.Hash }

func newHashing(kind string) hashing {
	h := hashing{sha256.New()}
	h.text(kind)
	return h
}

func (h hashing) sum() string { return hex.EncodeToString(h.Sum(nil)) }

func (h hashing) bits(n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	h.Write(b[:])
}

func (h hashing) number(ns ...int) {
	for _, n := range ns {
		h.bits(uint64(n))
	}
}

func (h hashing) text(ss ...string) {
	for _, s := range ss {
		h.number(len(s))
		h.Write([]byte(s))
	}
}

func (h hashing) list(ss []string) {
	h.number(len(ss))
	h.text(ss...)
}

func (h hashing) pairs(m map[string]string) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	h.number(len(keys))
	for _, k := range keys {
		h.text(k, m[k])
	}
}

func (h hashing) verdicts(v Verdicts) {
	m := make(map[string]string, len(v))
	for test, verdict := range v {
		m[test] = string(verdict)
	}
	h.pairs(m)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
