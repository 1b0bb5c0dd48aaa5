package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// cgroups is what this machine offers, found once. Each field is the folder
// in which groups of runs are made, "" when there is none.
type cgroups struct {
	unified string // v2, with cgroup.kill
	v2      bool   // unified has the memory and pids controllers
	memory  string // v1 hierarchy
	pids    string // v1 hierarchy
	name    string // prefix of the groups' names, unique to this process
}

// groupSerial numbers the groups of this process, whichever sandbox makes them.
var groupSerial atomic.Int64

// detectCgroups looks for groups that this process may make; start is its
// start time. Groups left by dead processes are killed and removed.
func detectCgroups(start uint64) cgroups {
	c := cgroups{name: fmt.Sprintf("%s%d-%d-", boxPrefix, os.Getpid(), start)}
	mounts := cgroupMounts()
	own := ownGroups()
	if m := mounts["unified"]; m != "" {
		c.unified, c.v2 = unifiedParent(m, own[""], c.name+"probe")
	}
	if !c.v2 {
		for _, h := range []struct {
			name, file string
			at         *string
		}{{"memory", "memory.limit_in_bytes", &c.memory}, {"pids", "pids.max", &c.pids}} {
			if m := mounts[h.name]; m != "" {
				parent := filepath.Join(m, own[h.name])
				if canMake(filepath.Join(parent, c.name+"probe"), h.file) {
					*h.at = parent
				}
			}
		}
	}
	for _, parent := range []string{c.unified, c.memory, c.pids} {
		sweepGroups(parent)
	}
	return c
}

// unifiedParent looks upwards from our own group for one whose children have
// the controllers; a group that holds processes cannot give them to children.
func unifiedParent(mount, own, probe string) (at string, controllers bool) {
	for p := own; ; p = filepath.Dir(p) {
		dir := filepath.Join(mount, p)
		if canMake(filepath.Join(dir, probe), "memory.max", "pids.max", "cgroup.kill") {
			return dir, true
		}
		if at == "" && canMake(filepath.Join(dir, probe), "cgroup.kill") {
			at = dir
		}
		if p == "/" || p == "." || p == "" {
			return at, false
		}
	}
}

// canMake reports whether a group can be made that has the files.
func canMake(dir string, files ...string) bool {
	if os.Mkdir(dir, 0o755) != nil {
		return false
	}
	defer os.Remove(dir)
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			return false
		}
	}
	return true
}

// cgroupMounts maps "unified" and the v1 controllers to their mount points.
func cgroupMounts() map[string]string {
	mounts := map[string]string{}
	text, _ := os.ReadFile("/proc/self/mounts")
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		switch f[2] {
		case "cgroup2":
			if mounts["unified"] == "" {
				mounts["unified"] = f[1]
			}
		case "cgroup":
			for _, o := range strings.Split(f[3], ",") {
				if (o == "memory" || o == "pids") && mounts[o] == "" {
					mounts[o] = f[1]
				}
			}
		}
	}
	return mounts
}

// ownGroups maps a v1 controller, or "" for v2, to this process's own group.
func ownGroups() map[string]string {
	own := map[string]string{}
	text, _ := os.ReadFile("/proc/self/cgroup")
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.SplitN(line, ":", 3)
		if len(f) == 3 {
			for _, c := range strings.Split(f[1], ",") {
				own[c] = f[2]
			}
		}
	}
	return own
}

func sweepGroups(parent string) {
	if parent == "" {
		return
	}
	names, _ := os.ReadDir(parent)
	for _, d := range names {
		if d.IsDir() && orphaned(d.Name()) {
			dir := filepath.Join(parent, d.Name())
			g := group{unified: dir, dirs: []string{dir}}
			g.kill()
			for i := 0; i < 100 && !g.empty(); i++ {
				time.Sleep(time.Millisecond)
				g.kill()
			}
			if g.empty() {
				g.remove() // what will not go is tried again the next time
			}
		}
	}
}

// group is the cgroups of one run. They are made for it and never used again:
// a group that was killed once kills whatever is started in it later.
type group struct {
	unified, memory, pids string
	dirs                  []string
}

