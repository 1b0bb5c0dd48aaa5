package network

import "math"

// embed gives a row a token: the sum of its sub-words over the root of their
// number, so that long words weigh as short ones, and its kind's.
func (t *tape[T]) embed(tokens []Token) mat[T] {
	y, pieces, kinds := t.new(len(tokens), embedding), t.param(weights.pieces), t.param(weights.kinds)
	each := func(f func(i, piece int, part T)) {
		for i := range tokens {
			n := 0
			for _, p := range tokens[i].Pieces {
				if p != 0 {
					n++
				}
			}
			part := T(1 / math.Sqrt(float64(max(n, 1))))
			for _, p := range tokens[i].Pieces {
				if p != 0 {
					f(i, int(p), part)
				}
			}
		}
	}
	each(func(i, piece int, part T) { axpy(part, pieces.row(piece), y.row(i)) })
	for i := range tokens {
		axpy(1, kinds.row(int(tokens[i].Kind)), y.row(i))
	}
	t.later(func() {
		each(func(i, piece int, part T) { axpy(part, y.grad(i), pieces.grad(piece)) })
		for i := range tokens {
			axpy(1, y.grad(i), kinds.grad(int(tokens[i].Kind)))
		}
	})
	return y
}

// spanParts is what spans gives of each site, and where the mean stands.
const (
	spanParts = 5
	spanMean  = 2
)

// spans gives a row a site: its first token, its last, the mean of all, and
// the neighbours on both sides (zeros at the ends).
func (t *tape[T]) spans(x mat[T], sites []Site) mat[T] {
	y := t.new(len(sites), spanParts*x.cols)
	each := func(f func(i, part, token int, share T)) {
		for i := range sites {
			first, last := int(sites[i].First), int(sites[i].Last)
			f(i, 0, first, 1)
			f(i, 1, last, 1)
			for k := first; k <= last; k++ {
				f(i, spanMean, k, 1/T(last-first+1))
			}
			if first > 0 {
				f(i, 3, first-1, 1)
			}
			if last+1 < x.rows {
				f(i, 4, last+1, 1)
			}
		}
	}
	each(func(i, part, token int, share T) {
		axpy(share, x.row(token), y.cut(part*x.cols, (part+1)*x.cols).row(i))
	})
	t.later(func() {
		each(func(i, part, token int, share T) {
			axpy(share, y.cut(part*x.cols, (part+1)*x.cols).grad(i), x.grad(token))
		})
	})
	return y
}

// look adds to each row of y a row of a table.
func (t *tape[T]) look(y mat[T], table param, entry func(i int) int) {
	w := t.param(table)
	for i := range y.rows {
		axpy(1, w.row(entry(i)), y.row(i))
	}
	t.later(func() {
		for i := range y.rows {
			axpy(1, y.grad(i), w.grad(entry(i)))
		}
	})
}

// bag gives a row a list of tokens, by rows of x: their mean, and their sum
// weighed by place. No token gives zeros.
func (t *tape[T]) bag(x mat[T], lists [][]int32, gates param) mat[T] {
	y, w := t.new(len(lists), 2*x.cols), t.param(gates)
	mean, placed := y.cut(0, x.cols), y.cut(x.cols, 2*x.cols)
	for i, list := range lists {
		for at, k := range list {
			axpy(1/T(len(list)), x.row(int(k)), mean.row(i))
			weigh(w.row(at), x.row(int(k)), placed.row(i))
		}
	}
	t.later(func() {
		for i, list := range lists {
			for at, k := range list {
				axpy(1/T(len(list)), mean.grad(i), x.grad(int(k)))
				weigh(w.row(at), placed.grad(i), x.grad(int(k)))
				weigh(x.row(int(k)), placed.grad(i), w.grad(at))
			}
		}
	})
	return y
}
