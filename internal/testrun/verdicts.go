package testrun

import (
	"sort"
	"strconv"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// question is a request, split into what is known and what has to be run.
type question struct {
	req   Request
	key   string            // of the tree's own tests
	files map[string]string // our files → their key
	only  bool
	asked []string // ids that must be in the report
	tests []string // of those: to be run
	whole []string // our files to be run, every test in them
}

func (w *Workspace) newQuestion(req Request, wanted []string) *question {
	digest := string(req.Tree.Digest())
	q := &question{req: req, only: req.FilesOnly, asked: wanted, files: map[string]string{},
		key: digest + "-" + strconv.Itoa(req.HashSeed)}
	for p, text := range req.Files {
		q.files[p] = string(tree.DigestOf([]byte(q.key + "\x00" + p + "\x00" + text + q.how(p))))
	}
	q.tests = append([]string{}, wanted...)
	if !(req.FilesOnly && req.Tests != nil) {
		q.whole = sortedKeys(req.Files)
	}
	return q
}

// how is what sets apart what is said of a file of ours from what pytest says of it.
// The deadline is part of it, so that a test that was past it need not be run again.
func (q *question) how(file string) string {
	if !q.req.Direct {
		return ""
	}
	how := "\x00without pytest"
	for _, id := range q.req.Tests {
		if fileOf(id) == file && q.req.Deadline != nil {
			how += "\x00" + q.req.Deadline(id).String()
		}
	}
	return how
}

// flight names what must not run twice at the same time.
func (q *question) flight() string {
	if !q.only {
		return q.key
	}
	keys := make([]string, 0, len(q.files))
	for _, k := range q.files {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return strings.Join(keys, " ")
}

// keyOf returns the cache entry that holds a test.
func (q *question) keyOf(id string) string {
	if k, ours := q.files[fileOf(id)]; ours {
		return k
	}
	return q.key
}

// answerFromCache fills rep with what is known, from the tier that the request
// allows on, and leaves the rest in q.
func (q *question) answerFromCache(c *verdictCache, rep *Report) {
	want := q.req.Tier
	if want == 0 {
		want = FreshProcess
	}
	var whole []string
	for _, f := range q.whole {
		e := c.get(q.files[f], want, nil)
		if e == nil || !e.Whole {
			whole = append(whole, f)
			continue
		}
		if u, bad := e.Uncollected[f]; bad {
			rep.Uncollected[f] = u
		}
		for _, id := range e.IDs {
			rep.recall(id, e.Tests[id])
		}
	}
	q.whole = whole
	asked := map[string][]string{}
	for _, id := range q.tests {
		key := q.keyOf(id)
		asked[key] = append(asked[key], id)
	}
	entries := map[string]*entry{}
	for key, ids := range asked {
		entries[key] = c.get(key, want, ids)
	}
	var tests []string
	for _, id := range q.tests {
		e := entries[q.keyOf(id)]
		if e == nil {
			tests = append(tests, id)
			continue
		}
		if r, ok := e.Tests[id]; ok {
			rep.recall(id, r)
		} else if u, bad := e.Uncollected[fileOf(id)]; bad {
			rep.Uncollected[fileOf(id)] = u
			rep.recall(id, record{Verdict: outcome.Absent})
		} else {
			tests = append(tests, id)
		}
	}
	q.tests = tests
	if len(tests)+len(whole) == 0 {
		return
	}
	if e := c.get(q.loadKey(), want, nil); e != nil && e.Load != "" {
		rep.Loaded, rep.LoadError, rep.Complete = false, e.Load, false
		for _, id := range q.tests {
			rep.recall(id, record{Verdict: outcome.Absent})
		}
		q.tests, q.whole = nil, nil
	}
}

// loadKey names "a process that loads exactly these files": which of them
// keeps it from loading is not known.
func (q *question) loadKey() string {
	var names []string
	for _, f := range filesOf(q.tests) {
		if k, ours := q.files[f]; ours {
			f = k
		}
		names = append(names, f)
	}
	for _, f := range q.whole {
		names = append(names, q.files[f])
	}
	sort.Strings(names)
	return q.key + " load " + strings.Join(names, "\x00")
}

func (rep *Report) recall(id string, r record) {
	rep.Results[id] = r.Verdict
	if r.Failure != nil {
		rep.Failures[id] = *r.Failure
	}
	if r.Verdict != outcome.Absent {
		rep.Seconds[id] = r.Seconds
	}
	rep.Cached++
}

// take puts what a series said into the report.
func (q *question) take(t *tally, rep *Report) {
	asked := map[string]bool{}
	for _, id := range q.asked {
		asked[id] = true
	}
	whole := map[string]bool{}
	for _, f := range q.whole {
		whole[f] = true
	}
	for id, v := range t.results {
		if !asked[id] && !whole[fileOf(id)] {
			rep.Suspicious++ // a test that nobody asked for
			continue
		}
		rep.Results[id] = v
		rep.Seconds[id] = t.seconds[id]
		if f, ok := t.failures[id]; ok {
			rep.Failures[id] = f
		}
		rep.Ran++
	}
	for _, id := range t.ids {
		if _, ok := rep.Results[id]; !ok && whole[fileOf(id)] {
			rep.Results[id] = outcome.Absent
		}
	}
	for f, u := range t.uncollected {
		rep.Uncollected[f] = u.failure
	}
	if t.loadError != "" {
		rep.Loaded, rep.LoadError = false, t.loadError
	}
	rep.Complete = rep.Complete && t.complete
	rep.GaveUp, rep.Waited = t.gaveUp, t.waited
	rep.CPU, rep.PeakMemory = t.cpu, t.peak
	rep.Suspicious += t.strange
}

// remember stores what a series said in a tier. A timeout under a deadline of
// the caller's own, a test that a run did not come to, flaky tests, and a tree that
// did not load in time are not kept.
func (q *question) remember(c *verdictCache, ran Tier, t *tally, flaky map[string]bool) {
	add := map[string]*entry{}
	at := func(key string) *entry {
		e := add[key]
		if e == nil {
			e = &entry{Tests: map[string]record{}, Uncollected: map[string]Failure{}}
			add[key] = e
		}
		return e
	}
	for id, v := range t.results {
		if flaky[id] || v == outcome.TimedOut && q.req.Deadline != nil && !q.req.Direct {
			continue
		}
		r := record{Verdict: v, Seconds: t.seconds[id]}
		if f, ok := t.failures[id]; ok {
			r.Failure = &f
		}
		at(q.keyOf(id)).Tests[id] = r
	}
	for f, u := range t.uncollected {
		at(q.keyOf(f)).Uncollected[f] = u.failure
	}
	if t.loadError != "" && !t.loadLate && len(t.results) == 0 {
		at(q.loadKey()).Load = t.loadError
	}
	if t.complete {
		for _, id := range q.tests { // collected files that do not have the test: it is Absent for good
			if _, ok := t.results[id]; !ok && !flaky[id] {
				if _, bad := t.uncollected[fileOf(id)]; !bad {
					at(q.keyOf(id)).Tests[id] = record{Verdict: outcome.Absent}
				}
			}
		}
		for _, f := range q.whole {
			e := at(q.files[f])
			e.Whole = true
			for _, id := range t.ids {
				if fileOf(id) == f {
					e.IDs = append(e.IDs, id)
					if _, ok := e.Tests[id]; !ok {
						e.Whole = false // a deadline of the caller's own
					}
				}
			}
		}
	}
	for key, e := range add {
		c.merge(key, ran, e)
	}
}
