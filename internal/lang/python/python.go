// Package python makes Python a language of breakfix: which files are code and
// tests, parsing, and what players need to know of the syntax (scopes, names,
// statements, text without effect). Import it for its registration.
package python

import (
	"path"
	"strings"

	sitter "github.com/tree-sitter/go-tree-sitter"
	grammar "github.com/tree-sitter/tree-sitter-python/bindings/go"

	"breakfix/internal/lang"
)

// Language is Python. Its methods are those of lang.Language.
type Language struct{ *lang.Grammar }

// Python is the one instance, which is registered.
var Python = Language{lang.NewGrammar(sitter.NewLanguage(grammar.Language()))}

func init() { lang.Register(Python) }

var _ lang.Language = Python

// Name returns "python".
func (Language) Name() string { return "python" }

var notCodeFolders = map[string]bool{
	"doc": true, "docs": true, "example": true, "examples": true, "sample": true, "samples": true, "demo": true, "demos": true,
	"benchmark": true, "benchmarks": true, "bench": true, "script": true, "scripts": true, "tools": true, "ci": true,
	"build": true, "dist": true, "node_modules": true, "site-packages": true, "venv": true, "__pycache__": true,
	"_vendor": true, "vendor": true, "vendored": true, "tutorial": true, "tutorials": true,
}

var notCodeFiles = map[string]bool{
	"setup.py": true, "versioneer.py": true, "_version.py": true, "version.py": true, "ez_setup.py": true, "bootstrap.py": true,
	"hatch_build.py": true, "fabfile.py": true, "dodo.py": true, "wscript": true, "__about__.py": true,
}

// IsCode reports whether the file may be broken.
func (l Language) IsCode(p string) bool {
	if !strings.HasSuffix(p, ".py") || l.IsTest(p) || l.IsRunnerConfig(p) {
		return false
	}
	parts := strings.Split(p, "/")
	for i, part := range parts[:len(parts)-1] {
		// Only near the root: a package may well have a module folder "tools".
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".egg-info") || notCodeFolders[part] && i == 0 ||
			part == "_vendor" || part == "vendored" || part == "__pycache__" || part == "site-packages" {
			return false
		}
	}
	name := parts[len(parts)-1]
	return !notCodeFiles[name] && !strings.HasPrefix(name, ".") && (len(parts) > 1 || name != "tasks.py")
}

// IsTest reports whether the file belongs to the tests.
func (Language) IsTest(p string) bool {
	dir, name := path.Split(p)
	for _, part := range strings.Split(strings.TrimSuffix(dir, "/"), "/") {
		if part == "tests" || part == "test" || part == "testdata" || part == "test_data" {
			return true
		}
	}
	return strings.HasSuffix(name, ".py") && (strings.HasPrefix(name, "test_") || strings.HasSuffix(name, "_test.py") || name == "tests.py" || name == "test.py")
}

var runnerFiles = map[string]bool{
	"conftest.py": true, "pytest.ini": true, ".pytest.ini": true, "pytest.toml": true, ".pytest.toml": true, "pyproject.toml": true,
	"tox.ini": true, "tox.toml": true, "setup.cfg": true, "sitecustomize.py": true, "usercustomize.py": true, "noxfile.py": true,
	"makefile": true, "gnumakefile": true, "justfile": true, ".coveragerc": true, "mypy.ini": true, ".mypy.ini": true,
	"pylintrc": true, ".pylintrc": true, "pylintrc.toml": true, ".pylintrc.toml": true, "ruff.toml": true, ".ruff.toml": true,
	"pyrightconfig.json": true, ".flake8": true, "uv.lock": true, "uv.toml": true, "poetry.lock": true, "pdm.lock": true,
	"pipfile": true, "pipfile.lock": true, "environment.yml": true, ".env": true, ".python-version": true, "pyvenv.cfg": true,
}

// IsRunnerConfig reports whether the file changes how tests or linters run.
func (Language) IsRunnerConfig(p string) bool {
	name := strings.ToLower(path.Base(p))
	return runnerFiles[name] || strings.HasSuffix(name, ".pth") || strings.HasPrefix(name, "requirements") && strings.HasSuffix(name, ".txt")
}

// Checker returns what tells whether an edited f still parses.
func (l Language) Checker(f *lang.File) (*lang.Checker, error) {
	return l.Grammar.Checker(f, chunksOf(f))
}

// chunksOf are the statements of the module and the members of its classes, as far as they
// have their lines to themselves.
func chunksOf(f *lang.File) []lang.Chunk {
	var chunks []lang.Chunk
	add := func(ss []Statement, head string) {
		for i, s := range ss {
			if !s.OwnLines || i > 0 && ss[i-1].LastLine >= s.FirstLine || i+1 < len(ss) && ss[i+1].FirstLine <= s.LastLine {
				continue
			}
			start, end := f.Span(s.FirstLine, s.LastLine)
			chunks = append(chunks, lang.Chunk{Start: start, End: end, Head: head})
		}
	}
	for _, s := range Statements(f, f.Root) {
		n := s.Node
		if n.Is("decorated_definition") {
			n = n.Child("definition")
		}
		body := n.Child("body")
		add([]Statement{s}, "")
		if n.Is("class_definition") && body != nil && len(Statements(f, body)) > 1 && Statements(f, body)[0].FirstLine > f.Line(n.Start) {
			if s.OwnLines {
				chunks = chunks[:len(chunks)-1]
			}
			add(Statements(f, body), "class _:\n")
		}
	}
	return chunks
}

// Enclosing returns the innermost function or class at offset.
func (Language) Enclosing(f *lang.File, offset int) (lang.Scope, bool) {
	s := Analyse(f).ScopeAt(offset)
	if s.Parent == nil {
		return lang.Scope{}, false
	}
	return s.Scope, true
}
