package tree

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func files(t interface{ Fatal(...any) }, m map[string]string) *Tree {
	fs := map[string]*File{}
	for p, s := range m {
		fs[p] = Text(s)
	}
	tr, err := FromFiles(fs)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func content(t interface{ Fatal(...any) }, tr *Tree) map[string]string {
	m := map[string]string{}
	for _, p := range tr.Paths() {
		b, err := tr.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		m[p] = string(tr.Kind(p)) + string(b)
	}
	return m
}

// drawTree draws small files out of few lines, so that two draws share some:
// with every line ending, without a final one, empty, with bytes that are not
// UTF-8, and under names that need quoting.
func drawTree(t *rapid.T, label string) *Tree {
	names := []string{"a.py", "pkg/b.py", "pkg/ü.py", "with space.py", `quo"te.py`, "tab\t.py", "deep/er/c"}
	line := rapid.SampledFrom([]string{"x = 1\n", "y = 2\n", "\n", "z\r\n", "-- \n", "--- a/x\n", "+++ b/x\n", "@@ -1 +1 @@\n", "\\ No newline at end of file\n", "\xff\xfe\n", "\r", "q\fr\n", " \n"})
	m := map[string]*File{}
	for _, n := range names {
		if !rapid.Bool().Draw(t, label+n) {
			continue
		}
		s := strings.Join(rapid.SliceOfN(line, 0, 24).Draw(t, "lines"), "")
		if rapid.Bool().Draw(t, "cut") {
			s = strings.TrimSuffix(s, "\n")
		}
		m[n] = &File{Kind: Regular, Data: []byte(s)}
		if n == "deep/er/c" {
			m[n].Kind = Executable
		}
	}
	tr, err := FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestApplyingADiffGivesTheOtherTreeInBothDirections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTree(t, "a"), drawTree(t, "b")
		for _, pair := range [][2]*Tree{{a, b}, {b, a}} {
			d, err := Diff(pair[0], pair[1])
			if err != nil {
				t.Fatal(err)
			}
			got, err := Apply(pair[0], d)
			if err != nil {
				t.Fatalf("%v in\n%s", err, d)
			}
			if got.Digest() != pair[1].Digest() {
				t.Fatalf("another tree: %s\nfrom\n%s", cmp.Diff(content(t, pair[1]), content(t, got)), d)
			}
		}
	})
}

func TestEachHunkAppliesAloneAndAllHunksMakeThePatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTree(t, "a"), drawTree(t, "b")
		d, err := Diff(a, b)
		if err != nil {
			t.Fatal(err)
		}
		hunks, err := Hunks(d)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range hunks {
			alone, err := Apply(a, h.Patch)
			if err != nil {
				t.Fatalf("%v in\n%s", err, h.Patch)
			}
			var others []int
			for j := range hunks {
				if j != i {
					others = append(others, j)
				}
			}
			kept, err := Without(a, d, others)
			if err != nil {
				t.Fatal(err)
			}
			if alone.Digest() != kept.Digest() {
				t.Fatalf("hunk %d alone is not the patch without the others", i)
			}
		}
		all, err := Without(a, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if all.Digest() != b.Digest() {
			t.Fatal("leaving nothing out is not the whole patch")
		}
	})
}

func TestGitAppliesWhatDiffWrites(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	rapid.Check(t, func(t *rapid.T) {
		if rapid.IntRange(0, 3).Draw(t, "sample") != 0 {
			return // a process each: a quarter of the draws is enough
		}
		a, b := drawTree(t, "a"), drawTree(t, "b")
		d, err := Diff(a, b)
		if err != nil || len(d) == 0 {
			return
		}
		dir, err := os.MkdirTemp("", "breakfix-git")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		if err := a.WriteTo(dir); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(git, "apply", "-p1", "--whitespace=nowarn")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		cmd.Stdin = bytes.NewReader(d)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git apply: %v\n%s\n%s", err, out, d)
		}
		got, err := FromDir(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != b.Digest() {
			t.Fatalf("git made another tree: %s\nfrom\n%s", cmp.Diff(content(t, b), content(t, got)), d)
		}
	})
}

