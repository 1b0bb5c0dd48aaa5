package python

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

// Unbinds implements lang.Language. It looks at the statement of the module, or the member of
// its class, that is edited, and at the whole file where that loses a name of the module.
// What is bound by other means than statements of the file (exec, globals()) is not seen; in a
// file with a star import nothing is unbound.
func (l Language) Unbinds(f *lang.File, edits []tree.Edit) bool {
	base := Analyse(f)
	if f.HasError || base.star() {
		return false
	}
	// What is bound outside of what is looked at: by the module and its classes, whenever, which
	// functions find, or before the edit, which all find; and what other code reads too, though
	// nothing binds it: somebody puts it there.
	elsewhere := sync.OnceValue(base.unbound)
	known := func(r read) bool {
		return r.when != local && (elsewhere()[read{r.name, later}] || slices.ContainsFunc(base.Scopes, func(s *Scope) bool {
			return s.declared[r.name] || !s.Function && slices.ContainsFunc(s.Bindings, func(b Binding) bool {
				return b.Name == r.name && (r.when == later || len(edits) > 0 && b.At <= edits[0].Start)
			})
		}))
	}
	before, after, ok := lang.Edited(f, chunksOf(f), edits)
	if ok {
		was, now := analysed(lang.Parsed(l, before)), analysed(l.Parse(after)) // edits of one function follow one another
		if was == nil || now == nil {
			return false
		}
		if holdsAll(now.Module(), was.Module()) {
			return more(was.unbound(), now.unbound(), known)
		}
	}
	text, err := tree.ApplyEdits(f.Source, edits)
	if err != nil {
		return false
	}
	now := analysed(l.Parse(text))
	return now != nil && more(base.unbound(), now.unbound(), func(read) bool { return false })
}

