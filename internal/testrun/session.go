package testrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun/zygote"
	"breakfix/internal/tree"
)

// insideAt is where our own read-only files lie in the box.
const insideAt = "/breakfix"

// coverageAt is where coverage.py lies in the box of a coverage run.
const coverageAt = "/breakfix-coverage"

// mode is how pytest is called in every run of one workspace.
type mode struct {
	Config   string   `json:"config"`   // the configuration file inside the tree, "" for none
	Args     []string `json:"args"`     // options kept from the target's addopts
	Select   []string `json:"select"`   // -k, -m and --deselect, used when the suite is collected
	Roots    []string `json:"roots"`    // what to collect when no test is named; empty: pytest's own rule
	Autoload bool     `json:"autoload"` // entry-point plugins are loaded
	Path     []string `json:"path"`     // folders of the tree on PYTHONPATH; "." is its root
	Vars     []string `json:"vars"`     // KEY=value let through from the host
}

// job is one process of pytest in one box.
type job struct {
	tree     *tree.Tree
	env      *source.Environment
	mode     mode
	seed     int
	tests    []string // nil: everything that is collected
	whole    []string // files of which every test is wanted
	files    []string // arguments; nil: the mode's roots
	few      bool     // of the files, only the tests are collected
	collect  bool     // only collect
	decide   bool     // end at the first red test
	reverse  bool     // the last test first
	coverage string   // host folder of coverage.py; "" for none
	deadline func(id string) time.Duration
	loading  time.Duration // wall time until the first test starts, and between tests
	memory   int64
	wall     time.Duration // of the whole process; 0 means hours
}

// plan is what the plugin reads in the box.
type plan struct {
	Tests    []string `json:"tests"`
	Files    []string `json:"files,omitempty"`
	Collect  bool     `json:"collect_only,omitempty"`
	Decide   bool     `json:"decide,omitempty"`
	Reverse  bool     `json:"reverse,omitempty"`
	Coverage string   `json:"coverage,omitempty"`
	Warm     string   `json:"warm,omitempty"`    // where it serves: "bare" or "collected"
	Preload  []string `json:"preload,omitempty"` // modules that are not of the tree
	Compile  []string `json:"compile,omitempty"` // code to be compiled ahead
}

// uncollected is a file that did not collect.
type uncollected struct {
	file, missing string
	failure       Failure
}

// session is what one process said.
type session struct {
	ids         []string
	collected   bool          // collection ended
	ready       bool          // pytest was about to run the first test
	loadTime    time.Duration // from the start of the box until then
	uncollected []uncollected
	verdicts    outcome.Results
	failures    map[string]Failure
	seconds     map[string]float64
	started     map[string]bool
	known       map[string]bool // ids that were collected
	twice       map[string]bool // and more than once
	trace       *trace          // what a process with coverage told
	hints       string          // warnings of collecting
	pytest      string

	running  string // started and not ended
	stopped  string // the test that ended the session
	done     bool   // the completion mark arrived
	decided  bool   // it ended at the first red test, as it was told
	whole    bool   // and every test that was selected has reported
	orderly  bool   // the interpreter came to its end without the mark
	timedOut string // the test that was past its deadline
	waited   bool   // and used next to no CPU time
	late     bool   // loading did not end in time
	fault    string // why a child of a warm process could not begin: ours
	strange  int    // lines that are not the reporter's, duplicates, unknown tests
	box      sandbox.Result
}

// errEnough ends a run whose completion mark arrived.
var errEnough = errors.New("the completion mark arrived")

func newSession() *session {
	return &session{verdicts: outcome.Results{}, failures: map[string]Failure{}, seconds: map[string]float64{},
		started: map[string]bool{}, known: map[string]bool{}, twice: map[string]bool{}}
}

