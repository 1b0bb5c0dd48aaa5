package bug

import (
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
)

// piece is a definition that pruning keeps or drops as a whole: a statement of
// the module, a class without its members, or a member of a class.
type piece struct {
	node    *sitter.Node
	mention []*sitter.Node // where the names that it needs stand
	binds   map[string]bool
	owner   *piece // the class that a member belongs to
	keep    bool
	free    bool // kept in any case
}

// lifecycle are the members of a class that a runner calls without being told.
var lifecycle = map[string]bool{
	"setUp": true, "tearDown": true, "setUpClass": true, "tearDownClass": true, "asyncSetUp": true, "asyncTearDown": true,
	"setup_method": true, "teardown_method": true, "setup_class": true, "teardown_class": true, "setup": true, "teardown": true,
	"__init__": true, "pytestmark": true,
}

var moduleLifecycle = map[string]bool{
	"setUpModule": true, "tearDownModule": true, "setup_module": true, "teardown_module": true, "pytestmark": true,
	"setup_function": true, "teardown_function": true,
}

// prune returns the file with only what the test mentions, directly or through
// what it mentions: other tests, unused definitions and imports are gone. It
// decides by names alone and runs nothing, so it may drop too much; whoever
// calls it runs the result.
func prune(src []byte, id testID) ([]byte, bool) {
	out, _, ok := pruneAt(src, id, marks{})
	return out, ok
}

// pruneAt is prune, and tells where the marked lines are in the result.
func pruneAt(src []byte, id testID, at marks) ([]byte, marks, bool) {
	m, ok := parse(src)
	if !ok {
		return nil, at, false
	}
	defer m.Close()
	classes, fn := m.locate(id)
	if fn == nil && len(classes) == 0 {
		return nil, at, false
	}
	pieces := m.pieces(id)
	used := map[string]bool{}
	note := func(p *piece) {
		p.keep = true
		if fn != nil && p.node.Id() == fn.Id() {
			m.mentions(fn, used)
			return
		}
		for _, n := range p.mention {
			m.identifiers(n, used)
		}
	}
	for _, p := range pieces {
		if p.free || (fn != nil && p.node.Id() == fn.Id()) {
			note(p)
		}
		for _, c := range classes {
			if p.node.Id() == c.Id() {
				note(p)
			}
		}
	}
	if fn == nil && m.inherits(classes[len(classes)-1], id.fn, 0) == nil {
		// Inherited from elsewhere: what it mentions is not known, so only
		// other tests can go.
		for _, p := range pieces {
			if d := definition(p.node); p.owner != nil && p.owner.keep && (d == nil || !strings.HasPrefix(m.name(d), "test")) {
				note(p)
			}
		}
	}
	used[id.fn] = true
	for grown := true; grown; {
		grown = false
		for _, p := range pieces {
			if p.keep || (p.owner != nil && !p.owner.keep) {
				continue
			}
			if wanted(p, used) {
				note(p)
				grown = true
			}
		}
	}
	var cuts []cut
	for _, p := range pieces {
		if p.keep {
			cuts = append(cuts, m.unusedImports(p.node, used)...)
		} else {
			cuts = append(cuts, m.cutStatement(p.node))
		}
	}
	return m.without(append(cuts, m.loose()...), at)
}

// mentions adds the names in a function that are not variables of its own.
func (m *module) mentions(fn *sitter.Node, into map[string]bool) {
	own, others := map[string]bool{}, map[string]bool{}
	d := definition(fn)
	body := d.ChildByFieldName("body")
	for _, s := range statements(body) {
		if s.Kind() == "expression_statement" && s.NamedChildCount() == 1 && s.NamedChild(0).Kind() == "assignment" {
			if l := s.NamedChild(0).ChildByFieldName("left"); l.Kind() == "identifier" {
				own[m.text(l)] = true
			}
		}
	}
	m.identifiersOf(d.ChildByFieldName("parameters"), others)
	walk(fn, func(n *sitter.Node) bool {
		if n.Kind() == "decorator" {
			m.identifiers(n, others)
		}
		return definition(n) == nil || n.Id() == fn.Id()
	})
	names := map[string]bool{}
	m.identifiers(fn, names)
	for name := range names {
		if !own[name] || others[name] {
			into[name] = true
		}
	}
}

func wanted(p *piece, used map[string]bool) bool {
	for name := range p.binds {
		if used[name] || name == "*" || (p.owner != nil && (lifecycle[name] || isDunder(name))) || (p.owner == nil && moduleLifecycle[name]) {
			return true
		}
	}
	return false
}

func isDunder(name string) bool {
	return len(name) > 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}

func (m *module) pieces(id testID) []*piece {
	var out []*piece
	var add func(block *sitter.Node, owner *piece)
	add = func(block *sitter.Node, owner *piece) {
		for _, s := range statements(block) {
			p := &piece{node: s, mention: []*sitter.Node{s}, binds: map[string]bool{}, owner: owner}
			m.binds(s, p.binds)
			d := definition(s)
			if s.Kind() == "import_statement" || s.Kind() == "import_from_statement" {
				p.mention = nil // what it imports is wanted only when something else mentions it
			}
			switch {
			case isString(s):
				// docstrings are not needed
			case s.Kind() == "future_import_statement":
				p.free = true
			case owner == nil && s.Kind() == "if_statement" && strings.Contains(m.text(s.ChildByFieldName("condition")), "__name__"):
				p.binds = nil
			case d == nil && len(p.binds) == 0 && s.Kind() != "pass_statement":
				p.free = owner == nil // a call for its effect
			}
			if strings.Contains(m.decorators(s), "autouse") {
				p.free = owner == nil
				if owner != nil {
					p.binds["__autouse__"] = true
				}
			}
			out = append(out, p)
			if d != nil && d.Kind() == "class_definition" {
				p.mention = nil
				for i := uint(0); i < s.NamedChildCount(); i++ {
					if c := s.NamedChild(i); c.Kind() == "decorator" {
						p.mention = append(p.mention, c)
					}
				}
				if bases := d.ChildByFieldName("superclasses"); bases != nil {
					p.mention = append(p.mention, bases)
				}
				add(d.ChildByFieldName("body"), p)
			}
		}
	}
	add(m.root, nil)
	return out
}

func (m *module) decorators(s *sitter.Node) string {
	if s.Kind() != "decorated_definition" {
		return ""
	}
	return string(m.src[s.StartByte():definition(s).StartByte()])
}

// unusedImports rewrites an import statement to the names that are used.
func (m *module) unusedImports(s *sitter.Node, used map[string]bool) []cut {
	if s.Kind() != "import_statement" && s.Kind() != "import_from_statement" {
		return nil
	}
	var keep []string
	total := 0
	from := s.ChildByFieldName("module_name")
	for i := uint(0); i < s.NamedChildCount(); i++ {
		c := s.NamedChild(i)
		if from != nil && c.StartByte() == from.StartByte() {
			continue
		}
		name := m.text(c)
		switch c.Kind() {
		case "aliased_import":
			name = m.text(c.ChildByFieldName("alias"))
		case "dotted_name":
			if from == nil {
				name, _, _ = strings.Cut(name, ".")
			}
		case "comment":
			continue
		default:
			return nil
		}
		total++
		if used[name] {
			keep = append(keep, m.text(c))
		}
	}
	if len(keep) == 0 || len(keep) == total {
		return nil
	}
	text := "import " + strings.Join(keep, ", ")
	if from != nil {
		text = "from " + m.text(from) + " " + text
	}
	return []cut{{start: int(s.StartByte()), end: int(s.EndByte()), with: text}}
}
