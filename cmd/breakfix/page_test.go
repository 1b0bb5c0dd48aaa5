package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// published is what a test reads of a report of the mutation-testing-elements schema.
type published struct {
	Files map[string]struct {
		Mutants []struct {
			ID, MutatorName, Status, Replacement string
			CoveredBy                            []string
		}
	}
	TestFiles map[string]struct{ Tests []struct{ ID, Name string } }
}

// clicksThrough opens the page of a check in a real Chromium without a network,
// holds its numbers against check.json, clicks the first missed mutation and
// wants to see its diff and its tests, in our list and in the published
// component: clicksthrough PAGE JSON.
func clicksThrough(ts *testscript.TestScript, _ bool, args []string) {
	var p published
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &p))
	dir, err := os.MkdirTemp("", "breakfix-chromium-")
	ts.Check(err)
	defer os.RemoveAll(dir)
	c, err := startChromium(dir)
	ts.Check(err)
	defer c.close()
	ts.Check(c.open(ts.MkAbs(args[0])))
	ts.Check(c.wait(`all("tbody tr").length`))

	count := map[string]int{}
	for _, f := range p.Files {
		for _, m := range f.Mutants {
			count[m.Status]++
		}
	}
	facts := map[string]string{}
	ts.Check(c.eval(`Object.fromEntries([...document.querySelectorAll("[data-fact]")].map(e => [e.dataset.fact, e.querySelector("span").textContent]))`, &facts))
	for name, status := range map[string]string{"caught": "Killed", "missed": "Survived", "timed out": "Timeout", "not covered": "NoCoverage", "does not load": "CompileError"} {
		want := ""
		if count[status] > 0 {
			want = fmt.Sprint(count[status])
		}
		if facts[name] != want {
			ts.Fatalf("the page says %q %s, check.json has %d %s", facts[name], name, count[status], status)
		}
	}
	var head, row []string
	ts.Check(c.eval(`all("thead th").map(e => words(e).trim())`, &head))
	ts.Check(c.eval(`[...all("tbody tr")[0].cells].map(e => words(e).trim()).filter(s => s)`, &row))
	want := []string{"All files", "", ""}
	for _, status := range []string{"Killed", "Survived", "Timeout", "NoCoverage", "Ignored", "RuntimeError", "CompileError"} {
		want = append(want, fmt.Sprint(count[status]))
	}
	if len(row) < len(want) {
		ts.Fatalf("the component's table is %q under %q", row, head)
	}
	row = row[:len(want)]
	row[1], row[2] = "", ""
	if d := cmp.Diff(want, row); d != "" {
		ts.Fatalf("the component's table differs from check.json (%q):\n%s", head, d)
	}
	clickMissed(ts, c, p)
	if len(c.faults) > 0 {
		ts.Fatalf("the page has faults: %s", c.faults)
	}
	for _, address := range c.requests {
		if !regexp.MustCompile(`^(file|data):`).MatchString(address) {
			ts.Fatalf("the page asked for %s", address)
		}
	}
}

func clickMissed(ts *testscript.TestScript, c *chromium, p published) {
	var id string
	ts.Check(c.eval(`document.querySelector("details.missed").id.slice(2)`, &id))
	names := map[string]string{}
	for _, f := range p.TestFiles {
		for _, t := range f.Tests {
			names[t.ID] = t.Name
		}
	}
	var operator, replacement string
	var tests []string
	for _, f := range p.Files {
		for _, m := range f.Mutants {
			if m.ID == id && m.Status == "Survived" {
				operator, replacement = m.MutatorName, m.Replacement
				for _, n := range m.CoveredBy {
					tests = append(tests, names[n])
				}
			}
		}
	}
	if operator == "" || len(tests) == 0 {
		ts.Fatalf("the page's first missed mutation %s is none of check.json, or no test runs it", id)
	}
	entry := fmt.Sprintf(`document.querySelector("#m-%s")`, id)
	see := func(where, text string, wanted ...string) {
		for _, w := range wanted {
			w = strings.Join(strings.Fields(w), " ")
			if !strings.Contains(strings.Join(strings.Fields(text), " "), w) {
				ts.Fatalf("%s shows no %q: %s", where, w, text)
			}
		}
	}
	var shown string
	ts.Check(c.click(entry + `.querySelector("summary")`))
	ts.Check(c.wait(entry + `.open && ` + entry + `.querySelector("pre").checkVisibility()`))
	ts.Check(c.eval(`[...`+entry+`.querySelectorAll(".add, .del, li")].map(e => e.innerText).join("\n")`, &shown))
	see("the list", shown, append(tests[:min(len(tests), 50)], replacement)...)

	ts.Check(c.click(entry + `.querySelector("a")`))
	dot := fmt.Sprintf(`all("svg.mutant-dot[data-mutant-id='%s']")[0]`, id)
	ts.Check(c.wait(dot))
	ts.Check(c.click(dot))
	ts.Check(c.wait(`all("mte-drawer").some(e => words(e).includes("Covered by"))`))
	ts.Check(c.eval(`all("mte-drawer").map(e => words(e)).join("\n")`, &shown))
	see("the component", shown, append(tests, operator)...)
	ts.Check(c.eval(`all(".diff-new").map(e => words(e)).join("\n")`, &shown))
	see("the component's diff", shown, replacement)
}
