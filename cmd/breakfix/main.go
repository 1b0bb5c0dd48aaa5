// Command breakfix turns a repository with tests into a training ground for
// code repair: it breaks real code so that a test goes red, repairs it seeing
// only the red test, and rewards both roles. See docs/cli.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// version of the program, set by the linker in releases.
var version = "0.1.0-dev"

// cli is every command and flag: the one typed structure that flags,
// BREAKFIX_* variables and the YAML file fill.
type cli struct {
	globals
	Play    playCmd    `cmd:"" help:"Play against itself on SOURCE…: break, validate, fix, grade, reward, harder."`
	Show    showCmd    `cmd:"" help:"Show what happened in a run."`
	Replay  replayCmd  `cmd:"" help:"Recompute every reward of a run from what was recorded; any difference is an error."`
	Verify  verifyCmd  `cmd:"" help:"Validate bug artifacts again, from their folder alone."`
	Grade   gradeCmd   `cmd:"" help:"Judge a repair of a bug, with every gate."`
	Doctor  doctorCmd  `cmd:"" help:"Show what works on this machine, and the command that brings what does not."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// globals are the flags that mean the same for every command.
type globals struct {
	Config  string `help:"YAML file with the same keys as the flags." placeholder:"FILE" type:"path"`
	JSON    bool   `name:"json" help:"Print one JSON object (or one a line) on standard output."`
	Quiet   bool   `help:"Print nothing but results and errors."`
	Verbose bool   `short:"v" help:"Say more on standard error."`
	Plain   bool   `help:"No colour and no redrawing; the default where the output is no terminal."`
	DryRun  bool   `help:"Print the resolved configuration and stop."`
	Sandbox string `help:"How code under test is isolated: ${enum}. 'none' gives no protection at all." enum:"bubblewrap,none" default:"bubblewrap"`
	Cache   string `help:"Folder for environments, tools and verdicts." placeholder:"DIR" type:"path"`
}

const description = `Turns any repository with tests into a training ground for code repair.

Exit codes: 0 done, 1 breakfix failed, 2 bad usage or bad input, 3 the target cannot be played,
4 done and the answer is "no", 5 interrupted (the run is whole).`

type versionCmd struct{}

func (versionCmd) Run(*app) error {
	fmt.Println("breakfix", version)
	return nil
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
		kong.Vars{"default_target": defaultTarget},
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code; panic(exitNow{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "breakfix: failed:", err)
		return exitOurs
	}
	parsed, err := parse(parser, args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		var pe *kong.ParseError
		if errors.As(err, &pe) {
			err = usagef("see breakfix --help", "%s", strings.TrimSuffix(pe.Error(), "."))
		}
		return explain(stderr, err)
	}
	if c.DryRun {
		return explain(stderr, printConfig(stdout, parsed))
	}
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelDebug
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})))
	ctx, drain, stop := signals(stderr, c.Quiet)
	defer stop()
	a := &app{globals: c.globals, ctx: ctx, drain: drain, stdout: stdout, stderr: stderr, model: parser, parsed: parsed}
	return explain(stderr, parsed.Run(a))
}

type exitNow struct{}

// parse reads flags, then BREAKFIX_* variables, then the configuration file.
func parse(k *kong.Kong, args []string) (ctx *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exitNow); !ok {
				panic(r)
			}
		}
	}()
	if err := checkEnviron(k.Model, os.Environ()); err != nil {
		return nil, err
	}
	file, err := configFile(k.Model, configPath(args))
	if err != nil {
		return nil, err
	}
	if file != nil {
		if err := kong.Resolvers(file).Apply(k); err != nil {
			return nil, err
		}
	}
	return k.Parse(args)
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
