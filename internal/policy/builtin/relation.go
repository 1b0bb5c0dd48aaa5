package builtin

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// relation says how what a failed assertion saw differs from what it wanted,
// in a few words that a repair can be learned from: "one more than it should",
// "the other truth value". Empty where the message does not tell.
func relation(message string) []string {
	got, want, op := sides(message)
	if got == "" || want == "" {
		return nil
	}
	tags := []string{"op " + op}
	a, b := strings.TrimSpace(got), strings.TrimSpace(want)
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case truth(a) && truth(b):
		return append(tags, "truth "+a)
	case a == "None":
		return append(tags, "none", "wanted "+sort1(b))
	case errX == nil && errY == nil:
		d := x - y
		switch {
		case d == 1:
			tags = append(tags, "one more")
		case d == -1:
			tags = append(tags, "one less")
		case x == -y:
			tags = append(tags, "negated")
		case y != 0 && x/y == 2 || x != 0 && y/x == 2:
			tags = append(tags, "half or double")
		case math.Trunc(x) == y || math.Trunc(y) == x:
			tags = append(tags, "rounded")
		}
		switch {
		case d > 0:
			tags = append(tags, "more")
		case d < 0:
			tags = append(tags, "less")
		}
		if x == 0 {
			tags = append(tags, "got 0")
		}
		return tags
	case sort1(a) != sort1(b):
		return append(tags, "got "+sort1(a)+" wanted "+sort1(b))
	}
	tags = append(tags, "of "+sort1(a))
	la, lb := len(a), len(b)
	inA, inB := strings.Trim(a, "[](){}'\""), strings.Trim(b, "[](){}'\"")
	switch {
	case inA == "":
		tags = append(tags, "empty")
	case strings.EqualFold(a, b):
		tags = append(tags, "case")
	case strings.HasPrefix(inA, inB):
		tags = append(tags, "goes on too long")
	case strings.HasPrefix(inB, inA):
		tags = append(tags, "ends too soon")
	case strings.HasSuffix(inA, inB):
		tags = append(tags, "begins too soon")
	case strings.HasSuffix(inB, inA):
		tags = append(tags, "begins too late")
	}
	ea, eb := strings.Split(inA, ", "), strings.Split(inB, ", ")
	if len(ea) > 1 || len(eb) > 1 {
		switch {
		case len(ea) == len(eb)+1:
			tags = append(tags, "one element more")
		case len(ea)+1 == len(eb):
			tags = append(tags, "one element less")
		case len(ea) > len(eb):
			tags = append(tags, "more elements")
		case len(ea) < len(eb):
			tags = append(tags, "fewer elements")
		default:
			if same, reversed := permuted(ea, eb); reversed {
				tags = append(tags, "reversed")
			} else if same {
				tags = append(tags, "another order")
			}
		}
	} else if la > lb {
		tags = append(tags, "longer")
	} else if la < lb {
		tags = append(tags, "shorter")
	}
	return tags
}

func truth(s string) bool { return s == "True" || s == "False" }

// sort1 is the sort of a value, by how it is written.
func sort1(s string) string {
	switch {
	case s == "":
		return "nothing"
	case truth(s):
		return "bool"
	case s == "None":
		return "None"
	case s[0] >= '0' && s[0] <= '9' || s[0] == '-':
		if strings.ContainsAny(s, ".e") {
			return "float"
		}
		return "int"
	case s[0] == '\'' || s[0] == '"':
		return "str"
	case s[0] == '[':
		return "list"
	case s[0] == '(':
		return "tuple"
	case s[0] == '{' && strings.Contains(s, ": "), s == "{}":
		return "dict"
	case s[0] == '{':
		return "set"
	case s[0] == 'b' && len(s) > 1 && (s[1] == '\'' || s[1] == '"'):
		return "bytes"
	}
	return "object"
}

func permuted(a, b []string) (same, reversed bool) {
	count := map[string]int{}
	reversed = true
	for i, x := range a {
		count[x]++
		count[b[i]]--
		reversed = reversed && x == b[len(b)-1-i]
	}
	for _, n := range count {
		if n != 0 {
			return false, false
		}
	}
	return true, reversed
}

var assertion = regexp.MustCompile(`(?m)^\s*(?:AssertionError: )?assert (.+)$`)

// sides takes an assertion of pytest's, "assert 4 == 5", or unittest's, "4 != 5",
// apart: what the code gave, what was wanted, and the operator.
func sides(message string) (got, want, op string) {
	text := message
	if m := assertion.FindStringSubmatch(message); m != nil {
		text = m[1]
	} else {
		text, _, _ = strings.Cut(strings.TrimPrefix(text, "AssertionError: "), "\n")
		if a, b, ok := strings.Cut(text, " != "); ok {
			return a, b, "=="
		}
		return "", "", ""
	}
	if strings.HasPrefix(text, "not ") && !strings.Contains(text, " == ") {
		return "True", "False", "not"
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '\'', '"':
			j := i + 1
			for j < len(text) && text[j] != text[i] {
				if text[j] == '\\' {
					j++
				}
				j++
			}
			i = j
		case ' ':
			if depth != 0 {
				break
			}
			for _, o := range [...]string{" == ", " != ", " is not ", " is ", " not in ", " in ", " <= ", " >= ", " < ", " > "} {
				if strings.HasPrefix(text[i:], o) {
					return text[:i], text[i+len(o):], strings.TrimSpace(o)
				}
			}
		}
	}
	if text == "False" || text == "None" || text == "0" {
		return text, "True", "truth"
	}
	return "", "", ""
}
