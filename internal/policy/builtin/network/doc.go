// Package network is the network of the built-in policy: numbers in, numbers
// out. It ranks the moves of a problem and gives the chance that the fixer
// solves it; it knows tokens, sites and moves, and nothing of syntax trees,
// tests or players.
//
// What is dear is computed once and shared. With T tokens of code, S of what
// the test says, P sites, F distinct lists of tokens that moves take out or put
// in, and M moves,
//
//	e       = Σ pieces/√n + kind                        a token, 64
//	x       = e·W + b                                   128
//	x       = x + W₂·max(0, W₁·rms(conv(x)))            two blocks, dilation 1 and 5
//	site    = max(0, [first, last, mean, left, right]·W + facts + syntax
//	          + test + problem's facts + attend(mean → said)·W)·W       P × 64
//	token   = max(0, e·W + attend(e → said)·W + attend(e → code)·W)    each distinct one of the fillers
//	filler  = max(0, [mean of tokens, Σ gate(place)⊙token]·W)           F × 64
//	score   = linear(hash) + place[site, action]
//	          + filler(new) · (want(site)⊙(1 + gate(action)) + want(action) + want(old))
//	          + out · max(0, site + action + filler(new) + filler(old) + facts·W)
//	value   = sigmoid(w·max(0, mean of x·W + test·W + facts·W))
//
// so that a move costs a few sums over 64 numbers, whatever its context. The
// softmax of the scores is the chance of each move. Code is read once a
// problem (Encode); when only the failure changed, Say reads that alone.
//
// Attention is by one head, with a sink beside the keys, so that nothing need
// be read: a = softmax([sink, q·kᵀ/8]). The query of a filler's token and the
// keys of code and of what was said are functions of single tokens and begin as
// the identity, so that from the first step on a token that a move would put in
// is found where it stands. What is read there knows its neighbours: whether a
// value of the assertion was expected or got, how a name is used elsewhere.
//
// Whatever ends in a score begins at zero: a new model ranks all moves alike.
//
// # Learning
//
// The loss of an example is −Σ weight·log p(move) − entropy·H(p), with the
// cross-entropy of the value beside it where there is a label. Weights of 1/k
// for k right moves are imitation, advantages are policy gradient. Gradients
// are written by hand beside each operation, and tests hold them against
// differences in float64 (the mathematics is generic over both).
//
// # Sources
//
// Hashed features: Weinberger et al., ICML 2009. FTRL-proximal: McMahan et al.,
// KDD 2013. Sums of hashed sub-words: fastText, Bojanowski et al., TACL 2017.
// Blocks: ConvNeXt, Liu et al., CVPR 2022; RMSNorm: Zhang and Sennrich, NeurIPS
// 2019; dilations: van den Oord et al., WaveNet, 2016. Attention: Vaswani et
// al., NeurIPS 2017; the sink: Miller, "Attention is off by one", 2023, and Xiao
// et al., ICLR 2024. Copying by pointing: Vinyals et al., NeurIPS 2015. Policy
// gradient: Williams 1992; Adam: Kingma and Ba, ICLR 2015; clipping: Pascanu et
// al., ICML 2013. Tiles of the products: BLIS, Van Zee and van de Geijn, TOMS
// 2015; exponentials: Cephes, Moshier. File: safetensors.
//
// # Kernels
//
// Products of float32 run in assembly that _asm writes with avo (AVX2 and FMA),
// where the processor has them, and in plain Go elsewhere; BREAKFIX_KERNEL
// forces one. Scores of two kernels differ by rounding, so weights trained with
// two differ a little too; with one kernel and one number of workers the same
// examples give the same weights, bit by bit.
package network
