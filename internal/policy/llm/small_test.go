package llm

import (
	"fmt"
	"strings"
)

// measures is the small target of the learning tests: n functions of one line, of
// five kinds, each in a file of its own with a test of three calls at its boundary.
func measures(n int) map[string]string {
	files := map[string]string{"small/__init__.py": ""}
	for i := range n {
		var code, tests strings.Builder
		k := i + 2
		name, body := "", ""
		var pairs [][2]int
		switch i % 5 {
		case 0:
			name, body, pairs = fmt.Sprintf("over%d", i), fmt.Sprintf("a - b > %d", k), [][2]int{{6 + k, 5}, {5 + k, 5}, {5, 5}}
		case 1:
			name, body, pairs = fmt.Sprintf("under%d", i), fmt.Sprintf("a + b < %d", k*10), [][2]int{{1, k*10 - 2}, {1, k*10 - 1}, {-9, 3}}
		case 2:
			name, body, pairs = fmt.Sprintf("part%d", i), fmt.Sprintf("a * %d + b", k), [][2]int{{2, 7}, {3, 1}, {0, 4}}
		case 3:
			name, body, pairs = fmt.Sprintf("same%d", i), fmt.Sprintf("a == b + %d", k), [][2]int{{4 + k, 4}, {4, 4 + k}, {4, 4}}
		case 4:
			name, body, pairs = fmt.Sprintf("both%d", i), fmt.Sprintf("a > %d and b > %d", k, k+1), [][2]int{{k + 1, k + 2}, {k, k + 2}, {k + 1, k + 1}}
		}
		fmt.Fprintf(&code, "def %s(a, b):\n    return %s\n", name, body)
		fmt.Fprintf(&tests, "from small import %s as m\n", name)
		var got, want []string
		for _, p := range pairs {
			a, b := p[0], p[1]
			got = append(got, fmt.Sprintf("m.%s(%d, %d)", name, a, b))
			switch i % 5 {
			case 0:
				want = append(want, python(a-b > k))
			case 1:
				want = append(want, python(a+b < k*10))
			case 2:
				want = append(want, fmt.Sprint(a*k+b))
			case 3:
				want = append(want, python(a == b+k))
			case 4:
				want = append(want, python(a > k && b > k+1))
			}
		}
		fmt.Fprintf(&tests, "\n\ndef test_%s():\n    got = [%s]\n    assert got == [%s], got\n", name, strings.Join(got, ", "), strings.Join(want, ", "))
		files["small/"+name+".py"], files["tests/test_"+name+".py"] = code.String(), tests.String()
	}
	return files
}

func python(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
