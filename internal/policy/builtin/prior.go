package builtin

import (
	"math"
	"strconv"
	"strings"
)

// Kind is a kind of repair.
type Kind string

// The kinds of repair, each the inverse of one or more operators of the bank.
const (
	kindCompare   Kind = "compare"        // another comparison
	kindArith     Kind = "arithmetic"     // another arithmetic or bitwise operator
	kindBool      Kind = "connector"      // and, or
	kindNegate    Kind = "negate"         // put in or take out not, -, ~
	kindLiteral   Kind = "literal"        // another constant
	kindOffset    Kind = "offset"         // put in or take out + 1, - 1
	kindDropTerm  Kind = "drop_term"      // take a term out of an expression
	kindAddTerm   Kind = "add_term"       // put a term into an expression
	kindDropCond  Kind = "drop_condition" // take a term out of a condition
	kindAddCond   Kind = "add_condition"  // put a term into a condition
	kindSwap      Kind = "swap_operands"  // exchange operands, elements or targets
	kindArgs      Kind = "swap_arguments" // exchange arguments
	kindName      Kind = "name"           // another name
	kindAttr      Kind = "attribute"      // another attribute
	kindKeyword   Kind = "keyword"        // another keyword
	kindString    Kind = "string"         // another string
	kindUnwrap    Kind = "unwrap"         // take a call, subscript or conversion off
	kindWrap      Kind = "wrap"           // put a call, subscript or conversion on
	kindAugment   Kind = "augment"        // another kind of assignment
	kindValue     Kind = "value"          // another expression of the file
	kindReturn    Kind = "return"         // another returned value
	kindInsert    Kind = "insert"         // put a statement in
	kindGuard     Kind = "insert_guard"   // put a guard in
	kindDelete    Kind = "delete"         // take a statement out
	kindOrder     Kind = "order"          // exchange neighbouring statements
	kindBranches  Kind = "branches"       // exchange or take out branches
	kindJump      Kind = "jump"           // another of break, continue, return, pass
	kindAwait     Kind = "await"          // put in or take out await, async
	kindException Kind = "exception"      // another exception
	kindWith      Kind = "with"           // put statements into a with block, or take them out
	kindCondition Kind = "condition"      // another condition
	kindArgument  Kind = "argument"       // put an argument in or take it out
	kindElement   Kind = "element"        // put an element in or take it out
	kindNone      Kind = "none_check"     // exchange truth test and test for None
	kindDecorator Kind = "decorator"      // put a decorator on
	kindHandler   Kind = "handler"        // put an else, elif, except or finally arm on
	kindBank      Kind = "operator"       // an operator of the bank that nothing above explains
	unreachable        = -12.0            // log prior below which a place is not looked at
)

// priors are relative weights of the kinds, set by hand: how often the kind is
// what undoes a mutation of the bank, when the mutation's line is known.
var priors = map[Kind]float64{
	kindCompare: 10, kindArith: 7, kindBool: 10, kindNegate: 9, kindLiteral: 7, kindOffset: 5, kindDropTerm: 5,
	kindAddTerm: 2, kindDropCond: 4, kindAddCond: 5, kindSwap: 4, kindArgs: 7, kindName: 5, kindAttr: 7, kindKeyword: 5,
	kindString: 4, kindUnwrap: 8, kindWrap: 4, kindAugment: 8, kindValue: 3, kindReturn: 8, kindInsert: 9, kindGuard: 6,
	kindDelete: 4, kindOrder: 5, kindBranches: 6, kindJump: 8, kindAwait: 10, kindException: 5, kindWith: 6,
	kindCondition: 8, kindArgument: 4, kindElement: 4, kindNone: 7, kindBank: 2,
	kindDecorator: 6, kindHandler: 5,
}

func logPrior(k Kind) float64 { return math.Log(priors[k]) }

// span is the place of the change: the lines that changed lie in core, as far
// as the window (three lines either side) tells.
type span struct {
	first, last         int // of the enclosing function
	winFirst, winLast   int
	cut                 bool            // the window is cut short by an end of the file
	coreFirst, coreLast int             // coreLast = coreFirst-1: nothing is left of the change but the gap before coreFirst
	lines               map[int]float64 // log prior of each line where no window tells; nil where one does
}

func spanOf(v View, root *node) span {
	c := v.Context
	if c.WindowFirst == 0 {
		return spread(v, root)
	}
	s := span{first: c.FirstLine, last: c.LastLine, winFirst: c.WindowFirst, winLast: c.WindowLast,
		coreFirst: c.WindowFirst + 3, coreLast: c.WindowLast - 3}
	// The file's start or end cuts the window: where the change begins or ends
	// is then known to three lines only.
	if c.WindowFirst <= 1 {
		s.cut = true
		s.coreFirst = max(1, min(s.coreFirst, s.coreLast))
	}
	if c.WindowLast >= root.last-1 {
		s.cut = true
		s.coreLast = max(s.coreLast, min(s.coreFirst, c.WindowLast))
	}
	// Far lines of a long function or class are never reached within an attempt.
	s.first, s.last = max(s.first, s.winFirst-maxFar), min(s.last, s.winLast+maxFar)
	if s.coreLast < s.coreFirst-1 {
		s.coreFirst, s.coreLast = c.WindowFirst, c.WindowLast
	}
	return s
}

// maxFar is how many lines outside the window are looked at.
const maxFar = 30

// gone reports whether the change left nothing behind: code was taken out.
func (s span) gone() bool { return s.coreLast < s.coreFirst }

