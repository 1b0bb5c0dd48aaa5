package store

// Format is the version of the run folder that this program writes. It reads
// this one and those before it.
const Format = 1

// tiers is made when an older run is opened for writing, too.
const tiers = `
CREATE TABLE IF NOT EXISTS tiers (
  episode INTEGER NOT NULL,
  attempt INTEGER NOT NULL,         -- 0: the break
  run     INTEGER NOT NULL,         -- 1-based, as in verdicts
  tier    TEXT NOT NULL,            -- the slowest tier that ran some of it; none: all was known
  PRIMARY KEY (episode, attempt, run)
) STRICT, WITHOUT ROWID;
`

// schema makes run.db. Tables are strict, and every fact is in one column:
// nothing is kept twice, so that a person's query and replay see the same.
// Attempt 0 is the break.
var schema = `
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  name  TEXT PRIMARY KEY,           -- 'curriculum': what waits to be played
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE baseline (
  source  INTEGER NOT NULL,
  test    TEXT NOT NULL,
  verdict TEXT NOT NULL,
  PRIMARY KEY (source, test)
) STRICT, WITHOUT ROWID;

CREATE TABLE episodes (
  episode           INTEGER PRIMARY KEY,
  kind              TEXT NOT NULL,  -- fresh, higher_order, replay
  source            INTEGER NOT NULL,
  seed              TEXT NOT NULL,  -- unsigned 64 bits, which SQLite has no type for
  group_size        INTEGER NOT NULL,
  reward_schema     TEXT NOT NULL,
  outcome           TEXT NOT NULL,
  failed_check      TEXT NOT NULL,
  reason            TEXT NOT NULL,
  checks            TEXT NOT NULL,  -- object: check to 'passed' or the reason
  version           TEXT NOT NULL,
  operators         TEXT NOT NULL,  -- list
  variant           TEXT NOT NULL,
  path              TEXT NOT NULL,
  function          TEXT NOT NULL,
  line              INTEGER NOT NULL,
  diff              TEXT NOT NULL,
  bug               TEXT NOT NULL,  -- id, '' when there is none
  bug_order         INTEGER NOT NULL,
  parents           TEXT NOT NULL,  -- list
  weight            REAL NOT NULL,
  minutes           REAL NOT NULL,
  red               TEXT NOT NULL,  -- list
  hidden            TEXT NOT NULL,  -- list, null when not recorded
  minimal_test      TEXT NOT NULL,
  statements        INTEGER NOT NULL,
  statements_before INTEGER NOT NULL,
  original          TEXT NOT NULL,  -- blob
  runs              INTEGER NOT NULL,
  data              TEXT NOT NULL,  -- the policy's own
  seconds           TEXT NOT NULL,  -- object: phase to seconds
  notices           TEXT NOT NULL,  -- list
  evidence          TEXT NOT NULL
) STRICT;

CREATE TABLE attempts (
  episode    INTEGER NOT NULL REFERENCES episodes,
  attempt    INTEGER NOT NULL,      -- 1-based
  version    TEXT NOT NULL,
  outcome    TEXT NOT NULL,
  patch      TEXT NOT NULL,
  tree       TEXT NOT NULL,
  spurious   INTEGER NOT NULL,
  judged     INTEGER NOT NULL,
  suspicious TEXT NOT NULL,         -- list
  data       TEXT NOT NULL,
  evidence   TEXT NOT NULL,
  PRIMARY KEY (episode, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE gates (
  episode INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  gate    TEXT NOT NULL,
  result  TEXT NOT NULL,            -- 'passed' or the reason
  PRIMARY KEY (episode, attempt, gate),
  FOREIGN KEY (episode, attempt) REFERENCES attempts
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
  episode     INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  step        INTEGER NOT NULL,     -- 1-based
  edited_step INTEGER NOT NULL,     -- the step whose tree it edited, 0 the broken tree
  what        TEXT NOT NULL,
  diff        TEXT NOT NULL,
  applied     INTEGER NOT NULL,
  verdict     TEXT NOT NULL,
  failure     TEXT NOT NULL,
  cached      INTEGER NOT NULL,
  version     TEXT NOT NULL,
  PRIMARY KEY (episode, attempt, step),
  FOREIGN KEY (episode, attempt) REFERENCES attempts
) STRICT, WITHOUT ROWID;

CREATE TABLE verdicts (
  episode INTEGER NOT NULL REFERENCES episodes,
  attempt INTEGER NOT NULL,         -- 0: the break
  run     INTEGER NOT NULL,         -- 1-based
  test    TEXT NOT NULL,
  verdict TEXT NOT NULL,
  PRIMARY KEY (episode, attempt, run, test)
) STRICT, WITHOUT ROWID;

` + tiers + `
CREATE TABLE rewards (
  episode INTEGER NOT NULL REFERENCES episodes,
  attempt INTEGER NOT NULL,         -- 0: the break
  role    TEXT NOT NULL,
  value   REAL NOT NULL,
  PRIMARY KEY (episode, attempt, role)
) STRICT, WITHOUT ROWID;

CREATE VIEW bugs AS
  SELECT bug AS id, episode, kind, bug_order, parents, operators, variant, path, function, line, weight, minutes,
         json_array_length(red) AS red_tests, json_array_length(hidden) AS hidden_tests, minimal_test, statements, statements_before,
         (SELECT count(*) FROM attempts a JOIN episodes e USING (episode) WHERE e.bug = b.bug AND a.outcome <> 'infrastructure') AS attempts,
         (SELECT count(*) FROM attempts a JOIN episodes e USING (episode) WHERE e.bug = b.bug AND a.outcome = 'fixed') AS fixed
  FROM episodes b WHERE outcome = 'valid' AND kind <> 'replay';
`
