package python

import (
	"sort"
	"strings"

	"breakfix/internal/lang"
)

// Inert is a stretch of a file whose text has no effect on what tests see, or
// that is read by tools rather than run.
type Inert struct {
	Start, End int
	Reason     string // "docstring", "annotation", "type_checking", "all", "main", "import", "message", "metadata", "hash", "platform"
}

// InertAt returns why the byte at offset is without effect, "" when it has one.
func (a *Analysis) InertAt(offset int) string {
	for _, s := range a.inert {
		if s.Start <= offset && offset < s.End {
			return s.Reason
		}
	}
	return ""
}

// InertNode returns why a node is without effect by itself: nodes below it are
// then too. "" when it has an effect.
func (a *Analysis) InertNode(n *lang.Node) string {
	i := sort.Search(len(a.inert), func(i int) bool { return a.inert[i].Start > n.Start }) - 1
	if i >= 0 && n.End <= a.inert[i].End {
		return a.inert[i].Reason
	}
	return ""
}

// findInert returns the outermost inert stretches by start; they do not overlap.
func findInert(a *Analysis) []Inert {
	f := a.File
	var out []Inert
	f.Root.Walk(func(n *lang.Node) bool {
		if reason, where := inert(f, n); reason != "" {
			out = append(out, Inert{where.Start, where.End, reason})
			return where != n
		}
		return len(out) == 0 || n.Start >= out[len(out)-1].End || n.End > out[len(out)-1].End
	})
	return out
}

func inert(f *lang.File, n *lang.Node) (string, *lang.Node) {
	switch n.Kind {
	case "expression_statement":
		// A string that stands alone documents what is around it, wherever it is.
		if cs := n.NamedChildren(); len(cs) == 1 && cs[0].Is("string", "concatenated_string", "ellipsis") {
			return "docstring", n
		}
		if cs := n.NamedChildren(); len(cs) == 1 && cs[0].Is("assignment", "augmented_assignment") {
			switch left := f.Text(cs[0].Child("left")); {
			case left == "__all__" || left == "__slots__" || left == "__version__" || left == "__author__" || left == "__doc__" || left == "__match_args__":
				return "all", n
			case strings.HasSuffix(left, ".__doc__") || strings.HasSuffix(left, ".__module__") || strings.HasSuffix(left, ".__qualname__"):
				return "metadata", n
			case isTypeVar(f, cs[0].Child("right")):
				return "annotation", n
			}
		}
	case "type", "type_parameter", "type_alias_statement":
		return "annotation", n
	case "import_statement", "import_from_statement", "future_import_statement", "global_statement", "nonlocal_statement":
		return "import", n
	case "function_definition":
		// Any hash that is the same every time will do.
		// What repr gives is for a person.
		if body := n.Child("body"); body != nil {
			switch f.Text(n.Child("name")) {
			case "__hash__":
				return "hash", body
			case "__repr__":
				return "message", body
			}
		}
	case "comparison_operator", "identifier":
		if n.Parent.Is("if_statement", "elif_clause", "conditional_expression", "boolean_operator", "not_operator") && ofPlatform(f.Text(n)) {
			return "platform", n
		}
	case "raise_statement":
		if c := n.First("call"); c != nil && c.Child("arguments").Is("argument_list") {
			for _, a := range c.Child("arguments").NamedChildren() {
				if isMessage(f, a) {
					return "message", a
				}
			}
		}
	case "assert_statement":
		if cs := n.NamedChildren(); len(cs) == 2 {
			return "message", cs[1]
		}
	case "keyword_argument":
		switch f.Text(n.Child("name")) {
		case "help", "description", "epilog", "metavar", "doc", "__doc__":
			return "message", n
		}
	case "if_statement":
		switch cond := f.Text(n.Child("condition")); {
		case cond == "TYPE_CHECKING" || strings.HasSuffix(cond, ".TYPE_CHECKING"):
			return "type_checking", n
		case strings.HasPrefix(cond, "__name__"):
			return "main", n
		}
	case "decorated_definition":
		for _, d := range n.Children {
			if d.Is("decorator") && (strings.HasSuffix(f.Text(d), "overload")) {
				return "annotation", n
			}
		}
	case "call":
		switch name := f.Text(n.Child("function")); {
		case name == "cast" || name == "typing.cast":
			if args := n.Child("arguments"); args != nil && len(args.NamedChildren()) > 0 {
				return "annotation", args.NamedChildren()[0]
			}
		case name == "warnings.warn" || isLogging(name):
			return "message", n
		}
	}
	return "", nil
}

// ofPlatform reports whether a condition asks where the code runs: one
// environment only ever sees one answer.
func ofPlatform(cond string) bool {
	for _, s := range []string{"sys.version_info", "sys.platform", "sys.implementation", "platform.", "os.name", "sys.maxsize", "sys.byteorder"} {
		if strings.HasPrefix(cond, s) {
			return true
		}
	}
	switch cond {
	case "PY2", "PY3", "PYPY", "IS_PYPY", "WIN", "IS_WINDOWS", "WINDOWS", "__debug__":
		return true
	}
	return false
}

// isMessage reports whether an argument is text for a person, as it is written
// for an exception: a string, or what is put together from one.
func isMessage(f *lang.File, n *lang.Node) bool {
	switch n.Kind {
	case "string", "concatenated_string":
		return true
	case "binary_operator":
		return n.Child("operator").Is("%", "+") && (isMessage(f, n.Child("left")) || isMessage(f, n.Child("right")))
	case "parenthesized_expression":
		return len(n.NamedChildren()) == 1 && isMessage(f, n.NamedChildren()[0])
	case "call":
		fn := n.Child("function")
		return fn.Is("attribute") && f.Text(fn.Child("attribute")) == "format" && isMessage(f, fn.Child("object"))
	}
	return false
}

func isTypeVar(f *lang.File, n *lang.Node) bool {
	if !n.Is("call") {
		return false
	}
	switch name := f.Text(n.Child("function")); name[strings.LastIndexByte(name, '.')+1:] {
	case "TypeVar", "ParamSpec", "TypeVarTuple", "NewType":
		return true
	}
	return false
}

var logMethods = map[string]bool{"debug": true, "info": true, "warning": true, "warn": true, "error": true, "exception": true, "critical": true, "log": true}

func isLogging(name string) bool {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || !logMethods[name[i+1:]] {
		return false
	}
	on := strings.ToLower(name[:i])
	on = on[strings.LastIndexByte(on, '.')+1:]
	return on == "log" || on == "logger" || on == "logging" || on == "_log" || on == "_logger"
}
