package export

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"breakfix/internal/bug"
	"breakfix/internal/tree"
)

// checkSWEBench runs each instance's eval_script as the harness does: in a
// repository of what the image holds, with and without the patch.
func checkSWEBench(ctx context.Context, dir string, c *checker) error {
	return eachLine(filepath.Join(dir, instancesName), func(number int, text []byte) error {
		var in sweInstance
		var o Origin
		var fail, pass []string
		err := decode(text, &in, in.into(&o, &fail, &pass))
		if err != nil {
			c.note(fmt.Sprintf("line %d", number), unreadable(err), 0, 0)
			return nil
		}
		s, err := c.state(ctx, o, taskDir(dir, in.ID))
		if ours(err) {
			return err
		}
		if err != nil {
			c.note(in.ID, unreadable(err), len(fail), len(pass))
			return nil
		}
		env, err := c.env(ctx, o, s)
		if err != nil {
			return err
		}
		c.Progress("tests", in.ID)
		extra := map[string]*tree.File{"/eval.sh": tree.Text(in.EvalScript), "/tmp/patch.diff": tree.Text(in.Patch)}
		before, err := c.run(ctx, env, s.Tree, commit+"bash /eval.sh 2>&1", extra)
		if err != nil {
			return err
		}
		after, err := c.run(ctx, env, s.Tree, commit+"git apply --verbose /tmp/patch.diff\nbash /eval.sh 2>&1", extra)
		if err != nil {
			return err
		}
		if err := c.log(in.ID, before, after); err != nil {
			return err
		}
		reason := ""
		for _, out := range []string{before, after} {
			if !strings.Contains(out, startMark) || !strings.Contains(out, endMark) {
				reason = "the script did not come to the end of its tests: " + last(out, 4)
			}
		}
		if reason == "" {
			reason = compare(readSummary(between(before)), readSummary(between(after)), fail, pass)
		}
		c.note(in.ID, reason, len(fail), len(pass))
		return nil
	})
}

// into are the parts of an instance that are JSON in strings.
func (in *sweInstance) into(o *Origin, fail, pass *[]string) func() error {
	return func() error {
		for _, one := range []struct {
			text string
			into any
		}{{in.Origin, o}, {in.FailToPass, fail}, {in.PassToPass, pass}} {
			if err := json.Unmarshal([]byte(one.text), one.into); err != nil {
				return err
			}
		}
		return nil
	}
}

func decode(text []byte, into any, then func() error) error {
	if err := json.Unmarshal(text, into); err != nil {
		return err
	}
	return then()
}

// between is what was printed between the marks.
func between(text string) string {
	_, text, _ = strings.Cut(text, startMark)
	text, _, _ = strings.Cut(text, endMark)
	return text
}

// smithScript is how SWE-smith's tools run a profile's command.
const smithScript = `exec 2>&1
set -uxo pipefail
cd ` + testbed + `
: '` + startMark + `'
%s
: '` + endMark + `'
`

