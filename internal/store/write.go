package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"breakfix/internal/outcome"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// curriculum is the name of the job whose state PutState keeps.
const curriculum = "curriculum"

// PutEpisode records one episode; see PutRound.
func (s *Store) PutEpisode(ctx context.Context, e Episode) error {
	return s.PutRound(ctx, []Episode{e}, nil)
}

// PutRound records episodes and the curriculum's state after them (nil leaves
// it) in one transaction: all is on disk when it returns nil, and nothing when
// it does not. An episode number that is recorded already is an error
// (ErrTwice). The evidence digests are computed here. Which rewards exist
// follows from the outcomes (see Rewards); their values are those of the
// episodes.
func (s *Store) PutRound(ctx context.Context, episodes []Episode, state json.RawMessage) error {
	return s.change(ctx, "store a round", func(tx *sql.Tx) error {
		for _, e := range episodes {
			if err := putEpisode(ctx, tx, e); err != nil {
				return fmt.Errorf("episode %d: %w", e.Number, err)
			}
		}
		if state == nil {
			return nil
		}
		return putState(ctx, tx, state)
	})
}

// PutState keeps the curriculum's state.
func (s *Store) PutState(ctx context.Context, state json.RawMessage) error {
	return s.change(ctx, "store the curriculum's state", func(tx *sql.Tx) error { return putState(ctx, tx, state) })
}

func putState(ctx context.Context, tx *sql.Tx, state json.RawMessage) error {
	if !json.Valid(state) {
		return errors.New("the curriculum's state is not JSON")
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO jobs (name, state) VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state`, curriculum, string(state))
	if err != nil {
		return err
	}
	return putMeta(ctx, tx, stateKey, StateEvidence(state))
}

// PutMeta keeps a value under a key, in place of an older one: what describes
// the run as a whole and grows with it, such as MetaTotals.
func (s *Store) PutMeta(ctx context.Context, key string, value json.RawMessage) error {
	if key == "format" || strings.HasPrefix(key, baselineKey) {
		return fmt.Errorf("meta key %q belongs to the store", key)
	}
	return s.change(ctx, "store "+key, func(tx *sql.Tx) error {
		if !json.Valid(value) {
			return fmt.Errorf("the value of %q is not JSON", key)
		}
		return putMeta(ctx, tx, key, string(value))
	})
}

func putMeta(ctx context.Context, tx *sql.Tx, key, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`, key, value)
	return err
}

// stateKey is the meta key of the evidence of the curriculum's state.
const stateKey = "evidence.curriculum"

// baselineKey and the source's number is the meta key of a baseline's evidence.
const baselineKey = "baseline."

// PutBaseline records the verdicts of a source's baseline, flaky tests left
// out. It is recorded once: a resumed run goes on with the one it has.
func (s *Store) PutBaseline(ctx context.Context, source int, results outcome.Results) error {
	return s.change(ctx, "store the baseline", func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM meta WHERE key = ?`, baselineKey+strconv.Itoa(source)).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return &RunError{Kind: ErrTwice, Reason: fmt.Sprintf("the baseline of source %d is recorded already", source), Next: "read it instead of measuring it again"}
		}
		clean := make(outcome.Results, len(results))
		for test, v := range results {
			clean[text(test)] = v
		}
		if err := insertVerdicts(ctx, tx, `INSERT INTO baseline (source, test, verdict) VALUES (?, ?, ?)`, Verdicts(clean), source); err != nil {
			return err
		}
		return putMeta(ctx, tx, baselineKey+strconv.Itoa(source), BaselineEvidence(clean))
	})
}

// change runs f in a transaction.
func (s *Store) change(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	tx, err := s.begin(ctx)
	if err == nil {
		if err = f(tx); err == nil {
			err = tx.Commit()
		} else {
			tx.Rollback()
		}
	}
	return s.explain(doing, err)
}

func putEpisode(ctx context.Context, tx *sql.Tx, e Episode) error {
	if e.Number < 1 {
		return errors.New("episodes are numbered from 1")
	}
	e = readable(e)
	rewards, err := Rewards(e)
	if err != nil {
		return err
	}
	b := e.Break
	_, err = tx.ExecContext(ctx, `INSERT INTO episodes (episode, kind, source, seed, group_size, reward_schema, outcome, failed_check, reason,
		checks, version, operators, variant, path, function, line, diff, bug, bug_order, parents, weight, minutes, red, hidden,
		minimal_test, statements, statements_before, original, runs, data, seconds, notices, evidence)
		VALUES (?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?)`,
		e.Number, e.Kind, e.Source, strconv.FormatUint(e.Seed, 10), e.Group, e.Schema, string(b.Outcome), string(b.Check), b.Reason,
		list(b.Checks), b.Version, list(b.Operators), b.Variant, b.Path, b.Function, b.Line, b.Diff, b.Bug, b.Order, list(b.Parents), b.Weight, b.Minutes, list(b.Red), list(b.Hidden),
		b.MinimalTest, b.Statements, b.StatementsBefore, b.Original, len(b.Runs), string(b.Data), list(e.Seconds), list(e.Notices), BreakEvidence(e))
	var se *sqlite.Error
	if errors.As(err, &se) && se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return &RunError{Kind: ErrTwice, Reason: fmt.Sprintf("episode %d is recorded already", e.Number)}
	}
	if err != nil {
		return err
	}
	const verdicts = `INSERT INTO verdicts (episode, attempt, run, test, verdict) VALUES (?, ?, ?, ?, ?)`
	for i, r := range b.Runs {
		if err := insertVerdicts(ctx, tx, verdicts, r, e.Number, 0, i+1); err != nil {
			return err
		}
	}
	for i, t := range b.Tiers {
		if err := putTier(ctx, tx, e.Number, 0, i+1, t); err != nil {
			return err
		}
	}
	for _, a := range e.Attempts {
		if a.Number < 1 {
			return errors.New("attempts are numbered from 1")
		}
		if err := putAttempt(ctx, tx, e.Number, a); err != nil {
			return fmt.Errorf("attempt %d: %w", a.Number, err)
		}
		if err := insertVerdicts(ctx, tx, verdicts, a.Verdicts, e.Number, a.Number, 1); err != nil {
			return err
		}
		if err := putTier(ctx, tx, e.Number, a.Number, 1, a.Tier); err != nil {
			return err
		}
	}
	stored := map[int]float64{0: b.Reward}
	for _, a := range e.Attempts {
		stored[a.Number] = a.Reward
	}
	for _, r := range rewards {
		if _, err := tx.ExecContext(ctx, `INSERT INTO rewards (episode, attempt, role, value) VALUES (?, ?, ?, ?)`, e.Number, r.Attempt, r.Role, stored[r.Attempt]); err != nil {
			return err
		}
	}
	return nil
}

func putTier(ctx context.Context, tx *sql.Tx, episode, attempt, run int, tier string) error {
	if tier == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO tiers (episode, attempt, run, tier) VALUES (?, ?, ?, ?)`, episode, attempt, run, tier)
	return err
}

