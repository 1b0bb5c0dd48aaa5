package testrun

import (
	"sync"
)

// tools are what the linters need.
type tools struct {
	dir string // host folder of the tool environment
}

// smokeStep is one thing that the smoke run does.
type smokeStep struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// factCache keeps facts about trees.
type factCache struct{ mu sync.Mutex }
