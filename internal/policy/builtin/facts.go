package builtin

import (
	"slices"
	"sort"
	"strings"
)

// facts is what the file offers as material for repairs. All lists are in
// source order without repetition, so that nothing depends on a map's order.
type facts struct {
	scope        []string       // names that may be used in the function
	inScope      map[string]int // name → uses in the function (0: module level only)
	lastUse      map[string][]int
	params       []string
	outer        []string            // parameters of the functions around the function
	receivers    map[string][]string // receiver's text → attributes seen on it
	attributes   []string            // every attribute of the file
	declared     []string            // those that the class binds, in its body or of anything
	modules      map[string]bool     // names that import statements give to modules
	imported     map[string]bool     // names that import statements bind to what modules have
	attrCount    map[string]int
	keywords     map[string][]string // callee's text → keywords seen
	allKeys      []string
	strings      []string
	numbers      []string       // of the function first, then the file
	conditions   []*node        // tests of if, while, conditional expressions, and their terms
	simple       []*node        // simple statements
	guards       []*node        // short if statements that leave
	wrappers     map[string]int // callee of one argument → count
	withItems    []string
	raises       []string
	exceptions   []string
	decorators   []string
	arms         []*node             // else, elif, except and finally arms of few lines
	defaults     map[string][]string // parameter → defaults seen
	returns      []*node             // returned expressions of the function
	calls        map[string][]*node
	calleeName   map[string]int
	pool         []string // short expressions of the function
	fillers      []string // and of the rest of the file
	callees      []string // what the file calls and the function may
	holes        []string // conditions of the file with a hole
	unbound      []string // names that the function reads and nothing binds
	methods      []string // of the class
	plainMethods []string // those without a parameter of their own
	splats       []string // "*args", "**kwargs": of the function's parameters
	asynchronous bool     // the file says async or await somewhere
	function     *node    // enclosing function, nil at module level
	class        *node
}

var pythonKeywords = map[string]bool{"self": true, "cls": true}

func add(list *[]string, seen map[string]bool, s string) {
	if !seen[s] {
		seen[s] = true
		*list = append(*list, s)
	}
}

