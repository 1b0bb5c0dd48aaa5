package source

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"breakfix/internal/tree"

	"github.com/BurntSushi/toml"
)

// project is what the configuration files of a Python project say about its
// installation and its tests. Fields that a file lacks are empty.
type project struct {
	Project struct {
		Name           string              `toml:"name"`
		Version        string              `toml:"version"`
		RequiresPython string              `toml:"requires-python"`
		Dependencies   []string            `toml:"dependencies"`
		Optional       map[string][]string `toml:"optional-dependencies"`
	} `toml:"project"`
	Groups map[string][]any `toml:"dependency-groups"`
	Build  *struct {
		Backend string `toml:"build-backend"`
	} `toml:"build-system"`
	Tool struct {
		Poetry struct {
			Name         string              `toml:"name"`
			PackageMode  *bool               `toml:"package-mode"`
			Dependencies map[string]any      `toml:"dependencies"`
			Dev          map[string]any      `toml:"dev-dependencies"`
			Extras       map[string][]string `toml:"extras"`
			Group        map[string]struct {
				Dependencies map[string]any `toml:"dependencies"`
			} `toml:"group"`
		} `toml:"poetry"`
		PDM struct {
			Dev map[string][]string `toml:"dev-dependencies"`
		} `toml:"pdm"`
		UV struct {
			Package *bool    `toml:"package"`
			Dev     []string `toml:"dev-dependencies"`
		} `toml:"uv"`
		Hatch struct {
			Envs map[string]struct {
				Dependencies []string `toml:"dependencies"`
				Extra        []string `toml:"extra-dependencies"`
				Features     []string `toml:"features"`
			} `toml:"envs"`
		} `toml:"hatch"`
		Tox toxFile `toml:"tox"`
	} `toml:"tool"`

	cfg      map[string]map[string]string // setup.cfg
	setupPy  string
	hasSetup bool
	pkgInfo  string
	pyproj   bool
	unparsed error // pyproject.toml is no TOML
}

// readProject reads the configuration of a tree; nothing is run.
func readProject(t *tree.Tree) project {
	var p project
	if b, err := t.Read("pyproject.toml"); err == nil {
		p.pyproj = true
		if _, err := toml.Decode(string(b), &p); err != nil {
			// Keep what a strict reading of one odd field would lose.
			keep := project{pyproj: true, unparsed: err}
			var loose map[string]any
			if _, lerr := toml.Decode(string(b), &loose); lerr == nil {
				keep.unparsed = nil
				keep.loosely(loose)
			}
			p = keep
		}
	}
	if b, err := t.Read("setup.cfg"); err == nil {
		p.cfg = parseINI(string(b))
	}
	if b, err := t.Read("setup.py"); err == nil {
		p.setupPy, p.hasSetup = string(b), true
	}
	if b, err := t.Read("PKG-INFO"); err == nil {
		p.pkgInfo = string(b)
	}
	return p
}

// loosely takes the standard tables out of a file whose tool tables have
// another shape than expected.
func (p *project) loosely(m map[string]any) {
	if b, ok := m["build-system"].(map[string]any); ok {
		p.Build = &struct {
			Backend string `toml:"build-backend"`
		}{}
		p.Build.Backend, _ = b["build-backend"].(string)
	}
	if pr, ok := m["project"].(map[string]any); ok {
		p.Project.Name, _ = pr["name"].(string)
		p.Project.Version, _ = pr["version"].(string)
		p.Project.RequiresPython, _ = pr["requires-python"].(string)
		p.Project.Dependencies = texts(pr["dependencies"])
		p.Project.Optional = map[string][]string{}
		if o, ok := pr["optional-dependencies"].(map[string]any); ok {
			for k, v := range o {
				p.Project.Optional[k] = texts(v)
			}
		}
	}
	if g, ok := m["dependency-groups"].(map[string]any); ok {
		p.Groups = map[string][]any{}
		for k, v := range g {
			p.Groups[k], _ = v.([]any)
		}
	}
}

