package bug

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// maxFile bounds every file of an artifact, in bytes.
const maxFile = 256 << 20

// CheckError says that an artifact is not what it claims to be: which check
// rejects it and why.
type CheckError struct {
	Check  outcome.Check
	Reason string
}

func (e *CheckError) Error() string { return fmt.Sprintf("check %s: %s", e.Check, e.Reason) }

func notArtifact(format string, args ...any) error {
	return &CheckError{outcome.CheckFiles, fmt.Sprintf(format, args...)}
}

// Load reads an artifact's folder. A file that is missing, extra, a link,
// over-large, or not what its digest says is a *CheckError of the check files.
// The source's Tree is set when the base is embedded.
func Load(dir string) (*Bug, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, notArtifact("the folder cannot be read: %v", err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			return nil, notArtifact("%s is no regular file", e.Name())
		}
		if !slices.Contains([]string{bugFile, injectFile, weakenFile, scriptFile, testsFile, redTestFile, redFile, hiddenFile, baseFile}, e.Name()) {
			return nil, notArtifact("%s does not belong to an artifact", e.Name())
		}
		data, err := readRegular(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, notArtifact("%s cannot be read: %v", e.Name(), err)
		}
		files[e.Name()] = data
	}
	head, ok := files[bugFile]
	if !ok {
		return nil, notArtifact("%s is missing", bugFile)
	}
	delete(files, bugFile)
	return assemble(head, files)
}

// readRegular reads a bounded regular file. It looks again at what it opened,
// because the name may have become something else since the folder was listed.
func readRegular(name string) ([]byte, error) {
	f, err := openNoFollow(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is no regular file")
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("it has %d bytes, over the limit of %d", info.Size(), maxFile)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("it is over the limit of %d bytes", maxFile)
	}
	return data, nil
}

// assemble checks bug.json and the other files against each other.
func assemble(head []byte, files map[string][]byte) (*Bug, error) {
	b := &Bug{}
	if err := strict(head, b); err != nil {
		return nil, notArtifact("%s: %v", bugFile, err)
	}
	own := b.Files[bugFile]
	delete(b.Files, bugFile)
	names := make([]string, 0, len(b.Files))
	for name := range b.Files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		data, ok := files[name]
		if !ok {
			return nil, notArtifact("%s is missing", name)
		}
		if tree.DigestOf(data) != b.Files[name] {
			return nil, notArtifact("%s is not what %s says: its digest differs", name, bugFile)
		}
	}
	for name := range files {
		if _, ok := b.Files[name]; !ok {
			return nil, notArtifact("%s is not listed in %s", name, bugFile)
		}
	}
	for _, name := range []string{injectFile, weakenFile, scriptFile, testsFile, redTestFile, redFile, hiddenFile} {
		if _, ok := files[name]; !ok {
			return nil, notArtifact("%s is missing", name)
		}
	}
	b.Inject, b.Weaken, b.RedTest.Code = files[injectFile], files[weakenFile], string(files[redTestFile])
	b.Red, b.Hidden = unlines(files[redFile]), unlines(files[hiddenFile])
	if err := b.consistent(files); err != nil {
		return nil, err
	}
	if data, ok := files[baseFile]; ok {
		t, err := unpack(data)
		if err != nil {
			return nil, notArtifact("%s: %v", baseFile, err)
		}
		if t.Digest() != b.Base {
			return nil, notArtifact("%s is not the base: its digest is %s, %s says %s", baseFile, t.Digest().Short(), bugFile, b.Base.Short())
		}
		b.Source.Tree = t
	} else if b.Source.Local {
		return nil, notArtifact("%s is missing: the base cannot be fetched again", baseFile)
	}
	return b, b.untouched(head, files, own)
}

// untouched checks that head is, byte for byte, what is written of b, with its
// own digest: who changes a word of it by hand must know what else to change.
func (b *Bug) untouched(head []byte, files map[string][]byte, own tree.Digest) error {
	again, err := b.head(files)
	if err != nil {
		return err
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, again); err != nil {
		return err
	}
	if own == "" || !bytes.Equal(head, again) && !bytes.Equal(head, flat.Bytes()) {
		return notArtifact("%s is not what it says of itself: its digest differs", bugFile)
	}
	return nil
}

// consistent checks what the parts of an artifact say about each other.
func (b *Bug) consistent(files map[string][]byte) error {
	if want := idOf(b.Base, b.Inject, b.Weaken); b.ID != want {
		return notArtifact("%s: the id is %s, its content's is %s", bugFile, b.ID, want)
	}
	if b.Source.Digest != b.Base {
		return notArtifact("%s: the source's digest is not that of the base", bugFile)
	}
	if err := tree.CheckPath(b.RedTest.Path); err != nil || !strings.HasPrefix(path.Base(b.RedTest.Path), "test_breakfix_") {
		return notArtifact("%s: %q is no place for the minimised test", bugFile, b.RedTest.Path)
	}
	if !strings.HasPrefix(b.RedTest.Test, b.RedTest.Path+"::") {
		return notArtifact("%s: %q is no test of the minimised test's file", bugFile, b.RedTest.Test)
	}
	if len(b.Red) == 0 || !slices.IsSorted(b.Red) || len(slices.Compact(slices.Clone(b.Red))) != len(b.Red) {
		return notArtifact("%s: the red tests are not a sorted list", redFile)
	}
	for _, id := range b.Red {
		if err := tree.CheckPath(parseID(id).path); err != nil {
			return notArtifact("%s: %v", redFile, err)
		}
	}
	if err := b.hiddenTest(); err != nil {
		return err
	}
	if want := b.heldBack(); !slices.Equal(b.Hidden, want) {
		return notArtifact("%s: these are not the tests that are held back", hiddenFile)
	}
	if !bytes.Equal(files[testsFile], lines(testFiles(b.Red))) {
		return notArtifact("%s: these are not the files of the red tests", testsFile)
	}
	if b.Witness && (len(b.Red) != 1 || b.Red[0] != b.RedTest.Test || len(b.Weaken) > 0) {
		return notArtifact("%s: a bug with a witness has no other red test", redFile)
	}
	if !b.Witness && slices.ContainsFunc(b.Red, func(id string) bool { return parseID(id).path == b.RedTest.Path }) {
		return notArtifact("%s: the minimised test is none of the suite's", redFile)
	}
	if string(files[scriptFile]) != b.script() {
		return notArtifact("%s: it is not the script that breakfix writes", scriptFile)
	}
	if b.Order < 1 || (b.Order > 1) != (len(b.Parents) > 0) {
		return notArtifact("%s: order %d does not go with %d parents", bugFile, b.Order, len(b.Parents))
	}
	return b.derived()
}

// strict decodes one JSON object and takes nothing that it does not know.
func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the object")
	}
	return nil
}
