package bugset

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"text/template"

	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/strategy"
)

//go:embed card.md
var cardText string

var cardTemplate = template.Must(template.New("card").Funcs(template.FuncMap{
	"quote": quote, "number": number, "percent": percent, "or": func(s, none string) string {
		if s == "" {
			return none
		}
		return s
	},
}).Parse(cardText))

// card is README.md: what is in the set, how it was made, what it is for.
func card(h Head, sum Summary) []byte {
	splits := splitsOf(sum)
	data := struct {
		Head
		Sum        Summary
		Licences   []string
		Size       string
		Splits     []namedSplit
		Only       string // the split that holds everything, "" when several do
		Operators  []operatorRow
		Strategies []strategyRow
		Rejected   []countRow
		Screened   []countRow
		Embedded   bool
		Unknown    bool // the licence of a source is unknown
	}{Head: h, Sum: sum, Licences: licencesOf(h), Size: sizeCategory(sum.Breaks.Valid)}
	for _, name := range splitNames {
		s := splits.Splits[name]
		data.Splits = append(data.Splits, namedSplit{name, s})
		if len(s.Sources) == len(h.Sources) {
			data.Only = name
		}
	}
	for _, s := range h.Sources {
		data.Embedded = data.Embedded || s.Embedded
		data.Unknown = data.Unknown || s.Licence == ""
	}
	for _, name := range sorted(sum.Operators) {
		op, _ := mutate.Lookup(name) // an operator of another version has no definition here
		data.Operators = append(data.Operators, operatorRow{name, op.Doc, sum.Operators[name]})
	}
	sort.SliceStable(data.Operators, func(i, j int) bool { return data.Operators[i].Valid > data.Operators[j].Valid })
	for _, name := range sorted(sum.Strategies) {
		doc := ""
		for _, k := range strategy.Kinds() {
			if k.Name == name {
				doc = k.Doc
			}
		}
		data.Strategies = append(data.Strategies, strategyRow{name, doc, sum.Strategies[name]})
	}
	b := sum.Breaks
	data.Rejected = []countRow{{"unnoticed: no test goes red", b.Unnoticed}, {"broken: does not load", b.Broken}, {"flaky", b.Flaky}, {"timed out", b.TimedOut}, {"uncovered: no test runs it", b.Uncovered}}
	for _, c := range outcome.Checks {
		data.Rejected = append(data.Rejected, countRow{"rejected by the check " + string(c), b.Rejected[string(c)]})
	}
	data.Rejected = append(data.Rejected, countRow{"not validated by a fault of breakfix or of the machine", b.Infrastructure})
	data.Rejected = slices.DeleteFunc(data.Rejected, func(r countRow) bool { return r.N == 0 })
	for _, name := range sorted(sum.Screened) {
		data.Screened = append(data.Screened, countRow{name, sum.Screened[name]})
	}
	var out bytes.Buffer
	if err := cardTemplate.Execute(&out, data); err != nil {
		panic(err) // the template and its data are ours
	}
	return out.Bytes()
}

type namedSplit struct {
	Name string
	Split
}

type operatorRow struct {
	Name, Doc string
	Tried
}

type strategyRow struct {
	Name, Doc string
	Proposed
}

type countRow struct {
	What string
	N    int
}

// licencesOf are the licences of the sources as the head of a dataset card
// names them: in lower case, each once, "unknown" where nothing says.
func licencesOf(h Head) []string {
	var out []string
	for _, s := range h.Sources {
		name := strings.ToLower(s.Licence)
		switch {
		case name == "":
			name = "unknown"
		case strings.Contains(name, " "): // an expression, or a family
			name = "other"
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

func sizeCategory(n int) string {
	switch {
	case n < 1_000:
		return "n<1K"
	case n < 10_000:
		return "1K<n<10K"
	case n < 100_000:
		return "10K<n<100K"
	}
	return "100K<n<1M"
}

// quote writes a string as YAML and Markdown's code take it.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func number(v *float64) string {
	if v == nil {
		return "–"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", *v), ".0")
}

func percent(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", *v*100)
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
