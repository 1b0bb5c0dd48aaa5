package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"breakfix/internal/bug"
	"breakfix/internal/bugset"
	"breakfix/internal/outcome"
	"breakfix/internal/report"
	"breakfix/internal/selfplay"
)

// verifyCmd validates artifacts again.
type verifyCmd struct {
	borrowed
	Bugs []string `arg:"" name:"bug" help:"Folders of bugs, of sets and of runs, or bugs.jsonl files."`
}

// Help is the second part of verify's help text.
func (verifyCmd) Help() string {
	return `Examples:

    breakfix verify out                          every bug of a set
    breakfix verify out/bugs/0123456789ab
    breakfix verify bugs.jsonl                   one artifact a line
    breakfix verify --cache /tmp/new out         nothing that this machine made before is used
`
}

// verified is what verify prints for one artifact as JSON.
type verified struct {
	Path string `json:"path"`
	bug.VerifyResult
}

// verifiedAll is the last line of several.
type verifiedAll struct {
	Bugs     int                   `json:"bugs"`
	Valid    int                   `json:"valid"`
	Rejected map[outcome.Check]int `json:"rejected"` // by check
}

// Run prints one line a bug, and one about all when there are several; a
// rejected one is exit code 4. Each base is prepared once, and one bug at a
// time is in memory.
func (c *verifyCmd) Run(a *app) error {
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	open := &boardOf{a: a, from: c.borrowed, box: box, boards: map[string]*selfplay.Board{}}
	defer open.close()
	all := verifiedAll{Rejected: map[outcome.Check]int{}}
	several := len(c.Bugs) > 1
	for _, path := range c.Bugs {
		for artifact, err := range bugset.Artifacts(path) {
			if err != nil {
				return err
			}
			if a.drain.Err() != nil {
				return &stopped{fmt.Sprintf("%d of the bugs were verified. To start again", all.Bugs), typed(a)}
			}
			several = several || artifact.Name != path
			v := verified{Path: artifact.Name}
			if v.VerifyResult, err = open.verify(artifact); err != nil {
				return err
			}
			all.Bugs++
			if v.Valid {
				all.Valid++
			} else {
				all.Rejected[v.Check]++
			}
			if err := c.show(a, v); err != nil {
				return err
			}
		}
	}
	if several {
		if a.JSON {
			err = json.NewEncoder(a.stdout).Encode(all)
		} else {
			_, err = fmt.Fprintf(a.stdout, "%s: %d valid, %d rejected\n", count(all.Bugs, "bug"), all.Valid, all.Bugs-all.Valid)
		}
	}
	if err == nil && all.Valid < all.Bugs {
		err = errNo
	}
	return err
}

func (c *verifyCmd) show(a *app, v verified) (err error) {
	name := v.ID
	if name == "" {
		name = shorten(v.Path)
	}
	switch {
	case a.JSON:
		return json.NewEncoder(a.stdout).Encode(v)
	case v.Valid:
		_, err = fmt.Fprintf(a.stdout, "valid     %s\n", report.Visible(name))
		for _, n := range v.Notes {
			fmt.Fprintf(a.stdout, "          note: %s\n", report.Visible(n))
		}
	default:
		_, err = fmt.Fprintf(a.stdout, "rejected  %s  check %s: %s\n", report.Visible(name), v.Check, report.Visible(v.Reason))
	}
	return err
}

// verify loads an artifact and runs every check again.
func (o *boardOf) verify(artifact bugset.Artifact) (bug.VerifyResult, error) {
	b, err := artifact.Load()
	var board *selfplay.Board
	if err == nil {
		board, err = o.board(b)
	}
	var objection *bug.CheckError
	if errors.As(err, &objection) {
		v := bug.VerifyResult{Check: objection.Check, Reason: objection.Reason, Checks: map[outcome.Check]string{objection.Check: objection.Reason}}
		if b != nil {
			v.ID = b.ID
		}
		return v, nil
	}
	if err != nil {
		return bug.VerifyResult{}, err
	}
	return bug.Recheck(o.a.ctx, board.Target, b)
}
