package bug_test

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"breakfix/internal/bug"
	"breakfix/internal/outcome"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

func TestAnArtifactThatWasTouchedIsRejected(t *testing.T) {
	_, b := sharedBug(t)
	dir := filepath.Join(t.TempDir(), b.ID)
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	back, err := bug.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	sameBug(t, b, back)
	if err := b.Write(dir); err == nil {
		t.Error("an artifact was overwritten")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"base.tar.gz", "bug.json", "hidden.txt", "inject.diff", "red.txt", "red_test.py", "test_files.txt", "test_script.sh", "weaken.diff"}, names); diff != "" {
		t.Error(diff)
	}
	reject := func(name, says string, touch func(dir string) error) {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), b.ID)
			if err := b.Write(dir); err != nil {
				t.Fatal(err)
			}
			if err := touch(dir); err != nil {
				t.Fatal(err)
			}
			_, err := bug.Load(dir)
			var ce *bug.CheckError
			if !errors.As(err, &ce) || ce.Check != outcome.CheckFiles || !strings.Contains(ce.Reason, says) {
				t.Errorf("got %v, want check files: …%s…", err, says)
			}
		})
	}
	for _, n := range names {
		reject("one byte of "+n, n, func(dir string) error {
			data, err := os.ReadFile(filepath.Join(dir, n))
			if err != nil {
				return err
			}
			if len(data) == 0 {
				data = []byte("x")
			} else if n == "bug.json" { // a byte of the id
				data = []byte(strings.Replace(string(data), `"id": "`, `"id": "f`, 1))
			} else {
				data[len(data)/2] ^= 1
			}
			return os.WriteFile(filepath.Join(dir, n), data, 0o644)
		})
		reject(n+" missing", n, func(dir string) error { return os.Remove(filepath.Join(dir, n)) })
		reject(n+" a link", n+" is no regular file", func(dir string) error {
			if err := os.Rename(filepath.Join(dir, n), filepath.Join(dir, "..", n)); err != nil {
				return err
			}
			return os.Symlink(filepath.Join("..", n), filepath.Join(dir, n))
		})
	}
	reject("a file more", "does not belong", func(dir string) error { return os.WriteFile(filepath.Join(dir, "more"), nil, 0o644) })
	reject("a folder more", "no regular file", func(dir string) error { return os.Mkdir(filepath.Join(dir, "more"), 0o755) })
	reject("an unknown key", "unknown field", func(dir string) error {
		return replaceIn(filepath.Join(dir, "bug.json"), `"id":`, `"surprise": 1, "id":`)
	})
	reject("an absolute path", "no place", func(dir string) error {
		return replaceIn(filepath.Join(dir, "bug.json"), `"path": "`, `"path": "/`)
	})
	reject("a word of the failure", "of itself", func(dir string) error {
		return replaceIn(filepath.Join(dir, "bug.json"), `"kind": "`, `"kind": "X`)
	})
	reject("a key twice", "of itself", func(dir string) error {
		return replaceIn(filepath.Join(dir, "bug.json"), `{`, `{ "strategy": "free",`)
	})
	reject("another weight", "weight", func(dir string) error {
		return replaceIn(filepath.Join(dir, "bug.json"), `"weight": 0`, `"weight": 7`)
	})
	reject("another difficulty", "difficulty", func(dir string) error {
		return replaceIn(filepath.Join(dir, "bug.json"), `"minutes": `, `"minutes": 9`)
	})
	reject("an unknown outcome of a check", "is \"surely\"", func(dir string) error {
		return replaceIn(filepath.Join(dir, "bug.json"), `"passed"`, `"surely"`)
	})
	reject("a giant", "over the limit", func(dir string) error { return os.Truncate(filepath.Join(dir, "base.tar.gz"), 1<<30) })
}

func TestAnArtifactCannotNameAPlaceOfTheMachineThatVerifiesIt(t *testing.T) {
	_, whole := sharedBug(t)
	for _, c := range []struct{ source, revision, says string }{
		{"/etc", "", "nothing that can be fetched"},
		{"project", "", "nothing that can be fetched"},
		{"file:///srv/project", strings.Repeat("a", 40), "nothing that can be fetched"},
		{"ext::sh -c true", strings.Repeat("a", 40), "nothing that can be fetched"},
		{"--upload-pack=true", strings.Repeat("a", 40), "nothing that can be fetched"},
		{"https://example.com/p.git", "--output=x", "no commit"},
		{"https://example.com/p.git", "main", "no commit"},
	} {
		b := *whole
		b.Source.Local, b.Source.Source, b.Source.Revision = false, c.source, c.revision
		dir := filepath.Join(t.TempDir(), b.ID)
		if err := b.Write(dir); err != nil {
			t.Fatal(err)
		}
		_, err := bug.Load(dir)
		var ce *bug.CheckError
		if !errors.As(err, &ce) || ce.Check != outcome.CheckFiles || !strings.Contains(ce.Reason, c.says) {
			t.Errorf("%s: got %v, want check files: …%s…", c.source, err, c.says)
		}
	}
	b := *whole
	b.Source.Local, b.Source.Source, b.Source.Revision = false, "https://example.com/p.git", strings.Repeat("a", 40)
	dir := filepath.Join(t.TempDir(), b.ID)
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := bug.Load(dir); err != nil {
		t.Errorf("a base that can be fetched: %v", err)
	}
}