// Unbound implements lang.Language, as far as Unbinds sees.
func (Language) Unbound(f *lang.File) []string {
	if f.HasError {
		return nil
	}
	var names []string
	for r := range Analyse(f).unbound() {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// analysed is the analysis of a file, nil where it does not parse.
func analysed(f *lang.File, err error) *Analysis {
	if err != nil || f.HasError {
		return nil
	}
	return Analyse(f)
}

// star reports whether names come from a star import.
func (a *Analysis) star() bool {
	return slices.ContainsFunc(a.Imports(), func(im ImportStatement) bool { return im.Star })
}

// holdsAll reports whether a scope binds all that another one binds.
func holdsAll(s, o *Scope) bool {
	names := map[string]bool{}
	for _, b := range s.Bindings {
		names[b.Name] = true
	}
	return !slices.ContainsFunc(o.Bindings, func(b Binding) bool { return b.To == 0 && !names[b.Name] })
}

// more reports whether there is a read in now that is neither in was nor known.
func more(was, now map[read]bool, known func(read) bool) bool {
	for r := range now {
		if !was[r] && !known(r) {
			return true
		}
	}
	return false
}

// read is a name that is read where nothing has bound it.
type read struct {
	name string
	when when
}

// when says when a name is read.
type when int

const (
	later  when = iota // when a function runs: what the module binds by then counts
	atOnce             // while the file is loaded
	local              // it is a local name of its function, bound only behind what reads it
)

// unbound returns the names that are read where nothing has bound them.
func (a *Analysis) unbound() map[read]bool {
	if a.star() {
		return nil
	}
	u := &unbound{Analysis: a, scopes: map[*lang.Node]*Scope{}, bindings: map[*Scope]map[string][]Binding{}, free: map[string]bool{}, found: map[read]bool{}}
	for _, s := range a.Scopes {
		u.scopes[s.Node] = s
		by := map[string][]Binding{}
		for _, b := range s.Bindings {
			by[b.Name] = append(by[b.Name], b)
		}
		u.bindings[s] = by
		maps.Copy(u.free, s.declared) // global: bound who knows when
	}
	a.File.Root.Walk(func(n *lang.Node) bool {
		if n.Is("type_parameter") {
			n.Walk(func(c *lang.Node) bool {
				if c.Is("identifier") {
					u.free[a.File.Text(c)] = true
				}
				return true
			})
		}
		return true
	})
	u.look(a.File.Root, a.Module(), nil, false)
	return u.found
}

// unbound is what is looked up on the way.
type unbound struct {
	*Analysis
	scopes   map[*lang.Node]*Scope
	bindings map[*Scope]map[string][]Binding
	free     map[string]bool // names that are left alone
	found    map[read]bool
}

// look looks at what is read below n. Loop is the outermost loop or comprehension of its scope that n is in;
// deferred says that n is run at another time than the text around it.
func (u *unbound) look(n *lang.Node, s *Scope, loop *lang.Node, deferred bool) {
	switch n.Kind {
	case "identifier":
		name := u.File.Text(n)
		if bound, when := u.bound(name, n, s, loop, deferred); !bound {
			u.found[read{name, when}] = true
		}
		return
	case "import_statement", "import_from_statement", "future_import_statement", "global_statement", "nonlocal_statement", "type", "type_parameter", "type_alias_statement", "case_pattern", "as_pattern_target", "comment":
		return
	case "function_definition", "class_definition":
		in := u.scopes[n]
		for _, c := range n.Children {
			switch {
			case c.Field == "body" && in != nil:
				u.look(c, in, nil, false)
			case c.Field == "parameters":
				u.defaults(c, s, loop, deferred)
			case c.Field == "superclasses":
				u.look(c, s, loop, deferred)
			}
		}
		return
	case "lambda":
		for _, c := range n.Children {
			if c.Field == "parameters" {
				u.defaults(c, s, loop, deferred)
			} else {
				u.look(c, s, loop, true)
			}
		}
		return
	case "augmented_assignment": // what it binds first cannot be read by it, however often it runs
		left := n.Child("left")
		if name := u.File.Text(left); left.Is("identifier") && s.Function && !u.free[name] {
			if bs := u.bindings[s][name]; len(bs) > 0 && bs[0].To == 0 && bs[0].At == n.End {
				u.found[read{name, local}] = true
			}
		}
	case "generator_expression":
		deferred = true
	case "for_statement", "while_statement", "list_comprehension", "set_comprehension", "dictionary_comprehension": // x before (x := …)
		if loop == nil {
			loop = n
		}
	}
	for _, c := range n.Children {
		switch {
		case c.Field == "attribute" && n.Is("attribute"), c.Field == "name" && n.Is("keyword_argument", "named_expression"):
		case c.Field == "left" && n.Is("assignment", "for_statement", "for_in_clause"):
			u.target(c, s, loop, deferred)
		default:
			u.look(c, s, loop, deferred)
		}
	}
}

// defaults looks at the values of parameters.
func (u *unbound) defaults(params *lang.Node, s *Scope, loop *lang.Node, deferred bool) {
	for _, p := range params.NamedChildren() {
		if v := p.Child("value"); v != nil {
			u.look(v, s, loop, deferred)
		}
	}
}

// target looks at what a target reads: of a.b and a[i] a and i.
func (u *unbound) target(n *lang.Node, s *Scope, loop *lang.Node, deferred bool) {
	switch n.Kind {
	case "identifier":
	case "attribute", "subscript", "call":
		u.look(n, s, loop, deferred)
	default:
		for _, c := range n.NamedChildren() {
			u.target(c, s, loop, deferred)
		}
	}
}

func (u *unbound) bound(name string, n *lang.Node, own *Scope, loop *lang.Node, deferred bool) (bound bool, read when) {
	if u.free[name] || builtins[name] || strings.HasPrefix(name, "__") {
		return true, later
	}
	for s := own; s != nil; s = s.Parent {
		if s != own && s.Node.Is("class_definition") {
			continue // a class body's names are not visible in its methods
		}
		behind := false
		for _, b := range u.bindings[s][name] {
			switch {
			case b.To > 0:
				if n.Start >= b.From && n.Start < b.To {
					return true, later
				}
			case s != own || deferred || b.At <= n.Start || loop != nil && b.At <= loop.End:
				return true, later
			default:
				behind = true
			}
		}
		if behind && s.Function {
			return false, local
		}
	}
	if own.inFunction() || deferred {
		return false, later
	}
	return false, atOnce
}

// inFunction reports whether a scope is a function or in one.
func (s *Scope) inFunction() bool {
	for ; s != nil; s = s.Parent {
		if s.Function {
			return true
		}
	}
	return false
}

// builtins are the names of Python's builtins module, 3.8 to 3.14.
var builtins = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(`
		ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning
		ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis
		EncodingWarning EnvironmentError Exception ExceptionGroup False FileExistsError FileNotFoundError FloatingPointError FutureWarning
		GeneratorExit IOError ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt
		LookupError MemoryError ModuleNotFoundError NameError None NotADirectoryError NotImplemented NotImplementedError OSError OverflowError
		PendingDeprecationWarning PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError ResourceWarning
		RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError True
		TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning
		ValueError Warning WindowsError ZeroDivisionError abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr
		classmethod compile complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr
		globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min next object oct
		open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip`) {
		m[n] = true
	}
	return m
}()