// run starts one box and follows it to its end. Its error is ours; everything
// that the code in the box did is in the session.
func (j job) run(ctx context.Context, box sandbox.Sandbox) (*session, error) {
	s := newSession()
	nonce := newNonce()
	boxCtx, kill := context.WithCancel(ctx)
	defer kill()
	w := newWatch(kill, j.loading)
	defer w.stop()
	rd := &reader{nonce: nonce, handle: func(m message) error { return s.take(m, j, w) }}
	spec, err := j.spec(plan{Tests: j.tests, Files: j.whole, Collect: j.collect, Decide: j.decide, Reverse: j.reverse, Coverage: j.coverageInside()})
	if err != nil {
		return nil, err
	}
	spec.Limits.Wall = 2 * time.Hour
	if j.wall > 0 {
		spec.Limits.Wall = j.wall
	}
	spec.Report, spec.Secret, spec.Started = rd, []byte(nonce), w.meter
	s.box, err = box.Run(boxCtx, spec)
	w.stop()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !w.fired() {
			return nil, fmt.Errorf("run tests in the sandbox: %w", err)
		}
	}
	s.follow(w, rd)
	return s, nil
}

// follow takes over what the watch and the reader know at the end of a run.
func (s *session) follow(w *watch, rd *reader) {
	s.strange += rd.suspicious
	if w.fired() && !s.done {
		s.waited = w.waited()
		if s.timedOut = s.running; s.timedOut == "" {
			s.late = true
		}
	}
}

// spec is the box of a process of pytest with our plugin and its plan.
func (j job) spec(p plan) (sandbox.Spec, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return sandbox.Spec{}, fmt.Errorf("write the plan of a test run: %w", err)
	}
	spec := sandbox.Spec{
		Tree: j.tree,
		Extra: map[string]*tree.File{
			path.Join(insideAt, "breakfix_channel.py"): tree.Text(channelSource),
			path.Join(insideAt, "breakfix_report.py"):  tree.Text(reporterSource),
			path.Join(insideAt, "none.ini"):            tree.Text(""),
			path.Join(insideAt, "plan.json"):           {Kind: tree.Regular, Data: text},
		},
		Argv:   j.argv(),
		Env:    j.environ(),
		Binds:  environmentBinds(j.env),
		Limits: sandbox.Limits{Memory: j.memory},
	}
	if p.Warm != "" {
		spec.Extra[path.Join(insideAt, "breakfix_cage.py")] = tree.Text(zygote.CageSource)
		spec.Extra[path.Join(insideAt, "breakfix_warm.py")] = tree.Text(warmSource)
		spec.Extra[path.Join(insideAt, "breakfix_render.py")] = tree.Text(renderSource)
		spec.Extra[path.Join(insideAt, "breakfix_direct.py")] = tree.Text(directSource)
	}
	if j.coverage != "" {
		spec.Extra[path.Join(insideAt, "breakfix_cover.py")] = tree.Text(coverSource)
		spec.Binds = append(spec.Binds, sandbox.Bind{Host: j.coverage, Inside: coverageAt})
	}
	if j.env.Built != "" {
		spec.Layers = []string{j.env.Built}
	}
	return spec, nil
}

func (j job) coverageInside() string {
	if j.coverage == "" {
		return ""
	}
	return coverageAt
}

// environmentBinds lays the environment and its base interpreter in a box.
func environmentBinds(env *source.Environment) []sandbox.Bind {
	binds := []sandbox.Bind{{Host: env.Dir, Inside: source.EnvAt}}
	if env.Base != "" && env.Base != "/usr" && !strings.HasPrefix(env.Base, "/usr/") { // /usr is in every box
		binds = append(binds, sandbox.Bind{Host: env.Base, Inside: env.Base})
	}
	return binds
}

func (s *session) traced() *trace {
	if s.trace == nil {
		s.trace = newTrace()
	}
	return s.trace
}

