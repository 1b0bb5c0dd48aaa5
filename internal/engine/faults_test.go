package engine_test

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

// script is a short training that uses every request: what it leaves behind is
// compared with the same script without faults.
func script(t *testing.T, m *engine.Model) (trace string, err error) {
	t.Helper()
	var b strings.Builder
	for update := range 3 {
		a := newGame(update).ask()
		a.Seed, a.MaxTokens = uint64(update), 8
		got, err := m.Sample(t.Context(), a)
		if err != nil {
			return b.String(), err
		}
		fmt.Fprintln(&b, got.Version, got.Tokens, got.LogProbs)
		data := []engine.Datum{datum(got, 1)}
		for range 2 { // gradients accumulate over two passes
			p, _, err := m.ForwardBackward(t.Context(), data, "importance_sampling", nil)
			if err != nil {
				return b.String(), err
			}
			fmt.Fprintln(&b, p)
		}
		if err := m.Step(t.Context(), 1e-2); err != nil {
			return b.String(), err
		}
		if err := m.Publish(t.Context(), fmt.Sprint(update+1)); err != nil {
			return b.String(), err
		}
		if update == 1 {
			if _, err := m.Save(t.Context(), "middle"); err != nil {
				return b.String(), err
			}
		}
	}
	return b.String(), nil
}

// hurt is one line of the fault table: what goes wrong, with which request.
type hurt struct {
	route, what string
	taken       bool
	did         string // what the client must have done
	jsonOnly    bool
}

// The routes whose answers carry arrays or change weights, and the others.
var hurts = func() (all []hurt) {
	training := []string{"forward_backward", "optim_step"}
	for _, route := range []string{"create_session", "create_model", "asample", "forward_backward", "optim_step", "save_weights", "save_weights_for_sampler", "create_sampling_session"} {
		whats := []string{"429", "503", enginetest.Reset, enginetest.Truncated, enginetest.HTML}
		if slices.Contains(training, route) || route == "asample" {
			whats = append(whats, "402", "408", "500", "500+reset", "502")
		}
		for _, what := range whats {
			all = append(all, hurt{route: route, what: what, did: "retries"})
			if what == enginetest.Reset || what == "500" || what == "503" {
				all = append(all, hurt{route: route, what: what, taken: true, did: "retries"})
			}
		}
	}
	for _, route := range append(training, "asample", "save_weights") {
		all = append(all, hurt{route: route, what: enginetest.SlowOnce, did: "polls"})
		all = append(all, hurt{route: route, what: enginetest.Restarted, did: "restored"}, hurt{route: route, what: enginetest.Expired, did: "restored"})
	}
	for _, what := range []string{"408", "410", "429", "502", enginetest.Reset, enginetest.Truncated, enginetest.NaN, enginetest.Few, enginetest.HTML, enginetest.Restarted} {
		did := map[string]string{"408": "polls", "410": "resubmitted", enginetest.Restarted: "restored"}[what]
		all = append(all, hurt{route: "retrieve_future", what: what, did: cmp.Or(did, "retries")})
	}
	for _, route := range append(training, "save_weights", "asample") {
		all = append(all, hurt{route: route, what: enginetest.Duplicate})
	}
	return all
}()

// count reads the counter of a name.
func count(c engine.Counts, name string) int64 {
	return map[string]int64{"retries": c.Retries, "polls": c.Polls, "resubmitted": c.Resubmitted, "restored": c.Restored}[name]
}

