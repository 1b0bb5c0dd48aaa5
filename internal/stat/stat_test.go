package stat_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"breakfix/internal/stat"

	"github.com/google/go-cmp/cmp"
)

var (
	games  = stat.Metric{Name: "episodes", Help: "Episodes stored."}
	memory = stat.Metric{Name: "memory", Unit: "bytes", Help: "Peak memory\nof breakfix."}
	tests  = stat.Metric{Name: "tests", Help: "Time spent in tests."}
)

func TestPrometheusTextNamesEveryMetricOnceInOrder(t *testing.T) {
	var s stat.Set
	s.Duration(tests).Add(1500 * time.Millisecond)
	s.Duration(tests).Add(500 * time.Millisecond)
	s.Gauge(memory).Max(2048)
	s.Gauge(memory).Max(1024)
	s.Counter(games).Add(3)
	var b strings.Builder
	if err := s.Prometheus(&b); err != nil {
		t.Fatal(err)
	}
	want := `# HELP breakfix_episodes_total Episodes stored.
# TYPE breakfix_episodes_total counter
breakfix_episodes_total 3
# HELP breakfix_memory_bytes Peak memory\nof breakfix.
# TYPE breakfix_memory_bytes gauge
breakfix_memory_bytes 2048
# HELP breakfix_tests_seconds Time spent in tests.
# TYPE breakfix_tests_seconds summary
breakfix_tests_seconds_sum 2
breakfix_tests_seconds_count 2
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestCountsFromManyGoroutinesAddUp(t *testing.T) {
	var s stat.Set
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				s.Counter(games).Add(1)
				s.Gauge(memory).Max(float64(s.Counter(games).Value()))
			}
		})
	}
	wg.Wait()
	got := s.Snapshot()
	if got[0].Value != 8000 || got[1].Value != 8000 {
		t.Errorf("got %v", got)
	}
}

func TestOneNameDeclaredInTwoWaysIsFoundAtOnce(t *testing.T) {
	var s stat.Set
	s.Counter(games)
	for what, declare := range map[string]func(){
		"another kind": func() { s.Gauge(games) },
		"another help": func() { s.Counter(stat.Metric{Name: games.Name, Help: "Other."}) },
		"a bad name":   func() { s.Counter(stat.Metric{Name: "Bad-Name", Help: "x."}) },
		"a shrinking":  func() { s.Counter(games).Add(-1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was accepted", what)
				}
			}()
			declare()
		}()
	}
}
