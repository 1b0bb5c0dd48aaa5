// Command asm writes kernel_amd64.s: a tile of a matrix product for each
// number of rows from one to six, sixteen columns wide, three sums over
// vectors, a mask, a step of Adam and exponentials. Six by two registers of sums, two of the panel and one for the other factor fill the
// sixteen that AVX2 has (the tile of BLIS, Van Zee and van de Geijn, 2015).
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	for rows := 1; rows <= 6; rows++ {
		tile(rows)
	}
	dot()
	axpy()
	weigh()
	gate()
	adam()
	exp()
	Generate()
}

// tile adds to rows × 16 of c the product of a, whose entry (i, k) stands at
// i·row + k·step, and of b, whose row k stands at k·panel.
func tile(rows int) {
	TEXT(fmt.Sprintf("tile%d", rows), NOSPLIT,
		"func(k int, a *float32, row, step int, b *float32, panel int, c *float32, crow int)")
	Pragma("noescape")
	k := Load(Param("k"), GP64())
	a := Load(Param("a"), GP64())
	row := bytes("row")
	step := bytes("step")
	b := Load(Param("b"), GP64())
	panel := bytes("panel")
	c := Load(Param("c"), GP64())
	crow := bytes("crow")

	var sum [6][2]VecVirtual
	for i := range rows {
		for j := range 2 {
			sum[i][j] = YMM()
			VXORPS(sum[i][j], sum[i][j], sum[i][j])
		}
	}
	low := GP64() // row 3 of a
	if rows > 3 {
		LEAQ(Mem{Base: a, Index: row, Scale: 2}, low)
		ADDQ(row, low)
	}
	at := func(i int) Mem {
		base := a
		if i >= 3 {
			base, i = low, i-3
		}
		if i == 0 {
			return Mem{Base: base}
		}
		return Mem{Base: base, Index: row, Scale: uint8(i)}
	}

	Label("loop")
	TESTQ(k, k)
	JZ(LabelRef("done"))
	b0, b1, x := YMM(), YMM(), YMM()
	VMOVUPS(Mem{Base: b}, b0)
	VMOVUPS(Mem{Base: b, Disp: 32}, b1)
	for i := range rows {
		VBROADCASTSS(at(i), x)
		VFMADD231PS(b0, x, sum[i][0])
		VFMADD231PS(b1, x, sum[i][1])
	}
	ADDQ(step, a)
	if rows > 3 {
		ADDQ(step, low)
	}
	ADDQ(panel, b)
	DECQ(k)
	JMP(LabelRef("loop"))

	Label("done")
	for i := range rows {
		for j := range 2 {
			to := Mem{Base: c, Disp: 32 * j}
			VADDPS(to, sum[i][j], sum[i][j])
			VMOVUPS(sum[i][j], to)
		}
		if i < rows-1 {
			ADDQ(crow, c)
		}
	}
	VZEROUPPER()
	RET()
}

// dot sums x·y over n, a multiple of 8.
func dot() {
	TEXT("dot8", NOSPLIT, "func(n int, x, y *float32) float32")
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	x := Load(Param("x"), GP64())
	y := Load(Param("y"), GP64())
	sum, v := YMM(), YMM()
	VXORPS(sum, sum, sum)
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	VMOVUPS(Mem{Base: x}, v)
	VFMADD231PS(Mem{Base: y}, v, sum)
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), y)
	SUBQ(Imm(8), n)
	JMP(LabelRef("loop"))
	Label("done")
	total(sum)
}

