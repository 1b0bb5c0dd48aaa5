package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"breakfix/internal/outcome"
)

// Numbers returns the numbers of the recorded episodes, ascending.
func (s *Store) Numbers(ctx context.Context) ([]int, error) {
	numbers, err := query(ctx, s.r, `SELECT episode FROM episodes ORDER BY episode`, nil, func(scan scanner) (n int, err error) {
		err = scan(&n)
		return n, err
	})
	return numbers, s.explain("list the episodes", err)
}

// Episodes iterates over the episodes that are recorded when it starts, in
// order. It ends after the first error.
func (s *Store) Episodes(ctx context.Context) iter.Seq2[Episode, error] {
	return func(yield func(Episode, error) bool) {
		numbers, err := s.Numbers(ctx)
		if err != nil {
			yield(Episode{}, err)
			return
		}
		for _, n := range numbers {
			e, err := s.Episode(ctx, n)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Episode returns one episode as it was recorded: lists and maps that were
// empty come back empty or nil. The error is ErrAbsent when there is none.
func (s *Store) Episode(ctx context.Context, number int) (Episode, error) {
	tx, err := s.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Episode{}, s.explain("read an episode", err)
	}
	defer tx.Rollback()
	e, err := readEpisode(ctx, tx, number)
	if errors.Is(err, sql.ErrNoRows) {
		return Episode{}, absent("run %s has no episode %d", s.run.Name, number)
	}
	return e, s.explain(fmt.Sprintf("read episode %d", number), err)
}

func readEpisode(ctx context.Context, tx *sql.Tx, number int) (Episode, error) {
	e := Episode{Number: number}
	b := &e.Break
	var seed, out, check, checks, operators, parents, red, hidden, data, seconds, notices string
	var runs int
	err := tx.QueryRowContext(ctx, `SELECT kind, source, seed, group_size, reward_schema, outcome, failed_check, reason, checks, version, operators,
		variant, path, function, line, diff, bug, bug_order, parents, weight, minutes, red, hidden, minimal_test, statements, statements_before,
		original, runs, data, seconds, notices, evidence FROM episodes WHERE episode = ?`, number).Scan(
		&e.Kind, &e.Source, &seed, &e.Group, &e.Schema, &out, &check, &b.Reason, &checks, &b.Version, &operators,
		&b.Variant, &b.Path, &b.Function, &b.Line, &b.Diff, &b.Bug, &b.Order, &parents, &b.Weight, &b.Minutes, &red, &hidden, &b.MinimalTest, &b.Statements, &b.StatementsBefore,
		&b.Original, &runs, &data, &seconds, &notices, &b.Evidence)
	if err != nil {
		return Episode{}, err
	}
	b.Outcome, b.Check, b.Data = outcome.Break(out), outcome.Check(check), raw(data)
	var errs []error
	e.Seed, err = strconv.ParseUint(seed, 10, 64)
	errs = append(errs, err)
	for _, l := range []struct {
		from string
		to   any
	}{{checks, &b.Checks}, {operators, &b.Operators}, {parents, &b.Parents}, {red, &b.Red}, {hidden, &b.Hidden}, {seconds, &e.Seconds}, {notices, &e.Notices}} {
		errs = append(errs, json.Unmarshal([]byte(l.from), l.to))
	}
	if err := errors.Join(errs...); err != nil {
		return Episode{}, damaged(number, err)
	}
	verdicts, last, err := readVerdicts(ctx, tx, number)
	if err != nil {
		return Episode{}, err
	}
	// A run whose every test was as on the base has no rows.
	for i := 1; i <= max(runs, last); i++ {
		v := verdicts[[2]int{0, i}]
		if v == nil {
			v = Verdicts{}
		}
		b.Runs = append(b.Runs, v)
	}
	tiers, err := readTiers(ctx, tx, number)
	if err != nil {
		return Episode{}, err
	}
	for i := 1; i <= last; i++ {
		if t, ok := tiers[[2]int{0, i}]; ok {
			b.Tiers = append(b.Tiers, t)
		}
	}
	if e.Attempts, err = readAttempts(ctx, tx, number, verdicts, tiers); err != nil {
		return Episode{}, err
	}
	rows, err := readRewards(ctx, tx, number)
	if err != nil {
		return Episode{}, err
	}
	setRewards(&e, rows)
	return e, nil
}

// maxRuns bounds how many runs a break may have, so that a row changed by hand
// cannot make reading it endless.
const maxRuns = 1000

// readVerdicts returns the verdicts by attempt and run, and the break's last run.
func readVerdicts(ctx context.Context, tx *sql.Tx, number int) (map[[2]int]Verdicts, int, error) {
	type row struct {
		attempt, run  int
		test, verdict string
	}
	rows, err := query(ctx, tx, `SELECT attempt, run, test, verdict FROM verdicts WHERE episode = ?`, []any{number}, func(scan scanner) (r row, err error) {
		err = scan(&r.attempt, &r.run, &r.test, &r.verdict)
		return r, err
	})
	if err != nil {
		return nil, 0, err
	}
	verdicts, last := map[[2]int]Verdicts{}, 0
	for _, r := range rows {
		if r.attempt == 0 && r.run <= maxRuns {
			last = max(last, r.run)
		}
		key := [2]int{r.attempt, r.run}
		if verdicts[key] == nil {
			verdicts[key] = Verdicts{}
		}
		verdicts[key][r.test] = outcome.Verdict(r.verdict)
	}
	return verdicts, last, nil
}

// readTiers returns the tier by attempt and run; nothing of a run that was
// written before they were stored.
func readTiers(ctx context.Context, tx *sql.Tx, number int) (map[[2]int]string, error) {
	var there int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name = 'tiers'`).Scan(&there); err != nil || there == 0 {
		return nil, err
	}
	tiers := map[[2]int]string{}
	_, err := query(ctx, tx, `SELECT attempt, run, tier FROM tiers WHERE episode = ?`, []any{number}, func(scan scanner) (none struct{}, err error) {
		var attempt, run int
		var tier string
		err = scan(&attempt, &run, &tier)
		tiers[[2]int{attempt, run}] = tier
		return none, err
	})
	return tiers, err
}

func readAttempts(ctx context.Context, tx *sql.Tx, number int, verdicts map[[2]int]Verdicts, tiers map[[2]int]string) ([]Attempt, error) {
	attempts, err := query(ctx, tx, `SELECT attempt, version, outcome, patch, tree, spurious, judged, suspicious, data, evidence
		FROM attempts WHERE episode = ? ORDER BY attempt`, []any{number}, func(scan scanner) (a Attempt, err error) {
		var out, suspicious, data string
		if err := scan(&a.Number, &a.Version, &out, &a.Patch, &a.Tree, truth{number, &a.Spurious}, truth{number, &a.Judged}, &suspicious, &data, &a.Evidence); err != nil {
			return a, err
		}
		a.Outcome, a.Data = outcome.Attempt(out), raw(data)
		if err := json.Unmarshal([]byte(suspicious), &a.Suspicious); err != nil {
			return a, damaged(number, err)
		}
		a.Verdicts = verdicts[[2]int{a.Number, 1}]
		a.Tier = tiers[[2]int{a.Number, 1}]
		return a, nil
	})
	if err != nil {
		return nil, err
	}
	at := map[int]*Attempt{}
	for i := range attempts {
		at[attempts[i].Number] = &attempts[i]
	}
	// Rows of attempts that do not exist are found by Stray.
	_, err = query(ctx, tx, `SELECT attempt, gate, result FROM gates WHERE episode = ?`, []any{number}, func(scan scanner) (none struct{}, err error) {
		var n int
		var gate, result string
		if err := scan(&n, &gate, &result); err != nil {
			return none, err
		}
		if a := at[n]; a != nil {
			if a.Gates == nil {
				a.Gates = map[outcome.Gate]string{}
			}
			a.Gates[outcome.Gate(gate)] = result
		}
		return none, nil
	})
	if err != nil {
		return nil, err
	}
	_, err = query(ctx, tx, `SELECT attempt, step, edited_step, what, diff, applied, verdict, failure, cached, version
		FROM steps WHERE episode = ? ORDER BY attempt, step`, []any{number}, func(scan scanner) (none struct{}, err error) {
		var n int
		var t Step
		var verdict string
		if err := scan(&n, &t.Number, &t.From, &t.What, &t.Diff, truth{number, &t.Applied}, &verdict, &t.Failure, truth{number, &t.Cached}, &t.Version); err != nil {
			return none, err
		}
		t.Verdict = outcome.Verdict(verdict)
		if a := at[n]; a != nil {
			a.Steps = append(a.Steps, t)
		}
		return none, nil
	})
	return attempts, err
}

// Rewards returns the reward rows of an episode as they are stored, the
// break's first.
func (s *Store) Rewards(ctx context.Context, number int) ([]Reward, error) {
	rows, err := readRewards(ctx, s.r, number)
	return rows, s.explain("read the rewards", err)
}

func readRewards(ctx context.Context, q querier, number int) ([]Reward, error) {
	return query(ctx, q, `SELECT attempt, role, value FROM rewards WHERE episode = ? ORDER BY attempt, role`, []any{number}, func(scan scanner) (r Reward, err error) {
		err = scan(&r.Attempt, &r.Role, &r.Value)
		return r, err
	})
}

// Baseline returns the recorded baseline of a source and its evidence as
// stored. The error is ErrAbsent when there is none.
func (s *Store) Baseline(ctx context.Context, source int) (outcome.Results, string, error) {
	evidence, err := s.meta(ctx, baselineKey+strconv.Itoa(source))
	if err != nil {
		return nil, "", err
	}
	results := outcome.Results{}
	_, err = query(ctx, s.r, `SELECT test, verdict FROM baseline WHERE source = ?`, []any{source}, func(scan scanner) (none struct{}, err error) {
		var test, verdict string
		err = scan(&test, &verdict)
		results[test] = outcome.Verdict(verdict)
		return none, err
	})
	if err != nil {
		return nil, "", s.explain("read the baseline", err)
	}
	if evidence == "" && len(results) == 0 {
		return nil, "", absent("run %s has no baseline of source %d", s.run.Name, source)
	}
	return results, evidence, nil
}

// BaselineSources returns the sources of which there is a baseline, or a row
// of one, ascending.
func (s *Store) BaselineSources(ctx context.Context) ([]int, error) {
	sources, err := query(ctx, s.r, `SELECT source FROM baseline UNION SELECT CAST(substr(key, ?) AS INTEGER) FROM meta WHERE key LIKE ? ORDER BY 1`,
		[]any{len(baselineKey) + 1, baselineKey + "%"}, func(scan scanner) (n int, err error) {
			err = scan(&n)
			return n, err
		})
	return sources, s.explain("list the baselines", err)
}

// State returns the curriculum's state, nil when none was kept.
func (s *Store) State(ctx context.Context) (json.RawMessage, error) {
	var state string
	err := s.r.QueryRowContext(ctx, `SELECT state FROM jobs WHERE name = ?`, curriculum).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return raw(state), s.explain("read the curriculum's state", err)
}

// StoredStateEvidence returns the evidence that was stored with the
// curriculum's state, "" when there is none.
func (s *Store) StoredStateEvidence(ctx context.Context) (string, error) {
	return s.meta(ctx, stateKey)
}

// Meta returns what PutMeta kept under key, nil when nothing was.
func (s *Store) Meta(ctx context.Context, key string) (json.RawMessage, error) {
	value, err := s.meta(ctx, key)
	return raw(value), err
}

func (s *Store) meta(ctx context.Context, key string) (string, error) {
	var value string
	err := s.r.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, s.explain("read "+key, err)
}

// Stray describes rows that belong to no episode or attempt, which only a
// change by hand leaves. Sorted; empty in a sound run.
func (s *Store) Stray(ctx context.Context) ([]StrayRow, error) {
	const noEpisode = `episode NOT IN (SELECT episode FROM episodes)`
	const noAttempt = `attempt <> 0 AND (episode, attempt) NOT IN (SELECT episode, attempt FROM attempts)`
	var stray []StrayRow
	for _, t := range []struct{ table, where string }{
		{"attempts", noEpisode},
		{"gates", noEpisode + " OR attempt = 0 OR " + noAttempt},
		{"rewards", noEpisode + " OR " + noAttempt},
		{"steps", noEpisode + " OR attempt = 0 OR " + noAttempt},
		{"verdicts", noEpisode + " OR " + noAttempt + " OR run < 1 OR attempt <> 0 AND run <> 1 OR run > " + strconv.Itoa(maxRuns)},
	} {
		rows, err := query(ctx, s.r, `SELECT DISTINCT episode, attempt FROM `+t.table+` WHERE `+t.where+` ORDER BY 1, 2`, nil, func(scan scanner) (r StrayRow, err error) {
			r.Table = t.table
			err = scan(&r.Episode, &r.Attempt)
			return r, err
		})
		if err != nil {
			return nil, s.explain("look for stray rows", err)
		}
		stray = append(stray, rows...)
	}
	return stray, nil
}

// StrayRow names rows of a table that belong to nothing.
type StrayRow struct {
	Table            string
	Episode, Attempt int
}

type scanner func(...any) error

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// query calls read for each row and returns what it gives.
func query[T any](ctx context.Context, q querier, text string, args []any, read func(scanner) (T, error)) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

func damaged(episode int, err error) error {
	return &RunError{Kind: ErrDamaged, Reason: fmt.Sprintf("episode %d was changed by hand or is damaged", episode), Next: "restore " + dbFile + " from a copy", Err: err}
}

func raw(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}
