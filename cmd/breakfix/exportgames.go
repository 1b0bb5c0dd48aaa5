package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"

	"breakfix/internal/arena"
	"breakfix/internal/export"
	"breakfix/internal/outcome"
	"breakfix/internal/policy/llm"
	"breakfix/internal/report"
	"breakfix/internal/store"
)

// gamesWritten is what export prints of games as JSON.
type gamesWritten struct {
	Format string `json:"format"`
	Dir    string `json:"dir"`
	Games  int    `json:"games"`
}

// games writes what models did in runs.
func (c *exportCmd) games(a *app) error {
	switch {
	case c.Check:
		return usagef("leave out --check", "games are not checked: --check is for bugs")
	case c.Output == "":
		return usagef("name it with -o DIR", "export needs a folder to write")
	}
	if _, err := os.Lstat(c.Output); err == nil {
		return usagef("name another with -o, or move it away", "the folder %s exists already", c.Output)
	}
	var runs []*store.Store
	for _, dir := range c.Bugs {
		s, err := store.Open(dir)
		if err != nil {
			return err
		}
		defer s.Close()
		runs = append(runs, s)
	}
	n, err := export.WriteGames(c.Format, c.Output, gamesOf(a, runs))
	switch {
	case err != nil:
		return err
	case n == 0:
		return usagef("play with --policy llm", "nothing was exported: no model played there")
	case a.JSON:
		return json.NewEncoder(a.stdout).Encode(gamesWritten{c.Format, c.Output, n})
	}
	fmt.Fprintf(a.stdout, "%s in %s, as %s\n", count(n, "game"), shorten(c.Output), c.Format)
	return nil
}

// gamesOf reads the games of models in runs, in order.
func gamesOf(a *app, runs []*store.Store) iter.Seq2[*export.Game, error] {
	return func(yield func(*export.Game, error) bool) {
		for _, s := range runs {
			for e, err := range s.Episodes(a.drain) {
				var plays []report.Play
				if err == nil {
					plays, err = report.Plays(s, e)
				}
				if err != nil {
					yield(nil, err)
					return
				}
				for _, p := range plays {
					if !yield(gameOf(s.Run(), e, p), nil) {
						return
					}
				}
			}
		}
	}
}

func gameOf(run store.Run, e store.Episode, p report.Play) *export.Game {
	g := &export.Game{
		ID: fmt.Sprintf("%s-%d-%d", run.Name, e.Number, p.Attempt), Run: run.Name, Episode: e.Number, Attempt: p.Attempt, Role: string(p.Role), Bug: e.Break.Bug,
		Model: p.Model, Protocol: string(p.Protocol), Breakfix: run.Breakfix, Messages: p.Messages, Ended: string(p.Ended),
	}
	if p.Protocol == llm.Calls {
		g.Tools = llm.Tools(p.Role)
	}
	for i, t := range p.Turns {
		g.Turns = append(g.Turns, export.GameTurn{Message: t.Message, Version: t.Version, Started: t.Started, Read: t.Read, Written: t.Written, Cost: t.Cost,
			Prompt: p.Prompt(i), Tokens: t.Tokens, LogProbs: t.LogProbs})
	}
	if p.Role == arena.Breaker {
		g.Outcome, g.Won, g.Reward, g.Patch = string(e.Break.Outcome), e.Break.Outcome == outcome.Valid, e.Break.Reward, e.Break.Diff
		return g
	}
	for _, a := range e.Attempts {
		if a.Number == p.Attempt {
			g.Outcome, g.Won, g.Reward, g.Patch = string(a.Outcome), a.Outcome == outcome.Fixed, a.Reward, a.Patch
		}
	}
	return g
}
