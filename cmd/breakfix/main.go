// Command breakfix turns a repository with tests into a training ground for
// code repair: it breaks real code so that a test goes red, repairs it seeing
// only the red test, and rewards both roles. See docs/cli.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"breakfix/internal/engine/enginetest"
	"breakfix/internal/eval"
	"breakfix/internal/export"
)

// version of the program, set by the linker in releases.
var version = "0.1.0-dev"

// cli is every command and flag: the one typed structure that flags,
// BREAKFIX_* variables and the YAML file fill.
type cli struct {
	globals `group:"common"`

	Version kong.VersionFlag `help:"Print the version and stop." env:"-" group:"common"`

	Play   playCmd    `cmd:"" help:"Play against itself on SOURCE…: break, validate, fix, grade, reward, harder."`
	Bugs   bugsCmd    `cmd:"" help:"Make N validated bugs of SOURCE…, as a set with its card; no repair, no learning."`
	Check  checkCmd   `cmd:"" help:"Mutation testing of SOURCE: what its tests notice, and what they miss."`
	Fix    fixCmd     `cmd:"" help:"Repair a working tree whose tests are red: find the place, search, print a diff."`
	Show   showCmd    `cmd:"" help:"Show what happened in a run."`
	Replay replayCmd  `cmd:"" help:"Recompute every reward of a run from what was recorded; any difference is an error."`
	Verify verifyCmd  `cmd:"" help:"Validate bugs or whole sets again, from their folders alone."`
	Grade  gradeCmd   `cmd:"" help:"Judge a repair of a bug, with every gate."`
	Train  trainCmd   `cmd:"" help:"Teach the built-in policy to rank repairs, from code and from bugs, without playing."`
	Export exportCmd  `cmd:"" help:"Write bugs in the formats of others: SWE-bench, SWE-smith, Harbor, chat."`
	Ablate ablateCmd  `cmd:"" help:"Measure what each part of the game is worth: variants from nothing, judged on code that was held out."`
	Bench  benchCmd   `cmd:"" help:"Speeds as ratios, side by side in one run: bench exec."`
	Engine engineCmd  `cmd:"" help:"Servers that hold a language model: engine probe, engine sim."`
	Doctor doctorCmd  `cmd:"" help:"Show what works on this machine, and the command that brings what does not."`
	Tell   versionCmd `cmd:"" name:"version" help:"Print the version."`
}

// globals are the flags that mean the same for every command.
type globals struct {
	Config  string `help:"YAML file with the same keys as the flags." placeholder:"FILE" type:"path"`
	JSON    bool   `name:"json" help:"Print one JSON object (or one a line) on standard output."`
	Quiet   bool   `help:"Print nothing but results and errors."`
	Verbose bool   `short:"v" help:"Say more on standard error."`
	Plain   bool   `help:"No colour and no redrawing; the default where the output is no terminal."`
	DryRun  bool   `help:"Print the resolved configuration, in the form of the --config file, and stop."`
	Sandbox string `help:"How code under test is isolated: bubblewrap (default), or none, which gives no protection at all." enum:"bubblewrap,none" default:"bubblewrap" placeholder:"NAME"`
	Cache   string `help:"Folder for environments, tools and verdicts." placeholder:"DIR" type:"path"`
}

const description = `Turns any repository with tests into a training ground for code repair.

  breakfix play --episodes 20 path/to/repository
  breakfix show runs/repository-1 --episode 3
  breakfix check path/to/repository

Every flag can also be set as BREAKFIX_NAME (--no-cache is BREAKFIX_NO_CACHE) or as a key of the
--config file. A flag wins over a variable, a variable over the file.

Exit codes:
  0  done
  1  breakfix failed: it says what to report
  2  bad usage or bad input
  3  the target cannot be played: no tests, too many red ones, it does not install
  4  done, and the answer is "no": fix found no repair, verify or grade rejected, replay differs,
     bugs found fewer than -n, the score of check is under --fail-under,
     bench exec found a wrong verdict, engine probe found that training would be wrong
  5  interrupted; the run or set is whole, and the line to resume it is printed`

