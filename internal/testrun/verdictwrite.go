package testrun

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// write keeps what a tier said. It is one transaction: whoever reads sees all
// of it or nothing.
func (d *verdictDB) write(key string, add *held) {
	d.mu.Lock()
	touched := d.touched
	d.touched = map[string]bool{}
	d.mu.Unlock()
	d.open.RLock()
	h := d.handles
	if h == nil {
		d.open.RUnlock()
		return
	}
	err := h.write(treeKey(key), add, touched, d.limit)
	d.open.RUnlock()
	if err != nil {
		d.failed("write", h, err)
	}
}

// writing is one write.
type writing struct {
	*verdictHandles
	tx *sql.Tx
}

func (h *verdictHandles) write(key []byte, add *held, touched map[string]bool, limit int64) error {
	tx, err := h.w.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	w := writing{h, tx}
	for k := range touched {
		if _, err := tx.Stmt(h.touch).Exec(add.used.Unix(), treeKey(k)); err != nil {
			return err
		}
	}
	live, err := w.bytes()
	if err != nil {
		return err
	}
	var tree int64
	budget := mostEvicted
	if live <= limit+limit/8 {
		if err := tx.Stmt(h.insertTree).QueryRow(key, add.used.Unix()).Scan(&tree); err != nil {
			return err
		}
		added, err := w.add(tree, add)
		if err != nil {
			return err
		}
		// A row takes about 32 bytes, so that this frees about twice what was added.
		budget = min(mostEvicted, 64+added/16)
	}
	if err := w.evict(tree, limit, budget); err != nil {
		return err
	}
	return tx.Commit()
}

// bytes returns how much of the file is in use.
func (w writing) bytes() (n int64, err error) {
	err = w.tx.Stmt(w.live).QueryRow().Scan(&n)
	return n, err
}

// add writes verdicts and the rest, and returns about how many bytes they take.
func (w writing) add(tree int64, add *held) (added int, err error) {
	insert, has := w.tx.Stmt(w.insert), w.tx.Stmt(w.has)
	// In the order of the table, which fills its pages.
	for _, test := range slices.SortedFunc(maps.Keys(add.tests), cmp.Compare[name]) {
		r := add.tests[test]
		var failure any
		if r.what.Failure != nil {
			var known bool
			if err := has.QueryRow(tree, int64(test), int(r.tier)).Scan(&known); err != nil {
				return added, err
			}
			if known {
				continue // and its failure would belong to nobody
			}
			id, n, err := w.addFailure(r.what.Failure)
			if err != nil {
				return added, err
			}
			failure, added = id, added+n
		}
		verdict := slices.Index(storedVerdicts, r.what.Verdict)
		if verdict <= 0 {
			return added, fmt.Errorf("keep a verdict %q: it has no number", r.what.Verdict)
		}
		if _, err := insert.Exec(tree, int64(test), int(r.tier), verdict, r.what.Seconds, failure); err != nil {
			return added, err
		}
		added += 32
	}
	extra := func(kind int, name string, tier Tier, what any) error {
		data, err := deflate(what)
		if err != nil {
			return err
		}
		added += 32 + len(name) + len(data)
		_, err = w.tx.Stmt(w.extra).Exec(tree, kind, name, int(tier), data)
		return err
	}
	if add.load.tier != 0 {
		if err := extra(loadExtra, "", add.load.tier, add.load.what); err != nil {
			return added, err
		}
	}
	if add.whole.tier != 0 {
		if err := extra(wholeExtra, "", add.whole.tier, add.whole.what); err != nil {
			return added, err
		}
	}
	for _, f := range sortedKeys(add.uncollected) {
		if err := extra(uncollectedExtra, f, add.uncollected[f].tier, add.uncollected[f].what); err != nil {
			return added, err
		}
	}
	return added, nil
}

// addFailure returns the id of a failure, and the bytes that it added.
func (w writing) addFailure(f *Failure) (id int64, added int, err error) {
	text, err := json.Marshal(f)
	if err != nil {
		return 0, 0, err
	}
	digest := sha256.Sum256(text)
	if err = w.tx.Stmt(w.failure).QueryRow(digest[:16]).Scan(&id); !errors.Is(err, sql.ErrNoRows) {
		return id, 0, err
	}
	data := squeeze(text)
	err = w.tx.Stmt(w.insertFailure).QueryRow(digest[:16], data).Scan(&id)
	return id, len(data) + 64, err
}

// evict drops up to about so many rows of the trees that were used least
// recently, but not of keep, until the bytes in use are within the limit.
func (w writing) evict(keep, limit int64, budget int) error {
	for look := 0; budget > 0; {
		// Asking costs as much as a few rows.
		if look--; look < 0 {
			if live, err := w.bytes(); err != nil || live <= limit {
				return err
			}
			look = 8
		}
		var tree int64
		if err := w.tx.Stmt(w.oldest).QueryRow(keep).Scan(&tree); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			return err
		}
		if _, err := w.tx.Stmt(w.dropExtras).Exec(tree); err != nil {
			return err
		}
		rows, failures, err := w.evictVerdicts(tree, budget)
		if err != nil {
			return err
		}
		for _, f := range failures {
			if _, err := w.tx.Stmt(w.dropFailure).Exec(f); err != nil {
				return err
			}
		}
		if rows < budget {
			if _, err := w.tx.Stmt(w.dropTree).Exec(tree); err != nil {
				return err
			}
		}
		budget -= rows + len(failures) + 1
		look -= rows / 16
	}
	return nil
}

func (w writing) evictVerdicts(tree int64, most int) (n int, failures []int64, err error) {
	rows, err := w.tx.Stmt(w.dropVerdicts).Query(tree, most)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f sql.NullInt64
		if err := rows.Scan(&f); err != nil {
			return n, nil, err
		}
		if n++; f.Valid {
			failures = append(failures, f.Int64)
		}
	}
	slices.Sort(failures)
	return n, slices.Compact(failures), rows.Err()
}

// A writer of package flate takes half a megabyte to make.
var squeezers = sync.Pool{New: func() any {
	z, _ := flate.NewWriter(io.Discard, flate.BestSpeed) // the level is valid
	return z
}}

func squeeze(text []byte) []byte {
	var b bytes.Buffer
	z := squeezers.Get().(*flate.Writer)
	defer squeezers.Put(z)
	z.Reset(&b)
	z.Write(text) // a buffer takes everything
	z.Close()
	return b.Bytes()
}

func deflate(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return squeeze(text), err
}

var expanders = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

func inflate(data []byte, v any) error {
	z := expanders.Get().(io.ReadCloser)
	defer expanders.Put(z)
	if err := z.(flate.Resetter).Reset(bytes.NewReader(data), nil); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(z, 16<<20))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errContent, err)
	}
	return nil
}
