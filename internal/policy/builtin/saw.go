package builtin

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"

	"breakfix/internal/arena"
)

// saw is what an attempt knew of the likeliest moves of a view before its first step: what
// they are, in the order that they had, and what values said of each. It is all that cannot be
// had again from the task. Moves are told by their place in the order that was set by hand.
type saw struct {
	moves []int32
	said  []arena.Answer
}

// pack writes it as text, with how many drafts there were to tell another grammar by.
func (s saw) pack(drafts int) string {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err) // the level is one that there is
	}
	out := binary.AppendUvarint(nil, uint64(drafts))
	for _, a := range s.said {
		out = append(out, byte(a))
	}
	out = append(out, 0xff)
	for _, m := range s.moves {
		out = binary.AppendUvarint(out, uint64(m))
	}
	z.Write(out) // into memory
	z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// unpackSaw reads what pack wrote; nothing of another grammar, or where nothing was asked.
func unpackSaw(text string, drafts int) (s saw, err error) {
	if text == "" {
		return s, nil
	}
	bad := errors.New("what an attempt saw of its moves is damaged")
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return s, bad
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 1<<20))
	if err != nil {
		return s, bad
	}
	n, k := binary.Uvarint(data)
	if k <= 0 {
		return s, bad
	}
	if n != uint64(drafts) {
		return s, nil
	}
	data = data[k:]
	end := bytes.IndexByte(data, 0xff)
	if end < 0 {
		return s, bad
	}
	said := data[:end]
	data = data[end+1:]
	for _, a := range said {
		m, k := binary.Uvarint(data)
		if k <= 0 || m >= n || a > byte(arena.Hints) {
			return saw{}, bad
		}
		s.moves, s.said = append(s.moves, int32(m)), append(s.said, arena.Answer(a))
		data = data[k:]
	}
	return s, nil
}
