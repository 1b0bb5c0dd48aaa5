package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// TestSet is a set of tests by their number in Plan.Tests, ascending. As JSON
// it is a string of numbers and ranges, "0-3,9": ten thousand mutations of code
// that every test runs then take no more room than their own text.
type TestSet []int32

// NewTestSet returns the set of the numbers; those below zero are left out.
func NewTestSet(numbers ...int32) TestSet {
	s := slices.DeleteFunc(slices.Clone(numbers), func(n int32) bool { return n < 0 })
	slices.Sort(s)
	return slices.Clip(slices.Compact(s))
}

// Has reports whether the test of that number is in the set.
func (s TestSet) Has(n int32) bool {
	_, ok := slices.BinarySearch(s, n)
	return ok
}

// String is the set as its JSON has it.
func (s TestSet) String() string {
	var b strings.Builder
	for i := 0; i < len(s); {
		k := i
		for k+1 < len(s) && s[k+1] == s[k]+1 {
			k++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(s[i])))
		if k > i {
			fmt.Fprintf(&b, "-%d", s[k])
		}
		i = k + 1
	}
	return b.String()
}

// MarshalJSON implements json.Marshaler.
func (s TestSet) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// mostTests bounds the numbers that a stored set may name.
const mostTests = 1 << 20

// UnmarshalJSON implements json.Unmarshaler.
func (s *TestSet) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*s = nil
	if text == "" {
		return nil
	}
	for _, part := range strings.Split(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		first, err := strconv.ParseUint(from, 10, 32)
		last := first
		if err == nil && ranged {
			last, err = strconv.ParseUint(to, 10, 32)
		}
		if err != nil || last < first || last >= mostTests {
			return fmt.Errorf("%q is no set of tests", text)
		}
		for n := first; n <= last; n++ {
			*s = append(*s, int32(n))
		}
	}
	*s = NewTestSet(*s...)
	return nil
}
