package bugset

import (
	"slices"
	"strconv"
	"strings"

	"breakfix/internal/tree"
)

// The splits, in order.
var splitNames = []string{"train", "validation", "test"}

// splitOf puts a repository into a split, by nothing but its name: eight of
// ten into train, one each into the others. Sets that share a repository never
// disagree about it.
func splitOf(repository string) string {
	digest := tree.DigestOf([]byte("breakfix split\n" + repository))
	n, err := strconv.ParseUint(string(digest[:15]), 16, 64)
	if err != nil {
		panic(err) // a digest is hexadecimal
	}
	switch n %= 10; {
	case n < 8:
		return "train"
	case n == 8:
		return "validation"
	}
	return "test"
}

// repository names a source without its version and the place that it came
// from: releases and clones of one project are one repository.
func repository(s HeadSource) string {
	return strings.ReplaceAll(strings.ToLower(s.Name), "_", "-")
}

// Splits is splits.json.
type Splits struct {
	By     string           `json:"by"`
	Rule   string           `json:"rule"`
	Splits map[string]Split `json:"splits"`
}

// Split is one split: bugs belong to it by their source.
type Split struct {
	Repositories []string `json:"repositories"`
	Sources      []string `json:"sources"` // as bug.json names them
	Bugs         int      `json:"bugs"`
}

func splitsOf(sum Summary) Splits {
	s := Splits{By: "repository", Rule: "by the digest of the repository's name: 8 of 10 train, 1 validation, 1 test", Splits: map[string]Split{}}
	for _, name := range splitNames {
		s.Splits[name] = Split{Repositories: []string{}, Sources: []string{}}
	}
	for _, src := range sum.Sources {
		one := s.Splits[src.Split]
		if !slices.Contains(one.Repositories, src.Repository) {
			one.Repositories = append(one.Repositories, src.Repository)
		}
		one.Sources = append(one.Sources, src.Source)
		one.Bugs += src.Bugs
		s.Splits[src.Split] = one
	}
	return s
}
