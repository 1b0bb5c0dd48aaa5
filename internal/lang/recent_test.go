package lang

import (
	"bytes"
	"runtime"
	"testing"
	"weak"
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

// Many small files, then a few large ones: the list has room for many, and what was let go of
// must not lie in it.
func TestWhatIsNoLongerKeptIsGivenBack(t *testing.T) {
	l := &counting{name: "given back"}
	ask := func(src []byte) weak.Pointer[File] {
		f, err := Parsed(l, src)
		if err != nil {
			t.Fatal(err)
		}
		return weak.Make(f)
	}
	for i := range 200 {
		ask(bytes.Repeat([]byte{byte(i)}, recentBytes/200))
	}
	var large []weak.Pointer[File]
	for i := range 6 {
		large = append(large, ask(bytes.Repeat([]byte{byte(i)}, recentBytes/2)))
	}
	runtime.GC()
	alive := 0
	for _, f := range large {
		if f.Value() != nil {
			alive++
		}
	}
	if alive > 2 {
		t.Errorf("%d files are alive where 2 are kept", alive)
	}
}
