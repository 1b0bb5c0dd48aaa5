package builtin

import (
	"sort"
	"strings"
)

// leaf is one token of a file.
type leaf struct {
	text       string
	class      leafClass
	start, end int
	row        int
	node       *node
}

// leafClass is what a token is, as far as one file tells.
type leafClass uint8

const (
	classNone leafClass = iota
	classWord           // a keyword
	classMark           // an operator or punctuation
	classNumber
	classString
	classConstant // True, False, None
	classParam
	classLocal
	classSelf
	classBuiltin
	classGlobal
	classCallee // a name that is called and is no builtin
	classAttr
	classMethod // an attribute that is called
	classKey    // the name of a keyword argument
	classText   // of a message or a test
)

var classNames = [...]string{"", "", "", "NUM", "STR", "", "PAR", "LOC", "self", "", "GLO", "FUN", "ATT", "MET", "KEY", ""}

// shape is how a token looks in a pattern: itself where there are few of its
// like, its class where there are many.
func (l *leaf) shape() string {
	switch l.class {
	case classNumber:
		if len(l.text) == 1 {
			return l.text
		}
	case classString:
		if len(l.text) <= 2 {
			return "''"
		}
	case classMethod:
		if common[l.text] {
			return l.text
		}
	}
	if n := classNames[l.class]; n != "" {
		return n
	}
	return l.text
}

// common are methods that mean the same in most code.
var common = func() map[string]bool {
	m := map[string]bool{}
	for _, family := range strings.Fields("append extend add remove discard pop popleft appendleft insert clear copy update get setdefault keys values items strip lstrip rstrip split rsplit join lower upper startswith endswith find rfind index count replace sort reverse isdigit isalpha isupper islower format encode decode acquire release read write close") {
		m[family] = true
	}
	return m
}()

// leavesOf lists the tokens below a node, strings whole, comments left out.
func leavesOf(src []byte, root *node, params map[string]bool, locals map[string]int) []leaf {
	var out []leaf
	root.walk(func(n *node) bool {
		switch {
		case n.kind == "comment":
			return false
		case n.kind == "string":
			out = append(out, leaf{text: n.text(src), class: classString, start: n.start, end: n.end, row: n.row, node: n})
			return false
		case len(n.kids) == 0 && n.end > n.start:
			l := leaf{text: n.text(src), start: n.start, end: n.end, row: n.row, node: n}
			l.class = classOf(n, l.text, params, locals)
			out = append(out, l)
		}
		return true
	})
	return out
}

func classOf(n *node, text string, params map[string]bool, locals map[string]int) leafClass {
	switch n.kind {
	case "integer", "float":
		return classNumber
	case "true", "false", "none":
		return classConstant
	case "identifier":
	default:
		if text[0] >= 'a' && text[0] <= 'z' {
			return classWord
		}
		return classMark
	}
	called := n.field == "function" && n.parent != nil && n.parent.kind == "call"
	switch p := n.parent; {
	case p != nil && p.kind == "attribute" && n.field == "attribute":
		if p.field == "function" {
			return classMethod
		}
		return classAttr
	case p != nil && p.kind == "keyword_argument" && n.field == "name":
		return classKey
	}
	return classOfName(text, called, params, locals)
}

func classOfName(text string, called bool, params map[string]bool, locals map[string]int) leafClass {
	switch {
	case text == "self" || text == "cls":
		return classSelf
	case params[text]:
		return classParam
	case builtins[text]:
		return classBuiltin
	case called:
		return classCallee
	case locals[text] > 0:
		return classLocal
	}
	return classGlobal
}

// at returns the index of the first leaf that ends after offset.
func leafAt(ls []leaf, offset int) int {
	return sort.Search(len(ls), func(i int) bool { return ls[i].end > offset })
}

// words cuts source text into tokens, without a syntax tree: for what a move
// puts in, and for what is said about a failure.
func words(text string, params map[string]bool, locals map[string]int) []leaf {
	var out []leaf
	put := func(from, to int, c leafClass) {
		out = append(out, leaf{text: text[from:to], class: c, start: from, end: to})
	}
	for i := 0; i < len(text); {
		c := text[i]
		j := i + 1
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f':
			i++
			continue
		case c == '#':
			for j < len(text) && text[j] != '\n' {
				j++
			}
			i = j
			continue
		case c == '"' || c == '\'':
			for j < len(text) && text[j] != c && text[j] != '\n' {
				if text[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j+1, len(text))
			put(i, j, classString)
		case c >= '0' && c <= '9':
			for j < len(text) && (isWord(rune(text[j])) || text[j] == '.') {
				j++
			}
			put(i, j, classNumber)
		case isWord(rune(c)):
			for j < len(text) && isWord(rune(text[j])) {
				j++
			}
			w := text[i:j]
			called := j < len(text) && text[j] == '('
			switch {
			case w == "True" || w == "False" || w == "None":
				put(i, j, classConstant)
			case keywordsOfPython[w]:
				put(i, j, classWord)
			case i > 0 && text[i-1] == '.' && called:
				put(i, j, classMethod)
			case i > 0 && text[i-1] == '.':
				put(i, j, classAttr)
			default:
				put(i, j, classOfName(w, called, params, locals))
			}
		default:
			for _, op := range [...]string{"**=", "//=", ">>=", "<<=", "!=", "==", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**", "//", "<<", ">>", "->", ":="} {
				if strings.HasPrefix(text[i:], op) {
					j = i + len(op)
					break
				}
			}
			put(i, j, classMark)
		}
		i = j
	}
	return out
}

var keywordsOfPython = func() map[string]bool {
	m := map[string]bool{}
	for _, k := range strings.Fields("and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield") {
		m[k] = true
	}
	return m
}()
