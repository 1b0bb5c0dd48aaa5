package engine_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"breakfix/internal/engine"
	"breakfix/internal/engine/enginetest"
)

// BenchmarkSampling is 64 conversations at a time against the conformance server,
// each a prompt of some 500 tokens and an answer of at most 24.
func BenchmarkSampling(b *testing.B) {
	s, err := enginetest.Start(enginetest.Options{Quirks: enginetest.Quirks{Protobuf: true}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	m, err := engine.OpenTrainer(b.Context(), s.URL, engine.Options{Patience: hasty}, engine.ModelOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	text := strings.Repeat("def mean(values):\n    return sum(values)\n", 35)
	var read, written, n atomic.Int64
	b.SetParallelism(32) // of two cores
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a := ask(text)
			a.Seed = uint64(n.Add(1))
			got, err := m.Sample(b.Context(), a)
			if err != nil {
				b.Error(err)
				return
			}
			read.Add(int64(got.Read))
			written.Add(int64(got.Written))
		}
	})
	b.ReportMetric(float64(written.Load())/b.Elapsed().Seconds(), "tokens/s")
	b.ReportMetric(float64(read.Load())/b.Elapsed().Seconds(), "read/s")
}

// BenchmarkLearning is a pass over 16 sequences of some 500 tokens, of which 24 are
// learned from, and a step.
func BenchmarkLearning(b *testing.B) {
	s, err := enginetest.Start(enginetest.Options{Quirks: enginetest.Quirks{Protobuf: true}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	m, err := engine.OpenTrainer(b.Context(), s.URL, engine.Options{Patience: hasty, Profile: engine.Profile{OnceEach: true}}, engine.ModelOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	got, err := m.Sample(b.Context(), ask(strings.Repeat("def mean(values):\n    return sum(values)\n", 35)))
	if err != nil {
		b.Fatal(err)
	}
	var data []engine.Datum
	for range 16 {
		data = append(data, datum(got, 1))
	}
	tokens := 0
	for b.Loop() {
		if _, _, err := m.ForwardBackward(b.Context(), data, "ppo", nil); err != nil {
			b.Fatal(err)
		}
		if err := m.Step(b.Context(), 1e-4); err != nil {
			b.Fatal(err)
		}
		tokens += 16 * len(data[0].Tokens)
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
}
