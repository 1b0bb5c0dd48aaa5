package network

import "math"

// spread gives rows times the same row.
func (t *tape[T]) spread(rows int, x mat[T]) mat[T] {
	y := t.new(rows, x.cols)
	for i := range rows {
		copy(y.row(i), x.row(0))
	}
	t.later(func() {
		for i := range rows {
			axpy(1, y.grad(i), x.grad(0))
		}
	})
	return y
}

// times adds x·w to y.
func (t *tape[T]) times(y, x, w mat[T]) {
	multiply(y.view(), x.view(), w.view())
	t.later(func() {
		if x.g != nil {
			multiply(x.slope(), y.slope(), w.view().flip())
		}
		multiply(w.slope(), x.view().flip(), y.slope())
	})
}

// layer gives x·w + b.
func (t *tape[T]) layer(x mat[T], w, b param) mat[T] {
	y := t.spread(x.rows, t.param(b))
	t.times(y, x, t.param(w))
	return y
}

// project gives x·w.
func (t *tape[T]) project(x mat[T], w param) mat[T] {
	y := t.new(x.rows, w.cols)
	t.times(y, x, t.param(w))
	return y
}

// plus adds x to y.
func (t *tape[T]) plus(y, x mat[T]) {
	for i := range x.rows {
		axpy(1, x.row(i), y.row(i))
	}
	t.later(func() {
		if x.g == nil {
			return
		}
		for i := range x.rows {
			axpy(1, y.grad(i), x.grad(i))
		}
	})
}

// rectify replaces what is below zero by zero, in place.
func (t *tape[T]) rectify(x mat[T]) mat[T] {
	for i := range x.rows {
		row := x.row(i)
		for j, v := range row {
			row[j] = max(v, 0)
		}
	}
	t.later(func() {
		for i := range x.rows {
			gate(x.row(i), x.grad(i))
		}
	})
	return x
}

// norm divides each row by its root mean square and weighs it (RMSNorm, Zhang
// and Sennrich, NeurIPS 2019): y = gain⊙x·r with r = (mean x² + ε)^−½, so that
// dx = r·gain⊙dy − x·r³·(gain⊙dy·x)/n.
func (t *tape[T]) norm(x mat[T], gain param) mat[T] {
	y, w := t.new(x.rows, x.cols), t.param(gain)
	scale := t.take(x.rows)
	for i := range x.rows {
		row, to := x.row(i), y.row(i)
		r := T(1 / math.Sqrt(float64(dot(row, row))/float64(x.cols)+1e-6))
		scale[i] = r
		for j, v := range row {
			to[j] = v * r * w.v[j]
		}
	}
	t.later(func() {
		down := t.take(x.cols)
		for i := range x.rows {
			row, dx, dy, r := x.row(i), x.grad(i), y.grad(i), scale[i]
			clear(down)
			weigh(w.v, dy, down)
			s := dot(down, row) * r * r * r / T(x.cols)
			for j, v := range row {
				dx[j] += r*down[j] - s*v
				w.g[j] += dy[j] * v * r
			}
		}
	})
	return y
}

// convolve mixes each row with those before and after it, column by column:
// a dilated depthwise convolution.
func (t *tape[T]) convolve(x mat[T], taps, bias param, dilation int) mat[T] {
	y, w := t.spread(x.rows, t.param(bias)), t.param(taps)
	each := func(f func(i, from, tap int)) {
		for i := range x.rows {
			for k := range taps.rows {
				if from := i + (k-taps.rows/2)*dilation; from >= 0 && from < x.rows {
					f(i, from, k)
				}
			}
		}
	}
	each(func(i, from, k int) { weigh(w.row(k), x.row(from), y.row(i)) })
	t.later(func() {
		each(func(i, from, k int) {
			weigh(w.row(k), y.grad(i), x.grad(from))
			weigh(x.row(from), y.grad(i), w.grad(k))
		})
	})
	return y
}

// mean gives the mean row, zeros for none.
func (t *tape[T]) mean(x mat[T]) mat[T] {
	y := t.new(1, x.cols)
	part := 1 / T(max(x.rows, 1))
	for i := range x.rows {
		axpy(part, x.row(i), y.row(0))
	}
	t.later(func() {
		for i := range x.rows {
			axpy(part, y.grad(0), x.grad(i))
		}
	})
	return y
}

// attend reads from rows of values what their keys have in common with the
// queries: a = softmax(q·kᵀ/√n) over all keys and a sink, which has a logit and
// no value, so that nothing need be read (Vaswani et al. 2017; the sink after
// Miller 2023, "Attention is off by one").
func (t *tape[T]) attend(q, keys, values mat[T], sink param) mat[T] {
	y, a := t.new(q.rows, values.cols), t.new(q.rows, keys.rows)
	none := t.param(sink)
	unit := 1 / T(math.Sqrt(float64(q.cols)))
	multiply(a.view(), q.view(), keys.view().flip())
	for i := range a.rows {
		soften(a.row(i), unit, none.v[0])
	}
	multiply(y.view(), a.view(), values.view())
	t.later(func() {
		multiply(a.slope(), y.slope(), values.view().flip())
		multiply(values.slope(), a.view().flip(), y.slope())
		for i := range a.rows {
			p, dp := a.row(i), a.grad(i)
			s, rest := dot(p, dp), T(1)
			for j, v := range p {
				rest -= v
				dp[j] = v * (dp[j] - s) * unit
			}
			none.g[0] -= rest * s
		}
		multiply(q.slope(), a.slope(), keys.view())
		multiply(keys.slope(), a.slope().flip(), q.view())
	})
	return y
}

// soften turns logits, scaled, into their shares beside a sink's.
func soften[T real](x []T, scale, sink T) {
	top := sink / scale
	for _, v := range x {
		if v > top {
			top = v
		}
	}
	top *= scale
	part := 1 / (exponents(x, scale, top) + T(math.Exp(float64(sink-top))))
	for j, v := range x {
		x[j] = v * part
	}
}
