package strategy

import (
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/lang"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// definitions returns the pairs of a function at the top of one file and all
// that one other file does with it: imports, calls, decorators. The function
// goes, its imports go, a call becomes its first argument, or nothing where it
// has none or stands alone; so the tree still loads. A function that anything
// else names (a test, its own file, a third one) is left alone.
func definitions(x *index, files map[string]*python.Analysis) ([]loss, error) {
	words, err := wordsOf(x.from.Target.Snapshot.Tree)
	if err != nil {
		return nil, err
	}
	var out []loss
	paths := sorted(files, func(a, b string) bool { return a < b })
	for _, home := range paths {
		a := files[home]
		for _, s := range a.Scopes {
			if !s.Function || s.Parent != a.Module() || strings.HasPrefix(s.Name, "__") || len(words[home][s.Name]) != 1 {
				continue
			}
			var users []string
			for p, of := range words {
				if p != home && len(of[s.Name]) > 0 {
					users = append(users, p)
				}
			}
			if len(users) != 1 || files[users[0]] == nil {
				continue
			}
			user := users[0]
			edits, function, ok := unused(files[user], s.Name, moduleName(home))
			if !ok {
				continue
			}
			start, end := a.File.Span(s.FirstLine, s.LastLine)
			gone := cut(a, home, definitionForm, s.Name, start, end, "")
			use := mutate.Mutation{ID: definitionForm + "\x00" + user + "\x00" + s.Name, Variant: definitionForm, Path: user, Function: function,
				Line: files[user].File.Line(edits[len(edits)-1].Start), LastLine: files[user].File.Line(edits[len(edits)-1].Start), Edits: edits}
			if python.NewStatement(a.File, s.Node).OwnLines && x.isCovered(gone) && x.isCovered(use) {
				out = append(out, loss{gone, use})
			}
		}
	}
	return out, nil
}

var word = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// wordsOf returns where each word stands in each Python file of a tree: text of
// any kind, since names are also used by strings.
func wordsOf(t *tree.Tree) (map[string]map[string][]int, error) {
	all := map[string]map[string][]int{}
	for _, p := range t.Paths() {
		if !strings.HasSuffix(p, ".py") || t.Kind(p) == tree.Link {
			continue
		}
		src, err := t.Read(p)
		if err != nil {
			return nil, err
		}
		of := map[string][]int{}
		for _, at := range word.FindAllIndex(src, -1) {
			w := string(src[at[0]:at[1]])
			of[w] = append(of[w], at[0])
		}
		all[p] = of
	}
	return all, nil
}

// moduleName is the last part of the name that a file is imported by.
func moduleName(p string) string {
	name := strings.TrimSuffix(path.Base(p), ".py")
	if name == "__init__" {
		return path.Base(path.Dir(p))
	}
	return name
}

// unused returns the edits that make a file do without a function of another
// module, sorted, and the first function that used it. False when it does
// something with it that has no simple replacement.
func unused(a *python.Analysis, name, module string) (edits []tree.Edit, function string, ok bool) {
	f := a.File
	imported, called := false, false
	ok = true
	drop := func(n *lang.Node) {
		e, can := python.Removal(f, python.NewStatement(f, n))
		ok = ok && can
		edits = append(edits, e)
	}
	f.Root.Walk(func(n *lang.Node) bool {
		if !ok || !n.Is("identifier") || f.Text(n) != name {
			return ok
		}
		switch im, p := n.Ancestor("import_from_statement"), n.Parent; {
		case im != nil:
			from := f.Text(im.Child("module_name"))
			if p.Parent != im || from[strings.LastIndexByte(from, '.')+1:] != module || imported {
				ok = false // another module's, under another name, or twice
				return false
			}
			imported = true
			if len(im.ChildrenOf("name")) == 1 {
				drop(im)
			} else {
				edits = append(edits, unlisted(f, p))
			}
		case p.Is("decorator"):
			start, end := f.Span(f.Line(p.Start), f.LastLine(p.Start, p.End))
			edits = append(edits, edit(start, end, ""))
			called = true
		case p.Is("call") && p.Child("function") == n && a.FunctionAt(n.Start) != nil:
			called = true
			if function == "" {
				function = a.ScopeAt(n.Start).Name
			}
			args := p.Child("arguments").NamedChildren()
			switch {
			case p.Parent.Is("expression_statement"):
				drop(p.Parent)
			case len(args) == 0:
				edits = append(edits, edit(p.Start, p.End, "None"))
			case args[0].Is("keyword_argument", "list_splat", "dictionary_splat", "generator_expression", "for_in_clause"):
				ok = false
			default:
				edits = append(edits, edit(p.Start, p.End, "("+f.Text(args[0])+")"))
				if args[0].Is("identifier", "attribute", "call", "subscript", "string", "integer") {
					edits[len(edits)-1].New = f.Text(args[0])
				}
			}
		default:
			ok = false
		}
		return ok
	})
	sort.Slice(edits, func(i, j int) bool { return edits[i].Start < edits[j].Start })
	for i := 1; i < len(edits); i++ {
		ok = ok && edits[i].Start >= edits[i-1].End // a call inside its own argument
	}
	return edits, function, ok && imported && called
}

// unlisted is the edit that takes one name out of a list, with its comma.
func unlisted(f *lang.File, n *lang.Node) tree.Edit {
	if next := n.Next(); next.Is(",") {
		end := next.End
		for end < len(f.Source) && f.Source[end] == ' ' {
			end++
		}
		if i := slices.Index(f.Source[end:], '\n'); i == 0 && strings.TrimSpace(string(f.Source[f.LineStart(f.Line(n.Start)):n.Start])) == "" {
			return edit(f.LineStart(f.Line(n.Start)), end+1, "") // its line with it
		}
		return edit(n.Start, end, "")
	}
	start := n.Start
	if prev := n.Prev(); prev.Is(",") {
		start = prev.Start
	}
	return edit(start, n.End, "")
}
