package testrun

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"breakfix/internal/testrun/zygote"
)

// What runs in the box, laid read-only outside the tree.
var (
	//go:embed inside/breakfix_channel.py
	channelSource string
	//go:embed inside/breakfix_report.py
	reporterSource string
	//go:embed inside/breakfix_config.py
	configSource string
	//go:embed inside/breakfix_smoke.py
	smokeSource string
	//go:embed inside/breakfix_cover.py
	coverSource string
	//go:embed inside/breakfix_warm.py
	warmSource string
	//go:embed inside/breakfix_render.py
	renderSource string
	//go:embed inside/breakfix_direct.py
	directSource string
	//go:embed inside/breakfix_lint.py
	lintSource string
)

// reporterVersion names the protocol and the plugin; what was measured with
// another one is measured again.
var reporterVersion = func() string {
	s := sha256.Sum256([]byte(channelSource + reporterSource + configSource + smokeSource + coverSource + warmSource + renderSource + directSource + zygote.CageSource))
	return "1-" + hex.EncodeToString(s[:6])
}()

// newNonce returns 128 bits, in hex, that one run's reporter proves itself with.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// message is one line of the reporter.
type message struct {
	Nonce string `json:"n"`
	Kind  string `json:"k"`

	ID      string     `json:"id"`
	IDs     []string   `json:"ids"`
	Verdict string     `json:"verdict"`
	Seconds float64    `json:"seconds"`
	Stop    bool       `json:"stop"`
	Failure rawFailure `json:"failure"`
	File    string     `json:"file"`
	Missing string     `json:"missing"`
	Covered Lines      `json:"covered"`
	Traits  []string   `json:"traits"`
	Reads   []string   `json:"reads"`
	Imports []string   `json:"imports"`
	Edges   edges      `json:"edges"`
	Count   int        `json:"count"`
	Ended   int        `json:"ended"`
	Chosen  int        `json:"selected"`
	Pytest  string     `json:"pytest"`
	Step    string     `json:"step"`
	Reason  string     `json:"reason"`
}

// rawFailure is a Failure as the box sent it: bounded again before use.
type rawFailure struct {
	Kind     string  `json:"kind"`
	Message  string  `json:"message"`
	Path     string  `json:"path"`
	Line     int     `json:"line"`
	TestLine int     `json:"test_line"`
	Frames   []Frame `json:"frames"`
	Text     string  `json:"text"`
}

const (
	maxLine    = 4 << 20 // bytes of one line of the reporter
	maxText    = 8 << 10
	maxMessage = 2 << 10
	maxFrames  = 40
)

func (r rawFailure) failure() Failure {
	f := Failure{Kind: clip(r.Kind, 200), Message: clip(r.Message, maxMessage), Path: clip(r.Path, 1000), Line: r.Line,
		TestLine: r.TestLine, Frames: r.Frames, Text: clip(r.Text, maxText)}
	if len(f.Frames) > maxFrames {
		f.Frames = f.Frames[len(f.Frames)-maxFrames:]
	}
	return f
}

// clip cuts s to at most n bytes, not inside a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// reader parses what arrives on the report descriptor. Only lines that carry
// the nonce reach handle; everything else is counted as suspicious and, so
// that a flood cannot hold the run up, ends it after maxSuspicious lines.
type reader struct {
	nonce      string
	handle     func(message) error
	rest       []byte
	skipping   bool // inside a line that is too long
	suspicious int
}

const maxSuspicious = 10000

// Write implements io.Writer. Its error asks the sandbox to kill the run.
func (r *reader) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			if r.skipping {
				return n, nil
			}
			if len(r.rest)+len(p) > maxLine {
				r.rest, r.skipping = nil, true
				r.suspicious++
				return n, nil
			}
			r.rest = append(r.rest, p...)
			return n, nil
		}
		line := p[:i]
		p = p[i+1:]
		if r.skipping {
			r.skipping = false
			continue
		}
		if len(r.rest) > 0 {
			line = append(r.rest, line...)
			r.rest = nil
		}
		if err := r.line(line); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (r *reader) line(line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	var m message
	if len(line) > maxLine || json.Unmarshal(line, &m) != nil || m.Nonce != r.nonce {
		r.suspicious++
		if r.suspicious > maxSuspicious {
			return fmt.Errorf("more than %d forged lines on the report descriptor", maxSuspicious)
		}
		return nil
	}
	return r.handle(m)
}