// line is the log prior that an edit of the lines first to last repairs.
func (s span) line(first, last int) float64 {
	if s.lines != nil {
		return s.spreadLine(first, last)
	}
	lo, hi := s.coreFirst, s.coreLast
	p := 0.0
	if s.gone() {
		lo, hi, p = s.coreLast, s.coreFirst, -2.5 // the lines either side of the gap
	}
	switch {
	case first >= lo && first <= hi:
		return p
	case first < lo && last >= lo:
		return p - 1.2 // it reaches into the core
	}
	d := first - hi
	if first < lo {
		d = lo - first
	}
	if first >= s.winFirst && first <= s.winLast {
		return p - 2 - 0.5*float64(d)
	}
	if first >= s.first && last <= s.last {
		return p - 4.5 - 0.05*float64(min(d, 60))
	}
	return unreachable - 1
}

// gap is the log prior that something is missing between line and line + 1.
func (s span) gap(line int) float64 {
	if s.lines != nil {
		return s.spreadGap(line)
	}
	if s.gone() {
		if line == s.coreLast {
			return 0
		}
		return max(-2.5-0.7*math.Abs(float64(line-s.coreLast)), s.outside(line))
	}
	if line >= s.coreFirst-1 && line <= s.coreLast {
		if s.cut {
			return -0.7
		}
		return -2
	}
	return s.outside(line)
}

func (s span) outside(line int) float64 {
	switch {
	case line >= s.winFirst && line <= s.winLast:
		return -4
	case line >= s.first && line <= s.last:
		return -6.5
	}
	return unreachable - 1
}

// hints is what the red test and its failure say about the repair.
type hints struct {
	kind    string
	words   map[string]bool // identifiers and strings of the message
	lines   map[int]bool    // lines of this file in the traceback
	timeout bool
	numbers []string // of the test and the message
	strings []string // quoted, of the test
}

func hintsOf(v View) hints {
	h := hints{kind: v.Failure.Kind, words: map[string]bool{}, lines: map[int]bool{}}
	for _, w := range strings.FieldsFunc(v.Failure.Message, func(r rune) bool { return !isWord(r) }) {
		if !isDigits(w) {
			h.words[w] = true
		}
	}
	for _, f := range v.Failure.Frames {
		if f.Path == v.Path {
			h.lines[f.Line] = true
		}
	}
	kind := strings.ToLower(h.kind)
	h.timeout = strings.Contains(kind, "timeout") || strings.Contains(kind, "timed") || (kind == "" && v.Failure.Text != "")
	h.numbers, h.strings = literalsOf(v.RedTest + "\n" + firstLines(v.Failure.Message, 3))
	return h
}

// bonus is what the kind of failure adds to the log prior of a kind of repair.
func (h hints) bonus(k Kind) float64 {
	in := func(ks ...Kind) bool {
		for _, x := range ks {
			if x == k {
				return true
			}
		}
		return false
	}
	switch {
	case h.timeout:
		if in(kindDelete, kindWith, kindJump, kindCompare, kindAugment, kindCondition, kindOffset, kindInsert, kindNegate) {
			return 0.7
		}
	case h.kind == "NameError" || h.kind == "UnboundLocalError":
		if in(kindInsert, kindOrder, kindName) {
			return 1.2
		}
	case h.kind == "AttributeError":
		if in(kindAttr, kindUnwrap, kindInsert, kindNone, kindWrap, kindReturn, kindName) {
			return 0.8
		}
	case h.kind == "TypeError":
		if in(kindArgs, kindUnwrap, kindWrap, kindKeyword, kindArgument, kindAwait, kindReturn, kindName, kindNone) {
			return 0.6
		}
	case h.kind == "KeyError":
		if in(kindString, kindName, kindInsert, kindGuard, kindAttr, kindUnwrap, kindArgument, kindException) {
			return 0.5
		}
	case h.kind == "IndexError" || h.kind == "ValueError" || h.kind == "StopIteration":
		if in(kindOffset, kindLiteral, kindCompare, kindGuard, kindCondition, kindException) {
			return 0.5
		}
	case h.kind == "RecursionError":
		if in(kindGuard, kindCompare, kindAttr, kindName, kindCondition) {
			return 0.7
		}
	}
	return 0
}

// said weighs a filler up when the failure names it.
func (h hints) said(name string) float64 {
	if h.words[name] {
		return 4
	}
	return 1
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
}

func isDigits(s string) bool { _, err := strconv.Atoi(s); return err == nil }

func itoa(n int) string { return strconv.Itoa(n) }

func firstLines(s string, n int) string {
	lines := strings.SplitN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// literalsOf lists the whole numbers and the quoted strings of Python source,
// each once, in order.
func literalsOf(src string) (numbers, quoted []string) {
	seen := map[string]bool{}
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '"' || c == '\'':
			j := i + 1
			for j < len(src) && src[j] != c && src[j] != '\n' {
				if src[j] == '\\' {
					j++
				}
				j++
			}
			if j < len(src) && src[j] == c {
				if s := src[i : j+1]; len(s) > 2 && len(s) < 60 && !seen[s] {
					seen[s] = true
					quoted = append(quoted, s)
				}
				j++
			}
			i = j
		case c >= '0' && c <= '9':
			j := i
			for j < len(src) && (isWord(rune(src[j])) || src[j] == '.') {
				j++
			}
			if s := src[i:j]; (i == 0 || !isWord(rune(src[i-1]))) && isDigits(s) && len(s) < 7 && !seen[s] {
				seen[s] = true
				numbers = append(numbers, s)
			}
			i = j
		case isWord(rune(c)):
			for i < len(src) && isWord(rune(src[i])) {
				i++
			}
		default:
			i++
		}
	}
	return numbers, quoted
}
