package export

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

//go:embed inside/profiles.py
var profiles string

// smithInstance is a line of SWE-smith's data sets. Patch introduces the bug.
type smithInstance struct {
	ID         string   `json:"instance_id"`
	Repo       string   `json:"repo"`
	Patch      string   `json:"patch"`
	FailToPass []string `json:"FAIL_TO_PASS"`
	PassToPass []string `json:"PASS_TO_PASS"`
	Created    string   `json:"created_at"`
	Image      string   `json:"image_name"`
	BaseCommit string   `json:"base_commit"`
	Statement  string   `json:"problem_statement"`
	Origin     string   `json:"breakfix"` // an Origin, JSON in a string
}

// smithProfile is what profiles.py makes a class of.
type smithProfile struct {
	Class   string `json:"class"`
	Owner   string `json:"owner"`
	Repo    string `json:"repo"`
	Commit  string `json:"commit"`
	Python  string `json:"python_version"`
	Command string `json:"test_cmd"`
}

func (p smithProfile) name() string { return fmt.Sprintf("%s__%s.%s", p.Owner, p.Repo, p.Commit[:8]) }

type swesmithWriter struct {
	dir      string
	out      *jsonl
	profiles []smithProfile
	known    map[string]*strings.Builder // by the profile's name: what makes the instances' branches
}

func openSWESmith(dir string, _ Options) (writer, error) {
	out, err := newJSONL(dir, instancesName)
	return &swesmithWriter{dir: dir, out: out, known: map[string]*strings.Builder{}}, err
}

// smithBranches begins the script that gives an image a branch for each
// instance: SWE-smith's tools check one out, then its parent, where the tests are.
const smithBranches = `#!/bin/bash
set -euo pipefail
cd /testbed
git branch --move --force main
export GIT_AUTHOR_NAME=breakfix GIT_AUTHOR_EMAIL=breakfix@localhost GIT_COMMITTER_NAME=breakfix GIT_COMMITTER_EMAIL=breakfix@localhost
branch() {
    git checkout --quiet -b "$1" main
    git apply --index "/tmp/patches/$1.bug.diff"
    git commit --quiet --message "Bug Patch"
    git apply --index --allow-empty "/tmp/patches/$1.hide.diff"
    git commit --quiet --allow-empty --message "Remove F2P Tests"
    git checkout --quiet main
}
`

func (w *swesmithWriter) add(it *item) error {
	if it.bug.Witness {
		return cannot("no test of its suite notices it, and SWE-smith takes its tests from the repository")
	}
	fail := oneWord(it.bug.Red)
	if len(fail) == 0 {
		return cannot("each of its red tests has a space in its id, which SWE-smith's parser cannot read")
	}
	owner, name := it.project()
	p := smithProfile{Owner: owner, Repo: name, Commit: it.commit(), Python: minor(it.origin.Python), Command: "cd " + testbed + "; " + it.pytest(inProgress, nil)}
	p.Class = className(p)
	key := p.name()
	if w.known[key] == nil {
		w.known[key] = &strings.Builder{}
		w.known[key].WriteString(smithBranches)
		w.profiles = append(w.profiles, p)
		if err := it.image(filepath.Join(w.dir, "images", key), it.base,
			"COPY patches/ /tmp/patches/", "COPY branches.sh /tmp/branches.sh",
			"RUN bash /tmp/branches.sh && rm -rf /tmp/patches /tmp/branches.sh && git clone --quiet --bare . /origin.git && git remote add origin /origin.git"); err != nil {
			return err
		}
	}
	id := key + ".breakfix__" + it.bug.ID
	fmt.Fprintf(w.known[key], "branch %s\n", id)
	at := filepath.Join(w.dir, "images", key, "patches")
	if err := write(at, id+".bug.diff", it.bug.Inject); err != nil {
		return err
	}
	if err := write(at, id+".hide.diff", it.bug.Weaken); err != nil {
		return err
	}
	o := it.origin
	o.Removed = []string{}
	return w.out.line(smithInstance{ID: id, Repo: "breakfix/" + key, Patch: string(it.bug.Inject), FailToPass: fail, PassToPass: oneWord(it.pass),
		Created: it.created, Image: strings.ToLower(fmt.Sprintf("breakfix/swesmith.x86_64.%s_1776_%s.%s", p.Owner, p.Repo, p.Commit[:8])),
		BaseCommit: p.Commit, Statement: it.statement, Origin: o.text()})
}

func (w *swesmithWriter) close() error {
	err := w.out.close()
	for key, script := range w.known {
		if e := write(filepath.Join(w.dir, "images", key), "branches.sh", []byte(script.String())); err == nil {
			err = e
		}
	}
	text, e := encode(w.profiles)
	if err == nil {
		err = e
	}
	for name, data := range map[string][]byte{"breakfix_profiles.py": []byte(profiles), "profiles.json": append(text, '\n')} {
		if e := write(w.dir, name, data); err == nil {
			err = e
		}
	}
	return err
}

var noLetter = regexp.MustCompile(`[^A-Za-z0-9]+`)

// className is the profile's class, in SWE-smith's manner: Toolze9fa0943.
func className(p smithProfile) string {
	var b strings.Builder
	for _, part := range noLetter.Split(p.Owner+" "+p.Repo, -1) {
		if part != "" {
			r := []rune(part)
			b.WriteString(string(unicode.ToUpper(r[0])) + string(r[1:]))
		}
	}
	return "B" + b.String() + p.Commit[:8]
}

// minor is "3.11" of "3.11.7".
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
