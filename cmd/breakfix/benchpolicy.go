package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"breakfix/internal/bench"
	"breakfix/internal/policy"
	"breakfix/internal/policy/builtin"
	"breakfix/internal/repair"
	"breakfix/internal/report"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
)

// benchPolicyCmd measures the fixer's ranking: what each way solves, and how fast it is.
type benchPolicyCmd struct {
	Sources  []string `json:"sources" arg:"" optional:"" name:"source" help:"Code that the baselines are taught on, as train takes it; nothing of it is run. Default: ${default_target}."`
	Set      string   `json:"set" required:"" type:"path" placeholder:"FILE" help:"JSON lines of functions with a bug and a test, as HumanEvalPack has them: task_id, declaration, buggy_solution, canonical_solution, test, entry_point."`
	From     []string `json:"from" help:"Weights to measure, as fix takes them; once each time the flag is given. Default: those that come with breakfix." placeholder:"FILE|RUN" sep:"none"`
	Drill    string   `json:"drill" type:"path" placeholder:"FILE" help:"Failures that the baselines are taught on as well: a file that train --drill made."`
	Examples int      `json:"examples" default:"1500" placeholder:"N" help:"Examples that the baselines are taught on. Default ${default}. 0: no baseline that is taught."`
	Ways     []string `json:"ways" placeholder:"WAY" help:"What is measured, of uniform, hand, counts, linear, network, puct (the network, with tree search), sightless (what values expressions have left out), silent (what the red test says left out), blind (what the steps show left out). Default: all."`
	Steps    int      `json:"steps" default:"64" placeholder:"N" help:"Steps of each attempt. Default ${default}."`
	Rollouts int      `json:"rollouts" default:"1" placeholder:"N" help:"Roll-outs of --steps steps each; what 1, 2, 4 … N of them solve is shown. Default ${default}."`
	Reach    bool     `json:"reach" help:"Also say of each bug that was not solved whether its known fix is one move of the grammar, two or more, and where it stands in the order."`
	Seed     uint64   `json:"seed" default:"1" placeholder:"N" help:"Seed of all randomness. Default ${default}."`
	Workers  int      `json:"workers" placeholder:"N" help:"Attempts at the same time. Default: the cores."`
	NoCache  bool     `json:"no-cache" name:"no-cache" help:"Neither read nor keep verdicts of earlier runs."`
}

// Help is the second part of the help text.
func (benchPolicyCmd) Help() string {
	return `Every way of ranking attempts every bug once, its likeliest edit first; a bug counts as solved when its test passes.
Shares are of all bugs, with Wilson's 95 % interval. Speeds are of this process's own processor time on one thread, so other load
moves them little.

Examples:

    breakfix bench policy --set humanevalfix.jsonl
    breakfix bench policy --set humanevalfix.jsonl --from weights.safetensors --ways network --rollouts 8 --json
`
}

// ways that can be measured, in the table's order.
var rankings = []string{"uniform", "hand", "counts", "linear", "network", "puct", "sightless", "silent", "blind"}

func (c *benchPolicyCmd) refuse() error {
	if err := kernelHere(); err != nil {
		return err
	}
	if len(c.Sources) == 0 {
		c.Sources = []string{defaultTarget}
	}
	if len(c.From) == 0 {
		c.From = []string{""}
	}
	if len(c.Ways) == 0 {
		c.Ways = rankings
	}
	if err := within([]bound{least("examples", c.Examples, 0), least("steps", c.Steps, 1), least("rollouts", c.Rollouts, 1), least("workers", c.Workers, 0)}); err != nil {
		return err
	}
	for _, w := range c.Ways {
		if !slices.Contains(rankings, w) {
			return usagef("choose of "+strings.Join(rankings, ", "), "--ways %s is no way of ranking", w)
		}
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	for _, from := range c.From {
		if from == fromHand || from == fromScratch {
			return usagef("leave --from out: the ways uniform and hand are these", "--from %s holds no network to measure", from)
		}
		if _, err := player("from", "builtin", from); err != nil {
			return err
		}
	}
	return nil
}

// resolve is the configuration as it would be used.
func (c *benchPolicyCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"], out["from"], out["ways"] = c.Sources, c.Workers, c.From, c.Ways
	out["cache"], err = source.CacheDir(a.Cache)
	return "", err
}

// Run measures and prints.
func (c *benchPolicyCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	fs, err := functions(c.Set, func(f bench.Function) bool { return f.Test != "" && f.Entry != "" }, "declaration, buggy_solution, test and entry_point")
	if err != nil {
		return err
	}
	watch := newWatcher(a)
	defer watch.Close()
	players, base, err := c.players(a, watch)
	if err != nil {
		return err
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "breakfix-set-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := bench.LayOut(dir, fs); err != nil {
		return err
	}
	o := source.Options{Cache: a.Cache}
	snap, err := source.Open(a.drain, dir, o)
	if err != nil {
		return err
	}
	work, err := testrun.Prepare(a.drain, testrun.Config{Box: box, Snapshot: snap, Options: o, NoCache: c.NoCache, Progress: watch.Stage, Red: true, LazyFindings: true,
		Uncalibrated: true, Deadline: setDeadline, Deadlines: testrun.Deadlines{Floor: stepDeadline}})
	if err != nil {
		return err
	}
	defer work.Close()
	reds, err := repair.Reds(a.drain, work, stepDeadline, bench.Module)
	if err != nil {
		return err
	}
	set := bench.OpenFunctions(work, reds, fs)
	if len(set.Bugs) == 0 {
		return &source.TargetError{Reason: "no test of the set is red", Next: "name a set whose buggy_solution fails its test"}
	}
	out := bench.Policy{Breakfix: version, Set: filepath.Base(c.Set), Functions: len(fs), Bugs: len(set.Bugs), Steps: c.Steps, Seed: c.Seed, Machine: bench.Machine{Cores: runtime.NumCPU(), Kernel: kernel(), Python: work.Env.Recipe.Version}}
	for _, p := range players {
		watch.Stage("attempts", p.name)
		w, err := bench.Measure(a.drain, set, p.name, string(p.fixer.Version()), p.fixer, c.Steps, p.rollouts, c.Seed, c.Workers)
		if err != nil {
			return err
		}
		out.Ways = append(out.Ways, w)
	}
	if err := c.speeds(&out, set, base); err != nil {
		return err
	}
	watch.Close()
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(out)
	}
	return report.PolicyText(a.stdout, out, a.textOptions())
}

