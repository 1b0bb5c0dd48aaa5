package sandbox

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// namespaces are those that a box must not share with the host.
var namespaces = []struct{ file, name, hides string }{
	{"user", "user namespace", "uid 1000 without capabilities"},
	{"mnt", "mount namespace", "/usr read-only; of the rest only what is bound"},
	{"pid", "pid namespace", "no process of the host is visible; all die with the first"},
	{"net", "network namespace", "its own loopback, nothing else (installing has the network)"},
	{"ipc", "ipc namespace", "own shared memory and queues"},
	{"uts", "uts namespace", "fixed host name"},
	{"cgroup", "cgroup namespace", "the host's groups are not visible"},
}

// look prints, from inside, what Layers compares with the host.
const look = `for n in user mnt pid net ipc uts cgroup; do echo "ns-$n $(readlink /proc/self/ns/$n)"; done
while read -r k v; do case $k in Seccomp:|NoNewPrivs:|CapBnd:) echo "$k $v";; esac; done </proc/self/status
if unshare -U true 2>/dev/null; then echo nested yes; else echo nested no; fi
if (: >/probe) 2>/dev/null; then echo root writable; else echo root closed; fi
echo "core $(ulimit -c)"; echo "files $(ulimit -n)"
`

// Layers implements Sandbox. What can be looked at from inside a box is looked
// at, once, in a real one.
func (b *bubblewrap) Layers() []Layer {
	b.layersOnce.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		res, err := b.Run(ctx, Spec{Argv: []string{"/bin/sh", "-c", look}})
		if err != nil {
			b.layers = []Layer{{Name: "bubblewrap", Detail: err.Error()}}
			return
		}
		seen := map[string]string{}
		for _, line := range strings.Split(string(res.Stdout), "\n") {
			k, v, _ := strings.Cut(line, " ")
			seen[strings.TrimSuffix(k, ":")] = strings.TrimSpace(v)
		}
		b.layers = b.describe(seen)
	})
	return append([]Layer(nil), b.layers...)
}

func (b *bubblewrap) describe(seen map[string]string) []Layer {
	made := "mounts made as root"
	if b.userns {
		made = "mounts made in a user namespace"
	}
	layers := []Layer{{"bubblewrap", true, fmt.Sprintf("version %s, %s", b.version, made)}}
	for _, n := range namespaces {
		ours, _ := os.Readlink("/proc/self/ns/" + n.file)
		theirs := seen["ns-"+n.file]
		layers = append(layers, Layer{n.name, theirs != "" && theirs != ours, n.hides})
	}
	nested := Layer{"no nested user namespaces", seen["nested"] == "no", "user.max_user_namespaces and seccomp"}
	if !atLeast(b.version, 0, 8) {
		nested.Detail = "seccomp only; bubblewrap 0.8 also sets user.max_user_namespaces"
	}
	seccomp := Layer{"seccomp", seen["Seccomp"] == "2", fmt.Sprintf("%d system calls denied; sockets of 4 families", len(denied))}
	if !seccomp.Active {
		seccomp.Detail = "no filter for this architecture; there is one for amd64 and arm64"
	}
	lim := Limits{}.withDefaults()
	layers = append(layers, nested, seccomp,
		Layer{"no new privileges", seen["NoNewPrivs"] == "1" && strings.Trim(seen["CapBnd"], "0") == "", "set-user-id programs gain nothing; no capability can come back"},
		Layer{"read-only root", seen["root"] == "closed", "only the tree, /tmp, /dev/shm and writable binds take writes"},
		Layer{"overlay", true, "the tree is a lower layer; writes go to a tmpfs and are thrown away"},
		Layer{"bounded tmpfs", true, fmt.Sprintf("%d MiB and %d files for all that a box writes, by default", lim.Scratch>>20, lim.Inodes)},
		Layer{"rlimits", seen["core"] == "0" && seen["files"] != "unlimited", "no core dumps, " + seen["files"] + " open files, 4 GiB a file"})
	return append(layers, b.cgroups.layers()...)
}

// layers says what the control groups do.
func (c *cgroups) layers() []Layer {
	layout, how := "none", "cgroup.kill, then a look that the group is empty"
	switch {
	case c.v2:
		layout = "v2"
	case c.unified != "" && (c.memory != "" || c.pids != ""):
		layout = "hybrid"
	case c.unified != "":
		layout = "v2 without controllers"
	case c.memory != "" || c.pids != "":
		layout, how = "v1", "SIGKILL to all members until the group is empty"
	default:
		how = "the pid namespace dies with its first process"
	}
	lim := Limits{}.withDefaults()
	memory := Layer{"memory cgroup", c.limitsMemory(), fmt.Sprintf("%d MiB for the whole process tree by default, tmpfs included", lim.Memory>>20)}
	if !memory.Active {
		memory.Detail = "the limit is on the address space of single processes; run as root or in a delegated cgroup with the memory controller"
	}
	pids := Layer{"pids cgroup", c.limitsPids(), fmt.Sprintf("%d processes and threads by default", lim.Pids)}
	if !pids.Active {
		pids.Detail = "RLIMIT_NPROC instead; run as root or in a delegated cgroup with the pids controller"
		if syscall.Geteuid() == 0 {
			pids.Detail = "nothing bounds the processes of a box; mount the pids cgroup controller"
		}
	}
	return []Layer{{"cgroups", layout != "none", "layout: " + layout}, {"process tree killed", true, how}, memory, pids}
}
