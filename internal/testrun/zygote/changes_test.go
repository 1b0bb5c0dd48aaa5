package zygote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// files lists the tree as a child sees it.
const files = `
for root, folders, names in os.walk("/work"):
    folders.sort()
    for n in sorted(names + [f for f in folders if os.path.islink(root + "/" + f)]):
        p = os.path.join(root, n)
        say(p[6:], "-> " + os.readlink(p) if os.path.islink(p) else repr(open(p).read()) + (" x" if os.access(p, os.X_OK) else ""))
    if not folders and not names: say(root[6:] + "/", "empty")
`

const asItWas = `a.txt 'a\n'
b.txt 'b\n'
file 'a file\n'
link -> other
other/two.py 'other\n'
pkg/one.py '1\n'
pkg/two.py '2\n'`

func link(to string) *tree.File { return &tree.File{Kind: tree.Link, Data: []byte(to)} }

func TestAChildSeesTheChangesAndTheTreeBelowIsUntouched(t *testing.T) {
	box, spec := keeper(t), specOf(t, sandbox.Limits{})
	s := serveIn(t, box, spec)
	got := says(t, s, Request{Changes: map[string]*tree.File{
		"a.txt": tree.Text("changed\n"), "b.txt": nil, "new/deep/er.txt": tree.Text(""), "run": {Kind: tree.Executable, Data: []byte("#!")},
		"pkg/one.py": nil, "pkg/three.py": tree.Text("3\n"), "to": link("/etc/passwd"), "ünï/ß \n'\".py": tree.Text("ü"),
	}}, files)
	want := `a.txt 'changed\n'
file 'a file\n'
link -> other
run '#!' x
to -> /etc/passwd
new/deep/er.txt ''
other/two.py 'other\n'
pkg/three.py '3\n'
pkg/two.py '2\n'
ünï/ß ` + "\n" + `'".py 'ü'`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(asItWas, says(t, s, Request{}, files)); diff != "" {
		t.Errorf("the next child: %s", diff)
	}
	now, err := tree.FromDir(spec.Tree.Dir(), nil)
	if err != nil || now.Digest() != spec.Tree.Digest() {
		t.Errorf("the tree on disk has changed: %v", err)
	}
}

// A change of what a path is: folder, file, link.
func TestFoldersFilesAndLinksCanTakeEachOthersPlaces(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for name, c := range map[string]struct {
		changes map[string]*tree.File
		code    string
		want    string
	}{
		"a folder becomes a link": {map[string]*tree.File{"pkg": link("other"), "pkg/one.py": nil, "pkg/two.py": nil},
			`say(os.readlink("pkg"), open("pkg/two.py").read(), os.listdir("other"))`, "other other\n ['two.py']"},
		"a folder becomes a link out of the tree": {map[string]*tree.File{"pkg": link("/tmp"), "pkg/one.py": nil, "pkg/two.py": nil},
			`say(os.readlink("pkg"), os.listdir("pkg"))`, "/tmp ['home']"},
		"a folder becomes a file": {map[string]*tree.File{"pkg": tree.Text("p"), "pkg/one.py": nil, "pkg/two.py": nil},
			`say(open("pkg").read())`, "p"},
		"a file becomes a folder": {map[string]*tree.File{"file": nil, "file/in/it": tree.Text("i")},
			`say(os.listdir("file"), open("file/in/it").read())`, "['in'] i"},
		"a link becomes a folder": {map[string]*tree.File{"link": nil, "link/two.py": tree.Text("mine")},
			`say(os.listdir("link"), open("link/two.py").read(), open("other/two.py").read())`, "['two.py'] mine other\n"},
		"a file below what is a link in the tree": {map[string]*tree.File{"link/two.py": tree.Text("mine")},
			`say(os.path.islink("link"), open("link/two.py").read(), open("other/two.py").read())`, "False mine other\n"},
		"a link becomes a file":                      {map[string]*tree.File{"link": tree.Text("l")}, `say(os.path.islink("link"), open("link").read())`, "False l"},
		"all files of a folder are removed":          {map[string]*tree.File{"pkg/one.py": nil, "pkg/two.py": nil}, `say(os.listdir("pkg"))`, "[]"},
		"a file is removed that is not there":        {map[string]*tree.File{"no/such": nil}, `say(os.path.exists("no/such"))`, "False"},
		"a removed file is written, listed, removed": {map[string]*tree.File{"pkg/one.py": nil}, `open("pkg/one.py", "w").write("again"); say(sorted(os.listdir("pkg")), open("pkg/one.py").read()); os.remove("pkg/one.py"); say(os.listdir("pkg"))`, "['one.py', 'two.py'] again\n['two.py']"},
		"a folder can be removed whose files are":    {map[string]*tree.File{"pkg/one.py": nil, "pkg/two.py": nil}, `os.rmdir("pkg"); say(os.path.exists("pkg")); os.mkdir("pkg"); say(os.listdir("pkg"))`, "False\n[]"},
	} {
		if got := says(t, s, Request{Changes: c.changes}, c.code); got != c.want {
			t.Errorf("%s: said %q, want %q", name, got, c.want)
		}
	}
	if diff := cmp.Diff(asItWas, says(t, s, Request{}, files)); diff != "" {
		t.Errorf("after all of them: %s", diff)
	}
}

