package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// jsonl writes one JSON object a line.
type jsonl struct {
	f *os.File
	w *bufio.Writer
}

func newJSONL(dir, name string) (*jsonl, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return &jsonl{f, bufio.NewWriter(f)}, nil
}

func (j *jsonl) line(v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	_, err = j.w.Write(append(text, '\n'))
	return err
}

func (j *jsonl) raw(text []byte) error {
	_, err := j.w.Write(append(text, '\n'))
	return err
}

func (j *jsonl) close() error {
	err := j.w.Flush()
	if e := j.f.Close(); err == nil {
		err = e
	}
	return err
}

// encode is JSON that leaves <, > and & of code as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// maxLine bounds a line that is read, in bytes.
const maxLine = 1 << 30

// eachLine reads a file of lines; number counts from 1.
func eachLine(name string, do func(number int, text []byte) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 0, 1<<20), maxLine)
	number := 0
	for s.Scan() {
		number++
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if err := do(number, s.Bytes()); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s, line %d: %w", name, number+1, err)
	}
	return nil
}
