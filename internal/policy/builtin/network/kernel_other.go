//go:build !amd64

package network

// Processors without a kernel of their own use plain Go; these are not called.

func vectorKernels() []kernel { return nil }

func tile(rows, k int, a *float32, row, step int, b *float32, panel int, c *float32, crow int) {}

func dot8(n int, x, y *float32) float32 { return 0 }

func axpy8(n int, s float32, x, y *float32) {}

func weigh8(n int, x, y, z *float32) {}

func gate8(n int, x, y *float32) {}

func adam8(n int, w, grad, m, v *float32, constants *[8]float32) {}

func exp8(n int, x *float32, scale, shift float32, constants *[12]float32) float32 { return 0 }
