package export

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// instancesName is the file of instances, for SWE-bench and SWE-smith.
const instancesName = "instances.jsonl"

// sweInstance is a line of SWE-bench's data sets, with the fields that the
// package swebench needs from version 5 on. Patch is the repair.
type sweInstance struct {
	Repo        string `json:"repo"`
	ID          string `json:"instance_id"`
	BaseCommit  string `json:"base_commit"`
	Patch       string `json:"patch"`
	TestPatch   string `json:"test_patch"`
	Statement   string `json:"problem_statement"`
	Hints       string `json:"hints_text"`
	Created     string `json:"created_at"`
	Version     string `json:"version"`
	FailToPass  string `json:"FAIL_TO_PASS"` // JSON in a string
	PassToPass  string `json:"PASS_TO_PASS"` // JSON in a string
	SetupCommit string `json:"environment_setup_commit"`
	Image       string `json:"image"`
	EvalScript  string `json:"eval_script"`
	LogParser   string `json:"log_parser"`
	EvalType    string `json:"eval_type"`
	Origin      string `json:"breakfix"` // an Origin, JSON in a string
}

// Where pytest's output begins and ends in what the script prints.
const (
	startMark = ">>>>> Start Test Output"
	endMark   = ">>>>> End Test Output"
)

type swebenchWriter struct {
	dir string
	out *jsonl
}

func openSWEBench(dir string, _ Options) (writer, error) {
	out, err := newJSONL(dir, instancesName)
	if err != nil {
		return nil, err
	}
	// The task repo is another form of the same: what swebench checks, builds
	// images from and publishes.
	config := "datasets:\n- breakfix/bugs\nsplits:\n- test\n"
	return &swebenchWriter{dir, out}, write(dir, "sweb.yaml", []byte(config))
}

func (w *swebenchWriter) close() error { return w.out.close() }

func (w *swebenchWriter) add(it *item) error {
	owner, name := it.project()
	id := fmt.Sprintf("%s__%s-%s", owner, name, it.bug.ID)
	fail, pass := swebenchTests(it)
	failText, err := encode(fail)
	if err != nil {
		return err
	}
	passText, err := encode(pass)
	if err != nil {
		return err
	}
	in := sweInstance{
		Repo: owner + "/" + name, ID: id, BaseCommit: it.commit(), SetupCommit: it.commit(), Patch: string(it.repair), TestPatch: string(it.tests),
		Statement: it.statement, Created: it.created, Version: it.bug.Source.Version, FailToPass: string(failText), PassToPass: string(passText),
		// The name that swebench derives from the id.
		Image:      strings.ReplaceAll("swebench/sweb.eval.x86_64."+strings.ToLower(id)+":latest", "__", "_1776_"),
		EvalScript: it.evalScript(filesOf(fail, pass)), LogParser: "parse_log_pytest", EvalType: "pass_and_fail", Origin: it.origin.text(),
	}
	if err := w.task(it, in, fail, pass); err != nil {
		return err
	}
	return w.out.line(in)
}

// swebenchTests are the tests as swebench's parser names them. It ends an id at
// the first space; such a test is left out, but for the minimised one, which is
// alone in its file.
func swebenchTests(it *item) (fail, pass []string) {
	all := it.failToPass()
	first, _, _ := strings.Cut(all[0], " ")
	return append([]string{first}, oneWord(all[1:])...), oneWord(it.pass)
}

// evalScript puts the tests back as they should be, runs them, and takes them
// out again.
func (it *item) evalScript(files []string) string {
	mark := "END_OF_TESTS_" + it.bug.ID
	var there, new []string
	for _, f := range files {
		if it.visible.Has(f) {
			there = append(there, quote(f))
		} else {
			new = append(new, quote(f))
		}
	}
	reset := "rm -f " + strings.Join(new, " ")
	if len(there) > 0 {
		reset += "\ngit checkout HEAD -- " + strings.Join(there, " ")
	}
	return strings.Join([]string{
		"#!/bin/bash", "set -uxo pipefail", "cd " + testbed, "git config --global --add safe.directory " + testbed,
		reset,
		"git apply --verbose - <<'" + mark + "'", strings.TrimSuffix(string(it.tests), "\n"), mark,
		": '" + startMark + "'", it.pytest(inSummary, files), ": '" + endMark + "'",
		reset, "",
	}, "\n")
}

// task writes an instance's folder of the task repo.
func (w *swebenchWriter) task(it *item, in sweInstance, fail, pass []string) error {
	dir := filepath.Join(w.dir, "tasks", in.ID)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	meta, err := yaml.Marshal(map[string]any{
		"instance_id": in.ID, "repo": in.Repo, "version": in.Version, "base_commit": in.BaseCommit, "environment_setup_commit": in.SetupCommit,
		"created_at": in.Created, "image": in.Image, "log_parser": in.LogParser, "eval_type": in.EvalType, "split": "test",
		"datasets": []string{"breakfix/bugs"}, "breakfix": in.Origin,
	})
	if err != nil {
		return err
	}
	tests, err := encode(map[string][]string{"FAIL_TO_PASS": fail, "PASS_TO_PASS": pass})
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"task.yaml": string(meta), "tests.json": string(tests) + "\n", "gold.patch": in.Patch,
		"test.patch": in.TestPatch, "eval.sh": in.EvalScript, "problem_statement.md": in.Statement} {
		if err := write(dir, name, []byte(text)); err != nil {
			return err
		}
	}
	return it.image(dir, it.visible)
}

// taskDir is where in an export an instance's image is built from.
func taskDir(dir, id string) string { return filepath.Join(dir, "tasks", path.Base(id)) }
