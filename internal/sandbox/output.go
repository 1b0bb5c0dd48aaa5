package sandbox

import (
	"fmt"
	"io"
)

// bounded keeps the first max bytes written to it and counts the rest, so that
// whoever writes is never blocked and memory never grows.
type bounded struct {
	max  int64
	kept []byte
	more bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.max - int64(len(b.kept))
	if int64(len(p)) <= room {
		b.kept = append(b.kept, p...)
	} else {
		b.kept = append(b.kept, p[:room]...)
		b.more = true
	}
	return len(p), nil
}

// limited passes at most max bytes on to w; one byte more is an error.
type limited struct {
	w    io.Writer
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	if int64(len(p)) > l.left {
		return 0, fmt.Errorf("the report is longer than its limit")
	}
	l.left -= int64(len(p))
	return l.w.Write(p)
}