// What a test has on the broken function, and at least in a step.
const (
	setDeadline  = 4 * time.Second
	stepDeadline = time.Second
)

// ranking is one way with its player.
type ranking struct {
	name     string
	fixer    policy.Policy
	rollouts int
}

// players are the ways that are asked for; base are the taught baselines, nil
// where none is wanted.
func (c *benchPolicyCmd) players(a *app, watch closingWatcher) (out []ranking, base *builtin.Baselines, err error) {
	if c.Examples > 0 {
		if base, err = c.teach(a, watch); err != nil {
			return nil, nil, err
		}
	}
	for _, way := range c.Ways {
		switch way {
		case "uniform":
			out = append(out, ranking{way, builtin.Uniform(c.Seed), 1})
		case "hand":
			out = append(out, ranking{way, builtin.New(), 1})
		case "counts", "linear":
			if base == nil {
				continue
			}
			w := base.Counts
			if way == "linear" {
				w = base.Linear
			}
			out = append(out, ranking{way, builtin.With(w), 1})
		default:
			for _, from := range c.From {
				p, err := player("from", "builtin", from)
				if err != nil {
					return nil, nil, err
				}
				b, ok := p.(*builtin.Policy)
				if !ok {
					continue
				}
				r := ranking{way, b, 1}
				switch way {
				case "network":
					r.rollouts = c.Rollouts
				case "puct":
					r.rollouts, b.Tree = c.Rollouts, true
				case "sightless":
					b.Sightless = true
				case "silent":
					b.Silent = true
				case "blind":
					b.Blind = true
				}
				out = append(out, r)
			}
		}
	}
	for _, r := range out {
		if b, ok := r.fixer.(*builtin.Policy); ok && r.name != "uniform" {
			b.Temperature = 0
		}
	}
	return out, base, nil
}

// teach teaches the baselines.
func (c *benchPolicyCmd) teach(a *app, watch closingWatcher) (*builtin.Baselines, error) {
	t := trainCmd{Sources: c.Sources, Drill: c.Drill}
	course := builtin.Course{Seed: c.Seed, Examples: c.Examples, Card: map[string]string{}}
	for _, s := range c.Sources {
		watch.Stage("source", source.Shown(s))
		snap, paths, err := a.read(s, nil)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			src, err := snap.Tree.Read(p)
			if err != nil {
				return nil, err
			}
			course.Texts = append(course.Texts, policy.Text{Path: p, Source: src})
		}
	}
	if c.Drill != "" {
		if _, err := os.Stat(c.Drill); err != nil {
			return nil, usagef("name a file that train --drill made", "cannot read the failures: %v", err)
		}
		d, err := t.openDrill()
		if err != nil {
			return nil, err
		}
		if err := d.teach(&course); err != nil {
			return nil, err
		}
	}
	watch.Stage("baselines", fmt.Sprintf("%d examples", c.Examples))
	return builtin.TeachBaselines(a.drain, course)
}

// speeds measures how fast the first weights rank the bugs of the set.
func (c *benchPolicyCmd) speeds(out *bench.Policy, set *bench.Functions, base *builtin.Baselines) error {
	const most = 12 // bugs
	var views []builtin.View
	for i := range set.Bugs[:min(most, len(set.Bugs))] {
		v, err := set.Bugs[i].View()
		if err != nil {
			return err
		}
		views = append(views, v)
	}
	p, err := player("from", "builtin", c.From[0])
	if err != nil {
		return err
	}
	w := p.(*builtin.Policy).Weights()
	if c.Reach {
		if out.Reach, err = set.Reach(w, out.Unsolved()); err != nil {
			return err
		}
	}
	if out.Ranking, err = w.Rates(views); err != nil {
		return err
	}
	if base != nil {
		out.Training, out.Examples = base.Train, base.Examples
	}
	return nil
}
