package source

import (
	"regexp"
	"strings"

	"breakfix/internal/tree"

	"github.com/BurntSushi/toml"
)

// toxFile is the part of tox.toml, or of [tool.tox] in pyproject.toml, that
// names test dependencies.
type toxFile struct {
	Legacy string `toml:"legacy_tox_ini"`
	Base   toxEnv `toml:"env_run_base"`
}

type toxEnv struct {
	Deps   []any    `toml:"deps"`
	Extras []string `toml:"extras"`
	Groups []string `toml:"dependency_groups"`
}

// toxNeeds is what tox installs into its test environment.
type toxNeeds struct {
	deps, extras, groups []string
}

var (
	toxReference = regexp.MustCompile(`^\{\[([^\]]+)\]([^}]+)\}$`)
	toxFactor    = regexp.MustCompile(`^[!A-Za-z0-9_,.{}-]+\s*:\s`)
)

// readTox reads tox.ini, tox.toml, [tool.tox] or [tox] in setup.cfg.
func readTox(t *tree.Tree, p project) toxNeeds {
	if b, err := t.Read("tox.toml"); err == nil {
		var f toxFile
		if _, err := toml.Decode(string(b), &f); err == nil {
			return f.Base.needs()
		}
	}
	if b, err := t.Read("tox.ini"); err == nil {
		return toxINI(parseINI(string(b)))
	}
	if n := p.Tool.Tox.Base.needs(); len(n.deps)+len(n.extras)+len(n.groups) > 0 {
		return n
	}
	if p.Tool.Tox.Legacy != "" {
		return toxINI(parseINI(p.Tool.Tox.Legacy))
	}
	return toxINI(p.cfg)
}

func (e toxEnv) needs() toxNeeds {
	return toxNeeds{deps: texts(e.Deps), extras: e.Extras, groups: e.Groups}
}

// toxINI reads the [testenv] section. Lines for single factors ("py39: x") are
// left out: which factors hold is tox's own business.
func toxINI(ini map[string]map[string]string) toxNeeds {
	env := ini["testenv"]
	words := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(", \n\t", r) })
	}
	n := toxNeeds{extras: words(env["extras"]), groups: words(env["dependency_groups"])}
	var expand func(text string, depth int)
	expand = func(text string, depth int) {
		for _, line := range nonEmpty(strings.Split(text, "\n")) {
			if m := toxReference.FindStringSubmatch(line); m != nil {
				if depth < 4 {
					expand(ini[m[1]][strings.ToLower(m[2])], depth+1)
				}
				continue
			}
			line = strings.NewReplacer("{toxinidir}/", "", "{tox_root}/", "", "{toxinidir}", ".").Replace(line)
			if toxFactor.MatchString(line) || strings.Contains(line, "{") {
				continue
			}
			n.deps = append(n.deps, line)
		}
	}
	expand(env["deps"], 0)
	return n
}
