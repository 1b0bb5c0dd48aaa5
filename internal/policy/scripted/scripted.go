// Package scripted is a policy that plays the moves of a file, for tests and
// for showing one game. The file is YAML or JSON:
//
//	breaks:                       # played in turn, in the order of the calls
//	  - operator: relational_boundary
//	    path: src/pkg/mod.py
//	    line: 12
//	    variant: "< → <="         # optional
//	  - mutation: 3f2a…           # or the id of one
//	fixes:                        # every attempt plays those that fit its bug
//	  - path: src/pkg/mod.py
//	    old: "a < b"              # fits where it occurs exactly once
//	    new: "a <= b"
//	    from: 0                   # the step to edit; the step before when absent
//
// An attempt ends with the first step after which the red test passes; when
// none does, the last step's tree is handed in, or nothing with give_up: true.
package scripted

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/goccy/go-yaml"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/policy"
	"breakfix/internal/tree"
)

// Script is the content of a file of moves.
type Script struct {
	Breaks []Break `yaml:"breaks"`
	Fixes  []Fix   `yaml:"fixes"`
	GiveUp bool    `yaml:"give_up"` // hand in nothing unless the red test passes
}

// Break names one mutation, by its id or by operator and place.
type Break struct {
	Mutation string `yaml:"mutation"`
	Operator string `yaml:"operator"`
	Path     string `yaml:"path"`
	Line     int    `yaml:"line"` // 1-based
	Variant  string `yaml:"variant"`
}

// Fix is one step: an exact replacement.
type Fix struct {
	Path string `yaml:"path"`
	Old  string `yaml:"old"`
	New  string `yaml:"new"`
	From *int   `yaml:"from"`
}

// Policy plays a script. Breaks are taken in the order of the calls: with one
// worker that is the order of the episodes.
type Policy struct {
	name    string
	script  Script
	version policy.Version

	mu   sync.Mutex
	next int
}

var _ policy.Policy = (*Policy)(nil)

// MoveError is a move of the script that cannot be played: bad input, not a
// failure of the machine.
type MoveError struct{ reason string }

func (e *MoveError) Error() string { return e.reason }

// Is tells that it is of kind policy.ErrInput.
func (e *MoveError) Is(kind error) bool { return kind == policy.ErrInput }

func moveError(format string, args ...any) error { return &MoveError{fmt.Sprintf(format, args...)} }

// Open reads a script. Keys that are not known are errors.
func Open(path string) (*Policy, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the script of moves: %w", err)
	}
	return Parse(path, b)
}

// Parse reads a script from memory; name is for messages.
func Parse(name string, b []byte) (*Policy, error) {
	p := &Policy{name: name, version: policy.Version("scripted-" + tree.DigestOf(b).Short())}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&p.script); err != nil {
		return nil, fmt.Errorf("script of moves %s: %w", name, err)
	}
	for i, m := range p.script.Breaks {
		if m.Mutation == "" && (m.Operator == "" || m.Path == "" || m.Line < 1) {
			return nil, fmt.Errorf("script of moves %s: break %d names neither a mutation nor an operator with path and line", name, i+1)
		}
	}
	for i, m := range p.script.Fixes {
		if m.Path == "" || m.Old == "" {
			return nil, fmt.Errorf("script of moves %s: fix %d needs a path and the old text", name, i+1)
		}
	}
	if len(p.script.Breaks)+len(p.script.Fixes) == 0 {
		return nil, fmt.Errorf("script of moves %s holds no moves; write breaks or fixes", name)
	}
	return p, nil
}

// Name is what the command line calls it.
func (p *Policy) Name() string { return "scripted:" + p.name }

// Version is the digest of the script.
func (p *Policy) Version() policy.Version { return p.version }

// Break plays the next break of the script.
func (p *Policy) Break(_ context.Context, a arena.Break) (policy.Trajectory, error) {
	p.mu.Lock()
	n := p.next
	p.next++
	p.mu.Unlock()
	if n >= len(p.script.Breaks) {
		return policy.Trajectory{}, moveError("script of moves %s: its breaks (%d) are used up and the run asks for one more; add it or play fewer episodes", p.name, len(p.script.Breaks))
	}
	want := p.script.Breaks[n]
	var near []int
	for _, m := range a.Sites() {
		if want.matches(m) {
			if err := a.Choose(m); err != nil {
				return policy.Trajectory{}, fmt.Errorf("break %d of the script: %w", n+1, err)
			}
			data, err := json.Marshal(map[string]string{"mutation": m.ID})
			return policy.Trajectory{Version: p.version, Steps: 1, Data: data}, err
		}
		if m.Operator == want.Operator && m.Path == want.Path && (len(near) == 0 || near[len(near)-1] != m.Line) && len(near) < 12 {
			near = append(near, m.Line)
		}
	}
	if want.Mutation != "" {
		return policy.Trajectory{}, moveError("break %d of the script: mutation %s is not among the sites", n+1, want.Mutation)
	}
	return policy.Trajectory{}, moveError("break %d of the script: %s has no such site at %s:%d; in that file it has sites on lines %v", n+1, want.Operator, want.Path, want.Line, near)
}

func (b Break) matches(m mutate.Mutation) bool {
	if b.Mutation != "" {
		return m.ID == b.Mutation
	}
	return m.Operator == b.Operator && m.Path == b.Path && m.Line == b.Line && (b.Variant == "" || m.Variant == b.Variant)
}

// Fix plays the replacements of the script.
func (p *Policy) Fix(ctx context.Context, a arena.Fix) (policy.Trajectory, error) {
	last := 0
	done := func(n int) (policy.Trajectory, error) {
		return policy.Trajectory{Version: p.version, Steps: last}, a.Submit(n)
	}
	var missed []error // fixes whose old text is not in this tree
	for i, m := range p.script.Fixes {
		if last >= a.Task().Steps {
			break
		}
		from := last
		if m.From != nil {
			from = *m.From
		}
		src, err := a.ReadAt(from, m.Path)
		if err != nil {
			return policy.Trajectory{}, fmt.Errorf("fix %d of the script: %w", i+1, err)
		}
		if n := bytes.Count(src, []byte(m.Old)); n != 1 {
			missed = append(missed, moveError("fix %d of the script: the old text occurs %d times in %s, want once", i+1, n, m.Path))
			continue // it is for another bug
		}
		at := bytes.Index(src, []byte(m.Old))
		obs, err := a.Try(ctx, from, m.Path, []tree.Edit{{Start: at, End: at + len(m.Old), New: m.New}}, "scripted")
		if err != nil {
			return policy.Trajectory{}, fmt.Errorf("fix %d of the script: %w", i+1, err)
		}
		last = obs.Step
		if obs.Verdict == outcome.Passed {
			return done(last)
		}
	}
	if last == 0 && len(missed) > 0 {
		return policy.Trajectory{}, missed[0]
	}
	if p.script.GiveUp {
		return done(0)
	}
	return done(last)
}