func TestChangesThatWouldLeaveTheTreeAreRefused(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	for name, changes := range map[string]map[string]*tree.File{
		"up":            {"../x": tree.Text("")},
		"up in between": {"a/../../x": tree.Text("")},
		"absolute":      {"/tmp/x": tree.Text("")},
		"empty":         {"": tree.Text("")},
		"nothing":       {"a\x00b": tree.Text("")},
		"below a link":  {"out": link("/tmp"), "out/x": tree.Text("")},
		"below a file":  {"out": tree.Text(""), "out/x": tree.Text("")},
		"removed above": {"../x": nil},
		"not UTF-8":     {"a\xff": tree.Text("")},
	} {
		_, err := s.Do(context.Background(), Request{Body: ask{Code: "pass"}, Nonce: "nonce", Report: &bytes.Buffer{}, Changes: changes})
		var refused *RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lives(t, s)
}

func TestLargeRequestsAndReportsPassUnchanged(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	data := bytes.Repeat([]byte{0, 1, 0xff, '\n', '"'}, 1<<20)
	changes := map[string]*tree.File{"big": {Kind: tree.Regular, Data: data}}
	for i := range 500 {
		changes[fmt.Sprintf("d%d/f%d", i%20, i)] = tree.Text(strings.Repeat("x", i))
	}
	got := says(t, s, Request{Changes: changes}, `
import hashlib
data = open("big", "rb").read()
say(len(data), data == bytes([0, 1, 255, 10, 34]) * (1 << 20), sum(len(open("d%d/f%d" % (i % 20, i)).read()) for i in range(500)))
say("x" * 3000000)
`)
	if want := "5242880 True 124750\n" + strings.Repeat("x", 3000000); got != want {
		t.Errorf("said %.60q", got)
	}
}

func TestWhatAChildWritesIsGoneInTheNext(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	write := `
import shutil
for at in ("/work/new", "/work/pkg/new", "/tmp/new", "/tmp/home/new", "/dev/shm/new", "/cage/new", "/cage/up/new"):
    os.makedirs(os.path.dirname(at), exist_ok=True)
    open(at, "w").write("x")
open("/work/a.txt", "a").write("more")
os.remove("/work/b.txt")
shutil.rmtree("/work/pkg")
os.rename("/work/other", "/work/moved")
os.chmod("/work/file", 0)
os.umask(0o777)
`
	look := files + `
say(os.listdir("/tmp"), os.listdir(os.path.expanduser("~")), os.stat("/tmp/home").st_mode, os.listdir("/dev/shm"), sorted(os.listdir("/cage")), oct(os.stat("/work/file").st_mode), oct(os.stat("/tmp").st_mode), oct(os.stat("/dev/shm").st_mode), os.getcwd())
old = os.umask(0); say(oct(old))
`
	before := says(t, s, Request{}, look)
	if !strings.HasPrefix(before, asItWas+"\n['home'] [] 16832 [] ") {
		t.Errorf("a child sees\n%s", before)
	}
	for range 2 {
		says(t, s, Request{}, write)
		if diff := cmp.Diff(before, says(t, s, Request{}, look)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWhatLoadingLeftInTheScratchFoldersIsThereInEveryChild(t *testing.T) {
	for _, prelude := range []string{
		"import tempfile; d = tempfile.mkdtemp(dir='/tmp'); open(d + '/f', 'w').write('tmp'); os.symlink(d, '/tmp/link')",
		"os.mkdir('/tmp/home/.x'); open('/tmp/home/.x/f', 'w').write('home'); os.symlink('/tmp/home/.x', '/tmp/link')",
		"os.mkdir('/dev/shm/x'); open('/dev/shm/x/f', 'w').write('shm'); os.symlink('/dev/shm/x', '/tmp/link')",
		"os.mkdir('d'); open('d/f', 'w').write('tree'); os.symlink('/work/d', '/tmp/link')",
	} {
		s := serve(t, sandbox.Limits{}, "PRELUDE="+prelude)
		look := `
say(open("/tmp/link/f").read() in ("tmp", "home", "shm", "tree"), os.listdir("/tmp/link"), sorted(os.listdir("/tmp"))[:1], [oct(os.stat(p).st_mode) for p in ("/tmp", "/dev/shm", "/tmp/home")])
`
		want := "True ['f'] ['home'] ['0o41777', '0o41777', '0o40700']"
		for range 2 {
			if got := says(t, s, Request{}, look+`
open("/tmp/link/f", "w").write("changed"); open("/tmp/link/g", "w"); open("/tmp/0", "w"); open("/dev/shm/g", "w"); os.remove("/tmp/link")
`); got != want {
				t.Errorf("%s: said %q, want %q", prelude, got, want)
			}
		}
	}
}

func TestTheStandardStreamsOfAChildAreAsTheyWereAtTheStart(t *testing.T) {
	s := serve(t, sandbox.Limits{})
	look := `import fcntl; say([fcntl.fcntl(n, fcntl.F_GETFL) for n in (0, 1, 2)])`
	before := says(t, s, Request{}, look)
	says(t, s, Request{}, `
for n in (0, 1, 2): os.set_blocking(n, False)
os.close(1); os.close(2)
`)
	if got := says(t, s, Request{}, look); got != before {
		t.Errorf("flags were %s and are %s", before, got)
	}
}
