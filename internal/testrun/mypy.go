package testrun

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/tree"
)

// mypyRounds bounds how often mypy starts again without the files that ended it.
const mypyRounds = 5

// blocking is an error that ends mypy before it has read the other files and
// that it says as plain text: a file that cannot be decoded.
var blocking = regexp.MustCompile(`(?m)^([^:\n]+\.pyi?):(?:[0-9]+:)* error: (.*)$`)

// mypy returns type errors in the package. A file that mypy cannot read ends
// it: that is a finding of that file, and the others are read without it.
func (l linters) mypy(ctx context.Context, t *tree.Tree, files []string) (Findings, error) {
	blocked := Findings{}
	for round := 1; ; round++ {
		found, ended, err := l.mypyOnce(ctx, t, files)
		if err != nil {
			return nil, err
		}
		if ended == nil {
			return merged(found, blocked), nil
		}
		for f, n := range ended {
			blocked[f] = n
		}
		rest := slices.DeleteFunc(slices.Clone(files), func(p string) bool {
			for f := range ended {
				if f.File == p {
					return true
				}
			}
			return false
		})
		// A file that was left out comes back where another one imports it:
		// then what ended mypy is all that it finds.
		if len(rest) == len(files) || len(rest) == 0 || round == mypyRounds {
			return blocked, nil
		}
		files = rest
	}
}

// merged adds the findings of b to a.
func merged(a, b Findings) Findings {
	for f, n := range b {
		a[f] += n
	}
	return a
}

// mypyCacheAt is where a warm process has mypy keep what it knows of the
// snapshot: on the tree, so that what a child writes there is its own. What
// follows it nobody can know, so no patch can lay a cache of its own there.
const mypyCacheAt = sandbox.TreeAt + "/.breakfix-mypy-"

func (l linters) mypyCall(files []string) call {
	roots := []string{canaryAt}
	for _, p := range l.path {
		roots = append(roots, path.Join(sandbox.TreeAt, p))
	}
	return call{tool: gateMypy, args: []string{"--config-file=", "--ignore-missing-imports", "--follow-imports=silent",
		"--no-error-summary", "--hide-error-context", "--show-error-codes", "--output=json",
		"--explicit-package-bases", "--namespace-packages", "--python-executable", source.EnvAt + "/bin/python"},
		once:   []string{"--no-incremental", "--cache-dir=/dev/null"},
		canary: path.Join(canaryAt, "canary_of_mypy.py"), files: files, env: []string{"MYPYPATH=" + strings.Join(roots, ":")}}
}

// mypyOnce runs mypy on files. When a file of the tree ended it before it had
// come to the canary, ended holds the findings that say so.
func (l linters) mypyOnce(ctx context.Context, t *tree.Tree, files []string) (found, ended Findings, err error) {
	res, err := l.run(ctx, t, l.mypyCall(files))
	if err != nil {
		return nil, nil, fmt.Errorf("run mypy in the sandbox: %w", err)
	}
	return mypySaid(t, res)
}

// mypySaid reads the findings out of what one call said.
func mypySaid(t *tree.Tree, res sandbox.Result) (found, ended Findings, err error) {
	if res.Stopped != sandbox.Exited || res.Exit > 2 {
		return nil, nil, dead("mypy", res, "it did not end by itself")
	}
	found, ended = Findings{}, Findings{}
	alive := false
	for _, line := range bytes.Split(res.Stdout, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var m struct{ File, Message, Code, Severity string }
		if json.Unmarshal(line, &m) != nil {
			continue // mypy says some things as plain text; the canary tells whether it worked
		}
		if strings.Contains(m.File, "canary_of_mypy") {
			alive = true
			continue
		}
		if m.Severity != "error" {
			continue
		}
		if m.Code == "" { // "Duplicate module named …"
			m.Code = "blocking"
		}
		f := Finding{File: relative(m.File), Rule: m.Code, Message: maskAddresses(maskDigits(m.Message))}
		found[f]++
		if m.Code == "syntax" || m.Code == "blocking" {
			ended[f]++
		}
	}
	if alive {
		return found, nil, nil
	}
	for _, m := range blocking.FindAllSubmatch(append(append(res.Stderr, '\n'), res.Stdout...), -1) {
		if p := relative(string(m[1])); t.Has(p) {
			ended[Finding{File: p, Rule: "blocking", Message: maskAddresses(maskDigits(string(m[2])))}]++
		}
	}
	if res.Exit != 2 || len(ended) == 0 {
		return nil, nil, dead("mypy", res, "it missed a finding that is there")
	}
	return found, ended, nil
}
