// Package store is the run folder: everything about one self-play run, and
// enough to recompute every reward.
//
//	run.json     configuration, seed, versions of everything (Run)
//	run.db       SQLite: episodes, attempts, steps, verdicts, gates, rewards, baseline, jobs, meta
//	blobs/       content by digest
//	bugs/ID/     artifacts, written by package bug
//	versions/N/  weights
//	log.jsonl    what happened, one line each
//	lock         held by the process that writes; its id is inside
//
// What it promises:
//
//   - The folder is complete before work starts: Create builds it beside its
//     final place and moves it there in one step.
//   - An episode is recorded exactly once and as a whole, in one transaction
//     that reaches the disk before PutRound returns. What a killed process was
//     about to write is not there.
//   - One process writes (Create, Resume), any number read meanwhile (Open).
//   - Nothing is ever overwritten: a second put of an episode, or a Create over
//     something that exists, is an error.
//
// Each fact is in one place only, in a column that a person can query; the
// evidence digests tell when one of them was changed by hand.
package store
