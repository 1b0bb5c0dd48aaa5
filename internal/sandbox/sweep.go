package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// boxPrefix begins the name of every folder and cgroup of a process of
// breakfix; then follow its pid and its start time, which tell a living owner
// from a dead one whose pid is in use again.
const boxPrefix = "breakfix-box-"

// startOf returns when a process started, in clock ticks since boot.
func startOf(pid int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; field 22 is counted from 1.
	rest := string(text[strings.LastIndexByte(string(text), ')')+1:])
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	var start uint64
	_, err = fmt.Sscan(fields[19], &start)
	return start, err
}

// orphaned reports whether name was made by a process that is gone.
func orphaned(name string) bool {
	var pid int
	var start uint64
	if n, _ := fmt.Sscanf(name, boxPrefix+"%d-%d-", &pid, &start); n != 2 {
		return false
	}
	now, err := startOf(pid)
	return err != nil || now != start
}

// sweepScratch removes what dead processes left. Nothing is mounted there:
// mounts lived in namespaces that died with them.
func sweepScratch(scratch string) {
	names, _ := os.ReadDir(scratch)
	for _, d := range names {
		if orphaned(d.Name()) {
			os.RemoveAll(filepath.Join(scratch, d.Name()))
		}
	}
}
