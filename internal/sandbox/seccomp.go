package sandbox

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// denied are system calls that no test needs and that widen what a hostile
// command can reach; they fail with EPERM.
var denied = []uint32{
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_FSOPEN, unix.SYS_FSPICK, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_MOUNT_SETATTR,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_SYSLOG,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_QUOTACTL, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_REBOOT, unix.SYS_ACCT,
	unix.SYS_CLOCK_SETTIME, unix.SYS_SETTIMEOFDAY,
}

// caging are those of denied that a process needs which puts its children into
// cages. It has them in a user namespace of its own that owns nothing of the
// host: what the box shows read-only cannot be made writable.
var caging = []uint32{unix.SYS_MOUNT}

// families are the kinds of socket that exist inside. The rest is not confined
// by a network namespace (AF_VSOCK reaches the host of a virtual machine) or
// is kernel surface without use to a test.
var families = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

const (
	newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	// Offsets in struct seccomp_data.
	atNumber, atArch, atArg0 = 0, 4, 16
	x32                      = 0x40000000 // set in the numbers of the x32 calls
)

// seccompFilter returns the filter in the form of bwrap --seccomp, nil on an
// architecture for which there is none. With cages the filter is that of a
// process that makes them: namespaces and mounts are allowed.
func seccompFilter(cages bool) []byte {
	arch := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if arch == 0 {
		return nil
	}
	var p []unix.SockFilter
	load := func(at uint32) {
		p = append(p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at})
	}
	jump := func(op uint16, k uint32, yes, no uint8) {
		p = append(p, unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, Jt: yes, Jf: no, K: k})
	}
	fail := func(errno uint32) {
		p = append(p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | errno})
	}
	allow := func() {
		p = append(p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	}
	load(atArch)
	jump(unix.BPF_JEQ, arch, 1, 0)
	fail(uint32(unix.ENOSYS)) // 32-bit calls have other numbers
	load(atNumber)
	if runtime.GOARCH == "amd64" {
		jump(unix.BPF_JGE, x32, 0, 1)
		fail(uint32(unix.ENOSYS))
	}
	for _, n := range denied {
		if cages && slices.Contains(caging, n) {
			continue
		}
		jump(unix.BPF_JEQ, n, 0, 1)
		fail(uint32(unix.EPERM))
	}
	if !cages {
		noNamespaces(jump, load, fail, allow)
	}
	jump(unix.BPF_JEQ, unix.SYS_SOCKET, 0, uint8(len(families)+3))
	load(atArg0)
	for i, f := range families {
		jump(unix.BPF_JEQ, f, uint8(len(families)-i), 0)
	}
	fail(uint32(unix.EAFNOSUPPORT))
	allow()
	allow()
	var b bytes.Buffer
	binary.Write(&b, binary.NativeEndian, p)
	return b.Bytes()
}

// noNamespaces adds what refuses to make namespaces.
func noNamespaces(jump func(op uint16, k uint32, yes, no uint8), load, fail func(uint32), allow func()) {
	// clone3 keeps its flags in memory, where a filter cannot look: without it
	// the C library falls back to clone.
	jump(unix.BPF_JEQ, unix.SYS_CLONE3, 0, 1)
	fail(uint32(unix.ENOSYS))
	jump(unix.BPF_JEQ, unix.SYS_CLONE, 0, 4)
	load(atArg0)
	jump(unix.BPF_JSET, newNamespaces, 0, 1)
	fail(uint32(unix.EPERM))
	allow()
	load(atNumber)
}