// gather reads the file once.
func gather(g *generator) *facts {
	f := &facts{modules: map[string]bool{}, imported: map[string]bool{}, inScope: map[string]int{}, lastUse: map[string][]int{}, receivers: map[string][]string{}, attrCount: map[string]int{},
		keywords: map[string][]string{}, defaults: map[string][]string{}, wrappers: map[string]int{}, calls: map[string][]*node{}, calleeName: map[string]int{}}
	src := g.src
	g.root.walk(func(n *node) bool { // the innermost function around the core
		inside := n.row <= g.span.coreFirst && n.last >= g.span.coreLast
		if n.kind == "function_definition" && inside && n.row < g.span.coreFirst+1 {
			f.function = n
		}
		if n.kind == "class_definition" && inside {
			f.class = n
		}
		return inside || n == g.root
	})
	seen := map[string]bool{}
	seenAttr, seenKey, seenStr, seenNum, seenWith, seenRaise, seenExc := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	seenDec, seenDecl := map[string]bool{}, map[string]bool{}
	perReceiver := map[string]map[string]bool{}
	has := func(object, attribute string) {
		if perReceiver[object] == nil {
			perReceiver[object] = map[string]bool{}
		}
		if !perReceiver[object][attribute] {
			perReceiver[object][attribute] = true
			f.receivers[object] = append(f.receivers[object], attribute)
		}
	}
	near := f.own
	var module []string
	var farNumbers []string
	g.root.walk(func(n *node) bool {
		switch n.kind {
		case "identifier":
			name := n.text(src)
			switch {
			case n.parent.kind == "attribute" && n.field == "attribute", n.parent.kind == "keyword_argument" && n.field == "name":
			case near(n) || f.function == nil && n.row >= g.span.winFirst-20 && n.row <= g.span.winLast+20:
				add(&f.scope, seen, name)
				f.inScope[name]++
				f.lastUse[name] = append(f.lastUse[name], n.row)
			case moduleName(n):
				module = append(module, name)
			}
			if n.up("import_from_statement") != nil {
				f.imported[name] = true
			}
		case "attribute":
			object, attr := n.child("object"), n.child("attribute")
			if object == nil || attr == nil {
				break
			}
			a := attr.text(src)
			f.attrCount[a]++
			add(&f.attributes, seenAttr, a)
			has(object.text(src), a)
		case "async", "await":
			f.asynchronous = true
		case "import_statement":
			for _, p := range n.parts() {
				if alias := p.child("alias"); alias != nil {
					p = alias
				}
				f.modules[strings.SplitN(p.text(src), ".", 2)[0]] = true
			}
		case "call":
			callee, args := n.child("function"), n.child("arguments")
			if callee == nil || args == nil {
				break
			}
			name := callee.text(src)
			f.calls[name] = append(f.calls[name], n)
			if parts := args.parts(); len(parts) == 1 && parts[0].kind != "keyword_argument" && len(name) < 30 {
				f.wrappers[name]++
			}
		case "keyword_argument":
			if k := n.child("name"); k != nil {
				callee := n.parent.parent.child("function")
				if callee != nil {
					c := callee.text(src)
					f.keywords[c] = append(f.keywords[c], k.text(src))
				}
				add(&f.allKeys, seenKey, k.text(src))
			}
		case "string":
			if s := n.text(src); len(s) < 40 && n.parent.kind != "expression_statement" {
				add(&f.strings, seenStr, s)
			}
			return false
		case "integer", "float":
			if near(n) {
				add(&f.numbers, seenNum, n.text(src))
			} else {
				farNumbers = append(farNumbers, n.text(src))
			}
		case "if_statement", "elif_clause", "while_statement":
			if c := n.child("condition"); c != nil {
				f.addCondition(c)
			}
			if n.kind == "if_statement" && n.last-n.row <= 3 && leaves(n) {
				f.guards = append(f.guards, n)
			}
		case "conditional_expression":
			if ps := n.parts(); len(ps) == 3 {
				f.addCondition(ps[1])
			}
		case "decorator":
			if d := n.text(src); n.last-n.row < 3 && !strings.HasSuffix(d, "overload") { // which no code needs
				add(&f.decorators, seenDec, d)
			}
		case "assignment":
			if name, class := bindsAttribute(src, n); class != nil {
				add(&f.attributes, seenAttr, name)
				if id := class.child("name"); n.child("left").kind == "identifier" && id != nil {
					has(id.text(src), name)
				}
				if class == f.class {
					add(&f.declared, seenDecl, name)
				}
			}
		case "default_parameter":
			if k, v := n.child("name"), n.child("value"); k != nil && v != nil {
				f.defaults[k.text(src)] = append(f.defaults[k.text(src)], v.text(src))
			}
		case "with_item":
			add(&f.withItems, seenWith, n.text(src))
		case "raise_statement":
			if n.last-n.row < 4 {
				add(&f.raises, seenRaise, n.text(src))
			}
		case "except_clause":
			for _, p := range n.parts() {
				if p.kind != "block" {
					add(&f.exceptions, seenExc, p.text(src))
				}
			}
		case "return_statement":
			if ps := n.parts(); len(ps) == 1 && near(n) {
				f.returns = append(f.returns, ps[0])
			}
		case "parameters":
			if f.class != nil && n.up("class_definition") == f.class && len(n.parts()) == 1 && n.parts()[0].text(src) == "self" {
				if name := functionName(src, n.parent); !strings.HasPrefix(name, "__") {
					f.plainMethods = append(f.plainMethods, name)
				}
			}
			if f.class != nil && n.up("class_definition") == f.class && n.parent.kind == "function_definition" {
				f.methods = append(f.methods, functionName(src, n.parent))
			}
			if n.parent == f.function {
				f.params = parametersOf(src, f.function)
				for _, p := range n.parts() {
					if typed := p.parts(); p.kind == "typed_parameter" && len(typed) > 0 {
						p = typed[0]
					}
					if p.kind == "list_splat_pattern" || p.kind == "dictionary_splat_pattern" {
						f.splats = append(f.splats, p.text(src))
					}
				}
			}
		}
		switch n.kind {
		case "else_clause", "elif_clause", "except_clause", "finally_clause":
			if n.last-n.row < 9 {
				f.arms = append(f.arms, n)
			}
		}
		if n.simple() && n.last-n.row < 6 && !docstring(n) {
			f.simple = append(f.simple, n)
		}
		return true
	})
	if f.function != nil {
		for o := f.function.up("function_definition"); o != nil; o = o.up("function_definition") {
			f.outer = append(f.outer, parametersOf(src, o)...)
		}
	}
	for _, name := range slices.Concat(f.outer, module) {
		add(&f.scope, seen, name)
	}
	for _, x := range farNumbers {
		add(&f.numbers, seenNum, x)
	}
	return f
}