func putAttempt(ctx context.Context, tx *sql.Tx, episode int, a Attempt) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO attempts (episode, attempt, version, outcome, patch, tree, spurious, judged, suspicious, data, evidence)
		VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
		episode, a.Number, a.Version, string(a.Outcome), a.Patch, a.Tree, flag(a.Spurious), flag(a.Judged), list(a.Suspicious), string(a.Data), AttemptEvidence(episode, a))
	if err != nil {
		return err
	}
	for g, v := range a.Gates {
		if _, err := tx.ExecContext(ctx, `INSERT INTO gates (episode, attempt, gate, result) VALUES (?,?,?,?)`, episode, a.Number, string(g), v); err != nil {
			return err
		}
	}
	for _, t := range a.Steps {
		_, err := tx.ExecContext(ctx, `INSERT INTO steps (episode, attempt, step, edited_step, what, diff, applied, verdict, failure, cached, version)
			VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
			episode, a.Number, t.Number, t.From, t.What, t.Diff, flag(t.Applied), string(t.Verdict), t.Failure, flag(t.Cached), t.Version)
		if err != nil {
			return fmt.Errorf("step %d: %w", t.Number, err)
		}
	}
	return nil
}

// insertVerdicts inserts one row a test; query takes the keys, the test and
// the verdict.
func insertVerdicts(ctx context.Context, tx *sql.Tx, query string, v Verdicts, keys ...any) error {
	if len(v) == 0 {
		return nil
	}
	insert, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer insert.Close()
	tests := make([]string, 0, len(v))
	for test := range v {
		tests = append(tests, test)
	}
	sort.Strings(tests)
	for _, test := range tests {
		if _, err := insert.ExecContext(ctx, append(append([]any{}, keys...), test, string(v[test]))...); err != nil {
			return fmt.Errorf("verdict of %s: %w", test, err)
		}
	}
	return nil
}

// list renders a list or a map of strings or numbers as JSON.
func list(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: %T does not marshal: %v", v, err))
	}
	return string(b)
}

// readable returns e with every test id valid UTF-8, so that an id is the same
// in a row of its own and inside a JSON list.
func readable(e Episode) Episode {
	b := &e.Break
	b.Red, b.Hidden, b.MinimalTest = texts(b.Red), texts(b.Hidden), text(b.MinimalTest)
	b.Operators, b.Parents, e.Notices = texts(b.Operators), texts(b.Parents), texts(e.Notices)
	runs := b.Runs
	b.Runs = nil
	for _, r := range runs {
		b.Runs = append(b.Runs, r.readable())
	}
	if b.Checks != nil {
		checks := make(map[outcome.Check]string, len(b.Checks))
		for c, v := range b.Checks {
			checks[c] = text(v)
		}
		b.Checks = checks
	}
	attempts := e.Attempts
	e.Attempts = nil
	for _, a := range attempts {
		a.Verdicts, a.Suspicious = a.Verdicts.readable(), texts(a.Suspicious)
		e.Attempts = append(e.Attempts, a)
	}
	return e
}

func (v Verdicts) readable() Verdicts {
	clean := make(Verdicts, len(v))
	for test, verdict := range v {
		clean[text(test)] = verdict
	}
	return clean
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func texts(ss []string) []string {
	if ss == nil {
		return nil
	}
	clean := make([]string, len(ss))
	for i, s := range ss {
		clean[i] = text(s)
	}
	return clean
}