func TestADiffLooksAsGitWritesIt(t *testing.T) {
	a := files(t, map[string]string{"a.py": "1\n2\n3\n4\n5\n6\n7\n8", "gone.py": "x\n", "same.py": "s"})
	b := files(t, map[string]string{"a.py": "1\n2\n3\n4\nfive\n6\n7\n8", "new.py": "y", "same.py": "s", "empty.py": ""})
	d, err := Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := `diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -2,7 +2,7 @@
 2
 3
 4
-5
+five
 6
 7
 8
\ No newline at end of file
diff --git a/empty.py b/empty.py
new file mode 100644
diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+y
\ No newline at end of file
`
	if diff := cmp.Diff(want, string(d)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotTextHasNoDiff(t *testing.T) {
	a := files(t, map[string]string{"a": "x\n"})
	for name, f := range map[string]*File{
		"NUL byte":  {Kind: Regular, Data: []byte("x\x00")},
		"link":      {Kind: Link, Data: []byte("b")},
		"mode":      {Kind: Executable, Data: []byte("x\n")},
		"line of a": {Kind: Regular, Data: bytes.Repeat([]byte("a"), MaxLine+1)},
	} {
		b, err := a.With(map[string]*File{"a": f})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Diff(a, b); err == nil {
			t.Errorf("%s: the diff was written", name)
		}
	}
}

func TestHostileAndBrokenPatchesAreRejected(t *testing.T) {
	base, err := files(t, map[string]string{"a.py": "1\n2\n3\n", "dir/b.py": "b\n", "empty": ""}).
		With(map[string]*File{"link": {Kind: Link, Data: []byte("/etc")}})
	if err != nil {
		t.Fatal(err)
	}
	mod := func(p string) string {
		return "diff --git a/" + p + " b/" + p + "\n--- a/" + p + "\n+++ b/" + p + "\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"
	}
	create := func(p string) string {
		return "diff --git a/" + p + " b/" + p + "\nnew file mode 100644\n--- /dev/null\n+++ b/" + p + "\n@@ -0,0 +1 @@\n+x\n"
	}
	for name, c := range map[string]struct{ patch, want string }{
		"parent folder":       {create("../x"), "leaves the tree"},
		"hidden parent":       {create("dir/../../x"), "leaves the tree"},
		"absolute new name":   {"--- /dev/null\n+++ /etc/passwd\n@@ -0,0 +1 @@\n+x\n", "absolute"},
		"absolute git name":   {"diff --git /etc/passwd /etc/passwd\n", "absolute"},
		"double slash":        {"--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-x\n+y\n", "does not begin with a/"},
		"git folder":          {create(".git/hooks/pre-commit"), "version-control"},
		"nested git folder":   {create("dir/.GIT/config"), "version-control"},
		"new link":            {"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n", "mode 120000"},
		"submodule":           {"diff --git a/l b/l\nnew file mode 160000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+Subproject\n", "mode 160000"},
		"change of a link":    {"--- a/link\n+++ b/link\n@@ -1 +1 @@\n-/etc\n+/tmp\n", "is a link"},
		"below a link":        {create("link/x"), "not a folder"},
		"over a folder":       {create("dir"), "replace a folder"},
		"mode only":           {"diff --git a/a.py b/a.py\nold mode 100644\nnew mode 100755\n", "mode"},
		"rename":              {"diff --git a/a.py b/c.py\nsimilarity index 100%\nrename from a.py\nrename to c.py\n", "renames"},
		"rename by names":     {"diff --git a/a.py b/c.py\n--- a/a.py\n+++ b/c.py\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n", "renamed"},
		"binary":              {"diff --git a/x b/x\nnew file mode 100644\nGIT binary patch\nliteral 1\nIcmZ\n", "binary"},
		"wrong context":       {strings.Replace(mod("a.py"), " 1\n", " one\n", 1), "does not match at hunk 1"},
		"wrong place":         {strings.Replace(mod("a.py"), "-1,3", "-2,3", 1), "does not match"},
		"no such file":        {mod("c.py"), "does not exist"},
		"exists already":      {create("a.py"), "exists already"},
		"same file twice":     {mod("a.py") + mod("a.py"), "changed twice"},
		"cut off":             {strings.TrimSuffix(mod("a.py"), " 3\n"), "middle of a hunk"},
		"prose in a hunk":     {strings.Replace(mod("a.py"), " 3\n", "three\n", 1), "not part of the hunk"},
		"prose below a hunk":  {mod("a.py") + "and so on\n", "not part of a patch"},
		"prose only":          {"please change line 2\n", "changes no file"},
		"hunk without a file": {"@@ -1 +1 @@\n-1\n+2\n", "without the name"},
		"NUL byte":            {mod("a.py") + "\x00", "NUL"},
		"no context":          {"--- a/a.py\n+++ b/a.py\n@@ -2,0 +3 @@\n+x\n", "no context"},
		"removed as if empty": {"diff --git a/a.py b/a.py\ndeleted file mode 100644\n", "as if it were empty"},
		"removed in part":     {"diff --git a/a.py b/a.py\ndeleted file mode 100644\n--- a/a.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-1\n-2\n", "does not match"},
		"huge line count":     {"--- a/a.py\n+++ b/a.py\n@@ -1,999999999999 +1 @@\n-1\n", "over the limit"},
		"huge line":           {create("x")[:len(create("x"))-1] + strings.Repeat("x", MaxLine) + "\n", "over the limit"},
		"huge patch":          {create("x") + strings.Repeat("\n", MaxPatch), "over the limit"},
	} {
		_, err := Apply(base, []byte(c.patch))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
	if _, err := Apply(base, []byte(create("../x"))); !errors.Is(err, ErrUnsafePath) {
		t.Errorf("a path that leaves the tree gives %v", err)
	}
}

func TestAPlainUnifiedDiffAndAMailedOneApplyToo(t *testing.T) {
	base := files(t, map[string]string{"a.py": "1\n2\n3\n"})
	hunk := "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"
	for name, patch := range map[string]string{
		"plain":            hunk,
		"lost newline":     strings.TrimSuffix(hunk, "\n"),
		"mailed":           "From: me\nSubject: two\n\n a.py | 2 +-\n\ndiff --git a/a.py b/a.py\nindex 01e79c3..b5b5b5b 100644\n" + hunk + "-- \n2.39.5\n",
		"with a new file":  hunk + "--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+n\n",
		"blank line after": hunk + "\n",
	} {
		got, err := Apply(base, []byte(patch))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b, _ := got.Read("a.py"); string(b) != "1\ntwo\n3\n" {
			t.Errorf("%s: %q", name, b)
		}
	}
}

func TestLeavingOutAHunkThatDoesNotExistIsAnError(t *testing.T) {
	a := files(t, map[string]string{"a": "x\n"})
	b := files(t, map[string]string{"a": "y\n"})
	d, err := Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Without(a, d, []int{1}); err == nil {
		t.Error("hunk 1 of a patch with one hunk was left out")
	}
}
