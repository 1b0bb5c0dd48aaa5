package export

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"breakfix/internal/sandbox"
)

// checkHarbor runs tests/test.sh as Harbor does, before and after
// solution/solve.sh, and reads the reward.
func checkHarbor(ctx context.Context, dir string, c *checker) error {
	tasks, err := tasksOf(dir)
	if err != nil {
		return err
	}
	for _, task := range tasks {
		if err := c.harbor(ctx, task); err != nil {
			return err
		}
	}
	return nil
}

// harborDetails is what judge.py says beside the reward.
type harborDetails struct {
	StillRed []string `json:"still_red"`
	WentRed  []string `json:"went_red"`
}

func (c *checker) harbor(ctx context.Context, task string) error {
	id := filepath.Base(task)
	var config harborTask
	var o Origin
	var plan harborTests
	_, err := toml.DecodeFile(filepath.Join(task, "task.toml"), &config)
	if err == nil {
		text, _ := config.Metadata["breakfix"].(string)
		err = json.Unmarshal([]byte(text), &o)
	}
	if err == nil {
		var text []byte
		if text, err = os.ReadFile(filepath.Join(task, "tests", "tests.json")); err == nil {
			err = json.Unmarshal(text, &plan)
		}
	}
	if err != nil {
		c.note(id, unreadable(err), 0, 0)
		return nil
	}
	s, err := c.state(ctx, o, filepath.Join(task, "environment"))
	if ours(err) {
		return err
	}
	if err != nil {
		c.note(id, unreadable(err), len(plan.FailToPass), len(plan.PassToPass))
		return nil
	}
	env, err := c.env(ctx, o, s)
	if err != nil {
		return err
	}
	c.Progress("tests", id)
	abs, err := filepath.Abs(task)
	if err != nil {
		return err
	}
	reason := ""
	for _, solved := range []bool{false, true} {
		reward, details, out, err := verify(func(binds []sandbox.Bind) (string, error) {
			script := commit
			if solved {
				script += "bash /solution/solve.sh\n"
			}
			return c.run(ctx, env, s.Tree, script+"bash /tests/test.sh 2>&1", nil, append(binds,
				sandbox.Bind{Host: filepath.Join(abs, "tests"), Inside: "/tests"}, sandbox.Bind{Host: filepath.Join(abs, "solution"), Inside: "/solution"})...)
		})
		switch {
		case err != nil:
			return err
		case details == nil:
			reason = "no reward was written: " + last(out, 4)
		case solved && reward != 1:
			reason = fmt.Sprintf("the reward is %g after the repair: still red %v, went red %v", reward, details.StillRed, details.WentRed)
		case !solved && (reward != 0 || !has(details.StillRed, plan.FailToPass)):
			reason = fmt.Sprintf("the reward is %g before the repair, with %d of %d tests red", reward, len(details.StillRed), len(plan.FailToPass))
		case !solved && len(details.WentRed) > 0:
			reason = details.WentRed[0] + " does not pass before the repair"
		}
		if reason != "" {
			break
		}
	}
	c.note(id, reason, len(plan.FailToPass), len(plan.PassToPass))
	return nil
}

// verify runs a verifier with a folder for what it writes, and reads that.
func verify(run func([]sandbox.Bind) (string, error)) (reward float64, d *harborDetails, out string, err error) {
	logs, err := os.MkdirTemp("", "breakfix-verifier-")
	if err != nil {
		return 0, nil, "", err
	}
	defer os.RemoveAll(logs)
	if out, err = run([]sandbox.Bind{{Host: logs, Inside: "/logs/verifier", Writable: true}}); err != nil {
		return 0, nil, out, err
	}
	var said struct{ Reward *float64 }
	text, err := os.ReadFile(filepath.Join(logs, "reward.json"))
	if err != nil || json.Unmarshal(text, &said) != nil || said.Reward == nil {
		return 0, nil, out, nil
	}
	details := &harborDetails{}
	if text, err = os.ReadFile(filepath.Join(logs, "details.json")); err != nil || json.Unmarshal(text, details) != nil {
		return 0, nil, out, nil
	}
	return *said.Reward, details, out, nil
}
