package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun/zygote"
)

// doctorCmd shows what works on this machine.
type doctorCmd struct{}

// Help is the second part of doctor's help text.
func (doctorCmd) Help() string {
	return "The exit code is 4 when something is missing without which breakfix cannot play."
}

// finding is one line of doctor.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Needed bool   `json:"needed"` // breakfix cannot play without it
	Detail string `json:"detail"`
}

func (doctorCmd) Run(a *app) error {
	found := tools()
	box, err := a.openSandbox()
	if err != nil {
		found = append(found, finding{"sandbox", false, true, err.Error()})
	} else {
		for _, l := range box.Layers() {
			found = append(found, finding{"sandbox: " + l.Name, l.Active, false, l.Detail})
		}
		found = append(found, cages(box))
	}
	found = append(found, caches(a)...)
	usable, wide := true, 0
	for _, f := range found {
		usable = usable && (f.OK || !f.Needed)
		wide = max(wide, len(f.Name))
	}
	if a.JSON {
		if err := json.NewEncoder(a.stdout).Encode(map[string]any{"checks": found}); err != nil {
			return err
		}
	}
	for _, f := range found {
		if a.JSON {
			break
		}
		mark := "ok     "
		switch {
		case !f.OK && f.Needed:
			mark = "MISSING"
		case !f.OK:
			mark = "off    "
		}
		fmt.Fprintf(a.stdout, "%s  %-*s  %s\n", mark, wide, f.Name, f.Detail)
	}
	if !usable {
		return errNo
	}
	return nil
}

// cages tries a warm process with caged children.
func cages(box sandbox.Sandbox) finding {
	f := finding{Name: "sandbox: cages"}
	keeper, ok := box.(sandbox.Keeper)
	if !ok {
		f.Detail = "this sandbox keeps no box open; every run is a fresh process: leave out --sandbox"
		return f
	}
	const python = "/usr/bin/python3" // every box has /usr
	if _, err := os.Stat(python); err != nil {
		f.Detail = "not tried, there is no " + python + "; apt-get install python3"
		return f
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	p, err := zygote.Probe(ctx, keeper, python)
	if err != nil {
		f.Detail = err.Error() + "; every run is a fresh process, which is slower; Linux 5.11 or newer with overlayfs in user namespaces brings them"
		return f
	}
	f.OK, f.Detail = true, "control group + pid + mount + ipc namespace per run"
	if !p.Group {
		f.Detail = "pid + mount + ipc namespace per run; a control group too as root or in a delegated v2 cgroup"
	}
	f.Detail += fmt.Sprintf("; %.1f ms", float64(p.Run.Microseconds())/1000)
	return f
}

// tools looks for the programs that breakfix calls.
func tools() []finding {
	probe := func(name, bring string, needed bool, args ...string) finding {
		path, err := exec.LookPath(name)
		if err != nil {
			return finding{name, false, needed, "not found; " + bring}
		}
		out, err := exec.Command(path, args...).CombinedOutput()
		if err != nil {
			return finding{name, false, needed, fmt.Sprintf("%s does not run: %v; %s", path, err, bring)}
		}
		return finding{name, true, needed, strings.SplitN(strings.TrimSpace(string(out)), "\n", 2)[0]}
	}
	return []finding{
		{"breakfix", true, true, fmt.Sprintf("%s, %s %s/%s, %d cores", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
		probe("bwrap", "apt-get install bubblewrap", true, "--version"),
		probe("unshare", "apt-get install util-linux", true, "--version"),
		probe("git", "apt-get install git", true, "--version"),
		probe("python3", "apt-get install python3 python3-venv", true, "--version"),
	}
}

// caches shows where things are kept and how large they are.
func caches(a *app) []finding {
	dir, err := source.CacheDir(a.Cache)
	if err != nil {
		return []finding{{"cache", false, true, err.Error()}}
	}
	found := []finding{}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return []finding{{"cache", false, true, err.Error()}}
	}
	f := finding{"cache", true, true, shorten(dir)}
	if n, err := os.ReadDir(dir + "/envs"); err == nil {
		f.Detail += fmt.Sprintf(", %d environments", len(n))
	}
	found = append(found, f)
	uv := finding{"uv", true, false, source.UVVersion + ", in the cache"}
	if _, err := os.Stat(filepath.Join(dir, "tools", "uv-"+source.UVVersion, "bin", "uv")); err != nil {
		uv = finding{"uv", false, false, "not there yet; make setup, or the first play, installs it"}
	}
	return append(found, uv)
}

// openSandbox makes the sandbox that the flags ask for.
func (a *app) openSandbox() (sandbox.Sandbox, error) {
	return sandbox.New(sandbox.Options{Backend: a.Sandbox})
}
