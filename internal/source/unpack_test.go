package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tgz(t *testing.T, headers ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range headers {
		body := []byte(h.Name)
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(body))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(body); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name string) *tar.Header { return &tar.Header{Name: name, Typeflag: tar.TypeReg} }

func unpacked(t *testing.T, name string, archive []byte) ([]string, error) {
	t.Helper()
	cache := t.TempDir()
	w, err := newWriter(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := unpack(w, name, archive); err != nil {
		return nil, err
	}
	tr, err := w.keep(cache)
	if err != nil {
		t.Fatal(err)
	}
	return tr.Paths(), nil
}

func TestHostileArchivesAreRefused(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "victim")
	for what, headers := range map[string][]*tar.Header{
		"absolute path":         {file("a-1/x"), file("/etc/evil")},
		"parent":                {file("a-1/x"), file("a-1/../../evil")},
		"parent of the top":     {file("a-1/x"), file("../evil")},
		"two tops":              {file("a-1/x"), file("b/evil")},
		"no top folder":         {file("evil")},
		"absolute link":         {{Name: "a-1/l", Typeflag: tar.TypeSymlink, Linkname: outside}, file("a-1/l/evil")},
		"link out":              {{Name: "a-1/l", Typeflag: tar.TypeSymlink, Linkname: "../../evil"}},
		"link out through link": {{Name: "a-1/d/l", Typeflag: tar.TypeSymlink, Linkname: "../.."}},
		"hard link out":         {{Name: "a-1/h", Typeflag: tar.TypeLink, Linkname: "../evil"}},
		"hard link to nothing":  {{Name: "a-1/h", Typeflag: tar.TypeLink, Linkname: "a-1/none"}},
		"hard link to a link":   {{Name: "a-1/l", Typeflag: tar.TypeSymlink, Linkname: "x"}, {Name: "a-1/h", Typeflag: tar.TypeLink, Linkname: "a-1/l"}},
		"device":                {{Name: "a-1/d", Typeflag: tar.TypeChar}},
		"pipe":                  {{Name: "a-1/p", Typeflag: tar.TypeFifo}},
		"backslash":             {file(`a-1/..\evil`)},
		"version control":       {file("a-1/x"), file(".git/hooks/evil")},
	} {
		if paths, err := unpacked(t, "a-1.tar.gz", tgz(t, headers...)); err == nil {
			t.Errorf("%s: unpacked %v", what, paths)
		}
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("something was written outside")
	}
	if _, err := unpacked(t, "a-1.exe", []byte("MZ")); err == nil {
		t.Error("a file that is no archive was unpacked")
	}
	if _, err := unpacked(t, "a-1.tar.gz", []byte("not gzip")); err == nil {
		t.Error("damaged bytes were unpacked")
	}
}

func TestAnArchiveThatIsTooLargeIsRefused(t *testing.T) {
	w, err := newWriter(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	w.bytes = maxBytes - 3
	if err := unpack(w, "a-1.tar.gz", tgz(t, file("a-1/x"))); err == nil {
		t.Error("bytes are not bounded")
	}
	w.bytes, w.files = 0, maxFiles
	if err := unpack(w, "a-1.tar.gz", tgz(t, file("a-1/x"))); err == nil {
		t.Error("files are not counted")
	}
}

func TestOrdinaryArchivesAreUnpackedWithoutTheirTopFolder(t *testing.T) {
	got, err := unpacked(t, "a-1.tar.gz", tgz(t,
		&tar.Header{Name: "a-1/", Typeflag: tar.TypeDir, Mode: 0o755}, file("a-1/x.py"), &tar.Header{Name: "a-1/run", Typeflag: tar.TypeReg, Mode: 0o755},
		&tar.Header{Name: "a-1/l", Typeflag: tar.TypeSymlink, Linkname: "sub/../x.py"}, &tar.Header{Name: "a-1/sub/h.py", Typeflag: tar.TypeLink, Linkname: "a-1/x.py"},
		file("a-1/x.py"), file("a-1/__pycache__/x.pyc")))
	if d := cmp.Diff([]string{"l", "run", "sub/h.py", "x.py"}, got); err != nil || d != "" {
		t.Error(err, d)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a-1/", "a-1/x.py", "a-1/sub/y.py"} {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	got, err = unpacked(t, "a-1.zip", b.Bytes())
	if d := cmp.Diff([]string{"sub/y.py", "x.py"}, got); err != nil || d != "" {
		t.Error(err, d)
	}
}
