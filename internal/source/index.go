package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/google/renameio/v2"

	"breakfix/internal/tree"
)

// maxArchive bounds the download of one source distribution, in bytes.
const maxArchive = 256 << 20

// maxPage bounds an index's answer about one project, in bytes.
const maxPage = 64 << 20

// indexFile is one file that an index offers.
type indexFile struct {
	Filename string            `json:"filename"`
	URL      string            `json:"url"`
	Hashes   map[string]string `json:"hashes"`
	Yanked   any               `json:"yanked"` // false, true or the reason
}

func (f indexFile) yanked() bool {
	switch y := f.Yanked.(type) {
	case bool:
		return y
	case string:
		return true
	}
	return false
}

var nameRuns = regexp.MustCompile(`[-_.]+`)

// normalName is a project name as indexes compare it (PEP 503).
func normalName(s string) string { return strings.ToLower(nameRuns.ReplaceAllString(s, "-")) }

// kept is what the cache remembers of a source distribution, so that a second
// start needs no network. Files of an index never change.
type kept struct {
	Digest  tree.Digest `json:"digest"`
	Archive string      `json:"archive"`
	SHA256  string      `json:"sha256"`
	URL     string      `json:"url,omitempty"` // without a user; older entries have none
}

// memory is the file of the cache that remembers a source distribution.
// Different indexes may hold different files under the same name.
func (s indexSettings) memory(cache, name, version string) string {
	return filepath.Join(cache, "sources", string(tree.DigestOf([]byte(s.index+"\n"+strings.Join(s.extra, "\n")+"\n"+normalName(name)+"=="+version)))+".json")
}

// openIndex takes the source distribution NAME==VERSION of the user's index.
// It is downloaded, verified and unpacked here: no code of it runs.
func openIndex(ctx context.Context, spec string, o Options) (*Snapshot, error) {
	name, want, hasVersion := strings.Cut(strings.TrimSpace(spec), "==")
	name, want = strings.TrimSpace(name), strings.TrimSpace(want)
	if !pypiName.MatchString(name) {
		return nil, &UsageError{fmt.Sprintf("pypi:%s names no package", spec), "the form is pypi:NAME==VERSION, for example pypi:cachetools==8.0.1"}
	}
	s := &Snapshot{Source: "pypi:" + name + "==" + want, Name: shortName(name), Revision: want, Version: want}
	settings := readIndexSettings()
	if hasVersion {
		if _, ok := parseVersion(want); !ok {
			return nil, &UsageError{fmt.Sprintf("%q is no version", want), "the form is pypi:NAME==VERSION, for example pypi:cachetools==8.0.1"}
		}
	}
	memory := settings.memory(o.Cache, name, want)
	if hasVersion {
		var k kept
		if b, err := os.ReadFile(memory); err == nil && json.Unmarshal(b, &k) == nil {
			if t, err := loadTree(o.Cache, k.Digest); err == nil {
				s.Tree = t
				return s, nil
			}
		}
	}
	files, err := settings.project(ctx, normalName(name))
	if err != nil {
		return nil, err
	}
	found, newest := pick(files, normalName(name), want)
	if !hasVersion {
		if newest == "" {
			return nil, &UsageError{"pypi:" + name + " needs a version", "the form is pypi:NAME==VERSION"}
		}
		return nil, &UsageError{"pypi:" + name + " needs a version", fmt.Sprintf("the newest one is typed pypi:%s==%s", name, newest)}
	}
	if found == nil {
		return nil, missing(files, name, want, newest)
	}
	body, err := settings.download(ctx, *found)
	if err != nil {
		return nil, err
	}
	w, err := newWriter(o.Cache)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := unpack(w, found.Filename, body); err != nil {
		return nil, &TargetError{
			Reason: fmt.Sprintf("the source distribution %s cannot be unpacked safely", found.Filename),
			First:  err.Error(), Next: "try another version",
		}
	}
	if s.Tree, err = w.keep(o.Cache); err != nil {
		return nil, err
	}
	k, err := json.Marshal(kept{s.Tree.Digest(), found.Filename, found.Hashes["sha256"], withoutUser(found.URL)})
	if err != nil {
		return nil, err
	}
	return s, writeWhole(memory, k)
}

// missing tells whether the version or only its source distribution is missing.
func missing(files []indexFile, name, want, newest string) error {
	exists := false
	v, _ := parseVersion(want)
	for _, f := range files {
		parts := strings.Split(f.Filename, "-")
		if len(parts) > 1 && strings.HasSuffix(f.Filename, ".whl") {
			if w, ok := parseVersion(parts[1]); ok && w.compare(v) == 0 {
				exists = true
			}
		}
	}
	next := "look at the versions that the index has"
	if newest != "" {
		next = fmt.Sprintf("the newest version with one is typed pypi:%s==%s", name, newest)
	}
	if exists {
		return &TargetError{Reason: fmt.Sprintf("%s %s has no source distribution on the index, only built packages", name, want), Next: next + "; or name the project's git URL"}
	}
	return &TargetError{Reason: fmt.Sprintf("%s has no version %s on the index", name, want), Next: next}
}

