package report_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/report"
	"breakfix/internal/store"

	_ "modernc.org/sqlite"
	"pgregory.net/rapid"
)

func tctx() context.Context { return context.Background() }

func TestASoundRunReplaysWithoutDifference(t *testing.T) {
	differences, err := report.Replay(t.Context(), openSynthetic(t, 40))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Error(d)
	}
}

// One row is changed, added or removed by hand: which one, and how, is drawn.
// Every one of these must be found, and each must really change something.
func TestAnySingleRowChangedByHandIsFound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	synthetic(t, dir, 7, 30)
	whole, err := os.ReadFile(filepath.Join(dir, "run.db"))
	if err != nil {
		t.Fatal(err)
	}
	type mutation struct{ table, set, where string }
	mutations := []mutation{
		{"verdicts", "verdict = CASE verdict WHEN 'passed' THEN 'failed' ELSE 'passed' END", ""},
		{"verdicts", "verdict = CASE verdict WHEN 'skipped' THEN 'absent' ELSE 'skipped' END", ""},
		{"verdicts", "test = test || 'x'", ""},
		{"verdicts", "run = run + 7", ""},
		{"verdicts", "attempt = attempt + 1", "NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.episode = verdicts.episode AND v.attempt = verdicts.attempt + 1 AND v.run = verdicts.run AND v.test = verdicts.test)"},
		{"verdicts", "", ""},
		{"baseline", "verdict = CASE verdict WHEN 'passed' THEN 'failed' ELSE 'passed' END", ""},
		{"baseline", "source = 3", ""},
		{"baseline", "", ""},
		{"episodes", "outcome = CASE outcome WHEN 'valid' THEN 'unnoticed' ELSE 'valid' END", ""},
		{"episodes", "outcome = CASE outcome WHEN 'rejected' THEN 'flaky' ELSE 'rejected' END", ""},
		{"episodes", "red = '[]'", "outcome = 'valid'"},
		{"episodes", "red = 'cut off'", ""},
		{"episodes", "weight = weight + 0.1", ""},
		{"episodes", "reward_schema = 'shared'", ""},
		{"episodes", "runs = runs + 1", ""},
		{"episodes", "evidence = ''", ""},
		{"episodes", "operators = '[\"other\"]'", ""},
		{"episodes", "reason = reason || 'x', path = path || 'x'", ""},
		{"episodes", "variant = variant || 'x', function = function || 'x'", ""},
		{"episodes", "line = line + 1", ""},
		{"episodes", "minutes = minutes + 1", ""},
		{"episodes", "statements = statements + 1", ""},
		{"episodes", "version = version || 'x'", ""},
		{"attempts", "version = version || 'x'", ""},
		{"attempts", "judged = 2", ""},
		{"steps", "version = version || 'x'", ""},
		{"steps", "cached = 2", ""},
		{"attempts", "outcome = CASE outcome WHEN 'fixed' THEN 'wrong' ELSE 'fixed' END", ""},
		{"attempts", "outcome = CASE outcome WHEN 'gave_up' THEN 'out_of_steps' ELSE 'gave_up' END", ""},
		{"attempts", "spurious = 1 - spurious", ""},
		{"attempts", "evidence = 'x'", ""},
		{"attempts", "", ""},
		{"gates", "result = CASE result WHEN 'passed' THEN 'objects' ELSE 'passed' END", ""},
		{"gates", "", ""},
		{"steps", "verdict = CASE verdict WHEN 'passed' THEN 'failed' ELSE 'passed' END", ""},
		{"rewards", "value = value + 0.05", ""},
		{"rewards", "value = -value", "value <> 0"},
		{"rewards", "role = 'judge'", ""},
		{"rewards", "", ""},
	}
	inserts := []string{
		`INSERT INTO verdicts SELECT episode, attempt, run, 'tests/test_a.py::new', 'passed' FROM verdicts`,
		`INSERT INTO verdicts SELECT episode, attempt, run, 'tests/test_a.py::test_skip', 'skipped' FROM verdicts`,
		`INSERT INTO verdicts SELECT episode, attempt, 9, test, verdict FROM verdicts`,
		`INSERT INTO verdicts SELECT episode + 1000, attempt, run, test, verdict FROM verdicts`,
		`INSERT INTO verdicts SELECT episode, 88, run, test, verdict FROM verdicts`,
		`INSERT INTO gates SELECT episode, attempt, 'new', 'passed' FROM gates`,
		`INSERT INTO rewards SELECT episode, 77, role, value FROM rewards`,
		`INSERT INTO rewards SELECT episode, attempt, 'judge', value FROM rewards`,
		`INSERT INTO baseline SELECT source, test || 'x', verdict FROM baseline`,
		`INSERT INTO attempts SELECT episode, attempt + 50, version, outcome, patch, tree, spurious, judged, suspicious, data, evidence FROM attempts`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		for _, f := range []string{"run.db-wal", "run.db-shm"} {
			os.Remove(filepath.Join(dir, f))
		}
		if err := os.WriteFile(filepath.Join(dir, "run.db"), whole, 0o644); err != nil {
			rt.Fatal(err)
		}
		i := rapid.IntRange(0, len(mutations)+len(inserts)-1).Draw(rt, "mutation")
		pick := rapid.IntRange(0, 1<<20).Draw(rt, "row")
		db, err := sql.Open("sqlite", filepath.Join(dir, "run.db")) // as the sqlite3 shell does: no foreign keys
		if err != nil {
			rt.Fatal(err)
		}
		var statement string
		if i < len(mutations) {
			m := mutations[i]
			where := m.where
			if where == "" {
				where = "1"
			}
			columns := map[string]string{"verdicts": "episode, attempt, run, test", "baseline": "source, test", "episodes": "episode", "attempts": "episode, attempt",
				"gates": "episode, attempt, gate", "steps": "episode, attempt, step", "rewards": "episode, attempt, role"}[m.table]
			if m.table == "baseline" && m.set == "source = 3" {
				where = "source = 0"
			}
			row := fmt.Sprintf(`(%[1]s) = (SELECT %[1]s FROM %[2]s WHERE %[3]s ORDER BY %[1]s LIMIT 1 OFFSET %[4]d %% (SELECT count(*) FROM %[2]s WHERE %[3]s))`, columns, m.table, where, pick)
			statement = fmt.Sprintf("UPDATE %s SET %s WHERE %s", m.table, m.set, row)
			if m.set == "" {
				statement = fmt.Sprintf("DELETE FROM %s WHERE %s", m.table, row)
			}
		} else {
			from := inserts[i-len(mutations)]
			table := from[strings.LastIndex(from, " ")+1:]
			statement = fmt.Sprintf("%s LIMIT 1 OFFSET %d %% (SELECT count(*) FROM %s)", from, pick, table)
		}
		res, err := db.Exec(statement)
		if err == nil {
			if n, _ := res.RowsAffected(); n != 1 {
				err = fmt.Errorf("%d rows changed", n)
			}
		}
		if err != nil {
			rt.Fatalf("%s: %v", statement, err)
		}
		db.Close()
		s, err := store.Open(dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		differences, err := report.Replay(tctx(), s)
		if err != nil {
			rt.Fatalf("%s: %v", statement, err)
		}
		if len(differences) == 0 {
			rt.Fatalf("not found: %s", statement)
		}
	})
}

func TestADifferenceNamesEpisodeAttemptAndBothValues(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	synthetic(t, dir, 7, 5)
	db, err := sql.Open("sqlite", filepath.Join(dir, "run.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE rewards SET value = 0.75 WHERE episode = 3 AND attempt = 2`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE verdicts SET verdict = 'passed' WHERE episode = 1 AND attempt = 0 AND verdict = 'failed'`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	differences, err := report.Replay(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range differences {
		all = append(all, d.String())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"episode 3, attempt 2: reward of the fixer: stored 0.75, recomputed ",
		"episode 1: evidence of the break: stored ", "episode 1: red set: stored tests/test_a.py::test_01, tests/test_a.py::test_06, recomputed tests/test_a.py::test_06"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in:\n%s", want, text)
		}
	}
}
