package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serveIndex is a small package index on this machine; html chooses the older
// of the two forms.
func serveIndex(t *testing.T, html bool) *httptest.Server {
	t.Helper()
	archive := tgz(t, file("my.pkg-1.2/pkg/__init__.py"), file("my.pkg-1.2/tests/test_x.py"))
	hostile := tgz(t, file("my.pkg-1.1/x.py"), file("../evil"))
	mux := http.NewServeMux()
	mux.HandleFunc("/files/", func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "1.1") {
			w.Write(hostile)
			return
		}
		w.Write(archive)
	})
	mux.HandleFunc("/simple/my-pkg/", func(w http.ResponseWriter, r *http.Request) {
		sums := map[string]string{
			"my.pkg-1.2.tar.gz": fmt.Sprintf("%x", sha256.Sum256(archive)), "my.pkg-1.1.tar.gz": fmt.Sprintf("%x", sha256.Sum256(hostile)),
			"my_pkg-1.0.tar.gz": strings.Repeat("0", 64), "my_pkg-2.0-py3-none-any.whl": strings.Repeat("0", 64), "my-pkg-3.0rc1.tar.gz": strings.Repeat("0", 64),
		}
		names := []string{"my_pkg-1.0.tar.gz", "my.pkg-1.1.tar.gz", "my.pkg-1.2.tar.gz", "my_pkg-2.0-py3-none-any.whl", "my-pkg-3.0rc1.tar.gz"}
		var items []string
		for _, n := range names {
			if html {
				items = append(items, fmt.Sprintf("<a href=\"../../files/%s#sha256=%s\">%s</a>", n, sums[n], n))
			} else {
				items = append(items, fmt.Sprintf(`{"filename":%q,"url":"../../files/%s","hashes":{"sha256":%q},"yanked":false}`, n, n, sums[n]))
			}
		}
		if html {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, strings.Join(items, "<br>\n"))
			return
		}
		w.Header().Set("Content-Type", "application/vnd.pypi.simple.v1+json")
		fmt.Fprintf(w, `{"files":[%s]}`, strings.Join(items, ","))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, name := range []string{"UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("UV_INDEX_URL", server.URL+"/simple")
	t.Setenv("NO_PROXY", "127.0.0.1")
	return server
}

func TestASourceDistributionIsFetchedVerifiedAndRemembered(t *testing.T) {
	for _, html := range []bool{false, true} {
		server := serveIndex(t, html)
		cache := t.TempDir()
		s := open(t, "pypi:My_Pkg==1.2", Options{Cache: cache})
		if d := cmp.Diff([]string{"pkg/__init__.py", "tests/test_x.py"}, s.Tree.Paths()); d != "" {
			t.Error(d)
		}
		if s.Revision != "1.2" || s.Version != "1.2" || s.Local || s.Name != "My_Pkg" {
			t.Errorf("snapshot says %+v", s)
		}
		asked, err := ArchiveOf(context.Background(), "pypi:My_Pkg==1.2", Options{Cache: t.TempDir()}) // nothing is remembered there
		if err != nil || asked.Name != "my.pkg-1.2.tar.gz" || asked.URL != server.URL+"/files/my.pkg-1.2.tar.gz" || len(asked.SHA256) != 64 {
			t.Errorf("the archive is %+v, %v", asked, err)
		}
		server.Close()
		if known, err := ArchiveOf(context.Background(), "pypi:My_Pkg==1.2", Options{Cache: cache}); err != nil || known != asked {
			t.Errorf("without network the archive is %+v, %v, want %+v", known, err, asked)
		}
		if again := open(t, "pypi:My_Pkg==1.2", Options{Cache: cache}); again.Digest != s.Digest {
			t.Errorf("without network: %s", again.Digest)
		}
		if _, err := Open(context.Background(), "pypi:My_Pkg==1.0", Options{Cache: cache}); err == nil || !strings.Contains(err.Error(), "reach the package index") {
			t.Errorf("an index that is down says %v", err)
		}
	}
}

func TestWhatTheIndexLacksIsNamedWithWhatToType(t *testing.T) {
	serveIndex(t, false)
	for _, c := range []struct {
		spec, say string
		usage     bool
	}{
		{"pypi:my-pkg", "pypi:my-pkg==1.2", true}, // the release candidate is not proposed
		{"pypi:my-pkg==9", "no version 9 on the index", false},
		{"pypi:my-pkg==2.0", "only built packages", false},
		{"pypi:nothing-here==1", "does not exist on the index", false},
		{"pypi:my-pkg==1.1", "cannot be unpacked safely", false},
	} {
		_, err := Open(context.Background(), c.spec, Options{Cache: t.TempDir()})
		var u *UsageError
		var target *TargetError
		if errors.As(err, &u) != c.usage || errors.As(err, &target) == c.usage || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", c.spec, err)
		}
	}
	if _, err := Open(context.Background(), "pypi:my-pkg==1.0", Options{Cache: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a damaged download says %v", err)
	}
}

func TestARealSourceDistributionWithoutTestsEndsBeforeInstalling(t *testing.T) {
	_, err := Open(context.Background(), "pypi:sortedcontainers==2.4.0", Options{Cache: t.TempDir()})
	var target *TargetError
	if !errors.As(err, &target) || !strings.Contains(target.Reason, "ships no tests") {
		t.Errorf("got %v", err)
	}
}

func TestSettingsOfPipAreReadFromItsFiles(t *testing.T) {
	ini := parseINI("[global]\nindex-url = https://mirror.example/simple\nfind-links =\n    /a\n    /b\n# note\n[install]\ntimeout: 5\n")
	if d := cmp.Diff(map[string]map[string]string{
		"global":  {"index-url": "https://mirror.example/simple", "find-links": "\n/a\n/b"},
		"install": {"timeout": "5"},
	}, ini); d != "" {
		t.Error(d)
	}
	for _, name := range []string{"UV_DEFAULT_INDEX", "UV_INDEX_URL", "SSL_CERT_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("PIP_INDEX_URL", "https://me:secret@mirror.example/simple/")
	s := readIndexSettings()
	if s.index != "https://me:secret@mirror.example/simple" || s.public().index != "https://mirror.example/simple" {
		t.Errorf("index %s, shown to foreign code as %s", s.index, s.public().index)
	}
}
