package lang

/*
#include <stddef.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// Weak, because cgo links each package by itself first; the parser's library
// is there when the program is linked.
extern void ts_set_allocator(void *(*)(size_t), void *(*)(size_t, size_t), void *(*)(void *, size_t), void (*)(void *)) __attribute__((weak));

static int native_allocator(void) {
	if (!ts_set_allocator) return 0;
	ts_set_allocator(NULL, NULL, NULL, NULL);
	return 1;
}

// Says 0 where the allocator has no such settings.
static int few_arenas(int most) {
#ifdef __GLIBC__
	return mallopt(M_ARENA_MAX, most) && mallopt(M_TRIM_THRESHOLD, 1 << 20) && mallopt(M_MMAP_THRESHOLD, 1 << 20);
#else
	return 0;
#endif
}

static void give_back(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

import (
	"os"
	"sync/atomic"
)

// mostArenas bounds the heaps of C's allocator, which otherwise makes eight a core, each with
// holes of its own: every thread that ever parsed leaves one as large as its largest tree.
const mostArenas = 2

func init() {
	useNativeAllocator()
	if os.Getenv("MALLOC_ARENA_MAX") == "" {
		useFewArenas()
	}
}

// useFewArenas bounds the heaps, has the end of one given back when a megabyte of it is free,
// and large blocks when they are freed. It reports whether it could: only the GNU C library
// has these settings, and needs them.
func useFewArenas() bool { return C.few_arenas(mostArenas) == 1 }

// giveBackAfter is after how many bytes of source the allocator gives back what is free: it
// does so by itself at the end of a heap only, and trees are freed in the middle.
const giveBackAfter = 4 << 20

var parsed atomic.Int64

// freed is told the size of a source whose tree was freed.
func freed(source int) {
	if n := parsed.Add(int64(source)); n/giveBackAfter != (n-int64(source))/giveBackAfter {
		C.give_back()
	}
}

// useNativeAllocator lets the parser call C's allocator itself. The binding's
// own way is a call back into Go for each allocation, which calls C again; see
// BenchmarkParse for what that costs. It reports whether it could.
func useNativeAllocator() bool { return C.native_allocator() == 1 }
