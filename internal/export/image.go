package export

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/tree"
)

// baseName is the archive beside a Dockerfile of a tree that cannot be fetched.
const baseName = "base.tar.gz"

// image writes what an image of t is built from into dir: a Dockerfile, the
// locked versions, and in files/ what t has otherwise than the base. Files lie
// there whole: a diff would show what was there before. Where the base cannot be
// fetched by others t is embedded, and the base is not there at all.
func (it *item) image(dir string, t *tree.Tree, more ...string) error {
	changed, gone := map[string]*tree.File{}, []string{}
	if it.embedded {
		packed, err := bug.Pack(t)
		if err != nil {
			return err
		}
		if err := write(dir, baseName, packed); err != nil {
			return err
		}
	} else {
		for _, p := range tree.Differ(it.base, t) {
			if !t.Has(p) {
				gone = append(gone, p)
				continue
			}
			data, err := t.Read(p)
			if err != nil {
				return err
			}
			changed[p] = &tree.File{Kind: t.Kind(p), Data: data}
		}
	}
	if len(changed) > 0 {
		files, err := tree.FromFiles(changed)
		if err != nil {
			return err
		}
		if err := files.WriteTo(filepath.Join(dir, "files")); err != nil {
			return err
		}
	}
	if err := write(dir, "requirements.txt", lines(it.origin.Lock)); err != nil {
		return err
	}
	return write(dir, "Dockerfile", []byte(it.dockerfile(len(changed) > 0, gone, more)))
}

// dockerfile is the recipe of an image whose testbed has no history but one
// commit of what the solver starts from.
func (it *item) dockerfile(overlay bool, gone, more []string) string {
	o := it.origin
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# syntax=docker/dockerfile:1")
	line("FROM python:%s-slim", o.Python)
	line("RUN apt-get update && apt-get install -y --no-install-recommends git patch build-essential && rm -rf /var/lib/apt/lists/*")
	line("ENV %s", strings.Join(variables, " "))
	line("WORKDIR %s", testbed)
	switch {
	case it.embedded:
		line("ADD %s %s/", baseName, testbed)
	case o.Archive != nil:
		line("ADD --checksum=sha256:%s %s /tmp/%s", o.Archive.SHA256, o.Archive.URL, o.Archive.Name)
		at := "/tmp/" + quote(o.Archive.Name)
		if strings.HasSuffix(o.Archive.Name, ".zip") {
			line("RUN python -m zipfile -e %s /tmp/base && cp -a /tmp/base/*/. %s/ && rm -rf /tmp/base %s", at, testbed, at)
		} else {
			line("RUN tar --no-same-owner --strip-components=1 -xf %s -C %s && rm %s", at, testbed, at)
		}
	default:
		line("RUN git clone --quiet %s /tmp/base && git -C /tmp/base checkout --quiet %s && rm -rf /tmp/base/.git && cp -a /tmp/base/. %s/ && rm -rf /tmp/base",
			quote(o.Source.Source), quote(o.Source.Revision), testbed)
	}
	if overlay {
		line("COPY files/ %s/", testbed)
	}
	if len(gone) > 0 {
		quoted := make([]string, len(gone))
		for i, p := range gone {
			quoted[i] = quote("./" + p)
		}
		line("RUN rm -f %s", strings.Join(quoted, " "))
	}
	line("COPY requirements.txt /tmp/requirements.txt")
	line("RUN pip install --no-cache-dir --no-deps -r /tmp/requirements.txt && rm /tmp/requirements.txt")
	switch {
	case o.Install && !it.base.Has("PKG-INFO") && o.Source.Version != "":
		line("RUN %s pip install --no-cache-dir --no-deps -e .", strings.Join(versions(o.Source.Version), " "))
	case o.Install:
		line("RUN pip install --no-cache-dir --no-deps -e .")
	case len(o.Path) > 0:
		var at []string
		for _, p := range o.Path {
			at = append(at, strings.TrimSuffix(testbed+"/"+p, "/."))
		}
		line("ENV PYTHONPATH=%s", strings.Join(at, ":"))
	}
	line("RUN git init --quiet && git add --all --force && git -c user.name=breakfix -c user.email=breakfix@localhost commit --quiet --message base")
	for _, m := range more {
		line("%s", m)
	}
	return b.String()
}

// versions tells build back ends that ask version control which version this is.
func versions(v string) []string {
	v = quote(v)
	return []string{"SETUPTOOLS_SCM_PRETEND_VERSION=" + v, "PDM_BUILD_SCM_VERSION=" + v, "POETRY_DYNAMIC_VERSIONING_BYPASS=" + v,
		"UV_DYNAMIC_VERSIONING_BYPASS=" + v, "PBR_VERSION=" + v}
}

func lines(s []string) []byte {
	if len(s) == 0 {
		return nil
	}
	return []byte(strings.Join(s, "\n") + "\n")
}

func write(dir, name string, data []byte) error {
	at := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if strings.HasSuffix(name, ".sh") {
		mode = 0o755
	}
	return os.WriteFile(at, data, mode)
}
