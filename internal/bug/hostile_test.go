package bug_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/tree"
)

// Artifacts of somebody who knows the format: every digest is right, and the
// content is not what it should be.
func TestAHostileArtifactIsRejectedBeforeAnythingIsWrittenOrRun(t *testing.T) {
	_, whole := sharedBug(t)
	for name, c := range map[string]struct {
		inject string
		check  outcome.Check
		says   string
	}{
		"a path that leaves the tree": {"--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1,1 +1,1 @@\n-a\n+b\n", outcome.CheckApplies, "leaves the tree"},
		"an absolute path":            {"diff --git a//etc/passwd b//etc/passwd\n--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1,1 +1,1 @@\n-a\n+b\n", outcome.CheckApplies, "has not the prefixes"},
		"a link":                      {"diff --git a/num.py b/num.py\nnew file mode 120000\n--- /dev/null\n+++ b/num.py\n@@ -0,0 +1,1 @@\n+/etc/passwd\n\\ No newline at end of file\n", outcome.CheckApplies, "120000"},
		"a device":                    {"diff --git a/null b/null\nnew file mode 020666\n--- /dev/null\n+++ b/null\n@@ -0,0 +1,1 @@\n+x\n", outcome.CheckApplies, "20666"},
		"version control":             {"--- a/.git/config\n+++ b/.git/config\n@@ -1,1 +1,1 @@\n-a\n+b\n", outcome.CheckApplies, "version-control"},
		"no diff":                     {"rm -rf /\n", outcome.CheckApplies, "changes no file"},
	} {
		t.Run(name, func(t *testing.T) {
			b := *whole
			b.Inject = []byte(c.inject)
			b.ID = tree.DigestOf([]byte(string(b.Base) + "\n" + string(tree.DigestOf(b.Inject)) + "\n" + string(tree.DigestOf(b.Weaken)))).Short()
			dir := filepath.Join(t.TempDir(), b.ID)
			if err := b.Write(dir); err != nil {
				t.Fatal(err)
			}
			_, err := bug.Load(dir)
			var ce *bug.CheckError
			if !errors.As(err, &ce) || ce.Check != c.check || !strings.Contains(ce.Reason, c.says) {
				t.Errorf("got %.300v, want check %s: …%s…", err, c.check, c.says)
			}
		})
	}
}

func TestAPatchOfOneGiantLineIsNotRead(t *testing.T) {
	_, b := sharedBug(t)
	dir := filepath.Join(t.TempDir(), b.ID)
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "inject.diff"), 1<<30); err != nil { // zeros, and no newline among them
		t.Fatal(err)
	}
	var ce *bug.CheckError
	if _, err := bug.Load(dir); !errors.As(err, &ce) || ce.Check != outcome.CheckFiles || !strings.Contains(ce.Reason, "inject.diff cannot be read: it has 1073741824 bytes, over the limit") {
		t.Errorf("%v", err)
	}
}

func TestABugThatWasMadeForAnotherBaseIsRejected(t *testing.T) {
	target, whole := sharedBug(t)
	other, err := whole.Source.Tree.With(map[string]*tree.File{"more.py": tree.Text("x = 1\n")})
	if err != nil {
		t.Fatal(err)
	}
	b := *whole
	b.Source.Tree = other // what is embedded is not what the bug names
	dir := filepath.Join(t.TempDir(), b.ID)
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	var ce *bug.CheckError
	if _, err := bug.Load(dir); !errors.As(err, &ce) || ce.Check != outcome.CheckFiles || !strings.Contains(ce.Reason, "base.tar.gz is not the base") {
		t.Errorf("an artifact with another base inside: %v", err)
	}
	snap := *target.Snapshot // a source that has moved on
	snap.Tree, snap.Digest = other, other.Digest()
	moved := target
	moved.Snapshot = &snap
	res, err := bug.Recheck(t.Context(), moved, whole)
	if err != nil || res.Valid || res.Check != outcome.CheckFiles || !strings.Contains(res.Reason, "not the one that the bug was made on") {
		t.Errorf("a bug on another base: %+v, %v", res, err)
	}
}
