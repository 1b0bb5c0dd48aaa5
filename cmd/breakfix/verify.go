package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"

	"breakfix/internal/bug"
	"breakfix/internal/bugset"
	"breakfix/internal/outcome"
	"breakfix/internal/report"
	"breakfix/internal/selfplay"
)

// verifyCmd validates artifacts again.
type verifyCmd struct {
	borrowed
	Workers int      `help:"Bugs verified at the same time. Default: the cores." placeholder:"N"`
	Bugs    []string `arg:"" name:"bug" help:"Folders of bugs, of sets and of runs, or bugs.jsonl files."`
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

// Run prints one line a bug, in the order in which they are named, and one about
// all when there are several; a rejected one is exit code 4. Each base is prepared
// once, and as many bugs as there are workers are in memory.
func (c *verifyCmd) Run(a *app) error {
	if c.Workers < 0 {
		return usagef("", "--workers must be at least 0, not %d", c.Workers)
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	open := &boardOf{a: a, from: c.borrowed, box: box, boards: map[string]*selfplay.Board{}}
	defer open.close()
	all := verifiedAll{Rejected: map[outcome.Check]int{}}
	several := len(c.Bugs) > 1
	for v, err := range c.inOrder(a, open, &several) {
		if err != nil {
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
	if a.drain.Err() != nil {
		return &stopped{fmt.Sprintf("%d of the bugs were verified. To start again", all.Bugs), typed(a)}
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

// inOrder verifies several bugs at a time and yields their verdicts in the order
// of the bugs; the first error is the last that it yields. Once a.drain has ended
// no other bug is begun. several is set when there is more than one bug.
func (c *verifyCmd) inOrder(a *app, open *boardOf, several *bool) iter.Seq2[verified, error] {
	type judged struct {
		v   verified
		err error
	}
	workers := cmp.Or(c.Workers, runtime.NumCPU())
	free := make(chan struct{}, workers)
	return func(yield func(verified, error) bool) {
		var began []chan judged // those that are not yet told, oldest first
		defer func() {
			for _, at := range began {
				<-at
			}
		}()
		tell := func(upTo int) bool {
			for len(began) > upTo {
				j := <-began[0]
				began = began[1:]
				if !yield(j.v, j.err) || j.err != nil {
					return false
				}
			}
			return true
		}
		for _, path := range c.Bugs {
			for artifact, err := range bugset.Artifacts(path) {
				if err != nil {
					if tell(0) {
						yield(verified{}, err)
					}
					return
				}
				if a.drain.Err() != nil {
					tell(0)
					return
				}
				*several = *several || artifact.Name != path
				at := make(chan judged, 1)
				began = append(began, at)
				go func() {
					free <- struct{}{}
					defer func() { <-free }()
					res, err := open.verify(artifact)
					at <- judged{verified{artifact.Name, res}, err}
				}()
				if !tell(4 * workers) { // a slow one does not keep the others waiting
					return
				}
			}
		}
		tell(0)
	}
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
