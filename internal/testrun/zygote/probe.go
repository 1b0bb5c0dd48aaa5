package zygote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// Probed is what Probe found.
type Probed struct {
	Group bool          // each child has a control group of its own
	Run   time.Duration // the median time of one child that does nothing
}

// probe serves and leaves; its channel says why a cage could not be made.
const (
	probe        = "import os, sys\nsys.path.insert(0, '/probe')\nimport breakfix_cage\nbreakfix_cage.serve({})\nos._exit(7)\n"
	probeChannel = "import os\ndef attach(fd, nonce): at.append(fd)\ndef send(kind, reason): os.write(at[0], reason.encode())\nat = []\n"
)

// Probe starts a warm process with the interpreter at python, a path inside
// the box, and runs a few children. The error says what does not work here.
func Probe(ctx context.Context, box sandbox.Keeper, python string) (p Probed, err error) {
	base, err := tree.FromFiles(map[string]*tree.File{"a": tree.Text("a")})
	if err != nil {
		return p, err
	}
	s, _, err := Start(ctx, box, sandbox.Spec{Tree: base, Argv: []string{python, "-I", "/probe/probe.py"}, Extra: map[string]*tree.File{
		"/probe/probe.py": tree.Text(probe), "/probe/breakfix_cage.py": tree.Text(CageSource), "/probe/breakfix_channel.py": tree.Text(probeChannel)}}, 20*time.Second)
	var start *StartError
	if errors.As(err, &start) && len(start.Stderr) > 0 {
		lines := strings.Split(strings.TrimSpace(string(start.Stderr)), "\n")
		err = fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	if err != nil {
		return p, err
	}
	defer s.Close()
	cage, err := s.live.Cage()
	if err != nil {
		return p, err
	}
	p.Group = cage.File() != nil
	if err := cage.Remove(); err != nil {
		return p, err
	}
	var took []time.Duration
	for range 9 {
		var why bytes.Buffer
		exit, err := s.Do(ctx, Request{Body: struct{}{}, Report: &why, Changes: map[string]*tree.File{"a": nil, "b": tree.Text("b")}})
		if err == nil && exit.Status != 7 {
			err = fmt.Errorf("a child ended with %d instead of 7: %s", exit.Status, why.String())
		}
		if err != nil {
			return p, err
		}
		took = append(took, exit.Wall)
	}
	slices.Sort(took)
	p.Run = took[len(took)/2]
	return p, nil
}