// later are commands of docs/cli.md that this version does not have.
var later = []string{"eval", "review", "serve", "worker"}

// laterFlags are flags of docs/cli.md that a command does not have yet.
var laterFlags = map[string][]string{}

// groups are the headings under which --help lists flags.
var groups = []kong.Group{
	{Key: "source", Title: "The source:"},
	{Key: "game", Title: "How it is played:"},
	{Key: "run", Title: "How long, and where:"},
	{Key: "make", Title: "What is made, and where:"},
	{Key: "list", Title: "What there is:"},
	{Key: "search", Title: "How a repair is looked for:"},
	{Key: "choice", Title: "Which mutations, how long:"},
	{Key: "results", Title: "Where results go, and looking at them:"},
	{Key: "hand", Title: "One mutation by hand:"},
	{Key: "engine", Title: "The server:"},
	{Key: "common", Title: "Flags of every command:"},
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(a *app) error {
	if a.JSON {
		return json.NewEncoder(a.stdout).Encode(map[string]string{"version": version})
	}
	_, err := fmt.Fprintln(a.stdout, "breakfix", version)
	return err
}

// app is what every command is handed.
type app struct {
	globals
	ctx    context.Context // cancelled by the second signal
	drain  context.Context // cancelled by the first: finish what is being graded
	stdout io.Writer
	stderr io.Writer
	model  *kong.Kong
	parsed *kong.Context
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("breakfix"),
		kong.Description(description),
		kong.DefaultEnvars("BREAKFIX"),
		kong.Vars{"default_target": defaultTarget, "formats": strings.Join(export.Names(), ", "), "game_formats": strings.Join(export.GameNames(), ", "), "version": "breakfix " + version, "variants": strings.Join(eval.Names(), ", "),
			"sim_quirks": strings.Join(quirkNames(), ", "), "sim_faults": strings.Join(enginetest.Kinds(), ", ")},
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code; panic(exitNow{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoAppDescFormat: true, FlagsLast: true}),
		kong.ValueFormatter(func(v *kong.Value) string { return v.Help }), // without the variable: all are named alike
		kong.ExplicitGroups(groups),
	)
	if err != nil {
		fmt.Fprintln(stderr, "breakfix: failed:", err)
		return exitOurs
	}
	parsed, file, err := parse(parser, args)
	if exit >= 0 { // --help
		return exit
	}
	if err == nil && file != nil {
		err = c.sourcesOf(file)
	}
	if err != nil {
		return explain(stderr, misuse(err, args))
	}
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelDebug
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})))
	ctx, drain, stop := signals(stderr, c.Quiet)
	defer stop()
	a := &app{globals: c.globals, ctx: ctx, drain: drain, stdout: stdout, stderr: stderr, model: parser, parsed: parsed}
	if c.DryRun {
		return explain(stderr, a.printConfig())
	}
	return explain(stderr, parsed.Run(a))
}

var (
	missingValue = regexp.MustCompile(`^(--\S+): expected \w+ value but got .*$`)
	badNumber    = regexp.MustCompile(`expected a valid \d+ bit (u?)(int|float) but got`)
)

