package bug

import "strings"

// testID is a pytest id taken apart: file, classes, function, case.
type testID struct {
	path    string
	classes []string
	fn      string
	param   string // with its brackets, "" when the test has no cases
}

func parseID(id string) testID {
	t := testID{}
	head := id
	if i := strings.IndexByte(id, '['); i >= 0 {
		head, t.param = id[:i], id[i:]
	}
	parts := strings.Split(head, "::")
	t.path = parts[0]
	if len(parts) > 1 {
		t.classes, t.fn = parts[1:len(parts)-1], parts[len(parts)-1]
	}
	return t
}

// function is the id without its case: tests of one function are one test to
// a person, and one leaks the others.
func function(id string) string {
	if i := strings.IndexByte(id, '['); i >= 0 {
		return id[:i]
	}
	return id
}
