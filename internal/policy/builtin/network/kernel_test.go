package network

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// with runs a function on each kernel of this machine.
func with(t testing.TB, f func(name string)) {
	t.Helper()
	old := current
	defer func() { current = old }()
	for _, k := range kernels() {
		current = k
		f(k.name)
	}
}

func noise(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// Products by every kernel, with every remainder, with both factors flipped or
// not, are those of gonum's BLAS. The tolerance is 1e-6 times the sum of the
// products' sizes: rounding in another order.
func TestProductsAreThoseOfGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	sizes := [][3]int{{1, 1, 1}, {1, 64, 16}, {3, 5, 7}, {6, 16, 16}, {7, 17, 33}, {12, 128, 64}, {13, 300, 48}, {60, 640, 128}, {64, 513, 20}, {5, 12, 64}, {25, 64, 150}}
	for range 20 {
		sizes = append(sizes, [3]int{1 + r.IntN(30), 1 + r.IntN(600), 1 + r.IntN(70)})
	}
	for _, size := range sizes {
		m, k, n := size[0], size[1], size[2]
		av, bv, start := noise(r, m*k), noise(r, k*n), noise(r, m*n)
		for _, flips := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			want := append([]float32(nil), start...)
			a, b := dense(av, m, k), dense(bv, k, n)
			ga, gb := blas32.General{Rows: m, Cols: k, Stride: k, Data: av}, blas32.General{Rows: k, Cols: n, Stride: n, Data: bv}
			ta, tb := blas.NoTrans, blas.NoTrans
			if flips[0] {
				a, ta = dense(av, k, m).flip(), blas.Trans
				ga = blas32.General{Rows: k, Cols: m, Stride: m, Data: av}
			}
			if flips[1] {
				b, tb = dense(bv, n, k).flip(), blas.Trans
				gb = blas32.General{Rows: n, Cols: k, Stride: k, Data: bv}
			}
			blas32.Gemm(ta, tb, 1, ga, gb, 1, blas32.General{Rows: m, Cols: n, Stride: n, Data: want})
			with(t, func(name string) {
				got := append([]float32(nil), start...)
				multiply(dense(got, m, n), a, b)
				for i := range got {
					if d := math.Abs(float64(got[i] - want[i])); d > 1e-6*float64(k+1)*4 {
						t.Fatalf("%s: %d×%d×%d, flipped %v: entry %d is %v, gonum says %v", name, m, k, n, flips, i, got[i], want[i])
					}
				}
			})
		}
	}
}

func TestVectorsAreThoseOfGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for n := 1; n < 70; n++ {
		x, y := noise(r, n), noise(r, n)
		x[n/2] = 0
		vx, vy := blas32.Vector{N: n, Data: x, Inc: 1}, blas32.Vector{N: n, Data: append([]float32(nil), y...), Inc: 1}
		wantDot := blas32.Dot(vx, vy)
		blas32.Axpy(1.5, vx, vy)
		with(t, func(name string) {
			if got := dot(x, y); math.Abs(float64(got-wantDot)) > 1e-5*float64(n) {
				t.Errorf("%s: dot of %d is %v, gonum says %v", name, n, got, wantDot)
			}
			powers, sum := append([]float32(nil), y...), 0.0
			powers[0] = 40 // far below
			all := float64(exponents(powers, -3, 2))
			for i, v := range y {
				if i == 0 {
					v = 40
				}
				want := math.Exp(float64(-3*v - 2))
				sum += want
				if math.Abs(float64(powers[i])-want) > 1e-6*want+1e-37 {
					t.Errorf("%s: e to the power of %v is %v, want %v", name, -3*v-2, powers[i], want)
				}
			}
			if math.Abs(all-sum) > 1e-5*sum+1e-37 {
				t.Errorf("%s: the sum of %d powers is %v, want %v", name, n, all, sum)
			}
			gated := append([]float32(nil), y...)
			gate(x, gated)
			for i := range gated {
				if want := y[i]; x[i] > 0 && gated[i] != want || x[i] <= 0 && gated[i] != 0 {
					t.Errorf("%s: gate of %d, entry %d by %v is %v", name, n, i, x[i], gated[i])
				}
			}
			sums := append([]float32(nil), y...)
			weigh(x, y, sums)
			for i := range sums {
				if want := y[i] + x[i]*y[i]; math.Abs(float64(sums[i]-want)) > 1e-6*8 {
					t.Errorf("%s: weigh of %d, entry %d is %v, want %v", name, n, i, sums[i], want)
				}
			}
			got := append([]float32(nil), y...)
			axpy(1.5, x, got)
			for i := range got {
				if math.Abs(float64(got[i]-vy.Data[i])) > 1e-6*8 {
					t.Errorf("%s: axpy of %d, entry %d is %v, gonum says %v", name, n, i, got[i], vy.Data[i])
				}
			}
		})
	}
}

// A kernel writes nothing beside its part of c.
func TestAProductStaysInItsPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	with(t, func(name string) {
		for m := 1; m <= 13; m++ {
			for _, n := range []int{1, 15, 16, 17, 31} {
				const pad = 40
				c := make([]float32, m*(n+3)+2*pad)
				for i := range c {
					c[i] = 99
				}
				to := view[float32]{v: c[pad : len(c)-pad], rows: m, cols: n, down: n + 3, right: 1}
				multiply(to, dense(noise(r, m*9), m, 9), dense(noise(r, 9*n), 9, n))
				for i, v := range c {
					inside := i >= pad && i < len(c)-pad && (i-pad)%(n+3) < n
					if !inside && v != 99 {
						t.Fatalf("%s: %d×%d wrote at %d", name, m, n, i-pad)
					}
				}
			}
		}
	})
}

func TestTheKernelIsNamedByTheVariable(t *testing.T) {
	k, err := chosen("go")
	if err != nil || k.name != "go" || k.vector {
		t.Errorf("go gives %+v, %v", k, err)
	}
	k, err = chosen("fast")
	if err == nil || !strings.Contains(err.Error(), "BREAKFIX_KERNEL=fast") || !strings.Contains(err.Error(), "go") {
		t.Errorf("an unknown kernel gives error %v", err)
	}
	if all := kernels(); k != all[len(all)-1] {
		t.Errorf("an unknown kernel gives %+v, want the best", k)
	}
}

func BenchmarkMultiply(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, size := range [][3]int{{300, 128, 256}, {60, 640, 128}, {6, 128, 256}} {
		m, k, n := size[0], size[1], size[2]
		x, w, y := noise(r, m*k), noise(r, k*n), noise(r, m*n)
		dx, dw := make([]float32, m*k), make([]float32, k*n)
		with(b, func(name string) {
			for _, way := range []struct {
				name    string
				c, a, b view[float32]
			}{
				{"forward", dense(y, m, n), dense(x, m, k), dense(w, k, n)},
				{"inputs", dense(dx, m, k), dense(y, m, n), dense(w, k, n).flip()},
				{"weights", dense(dw, k, n), dense(x, m, k).flip(), dense(y, m, n)},
			} {
				b.Run(fmt.Sprintf("%dx%dx%d/%s/%s", m, k, n, way.name, name), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						multiply(way.c, way.a, way.b)
					}
					b.ReportMetric(2*float64(m*k*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		})
	}
}
