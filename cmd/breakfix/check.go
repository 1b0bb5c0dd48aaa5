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
	"slices"
	"strings"
	"time"

	"breakfix/internal/check"
	"breakfix/internal/mutate"
	"breakfix/internal/report"
	"breakfix/internal/source"
)

// checkCmd is the mutation tester.
type checkCmd struct {
	Sources []string `json:"sources" arg:"" optional:"" name:"source" help:"Folder, git URL or pypi:NAME==VERSION; or the results folder of an earlier check, which is shown. With --merge several of these."`

	sourceFlags `group:"source"`
	choiceFlags `group:"choice"`
	resultFlags `group:"results"`
	handFlags   `group:"hand"`

	Source string `kong:"-"` // the one of Sources, once refuse was asked
}

// choiceFlags say which mutations are judged, and for how long.
type choiceFlags struct {
	InDiff    string   `name:"in-diff" help:"Only mutations on lines that changed since REV, a commit, branch or tag of a git source." placeholder:"REV"`
	Operators []string `help:"Only mutations of these operators." placeholder:"NAME"`
	Sample    int      `short:"n" help:"Judge only N mutations, drawn with the seed." placeholder:"N"`
	Shard     string   `help:"Judge only part k of n; the parts are fixed by the mutations' ids. --merge joins their results." placeholder:"k/n"`
	FailUnder float64  `name:"fail-under" help:"Exit with 4 when the mutation score is under PCT percent." placeholder:"PCT"`
	MinScore  float64  `name:"min-score" help:"The same as --fail-under." placeholder:"PCT"`
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
    breakfix check --fail-under 80 --json .     for a pipeline
    breakfix check --witnesses tests/found .    and tests that notice what is missed
    breakfix check -o out .                     with a results folder: reports, diffs, logs
    breakfix check -o out --resume .            goes on in it, or judges again what was missed or changed
    breakfix check --html page.html out         a page of what it holds, also while it is written to
    breakfix check --browse out                 look through it in the terminal
    breakfix check --shard 1/4 -o part-1 .      a quarter of it; then, of all four:
    breakfix check --merge part-* -o whole
    breakfix check --apply 3f2a90c1abcd .       put one into the folder; --revert takes it out

A mutation that may be missed is accepted with a line "ID  reason" in ` + check.AcceptedFile + `, beside the code.
`
}

// refuse refuses what cannot be meant.
func (c *checkCmd) refuse() error {
	switch {
	case len(c.Sources) == 0 && c.Merge:
		return usagef("breakfix check --merge part-* joins the results folders of all shards", "--merge: no results folder was named")
	case len(c.Sources) == 0:
		return usagef("breakfix check . checks this folder; see breakfix check --help", "no source was named")
	case len(c.Sources) > 1 && !c.Merge:
		return usagef("check one at a time; --merge joins results folders", "%d sources were named", len(c.Sources))
	}
	c.Source = c.Sources[0]
	if err := within(append(c.bounds(), least("sample", c.Sample, 0), least("minutes", c.Minutes, 0), least("workers", c.Workers, 0), bound{"min-score", c.MinScore, 0, 100}, bound{"fail-under", c.FailUnder, 0, 100})); err != nil {
		return err
	}
	for _, name := range c.Operators {
		if _, err := mutate.Lookup(name); err != nil {
			return usagef("", "--operators: %v", err)
		}
	}
	if _, err := c.shard(); err != nil {
		return usagef("", "--shard: %v", err)
	}
	if err := c.refuseResults(); err != nil {
		return err
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

func (c *checkCmd) shard() (check.Shard, error) {
	if c.Shard == "" {
		return check.Shard{}, nil
	}
	return check.ParseShard(c.Shard)
}

// resolve is the configuration as check would use it.
func (c *checkCmd) resolve(a *app, out map[string]any) (note string, err error) {
	if err := c.refuse(); err != nil {
		return "", err
	}
	out[sourcesKey], out["workers"] = c.Sources, c.workers()
	if c.Seed == nil {
		note = "# seed: drawn when the check starts\n"
	} else {
		out["seed"] = *c.Seed
	}
	for key, given := range map[string]bool{"minutes": c.Minutes > 0, "sample": c.Sample > 0, "min-score": c.MinScore > 0, "fail-under": c.FailUnder > 0,
		"revert": c.Revert, "resume": c.Resume, "merge": c.Merge, "browse": c.Browse} {
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

// Run judges, and prints what was missed and the score; of a results folder it
// prints what is in it.
func (c *checkCmd) Run(a *app) error {
	if err := c.refuse(); err != nil {
		return err
	}
	switch {
	case c.Apply != "" || c.Revert:
		return c.byHand(a)
	case c.Merge:
		return c.merge(a)
	case check.HoldsCheck(c.Source):
		return c.lookAt(a)
	}
	again := typed(a)
	folder, earlier, err := c.takeFolder()
	if err != nil {
		return err
	}
	if folder != nil {
		defer folder.Close()
		if !c.Resume {
			again += " --resume"
		}
	}
	switch {
	case c.Seed != nil:
	case earlier != nil:
		c.Seed = &earlier.Plan.Seed
	default:
		seed := drawSeed()
		c.Seed = &seed
	}
	if !slices.ContainsFunc(a.parsed.Args, func(arg string) bool { return arg == "--seed" || strings.HasPrefix(arg, "--seed=") }) {
		again += fmt.Sprintf(" --seed %d", *c.Seed)
	}
	box, err := a.openSandbox()
	if err != nil {
		return err
	}
	done, err := c.judge(a, box, folder, earlier)
	if a.ctx.Err() != nil {
		return c.stopped(again)
	}
	if err != nil {
		return err
	}
	defer done.board.Work.Close()
	s, err := c.deliver(a, done.record, folder, done.kept)
	if err != nil {
		return err
	}
	if err := c.write(s); err != nil {
		return err
	}
	if err := c.tell(a, s, again); err != nil {
		return err
	}
	if s.Ended == check.Interrupted {
		return c.stopped(again)
	}
	if c.Browse {
		if err := c.browse(a, done.record, c.Output, done.again); err != nil {
			return err
		}
	}
	return c.answer(a, s)
}

// tell prints the report, as JSON or for people.
func (c *checkCmd) tell(a *app, s check.Summary, again string) error {
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(s)
	}
	return c.print(a, s, again)
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
	fmt.Fprintf(a.stdout, "\nended: %s\n", s.Ended)
	if s.Folder != "" {
		fmt.Fprintf(a.stdout, "in     %s\n", report.Visible(s.Folder))
	}
	_, err := fmt.Fprintf(a.stdout, "again  %s\nnext   %s\n", again, c.next(s))
	return err
}

// next is what to do after a check.
func (c *checkCmd) next(s check.Summary) string {
	named, folder := c.Source, c.Output
	if check.HoldsCheck(named) {
		named, folder = s.Source, named
	}
	from := quoted(source.Shown(named))
	switch {
	case len(s.MissedList) > 0:
		m := s.MissedList[0]
		line := "write a test that notices " + m.ID
		info, err := os.Stat(named)
		switch {
		case err != nil || !info.IsDir(): // what is fetched cannot be written to
			return line + " in a folder that holds the code; then\n       breakfix check --only " + quoted(m.Path) + " FOLDER"
		case folder == "" || c.Merge:
			folder = "--only " + quoted(m.Path)
		default:
			folder = "-o " + quoted(shorten(folder)) + " --resume"
		}
		line += fmt.Sprintf(", or accept it: echo '%s REASON' >> %s", m.ID, quoted(filepath.Join(named, check.AcceptedFile)))
		return line + "; then\n       breakfix check " + folder + " " + from
	case s.Ended != check.Done || s.Chosen < s.Mutations-s.Ignored:
		return "breakfix check " + from
	}
	return "breakfix play " + from
}

// answer is "no" when the score is under the one that was asked for.
func (c *checkCmd) answer(a *app, s check.Summary) error {
	flag, least := "--fail-under", c.FailUnder
	if c.MinScore > least {
		flag, least = "--min-score", c.MinScore
	}
	switch {
	case least <= 0:
		return nil
	case s.Score == nil:
		fmt.Fprintf(a.stderr, "breakfix: there is no score to compare with %s %v: no test could notice any mutation\n", flag, least)
		return errNo
	case 100**s.Score < least:
		fmt.Fprintf(a.stderr, "breakfix: the score of %s is under %s %v\n", report.Score(*s.Score), flag, least)
		return errNo
	}
	return nil
}

// stopped tells what is kept of a check that was interrupted.
func (c *checkCmd) stopped(again string) error {
	if c.Output != "" {
		return &stopped{"every result is in " + c.Output + ". To go on", again}
	}
	if c.NoCache {
		return &stopped{"with --no-cache nothing of it is kept. To start anew", again}
	}
	return &stopped{"every verdict is in the cache, so the same check goes on from there. To go on", again}
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
