package grade

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"

	"breakfix/internal/outcome"
	"breakfix/internal/testrun"
)

// secret makes the names of canaries unknown to whoever wrote the patch. It
// never reaches a verdict, so that gradings do not depend on it.
var secret = func() []byte {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		panic(err) // documented never to happen
	}
	return b
}()

func nameFor(parts ...string) string {
	h := hmac.New(sha256.New, secret)
	for _, p := range parts {
		fmt.Fprintf(h, "%s\n", p)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// canary is a test file of ours with one test that must fail and one that must
// pass. Code that makes the framework report every test as passed, or as
// anything else, betrays itself by them: it cannot know them by name.
type canary struct{ path, code, fails, passes string }

func newCanary(folder string, parts ...string) canary {
	n := nameFor(append(parts, folder)...)
	c := canary{path: path.Join(folder, "test_"+n+".py")}
	bad, good := "test_"+n[:6], "test_"+n[6:]
	if bad == good {
		good += "_"
	}
	c.code = fmt.Sprintf("def %s():\n    assert [%q] == [%q]\n\n\ndef %s():\n    assert [%q] == [%q]\n", bad, n, n[1:], good, n, n)
	c.fails, c.passes = c.path+"::"+bad, c.path+"::"+good
	return c
}

// canary lays one in the folder of the red test, or at the root where a suite
// collects that folder in a way of its own: it must do on the base what it
// does on a tree that does not lie. ok is false where neither place serves.
func (g *grading) canary(ctx context.Context, kind string) (c canary, ok bool, err error) {
	for _, folder := range []string{path.Dir(g.b.RedTest.Path), "."} {
		tried := newCanary(folder, "base")
		rep, err := g.t.Judge.Run(ctx, testrun.Request{Tree: g.t.Tree, FilesOnly: true, Tier: g.tier, Files: map[string]string{tried.path: tried.code}})
		if err != nil {
			return canary{}, false, err
		}
		if tried.forged(rep.Results) == "" {
			return newCanary(folder, g.b.ID, g.res.Tree, kind), true, nil
		}
	}
	return canary{}, false, nil
}

// lay adds the canary to the files of a request, where there is one.
func (c canary) lay(files map[string]string) map[string]string {
	if c.path != "" {
		files[c.path] = c.code
	}
	return files
}

// forged says how the canary's verdicts contradict it, "" when they do not.
func (c canary) forged(r outcome.Results) string {
	if c.path == "" {
		return ""
	}
	if v := r.Get(c.fails); v != outcome.Failed {
		return fmt.Sprintf("a test that must fail is reported %s", v)
	}
	if v := r.Get(c.passes); v != outcome.Passed {
		return fmt.Sprintf("a test that must pass is reported %s", v)
	}
	return ""
}

// besides is where a test file of ours lies: in the folder of the red test. All
// names have one form, which tells neither a canary from a test nor a test
// from its turned copy.
func besides(red, name string) string { return path.Join(path.Dir(red), "test_"+name+".py") }
