package lang

/*
#include <stddef.h>

// Weak, because cgo links each package by itself first; the parser's library
// is there when the program is linked.
extern void ts_set_allocator(void *(*)(size_t), void *(*)(size_t, size_t), void *(*)(void *, size_t), void (*)(void *)) __attribute__((weak));

static int native_allocator(void) {
	if (!ts_set_allocator) return 0;
	ts_set_allocator(NULL, NULL, NULL, NULL);
	return 1;
}
*/
import "C"

func init() { useNativeAllocator() }

// useNativeAllocator lets the parser call C's allocator itself. The binding's
// own way is a call back into Go for each allocation, which calls C again; see
// BenchmarkParse for what that costs. It reports whether it could.
func useNativeAllocator() bool { return C.native_allocator() == 1 }
