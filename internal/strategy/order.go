package strategy

import (
	"maps"
	"slices"
	"sort"
)

// sorted returns the keys of a map in order.
func sorted[K comparable, V any](m map[K]V, less func(a, b K) bool) []K {
	keys := slices.Collect(maps.Keys(m))
	sort.Slice(keys, func(i, j int) bool { return less(keys[i], keys[j]) })
	return keys
}
