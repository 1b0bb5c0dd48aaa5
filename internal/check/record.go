package check

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// Plan is what a check was asked to judge. It is known before the first
// mutation is, and with it results can be read without the source: a results
// folder keeps it.
type Plan struct {
	Format      int       `json:"format"` // planFormat
	Made        time.Time `json:"made"`
	Source      string    `json:"source"`
	Snapshot    string    `json:"snapshot"`
	Environment string    `json:"environment"`
	Seed        uint64    `json:"seed"`
	Choice      Choice    `json:"choice"`
	Mutations   int       `json:"mutations"` // that the choice selects, ignored ones included
	Chosen      int       `json:"chosen"`    // of those: to be judged
	Ignored     []Ignored `json:"ignored"`   // accepted in the target's own file
	Unknown     []string  `json:"unknown_accepted,omitempty"`
	// Files is the text of the code that is mutated, Suite that of the test files.
	Files map[string]string `json:"files"`
	Suite map[string]string `json:"suite"`
	Tests []Test            `json:"tests"`
	// Reach counts, for each function of the code that is mutated ("path" + "::" +
	// its name), the functions from whose calls it can be reached, itself included.
	Reach   map[string]int     `json:"reach"`
	Seconds map[string]float64 `json:"seconds"` // prepare, and of that baseline
	// Results names the file of the results, beside the plan.
	Results string `json:"results"`
}

// Choice is what of a target is judged: checks of different choices cannot go
// on with each other.
type Choice struct {
	At        string   `json:"at,omitempty"`
	Only      []string `json:"only,omitempty"`
	Exclude   []string `json:"exclude,omitempty"`
	Tests     []string `json:"tests,omitempty"`
	Operators []string `json:"operators,omitempty"`
	InDiff    string   `json:"in_diff,omitempty"`
	Sample    int      `json:"sample,omitempty"`
	Shard     Shard    `json:"shard,omitzero"`
}

// Test is one test of the suite. Its number is its place in Plan.Tests.
type Test struct {
	ID   string `json:"id"`
	Path string `json:"path"`           // of its file, "" when it stands in none
	Line int    `json:"line,omitempty"` // of its function there, 1-based; 0 when unknown
	// Needs is a digest of everything that the test's verdict rests on: its own
	// code, the files that it loads, runs or reads. "" when that is not known.
	Needs string `json:"needs,omitempty"`
}

// Ignored is a mutation that the target accepts as missed.
type Ignored struct {
	Mutation mutate.Mutation `json:"mutation"`
	Reason   string          `json:"reason"`
}

// Record is a check as far as it went: its plan and its results.
type Record struct {
	Plan    Plan
	Results []Result
	Ended   Ending
	Seconds map[string]float64 // check, total; of the last sitting
}

// Order lists the ids of the plan's tests by their number.
func (p Plan) Order() []string {
	ids := make([]string, len(p.Tests))
	for i, t := range p.Tests {
		ids[i] = t.ID
	}
	return ids
}

// Names are the ids of the tests in a set.
func (p Plan) Names(s TestSet) []string {
	var ids []string
	for _, n := range s {
		if int(n) < len(p.Tests) {
			ids = append(ids, p.Tests[n].ID)
		}
	}
	return ids
}

// Depending is how many functions depend on the site of a mutation, its own
// included.
func (p Plan) Depending(m mutate.Mutation) int { return p.Reach[reachKey(m.Path, m.Function)] }

// Diff is the change from the code of the plan to a mutation, as a git-style
// unified diff.
func (p Plan) Diff(m mutate.Mutation) ([]byte, error) { return DiffOf([]byte(p.Files[m.Path]), m) }

// around is how many lines beside its edits a mutation's diff is computed from:
// comparing whole files would take most of the time of storing results.
const around = 12

// DiffOf is the change that a mutation makes to its file.
func DiffOf(src []byte, m mutate.Mutation) ([]byte, error) {
	if len(m.Edits) == 0 {
		return nil, fmt.Errorf("mutation %s has no edit", m.ID)
	}
	from, to := m.Edits[0].Start, m.Edits[len(m.Edits)-1].End
	if from > len(src) || to > len(src) {
		return nil, fmt.Errorf("mutation %s is not of this text", m.ID)
	}
	for range around + 1 {
		from = max(0, bytes.LastIndexByte(src[:from], '\n'))
		if i := bytes.IndexByte(src[to:], '\n'); i >= 0 {
			to += i + 1
		} else {
			to = len(src)
		}
	}
	if from > 0 {
		from++ // behind the end of the line before
	}
	edits := make([]tree.Edit, len(m.Edits))
	for i, e := range m.Edits {
		edits[i] = tree.Edit{Start: e.Start - from, End: e.End - from, New: e.New}
	}
	now, err := tree.ApplyEdits(src[from:to], edits)
	if err != nil {
		return nil, err
	}
	a, err := oneFile(m.Path, src[from:to])
	if err != nil {
		return nil, err
	}
	b, err := oneFile(m.Path, now)
	if err != nil {
		return nil, err
	}
	diff, err := tree.Diff(a, b)
	return shifted(diff, bytes.Count(src[:from], []byte("\n"))), err
}

func oneFile(path string, b []byte) (*tree.Tree, error) {
	return tree.FromFiles(map[string]*tree.File{path: {Kind: tree.Regular, Data: b}})
}

var hunkHead = regexp.MustCompile(`(?m)^@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@`)

// shifted moves the hunks of a diff down by some lines.
func shifted(diff []byte, lines int) []byte {
	if lines == 0 {
		return diff
	}
	return hunkHead.ReplaceAllFunc(diff, func(head []byte) []byte {
		p := hunkHead.FindSubmatch(head)
		old, _ := strconv.Atoi(string(p[1]))
		now, _ := strconv.Atoi(string(p[3]))
		return fmt.Appendf(nil, "@@ -%d%s +%d%s @@", old+lines, p[2], now+lines, p[4])
	})
}
