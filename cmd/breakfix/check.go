package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"breakfix/internal/check"
	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
	"breakfix/internal/report"
	"breakfix/internal/sandbox"
	"breakfix/internal/selfplay"
	"breakfix/internal/source"
	"breakfix/internal/tree"
	"breakfix/internal/witness"
)

// checkCmd is the mutation tester.
type checkCmd struct {
	Source string `json:"source" arg:"" optional:"" name:"source" help:"Folder, git URL or pypi:NAME==VERSION."`

	sourceFlags `group:"source"`
	choiceFlags `group:"choice"`
	handFlags   `group:"hand"`
}

// choiceFlags say which mutations are judged, and for how long.
type choiceFlags struct {
	InDiff    string   `name:"in-diff" help:"Only mutations on lines that changed since REV, a commit, branch or tag of a git source." placeholder:"REV"`
	Operators []string `help:"Only mutations of these operators." placeholder:"NAME"`
	Sample    int      `short:"n" help:"Judge only N mutations, drawn with the seed." placeholder:"N"`
	MinScore  float64  `name:"min-score" help:"Exit with 4 when the mutation score is under PCT percent." placeholder:"PCT"`
	Confirm   bool     `help:"Judge what is missed again, by the whole suite in fresh processes."`
	Witness   bool     `help:"Look for a test that notices what is missed, and show it: some seconds for each."`
	Witnesses string   `help:"Write the tests that --witness finds into this folder, new or empty." type:"path" placeholder:"DIR"`
	Minutes   float64  `help:"Minutes of judging. Default: no limit." placeholder:"M"`
	Seed      *uint64  `help:"Seed of the sample and of the order. Default: drawn and shown." placeholder:"N"`
	Workers   int      `help:"Mutations judged at the same time. Default: the cores." placeholder:"N"`
	NoCache   bool     `name:"no-cache" help:"Neither read nor keep verdicts of earlier checks."`
}

// Help is the second part of check's help text.
func (checkCmd) Help() string {
	return `Examples:

    breakfix check .                            this folder; only --apply ever writes to it
    breakfix check --only src/pkg/core.py .
    breakfix check --in-diff main .             lines changed since this branch left main
    breakfix check -n 200 --minutes 10 .        a sample, and not for long
    breakfix check --min-score 80 --json .      for a pipeline
    breakfix check --witnesses tests/found .    and tests that notice what is missed
    breakfix check --apply 3f2a90c1abcd .       put one into the folder; --revert takes it out

A mutation that may be missed is accepted with a line "ID  reason" in ` + check.AcceptedFile + `, beside the code.
`
}

// refuse refuses what cannot be meant.
func (c *checkCmd) refuse() error {
	if c.Source == "" {
		return usagef("breakfix check . checks this folder; see breakfix check --help", "no source was named")
	}
	for _, f := range []struct {
		name            string
		value           float64
		lowest, highest float64
	}{{"sample", float64(c.Sample), 0, 0}, {"minutes", c.Minutes, 0, 0}, {"workers", float64(c.Workers), 0, 0},
		{"test-seconds", c.TestSeconds, 0.1, 0}, {"deadline-floor", c.DeadlineFloor, 0.1, 0}, {"deadline-factor", c.DeadlineFactor, 1, 0}, {"min-score", c.MinScore, 0, 100}} {
		if f.value < f.lowest {
			return usagef("", "--%s must be at least %v, not %v", f.name, f.lowest, f.value)
		}
		if f.highest > 0 && f.value > f.highest {
			return usagef("", "--%s must be at most %v, not %v", f.name, f.highest, f.value)
		}
	}
	for _, name := range c.Operators {
		if _, err := mutate.Lookup(name); err != nil {
			return usagef("", "--operators: %v", err)
		}
	}
	if c.Witnesses != "" {
		c.Witness = true
		if list, err := os.ReadDir(c.Witnesses); err == nil && len(list) > 0 {
			return usagef("name another folder, or empty it", "--witnesses %s: it is not empty", c.Witnesses)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return usagef("name a folder that can be made", "--witnesses %s: %v", c.Witnesses, err)
		}
	}
	return c.refuseHand()
}