// axpy adds s·x to y over n, a multiple of 8.
func axpy() {
	TEXT("axpy8", NOSPLIT, "func(n int, s float32, x, y *float32)")
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	s := YMM()
	VBROADCASTSS(Load(Param("s"), XMM()), s)
	x := Load(Param("x"), GP64())
	y := Load(Param("y"), GP64())
	v := YMM()
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	VMOVUPS(Mem{Base: y}, v)
	VFMADD231PS(Mem{Base: x}, s, v)
	VMOVUPS(v, Mem{Base: y})
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), y)
	SUBQ(Imm(8), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// weigh adds x⊙y to z over n, a multiple of 8.
func weigh() {
	TEXT("weigh8", NOSPLIT, "func(n int, x, y, z *float32)")
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	x := Load(Param("x"), GP64())
	y := Load(Param("y"), GP64())
	z := Load(Param("z"), GP64())
	v, sum := YMM(), YMM()
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	VMOVUPS(Mem{Base: x}, v)
	VMOVUPS(Mem{Base: z}, sum)
	VFMADD231PS(Mem{Base: y}, v, sum)
	VMOVUPS(sum, Mem{Base: z})
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), y)
	ADDQ(Imm(32), z)
	SUBQ(Imm(8), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// gate clears those of y whose x is not above zero, over n, a multiple of 8.
func gate() {
	TEXT("gate8", NOSPLIT, "func(n int, x, y *float32)")
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	x := Load(Param("x"), GP64())
	y := Load(Param("y"), GP64())
	zero, mask := YMM(), YMM()
	VXORPS(zero, zero, zero)
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	VCMPPS(Imm(1), Mem{Base: x}, zero, mask) // 0 < x
	VANDPS(Mem{Base: y}, mask, mask)
	VMOVUPS(mask, Mem{Base: y})
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), y)
	SUBQ(Imm(8), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// adam takes a step of n weights, a multiple of 8. The constants are the
// gradient's scale, β1, 1−β1, β2, 1−β2, the second moment's correction, the rate
// and the floor.
func adam() {
	TEXT("adam8", NOSPLIT, "func(n int, w, grad, m, v *float32, constants *[8]float32)")
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	w := Load(Param("w"), GP64())
	g := Load(Param("grad"), GP64())
	m := Load(Param("m"), GP64())
	v := Load(Param("v"), GP64())
	from := Load(Param("constants"), GP64())
	var c [8]VecVirtual
	for i := range c {
		c[i] = YMM()
		VBROADCASTSS(Mem{Base: from, Disp: 4 * i}, c[i])
	}
	d, first, second := YMM(), YMM(), YMM()
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	VMULPS(Mem{Base: g}, c[0], d)
	VMULPS(Mem{Base: m}, c[1], first)
	VFMADD231PS(c[2], d, first)
	VMOVUPS(first, Mem{Base: m})
	VMULPS(d, d, d)
	VMULPS(Mem{Base: v}, c[3], second)
	VFMADD231PS(c[4], d, second)
	VMOVUPS(second, Mem{Base: v})
	VMULPS(c[5], second, second)
	VSQRTPS(second, second)
	VADDPS(c[7], second, second)
	VMULPS(c[6], first, first)
	VDIVPS(second, first, first) // first / second
	VMOVUPS(Mem{Base: w}, d)
	VSUBPS(first, d, d)
	VMOVUPS(d, Mem{Base: w})
	for _, p := range []Register{w, g, m, v} {
		ADDQ(Imm(32), p)
	}
	SUBQ(Imm(8), n)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// exp replaces x by e to the power of scale·x − shift over n, a multiple of 8,
// and sums up (Cephes' expf, Moshier: x = k·ln 2 + r, a polynomial of r, 2 to the
// power of k put into the exponent's bits). Powers must not be above 88. The
// constants are the least power, log₂ e, ln 2 in two parts and the polynomial's,
// the highest first.
func exp() {
	TEXT("exp8", NOSPLIT, "func(n int, x *float32, scale, shift float32, constants *[12]float32) float32")
	Pragma("noescape")
	n := Load(Param("n"), GP64())
	at := Load(Param("x"), GP64())
	scale, shift := YMM(), YMM()
	VBROADCASTSS(Load(Param("scale"), XMM()), scale)
	VBROADCASTSS(Load(Param("shift"), XMM()), shift)
	from := Load(Param("constants"), GP64())
	constant := func(i int, to VecVirtual) VecVirtual {
		VBROADCASTSS(Mem{Base: from, Disp: 4 * i}, to)
		return to
	}
	least, log2e := constant(0, YMM()), constant(1, YMM())
	ln2, rest := constant(2, YMM()), constant(3, YMM())
	x, k, y, c, sum := YMM(), YMM(), YMM(), YMM(), YMM()
	VXORPS(sum, sum, sum)
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	VMOVUPS(Mem{Base: at}, x)
	VFMSUB132PS(scale, shift, x)
	VMAXPS(least, x, x)
	VMULPS(log2e, x, k)
	VROUNDPS(Imm(0), k, k)
	VFNMADD231PS(ln2, k, x)
	VFNMADD231PS(rest, k, x)
	constant(4, y)
	for i := 5; i < 12; i++ {
		VFMADD213PS(constant(i, c), x, y)
	}
	VCVTPS2DQ(k, k)
	VPSLLD(Imm(23), k, k)
	VPADDD(k, y, y)
	VMOVUPS(y, Mem{Base: at})
	VADDPS(y, sum, sum)
	ADDQ(Imm(32), at)
	SUBQ(Imm(8), n)
	JMP(LabelRef("loop"))
	Label("done")
	total(sum)
}

// total returns the sum over a register.
func total(sum VecVirtual) {
	half, low := XMM(), sum.AsX()
	VEXTRACTF128(Imm(1), sum, half)
	VADDPS(half, low, low)
	VHADDPS(low, low, low)
	VHADDPS(low, low, low)
	to, err := ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	VMOVSS(low, to.Addr)
	VZEROUPPER()
	RET()
}

// bytes loads a stride and turns it from floats into bytes.
func bytes(name string) GPVirtual {
	r := Load(Param(name), GP64()).(GPVirtual)
	SHLQ(Imm(2), r)
	return r
}
