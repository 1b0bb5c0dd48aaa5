package network

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
)

// KernelVariable forces a kernel by its name: go or avx2.
const KernelVariable = "BREAKFIX_KERNEL"

// kernel is how the inner loops over float32 are run. Vectors and tiles with
// a remainder are the callers' business.
type kernel struct {
	name   string
	vector bool // by the assembly, else in plain Go
}

// A tile of a product is tileRows × tileCols.
const (
	tileRows = 6
	tileCols = 16
)

var (
	current, wrong = chosen(os.Getenv(KernelVariable))
)

// Kernel names the kernel in use. Weights trained with two kernels differ in
// their last bits, so it belongs into the record of a run. The error says that
// the variable asked for one that there is not here; the best is used instead.
func Kernel() (string, error) { return current.name, wrong }

func chosen(name string) (kernel, error) {
	all := kernels()
	best := all[len(all)-1]
	if name == "" {
		return best, nil
	}
	var names []string
	for _, k := range all {
		if k.name == name {
			return k, nil
		}
		names = append(names, k.name)
	}
	return best, fmt.Errorf("%s=%s: this processor and build have %s", KernelVariable, name, strings.Join(names, ", "))
}

// Use makes a kernel the one in use and returns the name of the former: for
// comparing them. Nobody may encode, score or learn meanwhile.
func Use(name string) (was string, err error) {
	k, err := chosen(name)
	if err != nil {
		return current.name, err
	}
	was, current = current.name, k
	return was, nil
}

// Kernels names what runs here, plain Go first, the best last.
func Kernels() []string {
	var names []string
	for _, k := range kernels() {
		names = append(names, k.name)
	}
	return names
}

// kernels lists what runs here, the best last.
func kernels() []kernel { return slices.Concat([]kernel{{name: "go"}}, vectorKernels()) }

// dot gives x·y.
func dot[T real](x, y []T) T {
	y = y[:len(x)]
	sum := T(0)
	if a, ok := any(x).([]float32); ok && current.vector && len(x) >= 8 {
		n := len(x) &^ 7
		sum = T(dot8(n, &a[0], &any(y).([]float32)[0]))
		x, y = x[n:], y[n:]
	}
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

// axpy adds s·x to y.
func axpy[T real](s T, x, y []T) {
	y = y[:len(x)]
	if a, ok := any(x).([]float32); ok && current.vector && len(x) >= 8 {
		n := len(x) &^ 7
		axpy8(n, float32(s), &a[0], &any(y).([]float32)[0])
		x, y = x[n:], y[n:]
	}
	for i, v := range x {
		y[i] += s * v
	}
}

// weigh adds x⊙y to z.
func weigh[T real](x, y, z []T) {
	y, z = y[:len(x)], z[:len(x)]
	if a, ok := any(x).([]float32); ok && current.vector && len(x) >= 8 {
		n := len(x) &^ 7
		weigh8(n, &a[0], &any(y).([]float32)[0], &any(z).([]float32)[0])
		x, y, z = x[n:], y[n:], z[n:]
	}
	for i, v := range x {
		z[i] += v * y[i]
	}
}

// gate clears those of y whose x is not above zero.
func gate[T real](x, y []T) {
	y = y[:len(x)]
	if a, ok := any(x).([]float32); ok && current.vector && len(x) >= 8 {
		n := len(x) &^ 7
		gate8(n, &a[0], &any(y).([]float32)[0])
		x, y = x[n:], y[n:]
	}
	for i, v := range x {
		if v <= 0 {
			y[i] = 0
		}
	}
}

// expConstants are exp8's: Cephes' polynomial, after it the series' first terms.
var expConstants = [12]float32{-87, math.Log2E, 0.693359375, -2.12194440e-4,
	1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1}

// exponents replaces x by e to the power of scale·x − shift, at most 88, and
// gives their sum.
func exponents[T real](x []T, scale, shift T) T {
	sum := T(0)
	if a, ok := any(x).([]float32); ok && current.vector && len(x) >= 8 {
		n := len(x) &^ 7
		sum = T(exp8(n, &a[0], float32(scale), float32(shift), &expConstants))
		x = x[n:]
	}
	for i, v := range x {
		e := T(math.Exp(float64(v*scale - shift)))
		x[i] = e
		sum += e
	}
	return sum
}
