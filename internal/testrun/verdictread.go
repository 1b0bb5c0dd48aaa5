package testrun

import (
	"database/sql"
	"time"
)

// read returns what is known of these tests under a key, and everything else
// but verdicts; nil when the key is not known.
func (d *verdictDB) read(key string, want lacking) *held {
	d.open.RLock()
	h := d.handles
	if h == nil {
		d.open.RUnlock()
		return nil
	}
	found, err := h.read(treeKey(key), want)
	d.open.RUnlock()
	if err != nil {
		d.failed("read", h, err)
		return nil
	}
	return found
}

func (h *verdictHandles) read(key []byte, want lacking) (*held, error) {
	found, err := h.readTree(key)
	if err != nil || found == nil {
		return nil, err
	}
	texts := map[int64]*Failure{} // many verdicts share one
	if want.all {
		return found, h.readVerdicts(found, texts, h.all, key)
	}
	for _, n := range want.tests {
		if err := h.readVerdicts(found, texts, h.one, key, int64(n)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (h *verdictHandles) readTree(key []byte) (*held, error) {
	rows, err := h.tree.Query(key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found *held
	for rows.Next() {
		var used int64
		var kind, tier sql.NullInt64
		var name sql.NullString
		var data sql.RawBytes
		if err := rows.Scan(&used, &kind, &name, &tier, &data); err != nil {
			return nil, err
		}
		if found == nil {
			found = newHeld()
			found.used = time.Unix(used, 0)
		}
		t := Tier(tier.Int64)
		switch kind.Int64 {
		case loadExtra:
			found.load, err = rankedFrom(found.load, t, data)
		case wholeExtra:
			found.whole, err = rankedFrom(found.whole, t, data)
		case uncollectedExtra:
			found.uncollected[name.String], err = rankedFrom(found.uncollected[name.String], t, data)
		}
		if err != nil {
			return nil, err
		}
	}
	return found, rows.Err()
}

func rankedFrom[T any](old ranked[T], tier Tier, data []byte) (ranked[T], error) {
	r := ranked[T]{tier: tier}
	err := inflate(data, &r.what)
	return old.or(r), err
}

func (h *verdictHandles) readVerdicts(found *held, texts map[int64]*Failure, s *sql.Stmt, args ...any) error {
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			test    int64
			tier    Tier
			verdict int
			r       record
			failure sql.NullInt64
			data    sql.RawBytes
		)
		if err := rows.Scan(&test, &tier, &verdict, &r.Seconds, &failure, &data); err != nil {
			return err
		}
		if verdict <= 0 || verdict >= len(storedVerdicts) {
			return errContent
		}
		r.Verdict = storedVerdicts[verdict]
		if failure.Valid {
			if r.Failure = texts[failure.Int64]; r.Failure == nil {
				r.Failure = &Failure{}
				if err := inflate(data, r.Failure); err != nil {
					return err
				}
				texts[failure.Int64] = r.Failure
			}
		}
		found.tests[name(test)] = found.tests[name(test)].or(ranked[record]{r, tier})
	}
	return rows.Err()
}
