// Package eval compares ways to learn: variants of the game, each played by the
// same number of the fixer's steps with several seeds, and judged on the same bugs
// of repositories that none of them was played on.
//
// It says what a variant is, keeps what was measured (a line for each variant
// and seed), and computes the table; who plays is the caller's part.
package eval
