package network

// mat is a matrix on a tape: its values and, while training, the gradient of
// the loss by them. A constant has no gradient.
type mat[T real] struct {
	rows, cols, down int // down: from one row to the next
	v, g             []T
}

func (m mat[T]) row(i int) []T  { return m.v[i*m.down:][:m.cols] }
func (m mat[T]) grad(i int) []T { return m.g[i*m.down:][:m.cols] }

func (m mat[T]) view() view[T]  { return view[T]{m.v, m.rows, m.cols, m.down, 1} }
func (m mat[T]) slope() view[T] { return view[T]{m.g, m.rows, m.cols, m.down, 1} }

// cut gives some of the columns, in place.
func (m mat[T]) cut(from, to int) mat[T] {
	if m.rows == 0 {
		return mat[T]{cols: to - from, down: m.down}
	}
	m.v, m.cols = m.v[from:], to-from
	if m.g != nil {
		m.g = m.g[from:]
	}
	return m
}

// reshape gives the same numbers in other rows; the rows must stand side by side.
func (m mat[T]) reshape(rows, cols int) mat[T] {
	if m.down != m.cols || rows*cols != m.rows*m.cols {
		panic("network: matrices that do not fit")
	}
	m.rows, m.cols, m.down = rows, cols, cols
	return m
}

// keep copies the values off the tape.
func (m mat[T]) keep() mat[T] {
	c := mat[T]{rows: m.rows, cols: m.cols, down: m.cols, v: make([]T, m.rows*m.cols)}
	for i := range m.rows {
		copy(c.row(i), m.row(i))
	}
	return c
}

// tape computes with matrices and, while training, remembers how to go back:
// each operation stands beside its derivative, and back runs them in reverse.
type tape[T real] struct {
	w, g   []T // all weights, and their gradient; no gradient: values alone are wanted
	undo   []func()
	chunks [][]T
	chunk  int // the chunk in use
	used   int
}

// chunkSize is how many numbers a tape takes at once: 1 MB.
const chunkSize = 1 << 18

// take gives n zeros that last until the next reset.
func (t *tape[T]) take(n int) []T {
	for {
		if t.chunk == len(t.chunks) {
			t.chunks = append(t.chunks, make([]T, max(n, chunkSize)))
		}
		if c := t.chunks[t.chunk]; t.used+n <= len(c) {
			got := c[t.used : t.used+n : t.used+n]
			t.used += n
			clear(got)
			return got
		}
		t.chunk, t.used = t.chunk+1, 0
	}
}

// reset forgets all matrices. Memory is kept for the next ones.
func (t *tape[T]) reset() {
	t.chunk, t.used = 0, 0
	t.undo = t.undo[:0]
}

// new gives a matrix of zeros.
func (t *tape[T]) new(rows, cols int) mat[T] {
	m := mat[T]{rows: rows, cols: cols, down: cols, v: t.take(rows * cols)}
	if t.g != nil {
		m.g = t.take(rows * cols)
	}
	return m
}

// constant gives numbers that no gradient flows to.
func (t *tape[T]) constant(rows, cols int) mat[T] {
	return mat[T]{rows: rows, cols: cols, down: cols, v: t.take(rows * cols)}
}

// param gives weights as a matrix.
func (t *tape[T]) param(p param) mat[T] {
	m := mat[T]{rows: p.rows, cols: p.cols, down: p.cols, v: t.w[p.at:][:p.size()]}
	if t.g != nil {
		m.g = t.g[p.at:][:p.size()]
	}
	return m
}

// later remembers one step of the way back.
func (t *tape[T]) later(f func()) {
	if t.g != nil {
		t.undo = append(t.undo, f)
	}
}

// back carries the gradient from the last matrices to the weights.
func (t *tape[T]) back() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.undo[i]()
	}
}
