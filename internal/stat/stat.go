// Package stat holds the metrics of one process. A metric is declared once,
// with its unit and one sentence of help, and the same declaration feeds the
// console, the page and Prometheus. There are no global metrics: whoever runs
// something makes a Set and passes it on.
package stat

import (
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Metric declares one metric.
type Metric struct {
	Name string // snake_case without prefix or unit: "verdicts_run"
	Unit string // "seconds", "bytes", "" for a plain count
	Help string // one sentence
}

// Kind tells how a metric behaves.
type Kind string

// The kinds of metrics.
const (
	KindCounter  Kind = "counter"  // only grows
	KindGauge    Kind = "gauge"    // goes up and down
	KindDuration Kind = "duration" // a sum of seconds and how many were added
)

// Sample is the value of one metric at one moment.
type Sample struct {
	Metric
	Kind  Kind
	Value float64 // of a duration: the sum in seconds
	Count int64   // of a duration: how many were added
}

// Counter only grows. Safe for concurrent use.
type Counter struct{ n atomic.Int64 }

// Add adds n, which must not be negative.
func (c *Counter) Add(n int64) {
	if n < 0 {
		panic(fmt.Sprintf("stat: a counter cannot shrink by %d", -n))
	}
	c.n.Add(n)
}

// Value returns the count.
func (c *Counter) Value() int64 { return c.n.Load() }

// Gauge goes up and down. Safe for concurrent use.
type Gauge struct{ bits atomic.Uint64 }

// Set sets the value.
func (g *Gauge) Set(v float64) { g.bits.Store(math.Float64bits(v)) }

// Max raises the value to v when v is higher.
func (g *Gauge) Max(v float64) {
	for {
		old := g.bits.Load()
		if v <= math.Float64frombits(old) || g.bits.CompareAndSwap(old, math.Float64bits(v)) {
			return
		}
	}
}

// Value returns the value.
func (g *Gauge) Value() float64 { return math.Float64frombits(g.bits.Load()) }

// Duration sums up durations. Safe for concurrent use.
type Duration struct{ nanoseconds, count atomic.Int64 }

// Add adds one duration.
func (d *Duration) Add(t time.Duration) {
	d.nanoseconds.Add(int64(t))
	d.count.Add(1)
}

// Since adds the time that passed since start: defer d.Since(time.Now()).
func (d *Duration) Since(start time.Time) { d.Add(time.Since(start)) }

// Total returns the sum, Count how many durations were added.
func (d *Duration) Total() time.Duration { return time.Duration(d.nanoseconds.Load()) }

// Count returns how many durations were added.
func (d *Duration) Count() int64 { return d.count.Load() }

type declared struct {
	metric Metric
	kind   Kind
	value  any
}

// Set is a set of metrics. The zero value is ready. Safe for concurrent use.
type Set struct {
	mu      sync.Mutex
	metrics map[string]declared
}

// Counter declares a counter, or returns the one that was declared alike.
func (s *Set) Counter(m Metric) *Counter {
	return s.declare(m, KindCounter, func() any { return new(Counter) }).(*Counter)
}

// Gauge declares a gauge, or returns the one that was declared alike.
func (s *Set) Gauge(m Metric) *Gauge {
	return s.declare(m, KindGauge, func() any { return new(Gauge) }).(*Gauge)
}

// Duration declares a duration, or returns the one that was declared alike.
// Its unit is always seconds.
func (s *Set) Duration(m Metric) *Duration {
	m.Unit = "seconds"
	return s.declare(m, KindDuration, func() any { return new(Duration) }).(*Duration)
}

// declare panics when a name is declared in two ways: that is a mistake in the
// program, found the first time that it runs.
func (s *Set) declare(m Metric, k Kind, fresh func() any) any {
	if !validName(m.Name) || m.Help == "" {
		panic(fmt.Sprintf("stat: metric %q needs a snake_case name and a help sentence", m.Name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.metrics[m.Name]; ok {
		if d.metric != m || d.kind != k {
			panic(fmt.Sprintf("stat: metric %q is declared twice, as %v %v and %v %v", m.Name, d.kind, d.metric, k, m))
		}
		return d.value
	}
	if s.metrics == nil {
		s.metrics = map[string]declared{}
	}
	v := fresh()
	s.metrics[m.Name] = declared{m, k, v}
	return v
}

func validName(n string) bool {
	if n == "" || n[0] < 'a' || n[0] > 'z' {
		return false
	}
	return strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// Snapshot returns every metric with its value, sorted by name.
func (s *Set) Snapshot() []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	samples := make([]Sample, 0, len(s.metrics))
	for _, d := range s.metrics {
		sample := Sample{Metric: d.metric, Kind: d.kind}
		switch v := d.value.(type) {
		case *Counter:
			sample.Value = float64(v.Value())
		case *Gauge:
			sample.Value = v.Value()
		case *Duration:
			sample.Value, sample.Count = v.Total().Seconds(), v.Count()
		}
		samples = append(samples, sample)
	}
	sort.Slice(samples, func(i, j int) bool { return samples[i].Name < samples[j].Name })
	return samples
}

// Prometheus writes the snapshot in Prometheus' text format (version 0.0.4),
// every name prefixed by "breakfix_" and followed by its unit; a counter ends
// in _total, a duration is a summary without quantiles.
func (s *Set) Prometheus(w io.Writer) error {
	var b strings.Builder
	for _, m := range s.Snapshot() {
		name := "breakfix_" + m.Name
		if m.Unit != "" {
			name += "_" + m.Unit
		}
		kind := string(m.Kind)
		switch m.Kind {
		case KindCounter:
			name += "_total"
		case KindDuration:
			kind = "summary"
		}
		help := strings.NewReplacer("\\", `\\`, "\n", `\n`).Replace(m.Help)
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		value := strconv.FormatFloat(m.Value, 'g', -1, 64)
		if m.Kind == KindDuration {
			fmt.Fprintf(&b, "%s_sum %s\n%s_count %d\n", name, value, name, m.Count)
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", name, value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