// pick returns the source distribution of the wanted version (tar.gz before
// others), and the newest version that has one: final and not yanked if any is.
func pick(files []indexFile, project, want string) (found *indexFile, newest string) {
	wanted, _ := parseVersion(want)
	sorted := append([]indexFile(nil), files...)
	sort.SliceStable(sorted, func(i, j int) bool {
		return strings.HasSuffix(sorted[i].Filename, ".tar.gz") && !strings.HasSuffix(sorted[j].Filename, ".tar.gz")
	})
	var best version
	bestRank := -1
	for i, f := range sorted {
		text, ok := archiveName(f.Filename, project)
		if !ok {
			continue
		}
		v, ok := parseVersion(text)
		if !ok {
			continue
		}
		if want != "" && found == nil && v.compare(wanted) == 0 {
			found = &sorted[i]
		}
		rank := 0
		if !f.yanked() {
			rank++
			if v.final() {
				rank++
			}
		}
		if rank > bestRank || rank == bestRank && v.compare(best) > 0 {
			best, bestRank, newest = v, rank, text
		}
	}
	return found, newest
}

// project asks the indexes for the files of a project. A project that none
// has is a *TargetError.
func (s indexSettings) project(ctx context.Context, name string) ([]indexFile, error) {
	for _, base := range append([]string{s.index}, s.extra...) {
		page := strings.TrimRight(base, "/") + "/" + name + "/"
		body, kind, status, err := s.get(ctx, page, maxPage)
		if err != nil {
			return nil, err
		}
		if status == http.StatusNotFound {
			continue
		}
		if status != http.StatusOK {
			return nil, fmt.Errorf("the package index answered %d for %s; try again later or set PIP_INDEX_URL", status, withoutUser(page))
		}
		from, err := url.Parse(page)
		if err != nil {
			return nil, err
		}
		return parseProject(body, kind, from)
	}
	return nil, &TargetError{
		Reason: fmt.Sprintf("the package %s does not exist on the index", name),
		Next:   "check the spelling; the form is pypi:NAME==VERSION, and code that is on no index is named by its folder or git URL",
	}
}

var (
	anchor   = regexp.MustCompile(`(?is)<a\s([^>]*)>(.*?)</a>`)
	hrefAttr = regexp.MustCompile(`(?i)href\s*=\s*"([^"]*)"|href\s*=\s*'([^']*)'`)
)

// parseProject reads the JSON (PEP 691) or HTML (PEP 503) form of a project's page.
func parseProject(body []byte, kind string, page *url.URL) ([]indexFile, error) {
	var files []indexFile
	if strings.Contains(kind, "json") {
		var p struct{ Files []indexFile }
		if err := json.Unmarshal(body, &p); err != nil {
			return nil, fmt.Errorf("read the package index's answer: %w", err)
		}
		files = p.Files
	} else {
		for _, m := range anchor.FindAllSubmatch(body, -1) {
			h := hrefAttr.FindSubmatch(m[1])
			if h == nil {
				continue
			}
			u, err := url.Parse(html.UnescapeString(string(h[1]) + string(h[2])))
			if err != nil {
				continue
			}
			f := indexFile{Filename: path.Base(u.Path), Hashes: map[string]string{}, Yanked: strings.Contains(strings.ToLower(string(m[1])), "data-yanked")}
			if alg, sum, ok := strings.Cut(u.Fragment, "="); ok {
				f.Hashes[alg] = sum
			}
			u.Fragment = ""
			f.URL = u.String()
			files = append(files, f)
		}
	}
	for i := range files {
		u, err := page.Parse(files[i].URL)
		if err != nil {
			return nil, fmt.Errorf("the package index names a URL that cannot be read: %w", err)
		}
		files[i].URL = u.String()
	}
	return files, nil
}

// download fetches one file and checks its digest.
func (s indexSettings) download(ctx context.Context, f indexFile) ([]byte, error) {
	want := strings.ToLower(f.Hashes["sha256"])
	if want == "" {
		return nil, &TargetError{Reason: "the index gives no SHA-256 for " + f.Filename, Next: "name the project's folder or git URL instead"}
	}
	body, _, status, err := s.get(ctx, f.URL, maxArchive)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("the package index answered %d for %s; try again later", status, f.Filename)
	}
	sum := sha256.Sum256(body)
	if got := hex.EncodeToString(sum[:]); got != want {
		return nil, fmt.Errorf("%s arrived damaged: SHA-256 %s, the index says %s; try again", f.Filename, got, want)
	}
	return body, nil
}

func (s indexSettings) get(ctx context.Context, address string, limit int64) (body []byte, kind string, status int, err error) {
	fail := func(err error) ([]byte, string, int, error) {
		if ctx.Err() != nil {
			return nil, "", 0, ctx.Err()
		}
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // its URL may hold credentials
		}
		return nil, "", 0, fmt.Errorf("reach the package index at %s: %w; check the network, the proxy and PIP_INDEX_URL", withoutUser(address), err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fail(err)
	}
	req.Header.Set("Accept", "application/vnd.pypi.simple.v1+json, text/html;q=0.2, */*;q=0.1")
	req.Header.Set("User-Agent", "breakfix")
	resp, err := s.client().Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return fail(err)
	}
	if int64(len(body)) > limit {
		return fail(fmt.Errorf("more than %d MiB", limit>>20))
	}
	return body, resp.Header.Get("Content-Type"), resp.StatusCode, nil
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(name, b, 0o600, renameio.WithTempDir(filepath.Dir(name)))
}
