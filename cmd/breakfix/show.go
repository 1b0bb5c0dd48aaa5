package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/term"

	"breakfix/internal/report"
	"breakfix/internal/store"
)

// showCmd shows what happened in a run; it may still be going on.
type showCmd struct {
	Dir     string `arg:"" name:"run" help:"Folder of a run."`
	Episode *int   `help:"Show one game step by step." placeholder:"ID"`
	HTML    string `name:"html" help:"Write the self-contained page to FILE." placeholder:"FILE" type:"path"`
}

// Run prints the summary, one episode, or the page.
func (c *showCmd) Run(a *app) error {
	s, err := store.Open(c.Dir)
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case c.HTML != "":
		f, err := os.Create(c.HTML)
		if err != nil {
			return usagef("name a file that can be written", "--html: %v", err)
		}
		err = report.HTML(a.ctx, f, s)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		return err
	case c.Episode != nil && a.JSON:
		e, err := report.EpisodeObject(a.ctx, s, *c.Episode)
		if err != nil {
			return err
		}
		return json.NewEncoder(a.stdout).Encode(e)
	case c.Episode != nil:
		return report.EpisodeText(a.ctx, a.stdout, s, *c.Episode, a.textOptions())
	}
	sum, err := report.Summarise(a.ctx, s)
	if err != nil {
		return err
	}
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(sum)
	}
	return report.Text(a.stdout, sum, a.textOptions())
}

// textOptions fit text to where it goes: colour and width only for a terminal.
func (a *app) textOptions() report.Options {
	f, ok := a.stdout.(*os.File)
	if !ok || a.Plain || !term.IsTerminal(int(f.Fd())) {
		return report.Options{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 80
	}
	return report.Options{Color: os.Getenv("NO_COLOR") == "", Width: width}
}

// replayCmd recomputes every reward of a run.
type replayCmd struct {
	Dir string `arg:"" name:"run" help:"Folder of a run."`
}

// replayed is what replay prints as JSON.
type replayed struct {
	Episodes    int                 `json:"episodes"`
	Differences []report.Difference `json:"differences"`
}

// Run prints each difference; any is exit code 4.
func (c *replayCmd) Run(a *app) error {
	s, err := store.Open(c.Dir)
	if err != nil {
		return err
	}
	defer s.Close()
	diffs, err := report.Replay(a.ctx, s)
	if err != nil {
		return err
	}
	numbers, err := s.Numbers(a.ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		if err := json.NewEncoder(a.stdout).Encode(replayed{len(numbers), append([]report.Difference{}, diffs...)}); err != nil {
			return err
		}
	} else {
		for _, d := range diffs {
			fmt.Fprintln(a.stdout, d)
		}
		fmt.Fprintf(a.stdout, "%d episodes replayed, %d differences\n", len(numbers), len(diffs))
	}
	if len(diffs) > 0 {
		return errNo
	}
	return nil
}
