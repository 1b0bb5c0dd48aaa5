package source

import (
	"path"
	"regexp"
	"strings"

	"breakfix/internal/tree"
)

// lintPlugins turn lint, type and format checks into tests; a break would then
// be "caught" by its formatting. They are never installed.
var lintPlugins = map[string]bool{
	"pytest-mypy": true, "pytest-ruff": true, "pytest-flake8": true, "pytest-black": true, "pytest-black-multipy": true,
	"pytest-pylint": true, "pytest-isort": true, "pytest-pycodestyle": true, "pytest-pydocstyle": true,
	"pytest-codestyle": true, "pytest-pep8": true, "pytest-flakes": true, "pytest-checkdocs": true, "pytest-enabler": true,
}

var (
	requirementName = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(.*)$`)
	ownTree         = regexp.MustCompile(`^(?:-e\s+|--editable[ =])?\.(?:\[([^\]]*)\])?$`)
	hashOption      = regexp.MustCompile(`\s--hash[= ]\S+`)
	lineComment     = regexp.MustCompile(`(^|\s)#.*$`)
)

// needs is a list of requirements with what was left out of it.
type needs struct {
	requirements []string
	extras       []string // extras of the tree's own package that it asks for
	notes        []string
}

func (n *needs) add(more needs) {
	n.requirements = append(n.requirements, more.requirements...)
	n.extras = append(n.extras, more.extras...)
	n.notes = append(n.notes, more.notes...)
}

// screen sorts requirement lines: those that an index can serve are kept;
// version-control URLs, local paths and lint plugins are left out and noted.
// from names their origin for the notes; includes ("-r other.txt") are handed
// to include, which may be nil.
func screen(from string, lines []string, include func(file string) needs) needs {
	var n needs
	for _, line := range lines {
		line = strings.TrimSpace(hashOption.ReplaceAllString(lineComment.ReplaceAllString(line, ""), ""))
		if line == "" {
			continue
		}
		if m := ownTree.FindStringSubmatch(line); m != nil {
			n.extras = append(n.extras, nonEmpty(strings.Split(m[1], ","))...)
			continue
		}
		if file, ok := includedFile(line); ok {
			if include != nil {
				n.add(include(file))
			}
			continue
		}
		m := requirementName.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "-c") || strings.HasPrefix(line, "--constraint"):
			n.notes = append(n.notes, from+": constraints are not followed ("+line+")")
		case strings.HasPrefix(line, "-e") || strings.HasPrefix(line, "--editable"):
			n.notes = append(n.notes, from+": left out "+withoutUser(line)+", which is on no index")
		case strings.HasPrefix(line, "-"):
			n.notes = append(n.notes, from+": option "+strings.Fields(line)[0]+" is not followed")
		case m == nil || strings.Contains(line, "://") || strings.HasPrefix(m[3], "@") || strings.HasPrefix(m[3], "/") || strings.HasPrefix(m[3], "+"):
			n.notes = append(n.notes, from+": left out "+line+", which is on no index")
		case lintPlugins[normalName(m[1])]:
			n.notes = append(n.notes, from+": left out "+m[1]+", which makes lint checks into tests")
		default:
			n.requirements = append(n.requirements, line)
		}
	}
	return n
}

func includedFile(line string) (string, bool) {
	for _, option := range []string{"--requirement=", "--requirement ", "-r "} {
		if f, ok := strings.CutPrefix(line, option); ok {
			return strings.TrimSpace(f), true
		}
	}
	if f, ok := strings.CutPrefix(line, "-r"); ok && f != "" {
		return strings.TrimSpace(f), true
	}
	return "", false
}

// requirementsFile reads a requirements file of the tree and what it includes.
func requirementsFile(t *tree.Tree, file string) needs {
	return requirementsOnce(t, path.Clean(file), map[string]bool{})
}

func requirementsOnce(t *tree.Tree, file string, seen map[string]bool) needs {
	if seen[file] {
		return needs{}
	}
	seen[file] = true
	b, err := t.Read(file)
	if err != nil {
		return needs{notes: []string{"requirements file " + file + " does not exist"}}
	}
	text := strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\\\n", " ")
	return screen(file, strings.Split(text, "\n"), func(other string) needs {
		return requirementsOnce(t, path.Join(path.Dir(file), other), seen)
	})
}