// TestNoFaultLosesOrDoublesAnything runs the script with one fault each, in both
// dialects, on a server that executes a seq_id once and on one that executes it
// again: samples, log-probabilities and the weights at the end are those of the
// script without faults.
func TestNoFaultLosesOrDoublesAnything(t *testing.T) {
	type variant struct {
		name    string
		quirks  enginetest.Quirks
		profile engine.Profile
	}
	variants := []variant{
		{"json once", enginetest.Quirks{}, engine.Profile{OnceEach: true}},
		{"json again", enginetest.Quirks{RunsAgain: true}, engine.Profile{}},
		{"protobuf once", enginetest.Quirks{Protobuf: true}, engine.Profile{OnceEach: true, Dialect: engine.DialectProtobuf}},
		{"protobuf again", enginetest.Quirks{Protobuf: true, RunsAgain: true}, engine.Profile{}},
	}
	var table strings.Builder
	rows := map[string]map[string]string{}
	var names []string
	for _, v := range variants {
		want := ""
		run := func(t *testing.T, h *hurt) {
			s := start(t, enginetest.Options{Quirks: v.quirks})
			if h != nil && (h.route == "create_session" || h.route == "create_model") {
				s.Inject(enginetest.Fault{Route: h.route, What: h.what, Taken: h.taken})
			}
			m := open(t, s, v.profile)
			before := m.Counts()
			if h != nil && h.route != "create_session" && h.route != "create_model" {
				nth := 2
				if h.route == "save_weights" {
					nth = 1
				}
				if h.route == "retrieve_future" {
					nth = 3 // of the second pass
				}
				s.Inject(enginetest.Fault{Route: h.route, What: h.what, Taken: h.taken, Nth: nth})
			} else {
				before = engine.Counts{}
			}
			trace, err := script(t, m)
			if err != nil {
				t.Errorf("the client gave up: %v", err)
				return
			}
			trace += s.Digest(m.ID())
			if h == nil {
				want = trace
				return
			}
			if trace != want {
				t.Errorf("the training is another one:\n%s\nwithout the fault:\n%s", trace, want)
			}
			after := m.Counts()
			if h.did != "" && count(after, h.did) == count(before, h.did) && count(after, "restored") == count(before, "restored") {
				t.Errorf("the client did nothing: %+v", after)
			}
			sameBytes(t, s)
			did := fmt.Sprintf("%d", after.Retries-before.Retries)
			if n := after.Resubmitted - before.Resubmitted; n > 0 {
				did += fmt.Sprintf(", submitted anew %d", n)
			}
			if n := after.Restored - before.Restored; n > 0 {
				did += fmt.Sprintf(", restored %d", n)
			}
			name := h.what
			if h.taken {
				name += " after it was taken"
			}
			name = h.route + " | " + name
			if rows[name] == nil {
				rows[name] = map[string]string{}
				names = append(names, name)
			}
			rows[name][v.name] = did
		}
		t.Run(v.name, func(t *testing.T) {
			run(t, nil)
			for _, h := range hurts {
				if h.what == enginetest.Duplicate && v.quirks.RunsAgain {
					continue // a server that runs again what the network doubled cannot be saved
				}
				t.Run(fmt.Sprint(h.route, " ", h.what, map[bool]string{true: " taken"}[h.taken]), func(t *testing.T) { run(t, &h) })
			}
		})
	}
	for _, name := range names {
		fmt.Fprintf(&table, "| %s |", name)
		for _, v := range variants {
			fmt.Fprintf(&table, " %s |", cmp.Or(rows[name][v.name], "—"))
		}
		table.WriteString("\n")
	}
	if file := os.Getenv("BREAKFIX_FAULT_TABLE"); file != "" { // for docs/engines.md
		if err := os.WriteFile(file, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// sameBytes checks that retries are byte for byte what was sent first.
func sameBytes(t *testing.T, s *enginetest.Started) {
	t.Helper()
	first := map[string]string{}
	for _, r := range s.Log() {
		if r.Key == "" {
			continue
		}
		if d, ok := first[r.Key]; ok && d != r.Digest {
			t.Errorf("a retry of %s has another body", r.Route)
		}
		first[r.Key] = r.Digest
	}
}

// TestAServerThatNeverAnswersRightIsOneClearError: the fault stays, and the
// client says what it is.
func TestAServerThatNeverAnswersRightIsOneClearError(t *testing.T) {
	short := hasty
	short.Request, short.Future = 60*time.Millisecond, 60*time.Millisecond
	for _, c := range []struct {
		route, what string
		kind        engine.Kind
		says        string
	}{
		{"healthz", enginetest.HTML, engine.Foreign, "web page"},
		{"create_session", "503", engine.Failed, "503"},
		{"create_session", "402", engine.Refused, "402"},
		{"create_model", enginetest.Reset, engine.Absent, "closed before the answer"},
		{"asample", enginetest.Never, engine.Slow, "did not come within"},
		{"asample", "429", engine.Refused, "429"},
		{"asample", "410", engine.Invalid, "410"},
		{"retrieve_future", enginetest.NaN, engine.Wrong, "NaN"},
		{"retrieve_future", enginetest.Few, engine.Wrong, "log-probabilities for"},
		{"retrieve_future", enginetest.HTML, engine.Foreign, "web page"},
		{"retrieve_future", enginetest.Truncated, engine.Absent, "cut off"},
		{"retrieve_future", "410", engine.Failed, "gone"},
	} {
		for dialect, quirks := range dialects {
			t.Run(c.route+" "+c.what+" "+dialect, func(t *testing.T) {
				s := start(t, enginetest.Options{Quirks: quirks})
				early := slices.Contains([]string{"healthz", "create_session", "create_model"}, c.route)
				fault := enginetest.Fault{Route: c.route, What: c.what, Times: 1 << 20}
				if early {
					s.Inject(fault)
				}
				m, err := engine.OpenTrainer(t.Context(), s.URL, engine.Options{Patience: short, Log: slog.New(slog.DiscardHandler)}, engine.ModelOptions{})
				if !early {
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					s.Inject(fault)
					_, err = m.Sample(t.Context(), ask("x"))
				}
				var e *engine.Error
				if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Error(), c.says) || !strings.Contains(e.Error(), s.URL) {
					t.Errorf("%v (kind %q), want kind %q with %q", err, engine.KindOf(err), c.kind, c.says)
				}
			})
		}
	}
}
