package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakfix/internal/tree"

	"github.com/google/go-cmp/cmp"
)

func detected(t *testing.T, files map[string]string) Recipe {
	t.Helper()
	r, err := Detect(context.Background(), snapshotOf(t, files), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func snapshotOf(t *testing.T, files map[string]string) *Snapshot {
	t.Helper()
	m := map[string]*tree.File{}
	for p, text := range files {
		m[p] = tree.Text(text)
	}
	tr, err := tree.FromFiles(m)
	if err != nil {
		t.Fatal(err)
	}
	return &Snapshot{Source: "here", Name: "here", Version: "0.0.0", Tree: tr, Digest: tr.Digest()}
}

func TestTestDependenciesAreFoundWhereProjectsNameThem(t *testing.T) {
	type found struct {
		Extras, Groups, Files, Requirements []string
		Install                             bool
		Path                                []string
	}
	both := func(more ...string) []string { return unique(append(more, "hypothesis", "pytest")) }
	for name, c := range map[string]struct {
		files map[string]string
		want  found
	}{
		"test-named extras before those for developers": {
			map[string]string{"pyproject.toml": "[project]\nname='a'\n[project.optional-dependencies]\ntest=['x']\ndev=['sphinx']\ndocs=['y']\n"},
			found{Extras: []string{"test"}, Requirements: both(), Install: true},
		},
		"developers' extras when nothing is named for tests": {
			map[string]string{"pyproject.toml": "[project]\nname='a'\n[project.optional-dependencies]\ndev=['x']\ndocs=['y']\n"},
			found{Extras: []string{"dev"}, Requirements: both(), Install: true},
		},
		"dependency groups": {
			map[string]string{"pyproject.toml": "[project]\nname='a'\n[dependency-groups]\ntests=['x', {include-group='more'}]\nmore=['y']\ndev=['z']\n"},
			found{Groups: []string{"tests"}, Requirements: both(), Install: true},
		},
		"tox.ini with references, files, factors and URLs": {
			map[string]string{"setup.py": "", "tox.ini": "[base]\ndeps =\n  freezegun\n[testenv]\ndeps =\n  {[base]deps}\n  -r{toxinidir}/reqs.txt\n  py38: old\n  git+https://example.org/x\n  ./local\n  mock>=2 # why\n", "reqs.txt": ""},
			found{Files: []string{"reqs.txt"}, Requirements: both("freezegun", "mock>=2"), Install: true},
		},
		"tox in pyproject.toml": {
			map[string]string{"pyproject.toml": "[build-system]\nrequires=[]\n[tool.tox.env_run_base]\ndeps=['x', '-r r.txt']\ndependency_groups=['check']\n[dependency-groups]\ncheck=['q']\n", "r.txt": ""},
			found{Files: []string{"r.txt"}, Groups: []string{"check"}, Requirements: both("x"), Install: true},
		},
		"requirements files, but not those of another Python": {
			map[string]string{"setup.py": "", "requirements/tests.txt": "", "requirements/tests37.txt": "", "requirements-dev.txt": "", "requirements-test.txt": "", "requirements/docs.txt": ""},
			found{Files: []string{"requirements-test.txt", "requirements/tests.txt"}, Requirements: both(), Install: true},
		},
		"setup.cfg and setup.py": {
			map[string]string{"setup.cfg": "[options]\ntests_require =\n  a\n  b\n[options.extras_require]\ntesting =\n  c\n", "setup.py": "setup(extras_require={'tests': ['x'], 'docs': []})"},
			found{Extras: []string{"testing", "tests"}, Requirements: both("a", "b"), Install: true},
		},
		"poetry": {
			map[string]string{"pyproject.toml": "[tool.poetry]\nname='a'\n[tool.poetry.dependencies]\npython='^3.8'\n[tool.poetry.group.test.dependencies]\nfreezegun='^1.0'\nown={path='x'}\n[tool.poetry.group.docs.dependencies]\nsphinx='*'\n"},
			found{Requirements: both("freezegun"), Install: true},
		},
		"no package at all": {
			map[string]string{"src/a.py": "", "requirements.txt": "x\n"},
			found{Files: []string{"requirements.txt"}, Requirements: both(), Path: []string{"src", "."}},
		},
		"tool tables of another shape": {
			map[string]string{"pyproject.toml": "[project]\nname='a'\n[project.optional-dependencies]\ntest=['x']\n[tool.pdm]\ndev-dependencies='odd'\n"},
			found{Extras: []string{"test"}, Requirements: both(), Install: true},
		},
	} {
		r := detected(t, c.files)
		got := found{r.Extras, r.Groups, r.Files, r.Requirements, r.Install, r.Path}
		empty := func(l []string) []string {
			if len(l) == 0 {
				return nil
			}
			return l
		}
		got.Extras, got.Groups, got.Files = empty(got.Extras), empty(got.Groups), empty(got.Files)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

func TestRequirementsThatNoIndexServesAndLintPluginsAreLeftOutAndNoted(t *testing.T) {
	s := snapshotOf(t, map[string]string{
		"r/a.txt": "-r b.txt\n-c constraints.txt\n--index-url https://x\nflask==1.0 --hash=sha256:aa \\\n  --hash=sha256:bb\npytest-mypy\n-e .[fast,big]\n-e git+https://x/y\nname @ https://x/z.whl\n../other\nsix;python_version<'3'\n",
		"r/b.txt": "-r a.txt\nattrs # note\n",
	})
	n := requirementsFile(s.Tree, "r/a.txt")
	if d := cmp.Diff([]string{"attrs", "flask==1.0", "six;python_version<'3'"}, n.requirements); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"fast", "big"}, n.extras); d != "" {
		t.Error(d)
	}
	if len(n.notes) != 6 {
		t.Errorf("notes: %s", strings.Join(n.notes, "\n"))
	}
}

func TestAGroupThatIncludesItselfEnds(t *testing.T) {
	p := readProject(snapshotOf(t, map[string]string{"pyproject.toml": "[dependency-groups]\na=[{include-group='B'}]\nb=['x',{include-group='a'}]\nc=[{include-group='d'},'y']\nd=['x']\n"}).Tree)
	if _, err := p.group("a"); err == nil {
		t.Error("an endless group was read")
	}
	got, err := p.group("C")
	if d := cmp.Diff([]string{"x", "y"}, got); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestThePythonThatFitsIsChosen(t *testing.T) {
	bin := t.TempDir()
	say := func(name, version string) {
		script := "#!/bin/sh\necho '{\"executable\":\"" + bin + "/" + name + "\",\"base\":\"" + bin + "/" + name + "\",\"prefix\":\"/p\",\"base_prefix\":\"/p\",\"version\":\"" + version + "\"}'\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	say("python3", "3.8.1")
	say("python3.10", "3.10.2")
	say("python3.12", "3.12.4")
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("PYENV_ROOT", t.TempDir())
	for _, c := range []struct{ requires, want string }{{"", ""}, {"==3.10.*", "3.10.2"}, {">=3.10,<3.11", "3.10.2"}} {
		in, err := chooseInterpreter(context.Background(), c.requires)
		if err != nil || c.want != "" && in.Version != c.want || !satisfies(in.Version, oldestPython) {
			t.Errorf("%q chose %s, %v", c.requires, in.Version, err)
		}
	}
	say("python3", "3.11.0")
	if in, _ := chooseInterpreter(context.Background(), ">=3.9"); in.Version != "3.11.0" {
		t.Errorf("python3 fits and %s was chosen", in.Version)
	}
	_, err := chooseInterpreter(context.Background(), ">=3.99")
	var target *TargetError
	if !errors.As(err, &target) || !strings.Contains(target.Reason, ">=3.99") || !strings.Contains(target.Reason, "3.12.4") {
		t.Errorf("got %v", err)
	}
}

func TestCodeDoesNotChangeTheRecipeAndBuildFilesDo(t *testing.T) {
	files := map[string]string{"setup.py": "1", "pkg/__init__.py": "a = 1", "pkg/m.py": "a = 1"}
	key := func(change, text string) tree.Digest {
		m := map[string]string{}
		for p, s := range files {
			m[p] = s
		}
		if change != "" {
			m[change] = text
		}
		k, err := detected(t, m).key()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	base := key("", "")
	if key("pkg/m.py", "a = 2") != base || key("pkg/__init__.py", "") != base {
		t.Error("code changed the recipe")
	}
	for _, p := range []string{"setup.py", "pkg/fast.c", "new/__init__.py", "requirements-test.txt"} {
		if key(p, "2") == base {
			t.Errorf("%s did not change the recipe", p)
		}
	}
	r := detected(t, files)
	if d := cmp.Diff([]string{"hypothesis", "mock", "pytest"}, r.With("mock", "pytest").Requirements); d != "" {
		t.Error(d)
	}
}

func TestAProjectFileThatIsNoTOMLStopsWithItsError(t *testing.T) {
	_, err := Detect(context.Background(), snapshotOf(t, map[string]string{"pyproject.toml": "[project\n"}), Options{})
	var target *TargetError
	if !errors.As(err, &target) || target.First == "" {
		t.Errorf("got %v", err)
	}
}

func TestMissingModulesAreInstalledOnlyFromTheList(t *testing.T) {
	for module, want := range map[string]string{"yaml": "pyyaml", "attr": "attrs", "dateutil.parser": "python-dateutil", "PIL.Image": "pillow", "google.protobuf.message": "protobuf"} {
		if got, ok := PackageFor(module); !ok || got != want {
			t.Errorf("%s comes from %q", module, got)
		}
	}
	for _, module := range []string{"delegator", "google", "", "tests.helpers"} {
		if got, ok := PackageFor(module); ok {
			t.Errorf("%s would install %s", module, got)
		}
	}
}
