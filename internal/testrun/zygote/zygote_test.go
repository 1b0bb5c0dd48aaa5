package zygote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

// program is a warm process that runs what it is asked to: "server" in itself,
// whose result is the reason of a refusal, "code" in a child.
const program = `
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, "/probe")
import breakfix_channel, breakfix_cage
exec(os.environ.get("PRELUDE", ""))

def before(req):
    code = req["body"].get("server")
    if code:
        scope = {"req": req}
        exec(code, scope)
        return str(scope["result"])

body = breakfix_cage.serve({"pid": os.getpid()}, before)

def say(*what):
    breakfix_channel.send("say", text=" ".join(map(str, what)))

try:
    exec(body["code"], {"say": say, "os": os, "sys": sys})
except BaseException as e:
    if not isinstance(e, SystemExit):
        say("RAISED", type(e).__name__, e)
breakfix_channel.done()
`

type ask struct {
	Code   string `json:"code,omitempty"`
	Server string `json:"server,omitempty"`
}

// base is the tree that the warm process lies over.
func base(t testing.TB) *tree.Tree {
	t.Helper()
	tr, err := tree.FromFiles(map[string]*tree.File{
		"a.txt": tree.Text("a\n"), "b.txt": tree.Text("b\n"), "pkg/one.py": tree.Text("1\n"), "pkg/two.py": tree.Text("2\n"),
		"file": tree.Text("a file\n"), "other/two.py": tree.Text("other\n"), "link": {Kind: tree.Link, Data: []byte("other")},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := tr.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	if tr, err = tree.FromDir(dir, nil); err != nil {
		t.Fatal(err)
	}
	return tr
}

func channel(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../inside/breakfix_channel.py")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func keeper(t testing.TB) sandbox.Keeper {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{Scratch: t.TempDir()})
	if err != nil {
		t.Fatalf("no box on this machine: %v", err)
	}
	k, ok := box.(sandbox.Keeper)
	if !ok {
		t.Fatal("this sandbox keeps no box open")
	}
	return k
}

func specOf(t testing.TB, lim sandbox.Limits, env ...string) sandbox.Spec {
	return sandbox.Spec{Tree: base(t), Argv: []string{"/usr/bin/python3", "/probe/program.py"}, Env: env, Limits: lim,
		Extra: map[string]*tree.File{"/probe/program.py": tree.Text(program), "/probe/breakfix_cage.py": tree.Text(CageSource),
			"/probe/breakfix_channel.py": tree.Text(channel(t))}}
}

// serve starts a server that ends with the test.
func serve(t testing.TB, lim sandbox.Limits, env ...string) *Server {
	t.Helper()
	return serveIn(t, keeper(t), specOf(t, lim, env...))
}

func serveIn(t testing.TB, k sandbox.Keeper, spec sandbox.Spec) *Server {
	t.Helper()
	s, ready, err := Start(context.Background(), k, spec, 60*time.Second)
	if err != nil {
		t.Fatal(explain(err))
	}
	if !strings.Contains(string(ready), "pid") {
		t.Errorf("ready said %s", ready)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func explain(err error) string {
	if se, ok := err.(*StartError); ok {
		return fmt.Sprintf("%v\n%s%s", err, se.Stdout, se.Stderr)
	}
	return err.Error()
}

// heard is what a child said and whether it came to its end.
type heard struct {
	said  []string
	fault string
	done  bool
}

func listen(t *testing.T, text []byte) (h heard) {
	t.Helper()
	for _, line := range bytes.Split(text, []byte("\n")) {
		var m struct {
			N      string `json:"n"`
			K      string `json:"k"`
			Text   string `json:"text"`
			Reason string `json:"reason"`
		}
		if len(line) == 0 || json.Unmarshal(line, &m) != nil || m.N != "nonce" {
			continue
		}
		switch m.K {
		case "say":
			h.said = append(h.said, m.Text)
		case "fault":
			h.fault = m.Reason
		case "done":
			h.done = true
		}
	}
	return h
}

// do runs code in a child; the server must live on.
func do(t *testing.T, s *Server, req Request, code string) (heard, Exit) {
	t.Helper()
	h, exit, err := try(t, context.Background(), s, req, code)
	if err != nil {
		t.Fatalf("the server is lost: %v", err)
	}
	return h, exit
}

func try(t *testing.T, ctx context.Context, s *Server, req Request, code string) (heard, Exit, error) {
	t.Helper()
	var report bytes.Buffer
	req.Body, req.Nonce = ask{Code: code}, "nonce"
	if req.Report == nil {
		req.Report = &report
	}
	exit, err := s.Do(ctx, req)
	return listen(t, report.Bytes()), exit, err
}

// says runs code in a child that must come to its end, and returns what it said.
func says(t *testing.T, s *Server, req Request, code string) string {
	t.Helper()
	h, exit := do(t, s, req, code)
	if !h.done || h.fault != "" || exit.Status != 0 {
		t.Fatalf("ended with %d, done %v, fault %q, said:\n%s", exit.Status, h.done, h.fault, strings.Join(h.said, "\n"))
	}
	return strings.Join(h.said, "\n")
}

// inServer runs code in the warm process itself and returns its result.
func inServer(t *testing.T, s *Server, code string) string {
	t.Helper()
	_, err := s.Do(context.Background(), Request{Body: ask{Server: code}, Nonce: "nonce", Report: &bytes.Buffer{}})
	refused, ok := err.(*RefusedError)
	if !ok {
		t.Fatalf("asked the warm process: %v", err)
	}
	return refused.Why
}

// lives checks that the server serves the next request.
func lives(t *testing.T, s *Server) {
	t.Helper()
	if got := says(t, s, Request{}, `say("alive")`); got != "alive" {
		t.Errorf("the next child said %q", got)
	}
}
