// Package learn says what is learned from games, when, and which version of
// the weights plays on. Everything in it is pure: the same games give the same
// batches and the same decisions, so that a run that was cut off learns what it
// would have learned. Gradients live in the policy.
//
// # Sources
//
// Advantages without a learned baseline, relative to the others of the group:
// Kool et al., "Buy 4 REINFORCE Samples, Get a Baseline for Free!", 2019; not
// divided by the deviation, which would weigh easy and hopeless bugs up: Liu et
// al., "Understanding R1-Zero-Like Training", 2025; groups that all earned the same
// dropped: DAPO, Yu et al., 2025. Breaks by rank in place of reward: the utilities of
// natural evolution strategies (Wierstra et al., JMLR 2014), in pairs. Replay with a bucket that bounds how often a game
// is learned from: KataGo, Wu 2019. Adopting a version only after a match: AlphaGo
// Zero, Silver et al., Nature 2017; the decision is a test of non-inferiority
// (Blackwelder, Controlled Clinical Trials 1982) by a paired bootstrap (Efron and
// Tibshirani 1993). Opponents of several ages: AlphaStar's league, Vinyals et al.,
// Nature 2019, in its smallest form.
package learn