// resolve is the configuration as check would use it.
func (c *checkCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"] = []string{c.Source}, c.workers()
	if c.Seed == nil {
		note = "# seed: drawn when the check starts\n"
	} else {
		out["seed"] = *c.Seed
	}
	for key, given := range map[string]bool{"minutes": c.Minutes > 0, "sample": c.Sample > 0, "min-score": c.MinScore > 0, "revert": c.Revert} {
		if !given {
			delete(out, key)
		}
	}
	out["cache"], err = source.CacheDir(a.Cache)
	return note, err
}

func (c *checkCmd) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.NumCPU()
}

// Run judges, and prints what was missed and the score.
func (c *checkCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	if c.Apply != "" || c.Revert {
		return c.byHand(a)
	}
	again := c.again(a)
	if c.Seed == nil {
		seed := drawSeed()
		c.Seed = &seed
		again += fmt.Sprintf(" --seed %d", seed)
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	s, err := c.judge(a, box)
	if a.ctx.Err() != nil {
		return c.stopped(again)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		err = json.NewEncoder(a.stdout).Encode(s)
	} else {
		err = c.print(a, s, again)
	}
	switch {
	case err != nil:
		return err
	case s.Ended == check.Interrupted:
		return c.stopped(again)
	}
	return c.answer(a, s)
}

// judge prepares the target and judges what was chosen.
func (c *checkCmd) judge(a *app, box sandbox.Sandbox) (check.Summary, error) {
	watch := newWatcher(a)
	defer watch.Close()
	began := time.Now()
	o := c.options(a, *c.Seed)
	watch.Stage("source", source.Shown(c.Source))
	var then *tree.Tree
	if c.InDiff != "" {
		var err error
		if then, err = source.Since(a.drain, c.Source, c.InDiff, o); err != nil {
			return check.Summary{}, err
		}
	}
	snap, err := source.Open(a.drain, c.Source, o)
	if err != nil {
		return check.Summary{}, err
	}
	chosen, err := c.choose(snap, then, o)
	if err != nil {
		return check.Summary{}, err
	}
	setup := selfplay.Setup{Box: box, Options: o, NoCache: c.NoCache, Progress: watch.Stage, Deadline: time.Duration(c.TestSeconds * float64(time.Second)), Deadlines: c.deadlines()}
	board, err := setup.Prepare(a.drain, snap)
	if err != nil {
		return check.Summary{}, err
	}
	for _, line := range append(caveats(board.Work.Base), chosen.caveats()...) {
		watch.Notice(line)
	}
	prepared := time.Since(began)
	var finder check.Witness
	if c.Witness {
		finder = witness.New(board.Work, snap.Tree, python.Python, witness.Options{})
	}
	results, ending, err := check.Run(a.ctx, a.drain, check.Config{
		Suite: board.Work, Tree: snap.Tree, Base: board.Work.Base.Results, Mutations: chosen.judge,
		Workers: c.workers(), Limit: time.Duration(c.Minutes * float64(time.Minute)), Confirm: c.Confirm, Witness: finder,
		Progress: func(p check.Progress) { watch.Status(checked(p)) },
	})
	if err != nil {
		return check.Summary{}, err
	}
	s := check.Summarise(results, time.Since(began)-prepared)
	s.Source, s.Snapshot, s.Environment, s.Seed, s.Ended = snap.Source, string(snap.Digest), string(board.Work.Env.Digest), *c.Seed, ending
	s.Seconds["prepare"], s.Seconds["total"] = prepared.Seconds(), time.Since(began).Seconds()
	s.Mutations, s.Chosen = chosen.pool, len(chosen.judge)
	s.Ignore(chosen.ignored, chosen.reasons)
	s.UnknownAccepted = chosen.unknown
	return s, c.write(s)
}

// write writes the tests that were found, each with the mutations that it notices.
func (c *checkCmd) write(s check.Summary) error {
	if c.Witnesses == "" {
		return nil
	}
	if err := os.MkdirAll(c.Witnesses, 0o755); err != nil {
		return fmt.Errorf("make the folder of --witnesses: %w", err)
	}
	texts := map[string]string{}
	for _, m := range s.MissedList { // one test may notice several
		if w := m.Witness; w != nil {
			name := filepath.Base(w.Path)
			texts[name] = fmt.Sprintf("# Notices mutation %s: %s (%s) at %s:%d.\n%s", m.ID, m.Operator, oneLine(m.Variant), m.Path, m.Line, cmp.Or(texts[name], w.Code))
		}
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(c.Witnesses, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write what --witnesses asks for: %w", err)
		}
	}
	return nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// print writes the report and what to type next.
func (c *checkCmd) print(a *app, s check.Summary, again string) error {
	if err := report.CheckText(a.stdout, s, a.textOptions()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "\nended: %s\nagain  %s\nnext   %s\n", s.Ended, again, c.next(s))
	return err
}

// next is what to do after a check.
func (c *checkCmd) next(s check.Summary) string {
	from := quoted(source.Shown(c.Source))
	switch {
	case len(s.MissedList) > 0:
		m := s.MissedList[0]
		line := "write a test that notices " + m.ID
		if info, err := os.Stat(c.Source); err == nil && info.IsDir() {
			line += fmt.Sprintf(", or accept it: echo '%s REASON' >> %s", m.ID, quoted(filepath.Join(c.Source, check.AcceptedFile)))
		} else {
			from = "FOLDER" // what is fetched cannot be written to
			line += " in a folder that holds the code"
		}
		return line + "; then\n       breakfix check --only " + quoted(m.Path) + " " + from
	case s.Ended != check.Done || s.Chosen < s.Mutations-s.Ignored:
		return "breakfix check " + from
	}
	return "breakfix play " + from
}

// answer is "no" when the score is under the one that was asked for.
func (c *checkCmd) answer(a *app, s check.Summary) error {
	switch {
	case c.MinScore <= 0:
		return nil
	case s.Score == nil:
		fmt.Fprintf(a.stderr, "breakfix: there is no score to compare with --min-score %v: no test could notice any mutation\n", c.MinScore)
		return errNo
	case 100**s.Score < c.MinScore:
		fmt.Fprintf(a.stderr, "breakfix: the score of %s is under --min-score %v\n", report.Score(*s.Score), c.MinScore)
		return errNo
	}
	return nil
}

// stopped tells what is kept of a check that was interrupted.
func (c *checkCmd) stopped(again string) error {
	if c.NoCache {
		return &stopped{"with --no-cache nothing of it is kept. To start anew", again}
	}
	return &stopped{"every verdict is in the cache, so the same check goes on from there. To go on", again}
}

// again is the command line that was typed.
func (c *checkCmd) again(a *app) string {
	line := "breakfix"
	for _, arg := range a.parsed.Args {
		line += " " + quoted(source.Shown(arg))
	}
	return line
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted is a word as a shell takes it.
func quoted(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// checked is the status of a check.
type checked check.Progress

func (p checked) lines(later time.Duration, width int) []string {
	if p.Left > 0 {
		p.Left = max(0, p.Left-later)
	}
	first := headLine("mutation", p.Done, p.Of, p.Elapsed+later, p.Left, width)
	c := p.Counts
	outcomes := fmt.Sprintf("%d caught, %d missed", c.Caught, c.Missed)
	for _, more := range []struct {
		n    int
		what string
	}{{c.TimedOut, "timed out"}, {c.NotCovered, "not covered"}, {c.DoesNotLoad, "does not load"}, {c.SetAside, "set aside"}, {p.Faults, "not judged"}} {
		if more.n > 0 {
			outcomes += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	if s := c.Score(); s != nil {
		outcomes += ", score " + report.Score(*s)
	}
	return []string{first, outcomes}
}

func (p checked) last() bool { return p.Done == p.Of }