// make makes the groups of one run with its limits; open for a box that stays.
func (c *cgroups) make(lim Limits, open bool) (g *group, err error) {
	g = &group{}
	defer func() {
		if err != nil {
			g.remove()
			g, err = nil, fmt.Errorf("make the run's cgroup: %w", err)
		}
	}()
	name := c.name + strconv.FormatInt(groupSerial.Add(1), 10)
	for _, h := range []struct {
		parent string
		at     *string
	}{{c.unified, &g.unified}, {c.memory, &g.memory}, {c.pids, &g.pids}} {
		if h.parent == "" {
			continue
		}
		dir := filepath.Join(h.parent, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return g, err
		}
		*h.at = dir
		g.dirs = append(g.dirs, dir)
	}
	oomGroup := "1"
	if open {
		oomGroup = "0" // one child out of memory is not the end of the others
	}
	memory, pids := strconv.FormatInt(lim.Memory, 10), strconv.Itoa(lim.Pids)
	type setting struct {
		dir, file, value string
		must             bool
	}
	var set []setting
	if c.v2 {
		set = append(set, setting{g.unified, "memory.max", memory, true}, setting{g.unified, "memory.swap.max", "0", false},
			setting{g.unified, "memory.oom.group", oomGroup, false}, setting{g.unified, "pids.max", pids, true})
	}
	if g.memory != "" {
		set = append(set, setting{g.memory, "memory.limit_in_bytes", memory, true}, setting{g.memory, "memory.memsw.limit_in_bytes", memory, false})
	}
	if g.pids != "" {
		set = append(set, setting{g.pids, "pids.max", pids, true})
	}
	for _, s := range set {
		if err := write(s.dir, s.file, s.value); err != nil && s.must {
			return g, err
		}
	}
	return g, nil
}

// write writes one value to a file that the kernel made; it creates nothing.
func write(dir, file, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// start starts cmd as a member of the groups. Moving a living process takes a
// lock that all of the machine waits for (10 ms); a child that is born in the
// groups does not need it. In v2 clone says where; in v1 a child is born where
// the thread is that makes it, so this thread, which the caller has locked and
// which is not the main one, goes there and comes back.
func (g *group) start(cmd *exec.Cmd) (err error) {
	if g.unified != "" {
		dir, err := os.Open(g.unified)
		if err != nil {
			return err
		}
		defer dir.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	}
	for _, dir := range []string{g.memory, g.pids} {
		if dir == "" {
			continue
		}
		if err := write(dir, "tasks", "0"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, write(filepath.Dir(dir), "tasks", "0")) }()
	}
	return cmd.Start()
}

// kill kills every process in the groups.
func (g *group) kill() {
	if g.unified != "" && write(g.unified, "cgroup.kill", "1") == nil {
		return
	}
	for _, dir := range g.dirs {
		for _, pid := range members(dir) {
			if pid != os.Getpid() {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
}

func members(dir string) []int {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var pids []int
	for _, f := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// empty reports whether no process is left in any group.
func (g *group) empty() bool {
	for _, dir := range g.dirs {
		if v, ok := field(dir, "cgroup.events", "populated"); ok {
			if v != 0 {
				return false
			}
		} else if len(members(dir)) > 0 {
			return false
		}
	}
	return true
}

// remove removes the groups, and what a Live box left in them; the error names
// one that will not go.
func (g *group) remove() error {
	var last error
	for _, dir := range g.dirs {
		if below, err := filepath.Glob(filepath.Join(dir, "c[0-9]*")); err == nil {
			for _, d := range below {
				os.Remove(d) // what stays keeps its parent, which is told
			}
		}
		for i := 0; ; i++ {
			err := os.Remove(dir)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				break
			}
			if i == 1000 {
				last = fmt.Errorf("remove cgroup: %w", err)
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	return last
}

// field reads "name value" from a flat keyed file of a group.
func field(dir, file, name string) (int64, bool) {
	f, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), " "); ok && k == name {
			n, err := strconv.ParseInt(v, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

func number(dir, file string) int64 {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// peak returns the most memory that the run used, page cache of the files that
// it was the first to read included; 0 when it is not measured.
func (g *group) peak() int64 {
	if g.memory != "" {
		return number(g.memory, "memory.max_usage_in_bytes")
	}
	if g.unified != "" {
		return number(g.unified, "memory.peak")
	}
	return 0
}

// oom reports whether the kernel killed a process of the run for memory.
func (g *group) oom() bool {
	n, _ := g.oomKills()
	return n > 0
}

// oomKills counts the processes of the run that the kernel killed for memory.
func (g *group) oomKills() (int64, bool) {
	if g.memory != "" {
		return field(g.memory, "memory.oom_control", "oom_kill")
	}
	if g.unified != "" {
		return field(g.unified, "memory.events", "oom_kill")
	}
	return 0, false
}

func (c *cgroups) limitsMemory() bool { return c.v2 || c.memory != "" }
func (c *cgroups) limitsPids() bool   { return c.v2 || c.pids != "" }
