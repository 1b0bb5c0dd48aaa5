// Package testrun runs tests on trees of one snapshot: it makes the
// environment, measures the baseline, and gives a verdict per test. Callers
// use Prepare and the Workspace that it returns.
//
// # What is kept
//
// In breakfix's cache a baseline has a folder of its own, named by everything
// that it follows from: tree, recipe, options, variables, reporter. There are
//
//   - state.gz, the baseline.
//   - verdicts-ENVIRONMENT/verdicts.db, the verdict cache: what runs of tests
//     said, by tree, test and tier, with the failures of red tests (a text that many
//     share is kept once), why files did not collect or a tree did not load.
//     Attempts, episodes, runs and processes share it. It has at most 256 MB and
//     a log of 4 MB beside it: beyond, each write evicts some rows of the trees
//     that were used least recently, and their pages are used again. Before it
//     stand up to 16 MB of entries in memory; with Config.NoCache these are all
//     that there is.
//   - facts, what linters and smoke runs said of trees: one file each, 32 MB,
//     cut down to that whenever a workspace is prepared.
//
// A verdict of a slower tier answers a request that allows a faster one, never
// the other way round. A verdict that is kept is not changed by a later one of
// the same tier, so that who asks twice gets the same answer. Never kept are
// flaky tests, tests that a run did not come to, and timeouts under a deadline
// of the caller's own. Request.Fresh neither reads nor writes. A test of the
// tree is asked for under the tree's digest and the hash seed; one in a file of
// ours under these and the file's path and text.
//
// Losing the cache costs only time, so nothing that goes wrong with it is an
// error: a database that is damaged, unreadable or not ours is set aside
// (verdicts.db.aside) with a warning and begun anew, and a write for which
// another process leaves no room within two seconds is dropped.
package testrun
