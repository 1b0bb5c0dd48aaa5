package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"breakfix/internal/tree"
)

// repository is a git repository on disk: bare, or the folder of a working
// tree (then only what lies below the folder counts). It is only ever read.
type repository struct{ dir string }

// safeGit turns off everything by which a repository's own configuration could
// run commands or change content: hooks, file-system monitor, filters, pagers.
var safeGit = []string{
	"--no-optional-locks", "--no-pager", "--no-replace-objects",
	"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false",
	"-c", "core.excludesFile=/dev/null", "-c", "core.attributesFile=/dev/null",
	"-c", "safe.directory=*", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
	"-c", "credential.helper=", "-c", "core.askPass=", "-c", "core.sshCommand=", "-c", "core.gitProxy=",
	"-c", "protocol.ext.allow=never", "-c", "submodule.recurse=false",
	"-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false",
}

// passedToGit are the variables of the user that git sees: enough to reach
// a server (also one behind a proxy, or over ssh with the user's agent).
var passedToGit = []string{"PATH", "HOME", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"}

// git prepares one call. protocols names what may be fetched over; "none" for
// calls that stay in the repository, so that a partial clone fetches nothing.
func git(ctx context.Context, dir, protocols string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append(append([]string(nil), safeGit...), args...)...)
	cmd.Dir = dir
	cmd.Env = []string{
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_LFS_SKIP_SMUDGE=1", "GIT_NO_LAZY_FETCH=1",
		"GIT_SSH_COMMAND=ssh -oBatchMode=yes", "GIT_ALLOW_PROTOCOL=" + protocols, "LC_ALL=C",
	}
	for _, name := range passedToGit {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}

// gitError is git's own last line about a call that failed.
func gitError(what string, err error, stderr []byte) error {
	line := ""
	for _, l := range strings.Split(strings.TrimSpace(string(stderr)), "\n") {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "fatal:") || strings.HasPrefix(l, "error:") {
			line = l
		}
	}
	if line == "" {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %s", what, line)
}

func (r repository) run(ctx context.Context, what string, args ...string) ([]byte, error) {
	cmd := git(ctx, r.dir, "none", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, gitError(what, err, errs.Bytes())
	}
	return out.Bytes(), nil
}

// known reports whether the folder lies in the working tree of a repository
// that git can read.
func (r repository) known(ctx context.Context) bool {
	out, err := r.run(ctx, "look for a repository", "rev-parse", "--is-inside-work-tree")
	return err == nil && strings.TrimSpace(string(out)) == "true"
}

// workingFiles lists the files of the working tree that git tracks or would
// track: ignored ones are left out.
func (r repository) workingFiles(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, "list the files of the working tree", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	if err != nil {
		return nil, err
	}
	list := []string{}
	seen := map[string]bool{}
	for _, p := range strings.Split(string(out), "\x00") {
		if p == "" || seen[p] || skipped(p) || tree.CheckPath(p) != nil {
			continue
		}
		seen[p] = true
		list = append(list, p)
	}
	return list, nil
}

// commit resolves what --at names to the id of a commit. "random" draws one
// uniformly among those reachable from HEAD; the same seed draws the same.
func (r repository) commit(ctx context.Context, at string, seed uint64) (string, error) {
	if at == "random" {
		out, err := r.run(ctx, "list the commits", "rev-list", "--topo-order", "HEAD")
		if err != nil {
			return "", &UsageError{fmt.Sprintf("--at random: %s has no commits to draw from", r.dir), "commit something first, or leave --at out"}
		}
		all := strings.Fields(string(out))
		rng := rand.New(rand.NewPCG(seed, 0x61742d72616e646f))
		return all[rng.IntN(len(all))], nil
	}
	if at == "" {
		at = "HEAD"
	}
	id, err := r.resolve(ctx, at)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", &UsageError{fmt.Sprintf("--at %s: no such commit, branch or tag", at), "git log shows the commits; HEAD and random always work"}
	}
	return id, nil
}

// resolve gives the id of the commit that rev names.
func (r repository) resolve(ctx context.Context, rev string) (string, error) {
	out, err := r.run(ctx, "resolve "+rev, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return "", err
	}
	// rev-parse repeats --end-of-options in its output in some versions.
	fields := strings.Fields(string(out))
	if len(fields) == 0 {
		return "", fmt.Errorf("resolve %s: git named no commit", rev)
	}
	return fields[len(fields)-1], nil
}