// checkSWESmith runs the profile's command on the clean base and on the base
// with the patch, which introduces the bug.
func checkSWESmith(ctx context.Context, dir string, c *checker) error {
	var all []smithProfile
	text, err := os.ReadFile(filepath.Join(dir, "profiles.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("%s: profiles.json: %w", dir, err)
	}
	clean := map[string]string{} // what the clean base printed, by profile
	return eachLine(filepath.Join(dir, instancesName), func(number int, text []byte) error {
		var in smithInstance
		var o Origin
		err := decode(text, &in, func() error { return json.Unmarshal([]byte(in.Origin), &o) })
		if err != nil {
			c.note(fmt.Sprintf("line %d", number), unreadable(err), 0, 0)
			return nil
		}
		_, key, _ := strings.Cut(in.Repo, "/")
		command := ""
		for _, p := range all {
			if p.name() == key {
				command = p.Command
			}
		}
		if command == "" {
			c.note(in.ID, "profiles.json has no profile "+key, len(in.FailToPass), len(in.PassToPass))
			return nil
		}
		s, err := c.state(ctx, o, filepath.Join(dir, "images", filepath.Base(key)))
		if ours(err) {
			return err
		}
		var broken *tree.Tree
		if err == nil {
			broken, err = tree.Apply(s.Tree, []byte(in.Patch))
		}
		if err != nil {
			c.note(in.ID, unreadable(err), len(in.FailToPass), len(in.PassToPass))
			return nil
		}
		env, err := c.env(ctx, o, s)
		if err != nil {
			return err
		}
		c.Progress("tests", in.ID)
		script := fmt.Sprintf(smithScript, command)
		if _, ok := clean[key]; !ok {
			if clean[key], err = c.run(ctx, env, s.Tree, script, nil); err != nil {
				return err
			}
		}
		out, err := c.run(ctx, env, broken, script, nil)
		if err != nil {
			return err
		}
		if err := c.log(in.ID, out, clean[key]); err != nil {
			return err
		}
		c.note(in.ID, compare(readProgress(out), readProgress(clean[key]), in.FailToPass, in.PassToPass), len(in.FailToPass), len(in.PassToPass))
		return nil
	})
}

// checkChat applies the assistant's diff to the broken tree.
func checkChat(ctx context.Context, dir string, c *checker) error {
	return eachLine(filepath.Join(dir, messagesName), func(number int, text []byte) error {
		var l chatLine
		var o chatOrigin
		where := fmt.Sprintf("line %d", number)
		err := decode(text, &l, func() error { return json.Unmarshal([]byte(l.Origin), &o) })
		if err == nil && len(l.Messages) != 3 {
			err = fmt.Errorf("it has %d messages", len(l.Messages))
		}
		if err != nil {
			c.note(where, unreadable(err), 0, 0)
			return nil
		}
		packed, err := os.ReadFile(filepath.Join(dir, embeddedAt(o.Base)))
		if err != nil {
			packed = nil
		}
		return c.plain(ctx, o, packed, []byte(fenced(l.Messages[2].Content)))
	})
}

// fenced is the text of the fenced block.
func fenced(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	ticks := first[:len(first)-len(strings.TrimLeft(first, "`"))]
	rest, _, _ = strings.Cut(rest, "\n"+ticks+"\n")
	return rest + "\n"
}

// plain runs the tests on the base with the bug, and on that with the repair.
func (c *checker) plain(ctx context.Context, o chatOrigin, packed, repair []byte) error {
	s, err := c.base(ctx, o.Origin, packed)
	if ours(err) {
		return err
	}
	var broken, repaired *tree.Tree
	if err == nil {
		if broken, err = tree.Apply(s.Tree, []byte(o.Inject)); err == nil {
			repaired, err = tree.Apply(broken, repair)
		}
	}
	if err != nil {
		c.note(o.Bug, unreadable(err), len(o.FailToPass), len(o.PassToPass))
		return nil
	}
	env, err := c.env(ctx, o.Origin, s)
	if err != nil {
		return err
	}
	c.Progress("tests", o.Bug)
	var outs [2]string
	for i, t := range []*tree.Tree{broken, repaired} {
		if t, err = t.With(map[string]*tree.File{o.RedPath: tree.Text(o.RedTest)}); err != nil {
			return err
		}
		if outs[i], err = c.run(ctx, env, t, "cd "+testbed+"\n"+o.Command+" 2>&1", nil); err != nil {
			return err
		}
	}
	c.note(o.Bug, compare(readSummary(outs[0]), readSummary(outs[1]), o.FailToPass, o.PassToPass), len(o.FailToPass), len(o.PassToPass))
	return nil
}

// checkBreakfix runs the red tests of each artifact; breakfix verify does more.
func checkBreakfix(ctx context.Context, dir string, c *checker) error {
	return eachLine(filepath.Join(dir, linesName), func(number int, text []byte) error {
		b, err := bug.ParseLine(bytes.Clone(text))
		if err != nil {
			c.note(fmt.Sprintf("line %d", number), unreadable(err), 0, 0)
			return nil
		}
		p := &packer{o: Options{Cache: c.Cache}, bases: map[tree.Digest]*base{}}
		it, err := p.item(b)
		if ours(err) {
			return err
		}
		if err != nil {
			c.note(b.ID, unreadable(err), 0, 0)
			return nil
		}
		fail, pass := swebenchTests(it)
		o := chatOrigin{Origin: it.origin, Inject: string(b.Inject), RedPath: b.RedTest.Path, RedTest: b.RedTest.Code,
			FailToPass: fail, PassToPass: pass, Command: it.pytest(inSummary, filesOf(fail, pass))}
		var packed []byte
		if it.embedded {
			if packed, err = bug.Pack(it.base); err != nil {
				return err
			}
		}
		return c.plain(ctx, o, packed, it.repair)
	})
}