// misuse words what kong says about a command line.
func misuse(err error, args []string) error {
	var pe *kong.ParseError
	if !errors.As(err, &pe) {
		return err
	}
	said := strings.TrimSuffix(pe.Error(), ".")
	next := "see breakfix --help"
	name := ""
	if cmd := pe.Context.Selected(); cmd != nil {
		name = strings.TrimPrefix(cmd.FullPath(), "breakfix ")
		next = "see breakfix " + name + " --help"
	}
	switch {
	case slices.ContainsFunc(laterFlags[name], func(flag string) bool {
		return said == "unknown flag "+flag || strings.HasPrefix(said, "unknown flag "+flag+",")
	}):
		flag, _, _ := strings.Cut(strings.TrimPrefix(said, "unknown flag "), ",")
		said = fmt.Sprintf("%s of breakfix %s comes with a later version; this is %s", flag, name, version)
	case name == "bench" && slices.ContainsFunc(laterBench, func(name string) bool { return said == "unexpected argument "+name }):
		said = fmt.Sprintf("breakfix bench %s comes with a later version; this is %s", strings.TrimPrefix(said, "unexpected argument "), version)
	case name == "engine" && strings.HasPrefix(said, "expected "):
		said, next = "neither probe nor sim was named", "breakfix engine probe URL finds out what a server can do; see breakfix engine --help"
	case name == "bench" && strings.HasPrefix(said, "expected "):
		said, next = "nothing to measure was named", "breakfix bench exec measures how fast mutants are judged; see breakfix bench --help"
	case len(args) == 0 || strings.HasPrefix(said, "expected one of "):
		said, next = "no command was given", "breakfix play plays; see breakfix --help"
	case slices.ContainsFunc(later, func(name string) bool { return said == "unexpected argument "+name }):
		name := strings.TrimPrefix(said, "unexpected argument ")
		said, next = fmt.Sprintf("breakfix %s comes with a later version; this is %s", name, version), "see breakfix --help for what there is"
	case missingValue.MatchString(said):
		said = missingValue.ReplaceAllString(said, "$1 needs a value that does not begin with -")
	}
	said = badNumber.ReplaceAllStringFunc(said, func(m string) string {
		switch {
		case strings.Contains(m, "float"):
			return "expected a number, not"
		case strings.Contains(m, "uint"):
			return "expected a whole number that is not negative, not"
		}
		return "expected a whole number, not"
	})
	return usagef(next, "%s", strings.Replace(said, "from envar ", "from ", 1))
}

// sourcesOf takes the sources from the file where the command line names none.
func (c *cli) sourcesOf(file *resolver) error {
	named, err := file.sources()
	if err != nil {
		return err
	}
	for _, many := range []*[]string{&c.Play.Sources, &c.Bugs.Sources, &c.Ablate.Sources} {
		if len(*many) == 0 {
			*many = named
		}
	}
	if len(c.Check.Sources) == 0 && (len(named) == 1 || c.Check.Merge) {
		c.Check.Sources = named
	}
	if len(named) == 1 && c.Fix.Path == "" {
		c.Fix.Path = named[0]
	}
	if one := &c.Bench.Exec.Source; *one == "" && len(named) == 1 {
		*one = named[0]
	}
	return nil
}

type exitNow struct{}

// parse reads flags, then BREAKFIX_* variables, then the configuration file,
// which is nil when none was named.
func parse(k *kong.Kong, args []string) (ctx *kong.Context, file *resolver, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exitNow); !ok {
				panic(r)
			}
		}
	}()
	if err := checkEnviron(k.Model, os.Environ()); err != nil {
		return nil, nil, err
	}
	if file, err = configFile(k.Model, configPath(args)); err != nil {
		return nil, nil, err
	}
	if file != nil {
		if err := kong.Resolvers(file).Apply(k); err != nil {
			return nil, nil, err
		}
	}
	ctx, err = k.Parse(args)
	return ctx, file, err
}

// signals gives two contexts: the first interrupt (or SIGTERM) ends drain,
// the second ends ctx.
func signals(stderr io.Writer, quiet bool) (ctx, drain context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	drain, cancelDrain := context.WithCancel(ctx)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-ch:
			}
			if n == 0 {
				if !quiet {
					fmt.Fprintln(stderr, "breakfix: finishing what is being graded; interrupt again to stop at once")
				}
				cancelDrain()
				continue
			}
			cancel()
			return
		}
	}()
	return ctx, drain, func() { signal.Stop(ch); close(done); cancelDrain(); cancel() }
}