func texts(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// installable reports whether an installer can install the tree as a package.
func (p project) installable() bool {
	if m := p.Tool.Poetry.PackageMode; m != nil && !*m {
		return false
	}
	if m := p.Tool.UV.Package; m != nil && !*m {
		return false
	}
	return p.hasSetup || p.Build != nil || p.Project.Name != "" || p.Tool.Poetry.Name != ""
}

var (
	pkgInfoPython = regexp.MustCompile(`(?m)^Requires-Python: *(.+?)\s*$`)
	pkgInfoExtra  = regexp.MustCompile(`(?m)^Provides-Extra: *(\S+)\s*$`)
	pkgInfoName   = regexp.MustCompile(`(?m)^Name: *([A-Za-z0-9._-]+)\s*$`)
	setupPython   = regexp.MustCompile(`python_requires\s*=\s*["']([^"']+)["']`)
	setupExtra    = regexp.MustCompile(`["']([A-Za-z0-9_-]+)["']\s*\]?\s*[:=]\s*[\[(A-Za-z_]`)
)

// name returns the project's name, "" when only running its code tells.
func (p project) name() string {
	if m := pkgInfoName.FindStringSubmatch(p.pkgInfo); m != nil {
		return m[1]
	}
	for _, n := range []string{p.Project.Name, p.Tool.Poetry.Name, p.cfg["metadata"]["name"]} {
		if pypiName.MatchString(n) {
			return n
		}
	}
	return ""
}

// requiresPython returns the specifier that the project gives, "" when none.
func (p project) requiresPython() string {
	if p.Project.RequiresPython != "" {
		return p.Project.RequiresPython
	}
	if m := pkgInfoPython.FindStringSubmatch(p.pkgInfo); m != nil {
		return m[1]
	}
	if s, ok := p.Tool.Poetry.Dependencies["python"].(string); ok {
		return s
	}
	if s := p.cfg["options"]["python_requires"]; s != "" {
		return strings.ReplaceAll(s, "\n", "")
	}
	if m := setupPython.FindStringSubmatch(p.setupPy); m != nil {
		return m[1]
	}
	return ""
}

// extras returns the extras of the package: name to requirements, nil where
// only the name is known without running the project's code.
func (p project) extras() map[string][]string {
	out := map[string][]string{}
	for name, list := range p.Project.Optional {
		out[name] = list
	}
	for name, list := range p.cfg["options.extras_require"] {
		if _, known := out[name]; !known {
			out[name] = nonEmpty(strings.Split(list, "\n"))
		}
	}
	for name := range p.Tool.Poetry.Extras {
		if _, known := out[name]; !known {
			out[name] = nil
		}
	}
	for _, m := range pkgInfoExtra.FindAllStringSubmatch(p.pkgInfo, -1) {
		if _, known := out[m[1]]; !known {
			out[m[1]] = nil
		}
	}
	if strings.Contains(p.setupPy, "extras_require") {
		for _, m := range setupExtra.FindAllStringSubmatch(p.setupPy, -1) {
			if _, known := out[m[1]]; !known && (rank(m[1]) > 0) {
				out[m[1]] = nil
			}
		}
	}
	return out
}

// group expands one dependency group (PEP 735), included groups too.
func (p project) group(name string) ([]string, error) {
	return p.groupOnce(normalName(name), map[string]bool{})
}

func (p project) groupOnce(name string, seen map[string]bool) ([]string, error) {
	if seen[name] {
		return nil, fmt.Errorf("dependency group %s includes itself", name)
	}
	seen[name] = true
	defer delete(seen, name)
	for key, items := range p.Groups {
		if normalName(key) != name {
			continue
		}
		var out []string
		for _, item := range items {
			switch v := item.(type) {
			case string:
				out = append(out, v)
			case map[string]any:
				in, ok := v["include-group"].(string)
				if !ok {
					continue
				}
				more, err := p.groupOnce(normalName(in), seen)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("dependency group %s does not exist", name)
}

// toolDependencies are test dependencies in tables of single tools (Poetry,
// PDM, uv, Hatch): name of the set to requirements. Poetry's version forms are
// its own, so only the names of its packages are taken.
func (p project) toolDependencies() map[string][]string {
	out := map[string][]string{}
	for name, g := range p.Tool.Poetry.Group {
		out[name] = append(out[name], poetryNames(g.Dependencies)...)
	}
	if len(p.Tool.Poetry.Dev) > 0 {
		out["dev"] = append(out["dev"], poetryNames(p.Tool.Poetry.Dev)...)
	}
	for name, list := range p.Tool.PDM.Dev {
		out[name] = append(out[name], list...)
	}
	if len(p.Tool.UV.Dev) > 0 {
		out["dev"] = append(out["dev"], p.Tool.UV.Dev...)
	}
	for name, e := range p.Tool.Hatch.Envs {
		key := strings.TrimPrefix(name, "hatch-")
		if name == "default" {
			key = "dev"
		}
		out[key] = append(append(out[key], e.Dependencies...), e.Extra...)
	}
	return out
}

func poetryNames(m map[string]any) []string {
	var out []string
	for name, v := range m {
		if table, ok := v.(map[string]any); ok {
			if table["git"] != nil || table["path"] != nil || table["url"] != nil {
				continue
			}
		}
		if normalName(name) != "python" {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

func nonEmpty(lines []string) []string {
	var out []string
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}