// own reports whether a node is in the function.
func (f *facts) own(n *node) bool {
	return f.function != nil && n.start >= f.function.start && n.end <= f.function.end
}

func (f *facts) addCondition(c *node) {
	f.conditions = append(f.conditions, c)
	if inner := bare(c); inner.kind == "boolean_operator" {
		for _, p := range inner.parts() {
			f.addCondition(bare(p))
		}
	}
}

// bindsAttribute is the name of the attribute that an assignment binds within a class, of anything or by standing in
// its body, and the class; nil where it binds none.
func bindsAttribute(src []byte, n *node) (name string, class *node) {
	left := n.child("left")
	if left == nil {
		return "", nil
	}
	if class = n.up("class_definition"); class == nil {
		return "", nil
	}
	if attr := left.child("attribute"); left.kind == "attribute" && attr != nil {
		return attr.text(src), class
	}
	if s := n.statement(); left.kind == "identifier" && s != nil && s.parent == class.child("body") {
		return left.text(src), class
	}
	return "", nil
}

// moduleName reports whether an identifier is bound at module level: a
// definition, an import or an assignment.
func moduleName(n *node) bool {
	p := n.parent
	switch p.kind {
	case "function_definition", "class_definition":
		return n.field == "name" && (p.parent.kind == "module" || p.parent.kind == "decorated_definition" && p.parent.parent.kind == "module")
	case "assignment":
		return n.field == "left" && p.parent.parent != nil && p.parent.parent.kind == "module"
	case "dotted_name":
		return p.parent.kind == "import_from_statement" && p.field != "module_name" || p.parent.kind == "import_statement" && p.kids[0] == n
	case "aliased_import":
		return n.field == "alias"
	}
	return false
}

func firstIdentifier(n *node) *node {
	if n.kind == "identifier" {
		return n
	}
	for _, k := range n.kids {
		if id := firstIdentifier(k); id != nil {
			return id
		}
	}
	return nil
}

// leaves reports whether the body of a statement ends in leaving the function
// or the turn of the loop.
func leaves(n *node) bool {
	body := n.child("consequence")
	if body == nil {
		return false
	}
	ps := body.parts()
	if len(ps) == 0 {
		return false
	}
	switch ps[len(ps)-1].kind {
	case "return_statement", "raise_statement", "continue_statement", "break_statement":
		return true
	}
	return false
}

func docstring(n *node) bool {
	ps := n.parts()
	return n.kind == "expression_statement" && len(ps) == 1 && (ps[0].kind == "string" || ps[0].kind == "concatenated_string")
}

// wrapperNames lists callees of one argument, the most frequent first.
func (f *facts) wrapperNames() []string {
	var names []string
	for n := range f.wrappers {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool {
		if f.wrappers[names[i]] != f.wrappers[names[j]] {
			return f.wrappers[names[i]] > f.wrappers[names[j]]
		}
		return names[i] < names[j]
	})
	return names
}

// usable reports which share of the identifiers below n may be used in the
// function; 1 for all.
func (g *generator) usable(n *node) float64 {
	all, ok := 0, 0
	n.walk(func(k *node) bool {
		if k.kind == "identifier" && !(k.parent.kind == "attribute" && k.field == "attribute") && !(k.parent.kind == "keyword_argument" && k.field == "name") {
			all++
			name := k.text(g.src)
			if _, local := g.facts.inScope[name]; local || builtins[name] || g.moduleLevel(name) {
				ok++
			}
		}
		return true
	})
	if all == 0 {
		return 1
	}
	return float64(ok) / float64(all)
}

func (g *generator) moduleLevel(name string) bool {
	for _, s := range g.facts.scope {
		if s == name {
			return true
		}
	}
	return false
}

var builtins = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields("abs all any bool bytes callable chr dict enumerate filter float frozenset getattr hasattr hash id int isinstance issubclass iter len list map max min next object ord pow print range repr reversed round set setattr sorted str sum super tuple type zip KeyError ValueError TypeError IndexError AttributeError StopIteration RuntimeError Exception NotImplementedError OSError ImportError LookupError") {
		m[n] = true
	}
	return m
}()
