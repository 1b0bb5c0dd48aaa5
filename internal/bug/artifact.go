package bug

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"breakfix/internal/tree"
)

// The files of an artifact. baseFile is there only when the base cannot be
// fetched again by others.
const (
	bugFile     = "bug.json"
	injectFile  = "inject.diff"
	weakenFile  = "weaken.diff"
	scriptFile  = "test_script.sh"
	testsFile   = "test_files.txt"
	redTestFile = "red_test.py"
	redFile     = "red.txt"
	hiddenFile  = "hidden.txt"
	baseFile    = "base.tar.gz"
)

// script runs the suite's files that notice the bug, from the root of the tree.
const script = `#!/bin/sh
# Runs the test files that notice this bug. Start it at the root of the tree:
#   sh test_script.sh [arguments of pytest]
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
while IFS= read -r file; do
    set -- "$@" "$file"
done < "$here/test_files.txt"
exec python -m pytest -p no:cacheprovider "$@"
`

// witnessScript runs a witness, which no file of the tree holds.
const witnessScript = `#!/bin/sh
# Lays the test that notices this bug into the tree, runs it and takes it out
# again. Start it at the root of the tree:
#   sh test_script.sh [arguments of pytest]
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
IFS= read -r file < "$here/test_files.txt"
trap 'rm -f "$file"' EXIT
cp "$here/red_test.py" "$file"
python -m pytest -p no:cacheprovider "$@" "$file"
`

func (b *Bug) script() string {
	if b.Witness {
		return witnessScript
	}
	return script
}

// contents returns every file of the artifact but bug.json.
func (b *Bug) contents() (map[string][]byte, error) {
	files := map[string][]byte{
		injectFile:  b.Inject,
		weakenFile:  b.Weaken,
		scriptFile:  []byte(b.script()),
		testsFile:   lines(testFiles(b.Red)),
		redTestFile: []byte(b.RedTest.Code),
		redFile:     lines(b.Red),
		hiddenFile:  lines(b.Hidden),
	}
	if b.Source.Local {
		if b.Source.Tree == nil {
			return nil, fmt.Errorf("bug %s: its base is local and not at hand, so it cannot be embedded", b.ID)
		}
		base, err := pack(b.Source.Tree)
		if err != nil {
			return nil, fmt.Errorf("bug %s: %w", b.ID, err)
		}
		files[baseFile] = base
	}
	return files, nil
}

func (b *Bug) digests() (map[string]tree.Digest, error) {
	files, err := b.contents()
	if err != nil {
		return nil, err
	}
	d := make(map[string]tree.Digest, len(files))
	for name, data := range files {
		d[name] = tree.DigestOf(data)
	}
	return d, nil
}

// testFiles are the files of the tests, sorted.
func testFiles(tests []string) []string {
	var files []string
	for _, id := range tests {
		files = append(files, parseID(id).path)
	}
	sort.Strings(files)
	out := files[:0]
	for i, f := range files {
		if i == 0 || f != files[i-1] {
			out = append(out, f)
		}
	}
	return out
}

func lines(s []string) []byte {
	if len(s) == 0 {
		return []byte{}
	}
	return []byte(strings.Join(s, "\n") + "\n")
}

func unlines(b []byte) []string {
	if len(b) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// Write writes the artifact as a folder. It appears whole or not at all; a
// folder that exists already is an error.
func (b *Bug) Write(dir string) error {
	files, err := b.contents()
	if err != nil {
		return err
	}
	head, err := b.head(files)
	if err != nil {
		return err
	}
	files[bugFile] = head
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("write bug %s: %w", b.ID, err)
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("write bug %s: %s exists already", b.ID, dir)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".bug-")
	if err != nil {
		return fmt.Errorf("write bug %s: %w", b.ID, err)
	}
	defer os.RemoveAll(tmp)
	for name, data := range files {
		mode := os.FileMode(0o644)
		if name == scriptFile {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(tmp, name), data, mode); err != nil {
			return fmt.Errorf("write bug %s: %w", b.ID, err)
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("write bug %s: %w", b.ID, err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("write bug %s: %w", b.ID, err)
	}
	return nil
}

// head is bug.json, with the digests of the files, its own among them: that of
// the text without this one entry.
func (b *Bug) head(files map[string][]byte) ([]byte, error) {
	c := *b
	c.Files = make(map[string]tree.Digest, len(files)+1)
	for name, data := range files {
		c.Files[name] = tree.DigestOf(data)
	}
	bare, err := c.text()
	if err != nil {
		return nil, err
	}
	c.Files[bugFile] = tree.DigestOf(bare)
	return c.text()
}

func (b *Bug) text() ([]byte, error) {
	head, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("bug %s: %w", b.ID, err)
	}
	return append(head, '\n'), nil
}

// line is the artifact as one JSON object: bug.json and the other files.
type line struct {
	Bug      json.RawMessage   `json:"bug"`
	Contents map[string][]byte `json:"contents"`
}

// MarshalLine returns the artifact as one line of JSON, without the newline:
// the same content as the folder, files in base64.
func (b *Bug) MarshalLine() ([]byte, error) {
	files, err := b.contents()
	if err != nil {
		return nil, err
	}
	head, err := b.head(files)
	if err != nil {
		return nil, err
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, head); err != nil {
		return nil, err
	}
	return json.Marshal(line{Bug: flat.Bytes(), Contents: files})
}

// ParseLine reads what MarshalLine wrote, as strictly as Load.
func ParseLine(data []byte) (*Bug, error) {
	var l line
	if err := strict(data, &l); err != nil {
		return nil, notArtifact("the line is no artifact: %v", err)
	}
	return assemble(l.Bug, l.Contents)
}
