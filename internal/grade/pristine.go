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
	Unguarded   = "unguarded"                  // no canary could be laid beside the tests
	Shadows     = "shadows_modules"            // a module that hides one of Python's or of the test runner's
)

// framework are top-level modules that a test run imports itself, beside those
// of the standard library: a module of the same name in the tree would be
// imported instead, since the tree comes first on the path.
var framework = words(`pytest _pytest pluggy iniconfig packaging pygments exceptiongroup tomli colorama py hypothesis coverage
	sitecustomize usercustomize breakfix_report breakfix_channel breakfix_smoke breakfix_config
	__future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn _codecs_hk
	_codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _compat_pickle _compression
	_contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm _decimal _elementtree _frozen_importlib
	_frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _io _json _locale _lsprof _lzma _markupbase _md5
	_msi _multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess
	_py_abc _pydecimal _pyio _queue _random _scproxy _sha1 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket _sqlite3
	_sre _ssl _stat _statistics _string _strptime _struct _symtable _thread _threading_local _tkinter _tokenize
	_tracemalloc _typing _uuid _warnings _weakref _weakrefset _winapi _zoneinfo abc aifc argparse array ast asynchat
	asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd
	code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg crypt
	csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno
	faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob
	graphlib grp gzip hashlib heapq hmac html http imaplib imghdr imp importlib inspect io ipaddress itertools json
	keyword linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt
	multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb
	pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile
	pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets
	select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile
	sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog
	tabnanny tarfile telnetlib tempfile termios textwrap threading time timeit tkinter token tokenize tomllib trace
	traceback tracemalloc tty turtle types typing unicodedata unittest urllib uu uuid venv warnings wave weakref
	webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo`)

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
