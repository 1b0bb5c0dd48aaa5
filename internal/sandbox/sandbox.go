// Package sandbox runs one command on a tree under limits. It hides the
// backend (bubblewrap), the overlay that keeps the tree read-only, the cgroups
// and the killing. What the command did is a value; an error means that our
// own infrastructure failed.
package sandbox

import (
	"context"
	"io"
	"time"

	"breakfix/internal/tree"
)

// TreeAt is where the tree lies in every box, so that an environment that was
// built with an editable install of one tree serves all trees of the recipe.
const TreeAt = "/work"

// Bind makes a folder or file of the host visible inside.
type Bind struct {
	Host, Inside string
	Writable     bool
}

// Limits bound one run; a zero field means the default of the same name.
type Limits struct {
	Wall    time.Duration // wall time until the process tree is killed; default 60 s
	CPU     time.Duration // CPU time of a single process; default none
	Memory  int64         // bytes of the whole process tree, tmpfs included; default 2 GiB
	Pids    int           // processes and threads; default 256
	Output  int64         // bytes kept of stdout and of stderr each; more is discarded; default 1 MiB
	Report  int64         // bytes accepted on the report descriptor; default 256 MiB
	Scratch int64         // bytes of the one tmpfs behind all that is writable (tree layer, /tmp, /dev/shm); default 256 MiB
	Inodes  int           // files in that tmpfs; default 100000
}

// Spec says what to run.
type Spec struct {
	// Tree is laid at TreeAt with a private writable layer that is thrown away.
	// nil means no tree. Layers are read-only host folders between the tree's
	// own folder and its in-memory changes (files that a build made).
	Tree   *tree.Tree
	Layers []string
	// Upper, when set, is a host folder that keeps the writable layer
	// (what an install step wrote into the tree). What it holds is there when
	// the run begins; it is replaced when the command ended by itself, and
	// then holds only files, folders, links and overlay's whiteouts.
	Upper string
	Extra map[string]*tree.File // further files, by absolute path inside (not below TreeAt)

	Argv  []string
	Dir   string   // working folder inside; default TreeAt
	Env   []string // the whole environment, KEY=value; nothing else is visible
	Binds []Bind
	Stdin []byte
	// Network lets the command reach the network (installing only).
	Network bool
	Limits  Limits

	// Report receives, as they arrive, the bytes that the command writes to
	// descriptor 3, a pipe made by the host. nil means no such descriptor.
	// It is called from one goroutine, never after Run returned. When it
	// returns an error the process tree is killed and Result.Stopped is Told.
	Report io.Writer
	// Secret is readable once from descriptor 4 (the nonce of the reporter).
	Secret []byte

	// Started, when set, is called once the command may run, with what measures
	// the whole run.
	Started func(Meter)

	live *Live // the box stays open and has a socket as descriptor 3
}

// Stopped tells why a run ended.
type Stopped string

// The reasons. Only Exited and Signaled leave Exit and Signal meaningful. An
// exit code from 129 to 192 is read as a death by signal (code - 128), as
// shells and bubblewrap tell it; Exit keeps the code. A program that is not
// there exits with 127. Memory means that the kernel killed some process of the
// run for memory, be it the command itself or not.
const (
	Exited    Stopped = "exited"
	Signaled  Stopped = "signaled"
	Deadline  Stopped = "deadline" // wall or CPU limit
	Memory    Stopped = "memory"
	Told      Stopped = "told" // the Report writer asked for it
	Cancelled Stopped = "cancelled"
)

// Result is what the command did.
type Result struct {
	Stopped        Stopped
	Exit           int
	Signal         int
	Wall, CPU      time.Duration
	PeakMemory     int64 // bytes, 0 when not measured
	Stdout, Stderr []byte
	Truncated      bool // some output was discarded
}

// Keeper is a Sandbox that can also keep a box open.
type Keeper interface {
	Sandbox
	// Open starts a box whose command is a server: it has a socket to the host
	// as descriptor 3 and may put each child that it forks into a Cage. The box
	// lives until Close, the end of ctx or its own end. Report is not used.
	Open(ctx context.Context, spec Spec) (*Live, error)
}

// Layer is one protection, for doctor.
type Layer struct {
	Name   string // "mount namespace", "network namespace", "pids cgroup" …
	Active bool
	Detail string // how, or why not and what brings it
}

// Sandbox runs commands. An implementation is safe for concurrent use.
type Sandbox interface {
	// Run returns once every process of the run is gone. The error is non-nil
	// only when the run could not be made or supervised; a cancelled context
	// gives Stopped Cancelled and ctx.Err().
	Run(ctx context.Context, spec Spec) (Result, error)
	// Layers says which protections are active on this machine.
	Layers() []Layer
}
