package network

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// A problem of the size that real ones have.
func realSized(moves int) *Problem {
	return random(rand.New(rand.NewPCG(1, 1)), 300, 150, 60, moves)
}

// rates measures f, which handles a number of candidates, on the plain kernel
// and the best one, and the linear model alone by another function. It reports
// candidates a second, by the clock and by the processors' time, which other
// load does not change, and the ratio to the plain kernel by the latter; run
// adds a row.
func rates(b *testing.B, candidates int, f, linear func(b *testing.B)) (run func(name string, candidates int, f func(b *testing.B))) {
	plain := 0.0
	run = func(name string, candidates int, f func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := spent(b)
			f(b)
			all := float64(candidates) * float64(b.N)
			speed := all / (spent(b) - before).Seconds()
			b.ReportMetric(all/b.Elapsed().Seconds(), "candidates/s")
			b.ReportMetric(speed, "candidates/cpu-s")
			if name == "go" {
				plain = speed
			}
			if plain > 0 {
				b.ReportMetric(speed/plain, "×go")
			}
		})
	}
	with(b, func(name string) { run(name, candidates, f) })
	run("linear", candidates, linear)
	return run
}

// spent is the processors' time of this process so far.
func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkScore is a first look at a problem: 2,000 moves, encoding included;
// unfactored, the context is read for each move.
func BenchmarkScore(b *testing.B) {
	p := realSized(2000)
	m, l := New(1), NewLinear()
	out := make([]float32, len(p.Moves))
	run := rates(b, len(p.Moves), func(b *testing.B) {
		for b.Loop() {
			m.Score(m.Encode(p), p.Moves, out)
		}
	}, func(b *testing.B) {
		for b.Loop() {
			l.Score(p.Moves, out)
		}
	})
	alone := *p // one move and its site
	alone.Sites = p.Sites[:1]
	run("unfactored", 1, func(b *testing.B) {
		for b.Loop() {
			m.Score(m.Encode(&alone), p.Moves[:1], out)
		}
	})
}

// BenchmarkAgain is a later look: only what the test says is new.
func BenchmarkAgain(b *testing.B) {
	p := realSized(2000)
	m, l := New(1), NewLinear()
	out := make([]float32, len(p.Moves))
	rates(b, len(p.Moves), func(b *testing.B) {
		e := m.Encode(p)
		for b.Loop() {
			e.Say(p.Said, p.Facts)
			m.Score(e, p.Moves, out)
		}
	}, func(b *testing.B) {
		for b.Loop() {
			l.Score(p.Moves, out)
		}
	})
}

// BenchmarkTrain learns from batches of eight problems of 256 moves, on as
// many workers as there are processors.
func BenchmarkTrain(b *testing.B) {
	const batch, moves = 8, 256
	p := realSized(moves)
	targets := []Target{{3, 0.5}, {77, 0.5}}
	rates(b, batch*moves, func(b *testing.B) {
		trainer := NewTrainer(New(1), 2)
		for b.Loop() {
			for range batch {
				if err := trainer.Add(p, targets, 0.01, nil); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := trainer.Step(1e-4); err != nil {
				b.Fatal(err)
			}
		}
	}, func(b *testing.B) {
		l := NewLinear()
		for b.Loop() {
			for range batch {
				if _, err := l.Train(p, targets, 0.01); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
