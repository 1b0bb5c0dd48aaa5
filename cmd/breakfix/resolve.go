package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"breakfix/internal/source"
	"breakfix/internal/store"
)

// resolve puts into out what play would really use: what an existing run says
// where no flag says otherwise, the drawn defaults, and where things lie. The
// note says what is not known before the run starts.
func (c *playCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if _, err := c.check(); err != nil {
		return "", err
	}
	if err := c.checkPlayers(); err != nil {
		return "", err
	}
	if c.RunDir == "" {
		next, err := store.NextName("runs", targetName(c.Sources[0]))
		if err != nil {
			return "", err
		}
		note = "# run: the next free folder, now " + next + "\n"
	} else if !vacant(c.RunDir) {
		s, err := store.Open(c.RunDir)
		if err != nil {
			return "", err
		}
		defer s.Close()
		if _, err := c.takeOver(s, a); err != nil {
			return "", err
		}
		note = "# goes on with " + c.RunDir + "\n"
	}
	if c.Seed == nil {
		note += "# seed: drawn when the run starts\n"
		delete(out, "seed")
	} else {
		out["seed"] = *c.Seed
	}
	if out["cache"], err = source.CacheDir(a.Cache); err != nil {
		return "", err
	}
	for key, v := range map[string]any{
		sourcesKey: c.Sources, "at": c.At, "only": c.Only, "exclude": c.Exclude, "tests": c.Tests, "python": c.Python, "env": c.Env,
		"test-seconds": c.TestSeconds, "deadline-floor": c.DeadlineFloor, "deadline-factor": c.DeadlineFactor, "policy": c.Policy, "from": c.From, "learn": c.Learn, "judge": c.Judge, "async": c.Async, "warm": c.Warm, "breaker": c.Breaker, "fixer": c.Fixer, "reward": c.Reward, "order": c.Order,
		"group": c.Group, "steps": c.Steps, "rollouts": c.Rollouts, "engine": c.Engine, "model": c.Model, "tokenizer": c.Tokenizer, "protocol": c.Protocol, "context": c.Context, "answer": c.Answer, "moves": c.Moves, "batch": c.Batch, "rate": c.Rate, "workers": c.workers(), "no-cache": c.NoCache, "disk": c.Disk, "run": c.RunDir,
	} {
		out[key] = v
	}
	if out["episodes"] = c.Episodes; c.Episodes == 0 { // no limit
		delete(out, "episodes")
	}
	if out["minutes"] = c.Minutes; c.Minutes == 0 {
		delete(out, "minutes")
	}
	return note, nil
}

var size = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) *([KMGT]?)(I?)B?$`)

// parseSize reads "20GB", "500 MB", "1GiB" or a number of bytes.
func parseSize(s string) (int64, error) {
	m := size.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(s)))
	if m == nil || m[2] == "" && m[3] != "" {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	step := 1000.0
	if m[3] != "" {
		step = 1024
	}
	n *= math.Pow(step, float64(strings.Index(" KMGT", m[2])))
	if n < 1 || n > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is no size that a folder can have", s)
	}
	return int64(n), nil
}