func replaceIn(name, old, new string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(strings.Replace(string(data), old, new, 1)), 0o644)
}

func sameBug(t *testing.T, want, got *bug.Bug) {
	t.Helper()
	ignore := cmp.Options{cmpopts.IgnoreFields(source.Snapshot{}, "Tree"), cmpopts.IgnoreFields(bug.RedTest{}, "Original"), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("the bug came back otherwise (-written +read):\n%s", diff)
	}
	if got.Source.Tree.Digest() != want.Base {
		t.Error("the embedded base is another tree")
	}
}

func TestAnArtifactIsTheSameAsOneLine(t *testing.T) {
	_, b := sharedBug(t)
	line, err := b.MarshalLine()
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(string(line), '\n') {
		t.Error("it is more than one line")
	}
	back, err := bug.ParseLine(line)
	if err != nil {
		t.Fatal(err)
	}
	sameBug(t, b, back)
}

func TestAnArtifactIsVerifiedByEveryCheckAgain(t *testing.T) {
	target, b := sharedBug(t)
	check := func(b *bug.Bug) bug.VerifyResult {
		t.Helper()
		res, err := bug.Recheck(t.Context(), target, b)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := check(b); !res.Valid {
		t.Fatalf("check %s: %s", res.Check, res.Reason)
	}
	for name, c := range map[string]struct {
		touch func(b *bug.Bug)
		check outcome.Check
	}{
		"another base":                 {func(b *bug.Bug) { b.Base = tree.DigestOf(nil) }, outcome.CheckFiles},
		"another patch":                {func(b *bug.Bug) { b.Inject = []byte(strings.Replace(string(b.Inject), "n > 3", "n > 4", 1)) }, outcome.CheckApplies},
		"another red set":              {func(b *bug.Bug) { b.Red = b.Red[1:] }, outcome.CheckRed},
		"a red test that is not green": {func(b *bug.Bug) { b.Red = []string{"test_num.py::test_none"} }, outcome.CheckBaseGreen},
		"a test suite that stays red":  {func(b *bug.Bug) { b.Weaken = nil }, outcome.CheckWeakened},
		"a minimised test always green": {func(b *bug.Bug) {
			b.RedTest.Code = "def test_big():\n    pass\n"
			b.RedTest.Test = b.RedTest.Path + "::test_big"
		}, outcome.CheckMinimal},
		"a minimised test always red": {func(b *bug.Bug) {
			b.RedTest.Code = "def test_big():\n    assert 0\n"
			b.RedTest.Test = b.RedTest.Path + "::test_big"
		}, outcome.CheckMinimal},
	} {
		t.Run(name, func(t *testing.T) {
			other := *b
			c.touch(&other)
			if res := check(&other); res.Valid || res.Check != c.check {
				t.Errorf("got valid %v, check %s: %s; want check %s", res.Valid, res.Check, res.Reason, c.check)
			}
		})
	}
}

func TestTheEstimateRanksRealBugsAsPeopleDid(t *testing.T) {
	f, err := os.Open("testdata/fixtime.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	bands := map[string]float64{"<15min": 0, "15min-1h": 1, "1h-4h": 2, ">4h": 3}
	var estimates, real []float64
	for _, r := range rows[1:] {
		n := func(name string) int {
			v, err := strconv.Atoi(r[column[name]])
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		d := bug.Estimate(bug.Size{Lines: n("patch_added"), Hunks: n("patch_hunks"), Files: n("patch_files"), Red: n("red_tests"), Order: 1})
		estimates, real = append(estimates, d.Minutes), append(real, bands[r[column["band"]]])
	}
	if rho := spearman(estimates, real); rho < 0.52 {
		t.Errorf("rank correlation %.3f over %d bugs, want at least 0.52", rho, len(real))
	}
}

func spearman(a, b []float64) float64 {
	ra, rb := ranks(a), ranks(b)
	mean := float64(len(a)-1) / 2
	var ab, aa, bb float64
	for i := range ra {
		x, y := ra[i]-mean, rb[i]-mean
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return v[order[i]] < v[order[j]] })
	out := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}
