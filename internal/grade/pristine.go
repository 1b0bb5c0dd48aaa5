package grade

import (
	"path"
	"sort"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/tree"
)

// Reasons for which a grading is suspicious. Such a grading leaves the update.
const (
	EditsTests  = "edits_tests"                // changed, added or deleted a test
	EditsRunner = "edits_runner_configuration" // changed, added or deleted what decides how tests run
	AddsBinary  = "adds_compiled_code"         // bytecode or machine code, which nobody can read
	AddsLink    = "adds_link"                  // a link may lead out of the tree
	Forged      = "forged"                     // the box's reports contradict what must be true
	Shadows     = "shadows_modules"            // a module that hides one of Python's or of the test runner's
)

// framework are top-level modules that a test run imports itself, beside those
// of the standard library: a module of the same name in the tree would be
// imported instead, since the tree comes first on the path.
var framework = words(`pytest _pytest pluggy iniconfig packaging pygments exceptiongroup tomli colorama py hypothesis coverage
	sitecustomize usercustomize breakfix_report
	__future__ abc argparse array ast asyncio atexit base64 bisect builtins calendar cmath code codecs collections concurrent
	configparser contextlib contextvars copy copyreg csv ctypes dataclasses datetime decimal difflib dis doctest email encodings
	enum errno faulthandler fnmatch fractions functools gc genericpath getpass gettext glob graphlib gzip hashlib heapq hmac html
	http importlib inspect io ipaddress itertools json keyword linecache locale logging lzma math mimetypes multiprocessing
	ntpath numbers opcode operator os pathlib pdb pickle pkgutil platform posixpath pprint queue random re reprlib runpy
	secrets select selectors shlex shutil signal site socket sqlite3 sre_compile sre_constants sre_parse ssl stat statistics
	string struct subprocess symtable sys sysconfig tarfile tempfile textwrap threading time timeit token tokenize traceback
	tracemalloc types typing unicodedata unittest urllib uuid warnings weakref xml zipfile zipimport zlib zoneinfo`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// pristine returns the repaired tree with everything as in the snapshot that a
// repair may not touch: tests and runner configuration by content, files of
// that kind which the player created removed, no links, no compiled code and
// no module that shadows one of the runner's. The reasons say what was undone.
func pristine(paths bug.Paths, snapshot, repaired *tree.Tree, red bug.RedTest) (*tree.Tree, []string, error) {
	undo := map[string]*tree.File{}
	found := map[string]bool{}
	for _, p := range tree.Differ(snapshot, repaired) {
		reason := ""
		switch {
		case p == red.Path:
			// The minimised test, where the player had it. Grading lays its own.
			if data, err := repaired.Read(p); err != nil || string(data) != red.Code {
				reason = EditsTests
			}
			found[reason] = true
			undo[p] = nil
			continue
		case paths.IsRunnerConfig(p):
			reason = EditsRunner
		case paths.IsTest(p):
			reason = EditsTests
		case repaired.Kind(p) == tree.Link:
			reason = AddsLink
		case compiled(p):
			reason = AddsBinary
		case !snapshot.Has(p) && shadows(snapshot, p):
			reason = Shadows
		case !snapshot.Has(p) && !repaired.Has(p):
			continue
		default:
			continue
		}
		found[reason] = true
		if !snapshot.Has(p) {
			undo[p] = nil
			continue
		}
		data, err := snapshot.Read(p)
		if err != nil {
			return nil, nil, err
		}
		undo[p] = &tree.File{Kind: snapshot.Kind(p), Data: data}
	}
	delete(found, "")
	clean, err := repaired.With(undo)
	return clean, sorted(found), err
}

func compiled(p string) bool {
	switch path.Ext(p) {
	case ".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".egg", ".zip", ".whl", ".pth":
		return true
	}
	return strings.Contains("/"+p, "/__pycache__/")
}

// shadows tells whether a new file makes a top-level module of a reserved name
// in a folder that may be on the path: one that is no package.
func shadows(snapshot *tree.Tree, p string) bool {
	for dir, rest := "", p; ; {
		name, below, deeper := strings.Cut(rest, "/")
		if framework[strings.TrimSuffix(name, ".py")] {
			return true
		}
		if !deeper {
			return false
		}
		dir, rest = path.Join(dir, name), below
		if snapshot.Has(path.Join(dir, "__init__.py")) {
			return false
		}
	}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	sort.Strings(out)
	return out
}
