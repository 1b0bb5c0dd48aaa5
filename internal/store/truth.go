package store

import "fmt"

// truth reads a column that holds 0 or 1. Another number is damage of the
// episode that it belongs to.
type truth struct {
	episode int
	to      *bool
}

// Scan implements sql.Scanner.
func (t truth) Scan(v any) error {
	switch v {
	case int64(0), int64(1):
		*t.to = v == int64(1)
		return nil
	}
	return damaged(t.episode, fmt.Errorf("%v is neither 0 nor 1", v))
}
