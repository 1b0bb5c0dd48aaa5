package store

import (
	"io"
	"log/slog"
)

// Log returns a handler that appends one JSON line a record to log.jsonl,
// from the given level on. A store that only reads discards.
func (s *Store) Log(level slog.Leveler) slog.Handler {
	var w io.Writer = io.Discard
	if s.log != nil {
		w = s.log
	}
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
}
