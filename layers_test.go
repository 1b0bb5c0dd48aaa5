package breakfix_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// layerOf reads the table of packages in docs/design.md: package name → row,
// so that the page and the code cannot drift apart.
func layerOf(t *testing.T) map[string]int {
	t.Helper()
	page, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "| layer | package | what it hides |")
	if !ok {
		t.Fatal("docs/design.md has no table of packages")
	}
	names := regexp.MustCompile("`([a-z/]+)`")
	layers := map[string]int{}
	row := 0
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			break
		}
		row++
		for _, m := range names.FindAllStringSubmatch(cells[2], -1) {
			layers[m[1]] = row
		}
	}
	return layers
}

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./internal/...", "./cmd/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	d := json.NewDecoder(strings.NewReader(string(out)))
	for d.More() {
		var l listed
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// room is the name of a package as the table of design.md writes it.
func room(path string) string {
	switch {
	case strings.HasPrefix(path, "breakfix/internal/"):
		return strings.TrimPrefix(path, "breakfix/internal/")
	case strings.HasPrefix(path, "breakfix/cmd/"):
		return "cmd"
	}
	return ""
}

func TestAPackageImportsOnlyPackagesOfTheLinesAboveItsOwn(t *testing.T) {
	layers := layerOf(t)
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	for _, p := range packages {
		own, ok := layers[room(p.ImportPath)]
		if !ok {
			t.Errorf("%s has no line in the table of docs/design.md", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			to := room(i)
			if to == "" {
				continue
			}
			if layer, ok := layers[to]; !ok || layer >= own && !related(room(p.ImportPath), to) {
				t.Errorf("%s (line %d) imports %s (line %d)", p.ImportPath, own, i, layer)
			}
		}
	}
}

// related reports whether a package and its sub-package share a line: the
// sub-package implements the interface of the other, or is its registry entry.
func related(a, b string) bool {
	return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
