package lang

import (
	"bytes"
	"testing"
)

// counting parses nothing and counts how often it is asked.
type counting struct {
	Language
	name  string
	asked int
}

func (c *counting) Name() string { return c.name }
func (c *counting) Parse(src []byte) (*File, error) {
	c.asked++
	return &File{Source: src}, nil
}

func TestWhatWasParsedLatelyIsNotParsedAgain(t *testing.T) {
	one, other := &counting{name: "one of recent"}, &counting{name: "other of recent"}
	src := []byte("a = 1\n")
	ask := func(l Language, src []byte) *File {
		f, err := Parsed(l, src)
		if err != nil || !bytes.Equal(f.Source, src) {
			t.Fatalf("%q, %v", f.Source, err)
		}
		return f
	}
	first := ask(one, src)
	if ask(one, bytes.Clone(src)) != first || one.asked != 1 {
		t.Errorf("parsed %d times", one.asked)
	}
	if ask(other, src) == first || other.asked != 1 {
		t.Error("the syntax of another language was given")
	}
	src[0] = 'b' // the caller may do what he likes with it
	if string(first.Source) != "a = 1\n" {
		t.Errorf("what is kept became %q", first.Source)
	}
	for i := range 3 { // more than is kept
		ask(one, bytes.Repeat([]byte{byte('a' + i)}, recentBytes/2))
	}
	before := one.asked
	if ask(one, []byte("a = 1\n")); one.asked != before+1 {
		t.Error("it is kept for ever")
	}
	recent.Lock()
	defer recent.Unlock()
	if recent.size > recentBytes && len(recent.files) > 1 {
		t.Errorf("%d bytes are kept", recent.size)
	}
}