// tree reads the files of a commit from the object database: the raw bytes
// that were committed, without export or checkout filters (which would leave
// out tests marked export-ignore). Submodules and links out are left out.
func (r repository) tree(ctx context.Context, commit, cache string) (*tree.Tree, error) {
	list, err := r.run(ctx, "list the files of "+commit, "ls-tree", "-r", "-z", commit)
	if err != nil {
		return nil, err
	}
	type item struct{ mode, id, path string }
	var items []item
	var ids bytes.Buffer
	for _, line := range strings.Split(string(list), "\x00") {
		head, p, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 3 || f[1] != "blob" || skipped(p) || tree.CheckPath(p) != nil {
			continue
		}
		items = append(items, item{f[0], f[2], p})
		ids.WriteString(f[2] + "\n")
	}
	if len(items) > maxFiles {
		return nil, &UsageError{fmt.Sprintf("commit %s holds %v", commit, errTooLarge), "name the folder of one project"}
	}
	w, err := newWriter(cache)
	if err != nil {
		return nil, err
	}
	defer w.close()
	cmd := git(ctx, r.dir, "none", "cat-file", "--batch")
	cmd.Stdin = &ids
	var errs bytes.Buffer
	cmd.Stderr = &errs
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(pipe, 1<<16)
	copyAll := func() error {
		for _, it := range items {
			size, err := blobSize(in, it.id)
			if err != nil {
				return fmt.Errorf("read %s of commit %s: %w", it.path, commit, err)
			}
			body := io.LimitReader(in, size)
			if it.mode == "120000" {
				to, err := io.ReadAll(io.LimitReader(body, 4096))
				if err != nil {
					return err
				}
				if staysInside(it.path, string(to)) {
					if err := w.link(it.path, string(to)); err != nil {
						return err
					}
				}
			} else if err := w.file(it.path, it.mode == "100755", size, body); err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, body); err != nil {
				return err
			}
			if _, err := in.Discard(1); err != nil { // the newline after each object
				return err
			}
		}
		return nil
	}
	err = copyAll()
	if err != nil {
		_ = cmd.Process.Kill()
	}
	werr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errTooLarge):
		return nil, &UsageError{fmt.Sprintf("commit %s holds %v", commit, err), "name a smaller repository"}
	case err != nil:
		return nil, err
	case werr != nil:
		return nil, gitError("read commit "+commit, werr, errs.Bytes())
	}
	return w.keep(cache)
}

// blobSize reads the header that precedes each object in a batch.
func blobSize(in *bufio.Reader, id string) (int64, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	f := strings.Fields(head)
	if len(f) != 3 || f[0] != id || f[1] != "blob" {
		return 0, fmt.Errorf("the repository lacks object %s (%s)", id, strings.TrimSpace(head))
	}
	return strconv.ParseInt(f[2], 10, 64)
}

// clone fetches a repository into a temporary folder, which remove deletes.
// The whole history is fetched only when something but HEAD is asked for.
func clone(ctx context.Context, url string, o Options) (r repository, remove func(), err error) {
	tmp, err := tempDir(o.Cache, "clone")
	if err != nil {
		return r, nil, err
	}
	dir := filepath.Join(tmp, "repository.git")
	args := []string{"clone", "--bare", "--quiet", "--template="}
	if o.At == "" || o.At == "HEAD" {
		args = append(args, "--depth=1")
	}
	cmd := git(ctx, tmp, "https:http:ssh:git:file", append(args, "--", url, dir)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		os.RemoveAll(tmp)
		if ctx.Err() != nil {
			return r, nil, ctx.Err()
		}
		shown := withoutPassword(url)
		why := strings.ReplaceAll(gitError("git", err, errs.Bytes()).Error(), url, shown)
		return r, nil, &UsageError{fmt.Sprintf("%s cannot be cloned (%s)", shown, why), "try the same URL with git clone; a private repository is best cloned by hand and named as a folder"}
	}
	return repository{dir: dir}, func() { os.RemoveAll(tmp) }, nil
}
