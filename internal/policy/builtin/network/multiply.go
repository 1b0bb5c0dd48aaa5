package network

// view is a matrix by strides: entry (i, j) stands at i·down + j·right.
type view[T real] struct {
	v           []T
	rows, cols  int
	down, right int
}

// dense views a slice of rows one after the other.
func dense[T real](v []T, rows, cols int) view[T] {
	return view[T]{v: v, rows: rows, cols: cols, down: cols, right: 1}
}

// flip gives the transposed matrix, without a copy.
func (m view[T]) flip() view[T] {
	return view[T]{v: m.v, rows: m.cols, cols: m.rows, down: m.right, right: m.down}
}

// multiply adds a·b to c, whose rows stand side by side. It is forward with
// (x, w), and backward with (dy, wᵀ) and (xᵀ, dy).
func multiply[T real](c, a, b view[T]) {
	if a.cols != b.rows || c.rows != a.rows || c.cols != b.cols || c.right != 1 {
		panic("network: matrices that do not fit")
	}
	if c.rows == 0 || c.cols == 0 || a.cols == 0 {
		return
	}
	if c32, ok := any(c).(view[float32]); ok && current.vector {
		multiplyTiles(c32, any(a).(view[float32]), any(b).(view[float32]))
		return
	}
	for i := range c.rows {
		row := c.v[i*c.down:][:c.cols]
		if b.down == 1 && a.right == 1 { // b is flipped: rows with rows
			for j := range row {
				row[j] += dot(a.v[i*a.down:][:a.cols], b.v[j*b.right:][:b.rows])
			}
			continue
		}
		for k := range a.cols {
			s := a.v[i*a.down+k*a.right]
			if s == 0 {
				continue
			}
			if b.right == 1 {
				axpy(s, b.v[k*b.down:][:b.cols], row)
				continue
			}
			for j := range row {
				row[j] += s * b.v[k*b.down+j*b.right]
			}
		}
	}
}

// depth is how many rows of b a panel holds: 16 KB, half of the nearest cache.
const depth = 256

// multiplyTiles goes over b by panels of sixteen columns. A panel is copied
// together unless few rows would use it.
func multiplyTiles(c, a, b view[float32]) {
	var packed [depth * tileCols]float32
	for k := 0; k < a.cols; k += depth {
		deep := min(depth, a.cols-k)
		for j := 0; j < c.cols; j += tileCols {
			wide := min(tileCols, c.cols-j)
			panel, step := &packed[0], tileCols
			if wide == tileCols && b.right == 1 && c.rows <= 2*tileRows {
				panel, step = &b.v[k*b.down+j], b.down
			} else {
				pack(packed[:deep*tileCols], b, k, j, wide)
			}
			for i := 0; i < c.rows; i += tileRows {
				high := min(tileRows, c.rows-i)
				from := &a.v[i*a.down+k*a.right]
				if wide == tileCols {
					tile(high, deep, from, a.down, a.right, panel, step, &c.v[i*c.down+j], c.down)
					continue
				}
				var edge [tileRows * tileCols]float32
				tile(high, deep, from, a.down, a.right, panel, step, &edge[0], tileCols)
				for h := range high {
					row := c.v[(i+h)*c.down+j:][:wide]
					for w := range row {
						row[w] += edge[h*tileCols+w]
					}
				}
			}
		}
	}
}

// pack copies columns j … j+wide of b from row k on, filled up with zeros.
func pack(to []float32, b view[float32], k, j, wide int) {
	for len(to) > 0 {
		row := to[:tileCols]
		from := k*b.down + j*b.right
		if b.right == 1 {
			n := copy(row, b.v[from:][:wide])
			clear(row[n:])
		} else {
			for w := range row {
				row[w] = 0
				if w < wide {
					row[w] = b.v[from+w*b.right]
				}
			}
		}
		to = to[tileCols:]
		k++
	}
}
