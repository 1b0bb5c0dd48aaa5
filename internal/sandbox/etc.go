package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
)

// user is who the command runs as inside: never root, since many suites have
// tests that root fails.
const user = 1000

// etcFiles are ours and the same on every machine; no time zone (UTC), no
// mail names, nothing by which a result could depend on the host.
var etcFiles = map[string]string{
	"passwd":        fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nbreakfix:x:%d:%d:breakfix:/tmp/home:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n", user, user),
	"group":         fmt.Sprintf("root:x:0:\nbreakfix:x:%d:\nnogroup:x:65534:\n", user),
	"hosts":         "127.0.0.1 localhost breakfix\n::1 localhost ip6-localhost\n",
	"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
	"hostname":      "breakfix\n",
}

// etcCopied are taken from the host where it has them, etcBound too but too
// large to copy; etcNetwork only with the network, for name look-up as the
// host does it.
var (
	etcCopied  = []string{"ld.so.cache", "ld.so.conf", "services", "protocols", "ssl/openssl.cnf"}
	etcBound   = []string{"ld.so.conf.d", "alternatives", "ssl/certs", "pki/tls/certs", "pki/ca-trust"}
	etcNetwork = []string{"hosts", "resolv.conf", "gai.conf"}
)

// writeEtc writes the minimal /etc below at, with mount points for what is bound.
func writeEtc(at string, network bool) error {
	files := map[string][]byte{}
	for name, text := range etcFiles {
		files[name] = []byte(text)
	}
	copied := etcCopied
	if network {
		copied = append(append([]string(nil), etcCopied...), etcNetwork...)
	}
	for _, name := range copied {
		if text, err := os.ReadFile("/etc/" + name); err == nil {
			files[name] = text
		}
	}
	for name, text := range files {
		to := filepath.Join(at, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return err
		}
	}
	for _, name := range etcBound {
		if _, err := os.Stat("/etc/" + name); err == nil {
			if err := os.MkdirAll(filepath.Join(at, name), 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// etc returns the arguments that show /etc: one folder that all runs share, or
// with the network one of the run's own, since what it copies changes.
func (b *bubblewrap) etc(l *layout, network bool) ([]string, error) {
	at := filepath.Join(b.scratch, "etc")
	if network {
		at = filepath.Join(l.dir, "etc")
		if err := writeEtc(at, true); err != nil {
			return nil, err
		}
	} else if b.etcOnce.Do(func() { b.etcErr = writeEtc(at, false) }); b.etcErr != nil {
		return nil, b.etcErr
	}
	args := []string{"--ro-bind", at, "/etc"}
	for _, name := range etcBound {
		if from, err := filepath.EvalSymlinks("/etc/" + name); err == nil {
			args = append(args, "--ro-bind", from, "/etc/"+name)
		}
	}
	return args, nil
}

// baseArguments are those that every box on this machine shares.
func baseArguments() ([]string, error) {
	id := fmt.Sprint(user)
	args := []string{"--unshare-all", "--unshare-user", "--uid", id, "--gid", id, "--hostname", "breakfix",
		"--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"}
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32"} {
		info, err := os.Lstat("/" + name)
		if err != nil {
			continue
		}
		if info.Mode()&os.ModeSymlink != 0 {
			to, err := os.Readlink("/" + name)
			if err != nil {
				return nil, err
			}
			args = append(args, "--symlink", to, "/"+name)
			continue
		}
		args = append(args, "--ro-bind", "/"+name, "/"+name)
	}
	return append(args, "--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"), nil
}
