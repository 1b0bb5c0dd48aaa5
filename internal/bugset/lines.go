package bugset

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
)

// maxLine bounds one line, in bytes: an artifact with the largest base that
// may be embedded, in base64. Tests lower it.
var maxLine = 512 << 20

// fileLine is one line of a file, without its newline.
type fileLine struct {
	text  []byte // valid until the next one
	end   int64  // offset behind its newline
	whole bool   // it has a newline
}

// fileLines reads a file line by line. A line over the limit is an error, and
// the last that is given.
func fileLines(name string) iter.Seq2[fileLine, error] {
	return func(yield func(fileLine, error) bool) {
		f, err := os.Open(name)
		if err != nil {
			yield(fileLine{}, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, 1<<16)
		var l fileLine
		for {
			part, err := r.ReadSlice('\n')
			l.text = append(l.text, part...)
			l.end += int64(len(part))
			switch {
			case len(l.text) > maxLine:
				yield(fileLine{}, fmt.Errorf("a line is over the limit of %d bytes", maxLine))
				return
			case err == bufio.ErrBufferFull:
				continue
			case err != nil && err != io.EOF:
				yield(fileLine{}, err)
				return
			case err == io.EOF && len(l.text) == 0:
				return
			}
			l.whole = err == nil
			l.text = bytes.TrimSuffix(l.text, []byte("\n"))
			if !yield(l, nil) || err == io.EOF {
				return
			}
			if cap(l.text) > 1<<22 {
				l.text = nil // one giant must not stay
			}
			l.text = l.text[:0]
		}
	}
}

// cutTail takes away what stands behind the last newline.
func cutTail(f *os.File) error {
	good := int64(0)
	for l, err := range fileLines(f.Name()) {
		if err != nil {
			return damaged(f.Name(), err.Error())
		}
		if l.whole {
			good = l.end
		}
	}
	return f.Truncate(good)
}
