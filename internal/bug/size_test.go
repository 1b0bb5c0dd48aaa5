package bug

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"breakfix/internal/lang"
	_ "breakfix/internal/lang/python" // registers the language
	"breakfix/internal/mutate"
	"breakfix/internal/outcome"
	"breakfix/internal/sandbox"
	"breakfix/internal/source"
	"breakfix/internal/testrun"
)

// counted counts what minimising asks of a judge.
type counted struct {
	Judge
	mu           sync.Mutex
	runs, files  int // of reduced files, in fast tiers
	fresh        int // processes that confirm
	warm, atRest time.Duration
	wall         time.Duration
}

func (c *counted) Run(ctx context.Context, req testrun.Request) (testrun.Report, error) {
	began := time.Now()
	rep, err := c.Judge.Run(ctx, req)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !req.FilesOnly:
	case req.Fresh:
		c.fresh++
		c.atRest += rep.CPU
	default:
		c.runs++
		c.files += len(req.Files)
		c.warm += rep.CPU
		c.wall += time.Since(began)
	}
	return rep, err
}

// TestTheSizeOfMinimisedTests minimises red tests, each once, of random mutations of real
// packages (BREAKFIX_SOURCE, by blanks; BREAKFIX_BUGS of each), and prints them and what it took.
func TestTheSizeOfMinimisedTests(t *testing.T) {
	if os.Getenv("BREAKFIX_SLOW") == "" {
		t.Skip("set BREAKFIX_SLOW=1 to run it")
	}
	specs := strings.Fields(os.Getenv("BREAKFIX_SOURCE"))
	if len(specs) == 0 {
		specs = []string{"pypi:toolz==1.2.0", "pypi:tinydb==4.9.0"}
	}
	want, _ := strconv.Atoi(os.Getenv("BREAKFIX_BUGS"))
	for _, spec := range specs {
		t.Run(spec, func(t *testing.T) { sizesOf(t, spec, max(want, 5)) })
	}
}

func sizesOf(t *testing.T, spec string, want int) {
	ctx := t.Context()
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := source.Open(ctx, spec, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := testrun.Prepare(ctx, testrun.Config{Box: box, Snapshot: snap, LazyFindings: true, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	python, err := lang.Get("python")
	if err != nil {
		t.Fatal(err)
	}
	var sites []mutate.Mutation
	for _, p := range snap.Tree.Paths() {
		if !strings.HasSuffix(p, ".py") || !python.IsCode(p) {
			continue
		}
		src, err := snap.Tree.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		f, err := python.Parse(src)
		if err != nil || f.HasError {
			continue
		}
		for _, m := range mutate.Enumerate(python, p, f, mutate.Operators()) {
			if len(w.Covering(m.Path, m.Line, m.LastLine)) > 0 {
				sites = append(sites, m)
			}
		}
	}
	r := rand.New(rand.NewPCG(5, 5))
	r.Shuffle(len(sites), func(i, j int) { sites[i], sites[j] = sites[j], sites[i] })
	var before, after, runs, files, cpu, walls []float64
	seen := map[string]bool{}
	failed := 0
	for _, m := range sites {
		if len(after)+failed == want {
			break
		}
		broken, err := mutate.Apply(snap.Tree, m)
		if err != nil {
			t.Fatal(err)
		}
		c := &counted{Judge: w}
		target := TargetOf(w, python, Options{})
		target.Judge = c
		tr := &trial{t: target.within(testrun.CodeSwap), cand: Candidate{Tree: broken, Tier: testrun.CodeSwap}, base: snap.Tree, broken: broken}
		ok := true
		for _, check := range []func(context.Context, *trial) (objection, error){applies, loads, goesRed} {
			o, err := check(ctx, tr)
			if err != nil {
				t.Fatal(err)
			}
			if ok = o.reason == ""; !ok {
				break
			}
		}
		if !ok || seen[tr.easiest(1)[0]] { // each test once: sites differ, tests repeat
			continue
		}
		seen[tr.easiest(1)[0]] = true
		began := time.Now()
		o, err := minimal(ctx, tr)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began).Seconds()
		if o.reason != "" {
			failed++
			e := tr.easiest(1)[0]
			t.Logf("%s %s:%d (%s): %s (%d runs of %d files)\n%s: %+v", m.Operator, m.Path, m.Line, m.Variant, o.reason, c.runs, c.files, tr.whole.Results.Get(e), tr.whole.Failures[e])
			continue
		}
		red := tr.redTest
		before, after = append(before, float64(red.Before)), append(after, float64(red.Statements))
		runs, files, cpu = append(runs, float64(c.runs)), append(files, float64(c.files)), append(cpu, c.warm.Seconds())
		walls = append(walls, took)
		t.Logf("%s %s:%d (%s)\n%s %s: %d → %d statements; %d runs of %d files, %.2f s CPU (%.2f s to confirm), %.2f of %.2f s wall\n%s", m.Operator, m.Path, m.Line, m.Variant,
			red.From, red.Failure.Kind, red.Before, red.Statements, c.runs, c.files, c.warm.Seconds(), c.atRest.Seconds(), c.wall.Seconds(), took, red.Code)
	}
	say := func(name string, v []float64) string {
		slices.Sort(v)
		if len(v) == 0 {
			return ""
		}
		at := func(q float64) float64 { return v[int(q*float64(len(v)-1)+0.5)] }
		return fmt.Sprintf("%s median %.3g, 75 %% %.3g, 90 %% %.3g, most %.3g; ", name, at(0.5), at(0.75), at(0.9), v[len(v)-1])
	}
	t.Logf("SUM %s: %d minimised, %d not: %s%s%s%s%s%s", spec, len(after), failed, say("before", before), say("after", after), say("runs", runs), say("files", files), say("CPU s", cpu), say("wall s", walls))
	switch {
	case len(after) == 0:
		t.Errorf("no break was %s", outcome.Valid)
	case len(after) >= 10 && after[len(after)/2] > 5: // sorted by say
		t.Errorf("the median is %.0f statements", after[len(after)/2])
	case failed > len(after)/5:
		t.Errorf("%d red tests could not be minimised", failed)
	}
}