// take handles one line of the reporter.
func (s *session) take(m message, j job, w *watch) error {
	switch m.Kind {
	case "hello":
		s.pytest = m.Pytest
	case "uncollected":
		s.uncollected = append(s.uncollected, uncollected{file: m.File, missing: m.Missing, failure: m.Failure.failure()})
	case "ids":
		for _, id := range m.IDs {
			s.twice[id] = s.twice[id] || s.known[id] // some suites collect two tests under one id
			s.known[id] = true
		}
		s.ids = append(s.ids, m.IDs...)
	case "collected":
		s.collected = true
		s.loadTime = time.Since(w.began)
		w.allow(j.loading)
	case "ready":
		s.ready = true
		w.allow(j.loading)
	case "start":
		if s.started[m.ID] && !s.twice[m.ID] {
			s.strange++
		}
		s.started[m.ID] = true
		s.running = m.ID
		w.allow(j.deadline(m.ID))
	case "end":
		s.running = ""
		w.allow(j.loading)
		v := outcome.Verdict(m.Verdict)
		if !s.started[m.ID] || !v.Known() || v == outcome.Absent || v == outcome.TimedOut {
			s.strange++
			return nil
		}
		if old, twice := s.verdicts[m.ID]; twice {
			if !s.twice[m.ID] {
				s.strange++
			}
			if old != outcome.Passed {
				return nil // the worse one counts
			}
		}
		s.verdicts[m.ID] = v
		s.seconds[m.ID] = m.Seconds
		if v.Red() {
			s.failures[m.ID] = m.Failure.failure()
		}
		if m.Stop {
			s.stopped = m.ID
		}
	case "covered":
		s.traced().lines[m.ID] = append(s.traced().lines[m.ID], m.Covered)
		w.allow(j.loading)
	case "edges":
		s.traced().addEdges(m.Edges)
	case "traits":
		s.traced().addTraits(m)
		w.allow(j.loading)
	case "hint":
		if len(s.hints) < 1<<16 {
			s.hints += clip(m.Reason, 500) + "\n"
		}
	case "fault":
		s.fault = m.Reason
	case "done":
		s.done = true
		s.whole = m.Ended == len(s.verdicts) && m.Ended == m.Chosen || j.collect
		s.decided = j.decide && !s.whole
		w.allow(2 * time.Second)
		return errEnough
	case "exit":
		s.orderly = true
		w.allow(2 * time.Second)
	default:
		s.strange++
	}
	return nil
}

// argv is the command line, made here so that nothing of the target's own
// configuration decides what runs.
func (j job) argv() []string { return j.argvWith("breakfix_report") }

func (j job) argvWith(plugin string) []string {
	argv := []string{source.EnvAt + "/bin/python", "-m", "pytest", "-p", plugin, "-o", "addopts="}
	config := path.Join(insideAt, "none.ini")
	if j.mode.Config != "" {
		config = path.Join(sandbox.TreeAt, j.mode.Config)
	}
	argv = append(argv, "-c", config, "--rootdir", sandbox.TreeAt, "--confcutdir", sandbox.TreeAt, "-o", "cache_dir=/tmp/pytest_cache",
		"--continue-on-collection-errors", "-q")
	for _, p := range blockedPlugins {
		argv = append(argv, "-p", "no:"+p)
	}
	argv = append(argv, j.mode.Args...)
	if j.files != nil {
		return append(argv, j.files...)
	}
	if j.tests == nil {
		argv = append(argv, j.mode.Select...)
	}
	return append(argv, j.mode.Roots...)
}

// environ is the whole environment of the tests.
func (j job) environ() []string {
	pythonpath := insideAt
	for _, p := range j.mode.Path {
		pythonpath += ":" + path.Join(sandbox.TreeAt, p)
	}
	env := append([]string(nil), j.mode.Vars...)
	env = append(env,
		"PATH="+source.EnvAt+"/bin:/usr/local/bin:/usr/bin:/bin",
		"VIRTUAL_ENV="+source.EnvAt,
		"PYTHONDONTWRITEBYTECODE=1",
		"PYTHONHASHSEED="+strconv.Itoa(j.seed),
		"PYTHONPATH="+pythonpath,
		"HOME=/tmp", "TZ=UTC", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "COLUMNS=80", "TERM=dumb",
	)
	if !j.mode.Autoload {
		env = append(env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
	}
	return env
}

// filesOf returns the files that hold tests, in the order of first mention.
func filesOf(ids []string) []string {
	var files []string
	seen := map[string]bool{}
	for _, id := range ids {
		f := fileOf(id)
		if !seen[f] {
			seen[f] = true
			files = append(files, f)
		}
	}
	return files
}

// fileOf returns the file part of a test id.
func fileOf(id string) string {
	f, _, _ := strings.Cut(id, "::")
	return f
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
