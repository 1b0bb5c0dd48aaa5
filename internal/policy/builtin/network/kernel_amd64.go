package network

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd _asm && go run . -out ../kernel_amd64.s -stubs ../kernel_stubs_amd64.go -pkg network"

func vectorKernels() []kernel {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil
	}
	return []kernel{{name: "avx2", vector: true}}
}

// tile adds to rows × tileCols of c the product of a, by strides, and a panel
// of b. A switch, since what goes through a function value moves to the heap.
func tile(rows, k int, a *float32, row, step int, b *float32, panel int, c *float32, crow int) {
	switch rows {
	case 1:
		tile1(k, a, row, step, b, panel, c, crow)
	case 2:
		tile2(k, a, row, step, b, panel, c, crow)
	case 3:
		tile3(k, a, row, step, b, panel, c, crow)
	case 4:
		tile4(k, a, row, step, b, panel, c, crow)
	case 5:
		tile5(k, a, row, step, b, panel, c, crow)
	case 6:
		tile6(k, a, row, step, b, panel, c, crow)
	}
}
