package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"time"
)

// chromium is a real headless Chromium with one page, driven through its
// debugging pipe: what a person with a mouse would do, without a person.
type chromium struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	mu       sync.Mutex
	next     int
	waiting  map[int]chan message
	session  string
	requests []string // addresses that the page asked for
	faults   []string // errors of the page: exceptions, refusals of its policy
	stderr   bytes.Buffer
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// findChromium returns the program. As root on Debian it is installed where it
// is missing, as scripts/setup does with what breakfix itself needs.
func findChromium() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for range 2 {
		for _, name := range names {
			if p, err := exec.LookPath(name); err == nil {
				return p, nil
			}
		}
		if _, err := exec.LookPath("apt-get"); os.Geteuid() != 0 || err != nil {
			break
		}
		out, err := exec.Command("sh", "-c", "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; apt-get update -qq; apt-get install -y -qq --no-install-recommends chromium").CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("install chromium: %v\n%s", err, out)
		}
	}
	return "", errors.New("there is no Chromium to open the page in; type: sudo apt-get install --no-install-recommends chromium")
}

// startChromium opens a window of 1200 × 900 without a network.
func startChromium(dir string) (*chromium, error) {
	program, err := findChromium()
	if err != nil {
		return nil, err
	}
	args := []string{"--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--window-size=1200,900", "--user-data-dir=" + dir, "about:blank"}
	if os.Geteuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...) // it does not start otherwise; the page is our own
	}
	toIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, toOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &chromium{cmd: exec.Command(program, args...), in: in, waiting: map[int]chan message{}}
	c.cmd.ExtraFiles = []*os.File{toIn, toOut} // 3 and 4
	c.cmd.Stderr = &c.stderr
	c.cmd.Env = append(os.Environ(), "HOME="+dir)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	toIn.Close()
	toOut.Close()
	go c.listen(out)
	return c, c.attach()
}

func (c *chromium) listen(out io.Reader) {
	r := bufio.NewReader(out)
	for {
		b, err := r.ReadBytes(0)
		if err != nil {
			c.mu.Lock()
			for id, w := range c.waiting {
				close(w)
				delete(c.waiting, id)
			}
			c.waiting = nil
			c.mu.Unlock()
			return
		}
		var m message
		if json.Unmarshal(b[:len(b)-1], &m) != nil {
			continue
		}
		c.mu.Lock()
		switch m.Method {
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			_ = json.Unmarshal(m.Params, &p)
			c.requests = append(c.requests, p.Request.URL)
		case "Runtime.exceptionThrown", "Log.entryAdded":
			c.faults = append(c.faults, string(m.Params))
		}
		if w := c.waiting[m.ID]; w != nil && m.Method == "" {
			w <- m
			delete(c.waiting, m.ID)
		}
		c.mu.Unlock()
	}
}

// call sends a command and waits for what it returns.
func (c *chromium) call(method string, params map[string]any, result any) error {
	c.mu.Lock()
	if c.waiting == nil {
		c.mu.Unlock()
		return fmt.Errorf("%s: chromium ended\n%s", method, c.stderr.String())
	}
	c.next++
	id, answer := c.next, make(chan message, 1)
	c.waiting[id] = answer
	c.mu.Unlock()
	request := map[string]any{"id": id, "method": method, "params": params}
	if c.session != "" {
		request["sessionId"] = c.session
	}
	b, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(b, 0)); err != nil {
		return err
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return fmt.Errorf("%s: chromium ended\n%s", method, c.stderr.String())
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		}
		return nil
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("%s: no answer within two minutes\n%s", method, c.stderr.String())
	}
}

func (c *chromium) attach() error {
	var target struct{ TargetID string }
	if err := c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var session struct{ SessionID string }
	if err := c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session); err != nil {
		return err
	}
	c.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		if err := c.call(domain+".enable", map[string]any{}, nil); err != nil {
			return err
		}
	}
	return nil
}

// open shows a file.
func (c *chromium) open(name string) error {
	return c.call("Page.navigate", map[string]any{"url": (&url.URL{Scheme: "file", Path: name}).String()}, nil)
}

// eval computes an expression in the page, waiting for a promise.
func (c *chromium) eval(expression string, result any) error {
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	if err := c.call("Runtime.evaluate", map[string]any{"expression": lookup + expression, "returnByValue": true, "awaitPromise": true}, &r); err != nil {
		return err
	}
	if len(r.ExceptionDetails) > 0 {
		return fmt.Errorf("%s: %s", expression, r.ExceptionDetails)
	}
	if result == nil || len(r.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(r.Result.Value, result)
}

// lookup finds elements also in shadow roots, where the component lives.
const lookup = `
var all = (css, root = document) => [...root.querySelectorAll(css), ...[...root.querySelectorAll("*")].filter(e => e.shadowRoot).flatMap(e => all(css, e.shadowRoot))];
var words = (root = document.body) => { let s = ""; const walk = n => { if (n.nodeType === 3) s += n.data; if (/^(SCRIPT|STYLE|TEMPLATE)$/.test(n.nodeName)) return; for (const c of (n.shadowRoot || n).childNodes) walk(c); if (n.shadowRoot) for (const c of n.childNodes) walk(c); }; walk(root); return s.replace(/\s+/g, " "); };
`

// wait evaluates an expression until it is true.
func (c *chromium) wait(expression string) error {
	for range 300 {
		var ok bool
		if err := c.eval("!!("+expression+")", &ok); err != nil {
			return err
		}
		if ok {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("not true after 15 seconds: %s", expression)
}

// click presses the mouse in the middle of the element of an expression.
func (c *chromium) click(element string) error {
	var at struct{ X, Y float64 }
	err := c.eval(`(async () => { const e = `+element+`; if (!e) throw new Error("no such element"); e.scrollIntoView({block: "center"});
		await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
		const b = e.getClientRects()[0]; return {X: b.x + Math.min(b.width / 2, 200), Y: b.y + b.height / 2}; })()`, &at)
	if err != nil {
		return err
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		if err := c.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil); err != nil {
			return err
		}
	}
	return nil
}

// picture writes a screenshot, to see why something is not there.
func (c *chromium) picture(name string) error {
	var shot struct{ Data []byte }
	if err := c.call("Page.captureScreenshot", map[string]any{}, &shot); err != nil {
		return err
	}
	return os.WriteFile(name, shot.Data, 0o644)
}

func (c *chromium) close() {
	_ = c.call("Browser.close", map[string]any{}, nil)
	c.in.Close()
	done := make(chan struct{})
	go func() { _ = c.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = c.cmd.Process.Kill()
		<-done
	}
}
