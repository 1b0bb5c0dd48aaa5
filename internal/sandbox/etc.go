package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
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

// etcFromHost are taken from the host where it has them; the second list only
// with the network, for name look-up through what the host uses.
var (
	etcFromHost        = []string{"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust", "services", "protocols"}
	etcFromHostNetwork = []string{"hosts", "resolv.conf", "gai.conf"}
)

// writeEtc writes the minimal /etc and returns the arguments that show it.
func (l *layout) writeEtc(network bool) ([]string, error) {
	at := filepath.Join(l.dir, "etc")
	if err := os.Mkdir(at, 0o755); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, text := range etcFiles {
		files[name] = []byte(text)
	}
	if network {
		for _, name := range etcFromHostNetwork {
			if text, err := os.ReadFile("/etc/" + name); err == nil {
				files[name] = text
			}
		}
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var args []string
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(at, name), files[name], 0o644); err != nil {
			return nil, err
		}
		args = append(args, "--ro-bind", filepath.Join(at, name), "/etc/"+name)
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
	for _, name := range etcFromHost {
		if at, err := filepath.EvalSymlinks("/etc/" + name); err == nil {
			args = append(args, "--ro-bind", at, "/etc/"+name)
		}
	}
	return append(args, "--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"), nil
}
