package export

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/BurntSushi/toml"

	"breakfix/internal/lang"
	"breakfix/internal/tree"
)

//go:embed inside/judge.py
var judge string

// harborTask is task.toml.
type harborTask struct {
	Schema      string         `toml:"schema_version"`
	Task        harborPackage  `toml:"task"`
	Metadata    map[string]any `toml:"metadata"`
	Verifier    harborSeconds  `toml:"verifier"`
	Agent       harborSeconds  `toml:"agent"`
	Environment harborBox      `toml:"environment"`
}

type harborPackage struct {
	Name        string   `toml:"name"`
	Description string   `toml:"description"`
	Keywords    []string `toml:"keywords"`
}

type harborSeconds struct {
	Timeout float64 `toml:"timeout_sec"`
}

type harborBox struct {
	Build   float64 `toml:"build_timeout_sec"`
	CPUs    int     `toml:"cpus"`
	Memory  int     `toml:"memory_mb"`
	Storage int     `toml:"storage_mb"`
}

// harborTests is tests/tests.json, which judge.py reads.
type harborTests struct {
	Args       []string `json:"args"`
	Env        []string `json:"env"`
	Files      []string `json:"files"`
	FailToPass []string `json:"fail_to_pass"`
	PassToPass []string `json:"pass_to_pass"`
	Own        []string `json:"own"` // every file of pristine.tar.gz
}

// pristineName is the archive of tests and runner configuration as they should
// be: what a solver did to his own copies does not count.
const pristineName = "pristine.tar.gz"

const harborTest = `#!/bin/bash
# Puts the tests back as they should be, runs them, and writes the reward.
set -uo pipefail
mkdir -p /logs/verifier
echo 0 > /logs/verifier/reward.txt
cd /testbed || exit 1
tar --no-same-owner -xzf /tests/pristine.tar.gz -C /testbed || exit 1
python /tests/judge.py
`

const harborSolve = `#!/bin/bash
set -euo pipefail
cd /testbed
git apply --verbose - <<'%[1]s'
%[2]s
%[1]s
`

type harborWriter struct{ dir string }

func openHarbor(dir string, _ Options) (writer, error) { return &harborWriter{dir}, nil }

func (w *harborWriter) close() error { return nil }

func (w *harborWriter) add(it *item) error {
	owner, name := it.project()
	id := fmt.Sprintf("%s-%s-%s", owner, name, it.bug.ID)
	dir := filepath.Join(w.dir, id)
	if err := it.image(filepath.Join(dir, "environment"), it.visible); err != nil {
		return err
	}
	var config bytes.Buffer
	err := toml.NewEncoder(&config).Encode(harborTask{
		Schema: "1.1",
		Task: harborPackage{Name: "breakfix/" + id, Description: fmt.Sprintf("Repair %s: a test fails with %s.", it.title(), it.bug.RedTest.Failure.Kind),
			Keywords: []string{"code-repair", "python", name}},
		Metadata: map[string]any{"order": it.bug.Order, "difficulty_minutes": it.bug.Difficulty.Minutes, "source": it.origin.Source.Source,
			"base": string(it.bug.Base), "breakfix": it.origin.text()},
		Verifier: harborSeconds{600}, Agent: harborSeconds{1800}, Environment: harborBox{600, 1, 2048, 10240},
	})
	if err != nil {
		return err
	}
	own, packed, err := it.pristine()
	if err != nil {
		return err
	}
	plan, err := encode(harborTests{Args: it.suite.Args, Env: append(append([]string{}, variables...), it.suite.Env...),
		Files: filesOf(it.failToPass(), it.pass), FailToPass: it.failToPass(), PassToPass: it.pass, Own: own})
	if err != nil {
		return err
	}
	mark := "END_OF_REPAIR_" + it.bug.ID
	for at, data := range map[string][]byte{
		"instruction.md":        []byte("The code is in `/testbed`.\n\n" + it.statement),
		"task.toml":             config.Bytes(),
		"tests/test.sh":         []byte(harborTest),
		"tests/judge.py":        []byte(judge),
		"tests/tests.json":      append(plan, '\n'),
		"tests/" + pristineName: packed,
		"solution/solve.sh":     fmt.Appendf(nil, harborSolve, mark, bytes.TrimSuffix(it.repair, []byte("\n"))),
	} {
		if err := write(dir, at, data); err != nil {
			return err
		}
	}
	return nil
}

// pristine packs the tests and the configuration of their runner as the base
// has them, with the tests that the bug brings.
func (it *item) pristine() (own []string, packed []byte, err error) {
	files := it.added()
	l, err := lang.Get("python")
	if err != nil {
		return nil, nil, err
	}
	for _, p := range it.base.Paths() {
		if !l.IsTest(p) && !l.IsRunnerConfig(p) {
			continue
		}
		data, err := it.base.Read(p)
		if err != nil {
			return nil, nil, err
		}
		files[p] = &tree.File{Kind: it.base.Kind(p), Data: data}
	}
	for p := range files {
		own = append(own, p)
	}
	sort.Strings(own)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, p := range own {
		f := files[p]
		h := &tar.Header{Name: p, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(f.Data)), Format: tar.FormatPAX}
		switch f.Kind {
		case tree.Executable:
			h.Mode = 0o755
		case tree.Link:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, string(f.Data), 0
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(f.Data); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	if err := z.Close(); err != nil {
		return nil, nil, err
	}
	return own, out.Bytes(), nil
}

// tasksOf lists the task folders of an export.
func tasksOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), "task.toml")); err == nil {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}
