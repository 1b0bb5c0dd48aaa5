package mutate

import (
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
)

// What python.Kinds does not know, operators take from what names promise.

var numberWords = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`n i j k m idx index pos position offset start stop end begin lo hi low high mid left right first last
		size sizes count counter len length num number total sum step limit max min maxsize minsize currsize getsizeof diffsize hits misses width height
		depth level lineno line col column row rows cols indent ttl age time timer delta diff priority rank order tail head stride cursor point
		year month day hour minute second seconds days weeks port pid amount price score weight ratio capacity attempts retries lower upper bound cap`) {
		numberWords[w] = true
	}
}

// isNumeric reports whether an expression is a number: by its kind, and where
// that is not known by what its name promises.
func (p *pass) isNumeric(n *lang.Node) bool {
	if kind := p.kind(n); kind != python.Unknown && kind != python.Absent {
		return kind == python.Number
	}
	switch n.Kind {
	case "unary_operator":
		return n.Child("operator").Is("-", "+", "~") && p.isNumeric(n.Child("argument"))
	case "identifier", "attribute":
		return numericName(p.text(n))
	case "call":
		name := p.text(n.Child("function"))
		return name == "len" || name == "int" || name == "abs" || name == "round" || name == "sum" || name == "ord" || strings.HasSuffix(name, ".index") || strings.HasSuffix(name, ".find")
	case "binary_operator":
		return !p.hasText(n) && (p.isNumeric(n.Child("left")) || p.isNumeric(n.Child("right")))
	case "parenthesized_expression":
		return len(n.NamedChildren()) == 1 && p.isNumeric(n.NamedChildren()[0])
	}
	return false
}

var textWords = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`s name names key attr attribute text string str path filename file dirname token type word line field header tag id label
		prefix suffix char c ch url scheme host msg message title value code lang locale encoding mode ext extension sep delimiter quote pattern content data`) {
		textWords[w] = true
	}
}

// textual reports whether an expression is text: by its kind, and where that is
// not known by what its name promises. Text made of text is the same text.
func (p *pass) textual(n *lang.Node) bool {
	if kind := p.kind(n); kind != python.Unknown && kind != python.Absent {
		return kind == python.Text
	}
	if !n.Is("identifier", "attribute") {
		return false
	}
	ws := words(p.text(n))
	return len(ws) > 0 && textWords[ws[len(ws)-1]]
}

func numericName(s string) bool {
	ws := words(s)
	return len(ws) > 0 && numberWords[ws[len(ws)-1]]
}

// words splits the last part of a dotted name at underscores and capitals.
func words(s string) []string {
	s = s[strings.LastIndexByte(s, '.')+1:]
	var ws []string
	var w strings.Builder
	flush := func() {
		if w.Len() > 0 {
			ws = append(ws, strings.ToLower(w.String()))
			w.Reset()
		}
	}
	was := rune(0)
	for _, r := range s {
		if r == '_' || unicode.IsUpper(r) && unicode.IsLower(was) {
			flush()
		}
		if r != '_' {
			w.WriteRune(r)
		}
		was = r
	}
	flush()
	return ws
}

var builtinTypes = map[string]bool{
	"int": true, "str": true, "float": true, "bool": true, "bytes": true, "list": true, "dict": true, "set": true, "tuple": true,
	"frozenset": true, "type": true, "object": true, "None": true, "complex": true, "bytearray": true,
}

// typeLike guesses whether a text names a type: a built-in one, or CamelCase.
func typeLike(s string) bool {
	if i := strings.IndexByte(s, '['); i > 0 {
		s = s[:i]
	}
	if builtinTypes[s] {
		return true
	}
	s = s[strings.LastIndexByte(s, '.')+1:]
	s = strings.TrimLeft(s, "_")
	return len(s) > 1 && unicode.IsUpper(rune(s[0])) && strings.ToUpper(s) != s && isName(s)
}

func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// lockLike guesses whether an expression is a lock: its last name says so, and
// it is not made right there.
func (p *pass) lockLike(n *lang.Node) bool {
	switch kind := p.kind(n); {
	case kind == python.Lock || kind == python.RLock:
		return true
	case kind != python.Unknown && kind != python.Absent && kind != python.Callable:
		return false
	}
	if n.Is("call") {
		n = n.Child("function") // lock(self): a lock looked up
	}
	if !n.Is("identifier", "attribute") {
		return false
	}
	name := p.text(n)
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "" || unicode.IsUpper(rune(last[0])) && strings.ToUpper(last) != last {
		return false // a class
	}
	for _, w := range words(last) {
		switch w {
		case "lock", "rlock", "mutex", "cond", "condition", "semaphore", "sem", "cv", "locks":
			return true
		}
		if strings.HasSuffix(w, "lock") && !strings.HasSuffix(w, "block") && !strings.HasSuffix(w, "clock") && !strings.HasSuffix(w, "unlock") {
			return true
		}
	}
	return false
}

// similarity of two names in [0, 1]: how much of the longer is left by the
// edit distance.
func similarity(a, b string) float64 {
	n := max(len(a), len(b))
	if n == 0 {
		return 1
	}
	return 1 - float64(levenshtein.ComputeDistance(a, b))/float64(n)
}

// positional returns the positional arguments of a call, nil when one is a
// splat or the only argument is a generator.
func positional(call *lang.Node) []*lang.Node {
	args := call.Child("arguments")
	if !args.Is("argument_list") {
		return nil
	}
	var out []*lang.Node
	for _, a := range args.NamedChildren() {
		if a.Is("list_splat", "dictionary_splat") {
			return nil
		}
		if !a.Is("keyword_argument") {
			out = append(out, a)
		}
	}
	return out
}

// callee returns the last name of what is called, nil when it has none.
func callee(call *lang.Node) *lang.Node {
	switch fn := call.Child("function"); {
	case fn.Is("identifier"):
		return fn
	case fn.Is("attribute"):
		return fn.Child("attribute")
	}
	return nil
}
