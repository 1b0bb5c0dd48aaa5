package main

import (
	"encoding/json"
	"fmt"

	"breakfix/internal/arena"
	"breakfix/internal/mutate"
	"breakfix/internal/report"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/strategy"
)

// listed is one operator as --list-operators shows it.
type listed struct {
	Number     int              `json:"number"`
	Name       string           `json:"name"`
	Group      string           `json:"group"`
	Definition string           `json:"definition"`
	Source     string           `json:"source"`          // where it is described
	Needs      string           `json:"needs"`           // what a site must be
	Sites      map[string]sites `json:"sites,omitempty"` // by target
}

// sites counts the mutations of one operator in one target.
type sites struct {
	All     int `json:"all"`
	Covered int `json:"covered"` // that a test runs
}

// listOperators lists the operators; with sources also their sites there.
func (c *bugsCmd) listOperators(a *app) error {
	all := make(map[string]map[string]sites) // by operator and target
	var targets []string
	if len(c.Sources) > 0 {
		boards, err := c.boardsToList(a)
		for _, b := range boards {
			defer b.Work.Close()
		}
		if err != nil {
			return err
		}
		for i, b := range boards {
			target := source.Shown(c.Sources[i])
			targets = append(targets, target)
			if err := countSites(b, target, all); err != nil {
				return err
			}
		}
	}
	core, further := []listed{}, []listed{}
	for _, o := range mutate.Operators() {
		l := listed{o.Number, o.Name, o.Group, o.Doc, o.Source, o.Needs, nil}
		for _, target := range targets {
			if l.Sites == nil {
				l.Sites = map[string]sites{}
			}
			l.Sites[target] = all[o.Name][target]
		}
		if o.Core {
			core = append(core, l)
		} else {
			further = append(further, l)
		}
	}
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(struct {
			Operators []listed `json:"operators"`
			Further   []listed `json:"further"`
		}{core, further})
	}
	if err := printOperators(a, fmt.Sprintf("%d operators of the core bank", len(core)), core, targets); err != nil {
		return err
	}
	return printOperators(a, fmt.Sprintf("%d further operators", len(further)), further, targets)
}

func (c *bugsCmd) boardsToList(a *app) ([]*selfplay.Board, error) {
	box, err := a.openSandbox()
	if err != nil {
		return nil, err
	}
	watch := newWatcher(a)
	defer watch.Close()
	seed := uint64(0)
	if c.Seed != nil {
		seed = *c.Seed
	}
	return c.prepare(a, box, c.Sources, seed, c.NoCache, watch)
}

// countSites counts the sites of each operator in the selected code of a board.
func countSites(b *selfplay.Board, target string, into map[string]map[string]sites) error {
	chosen := map[string]bool{}
	for _, p := range b.Bank.Files() {
		chosen[p] = true
	}
	whole := arena.NewBank(b.Target.Snapshot.Tree, func(p string) bool { return chosen[p] }, nil)
	for _, bank := range []*arena.Bank{whole, b.Bank} {
		found, err := bank.Sites()
		if err != nil {
			return err
		}
		for _, m := range found {
			if into[m.Operator] == nil {
				into[m.Operator] = map[string]sites{}
			}
			n := into[m.Operator][target]
			if bank == whole {
				n.All++
			} else {
				n.Covered++
			}
			into[m.Operator][target] = n
		}
	}
	return nil
}

func printOperators(a *app, title string, ops []listed, targets []string) error {
	if len(ops) == 0 {
		return nil
	}
	rows := report.Rows{Title: title, Head: []string{"operator", "number", "group", "from", "at"}}
	for _, target := range targets {
		rows.Head = append(rows.Head, target)
	}
	for _, o := range ops {
		row := []string{o.Name, fmt.Sprint(o.Number), o.Group, o.Source, o.Needs}
		for _, target := range targets {
			n := o.Sites[target]
			row = append(row, fmt.Sprintf("%d of %d", n.Covered, n.All))
		}
		rows.Add(o.Definition, row...)
	}
	if len(targets) > 0 {
		rows.Note = "sites that a test runs, of all sites"
	}
	return report.TableText(a.stdout, rows, a.textOptions())
}

// listStrategies lists the strategies.
func (c *bugsCmd) listStrategies(a *app) error {
	type named struct {
		Name       string  `json:"name"`
		Definition string  `json:"definition"`
		Weight     float64 `json:"weight"` // where none are named
	}
	var all []named
	rows := report.Rows{Title: fmt.Sprintf("%d strategies", len(strategy.Kinds())), Head: []string{"strategy", "weight where none is named:"}}
	for _, k := range strategy.Kinds() {
		all = append(all, named{k.Name, k.Doc, k.Weight})
		rows.Add(k.Doc, k.Name, fmt.Sprint(k.Weight))
	}
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"strategies": all})
	}
	return report.TableText(a.stdout, rows, a.textOptions())
}
