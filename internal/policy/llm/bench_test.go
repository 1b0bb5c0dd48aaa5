package llm

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"breakfix/internal/arena"
	"breakfix/internal/engine"
)

// instant is a sampler that takes no time and counts as it must: what is left is
// the host's own cost.
type instant struct {
	mu  sync.Mutex
	n   int
	say func(n int) engine.Message
}

func (*instant) Model() string   { return "instant" }
func (*instant) Version() string { return "0" }
func (s *instant) Count(_ context.Context, a engine.Ask) (int, error) {
	return bytesOf(a.Messages) / 4, nil
}
func (s *instant) Sample(_ context.Context, a engine.Ask) (engine.Answer, error) {
	s.mu.Lock()
	s.n++
	m := s.say(s.n)
	s.mu.Unlock()
	m.Role = "assistant"
	read := bytesOf(a.Messages) / 4
	out := engine.Answer{Message: m, Stopped: "calls", Prompt: make([]int32, read), Tokens: make([]int32, 300), LogProbs: make([]float32, 300), Read: read, Written: 300}
	for i := range out.Prompt {
		out.Prompt[i] = int32(i * 7 % 50_000)
	}
	return out, nil
}

func reads(n int) engine.Message {
	return use("read", fmt.Sprintf(`{"path": "pkg/mod.py", "first": %d}`, 1+n%11))
}

// BenchmarkStep is the host's own cost of a step, without model and tests: games
// of 64 steps, packed at their end.
func BenchmarkStep(b *testing.B) {
	p := newPolicy(b, &instant{say: reads}, Options{Context: 200_000})
	fixArena(b, 64) // made once
	b.ResetTimer()
	steps := 0
	for range b.N {
		played, err := p.Fix(context.Background(), fixArena(b, 64))
		if err != nil {
			b.Fatal(err)
		}
		steps += played.Steps
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(steps), "ms/step")
}

// BenchmarkOpenEpisodes holds 64 games open at their last step, with 100,000
// tokens each, and measures what each takes.
func BenchmarkOpenEpisodes(b *testing.B) {
	const games = 64
	for range b.N {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var at, open sync.WaitGroup
		at.Add(games)
		open.Add(1)
		for range games {
			go func() {
				turn := 0
				s := &instant{}
				s.say = func(int) engine.Message {
					if turn++; turn == 64 {
						at.Done()
						open.Wait()
						return use("give_up", "{}")
					}
					return use("search", fmt.Sprintf(`{"text": "%d"}`, turn))
				}
				p := newPolicy(b, &long{s}, Options{Context: 200_000})
				if _, err := p.Fix(context.Background(), fixArena(b, 64)); err != nil {
					b.Error(err)
				}
			}()
		}
		at.Wait()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/games/1e6, "MB/game")
		open.Done()
	}
}

// long has prompts that grow by 1,250 tokens a step, each with the one before in front.
type long struct{ *instant }

func (l *long) Sample(ctx context.Context, a engine.Ask) (engine.Answer, error) {
	out, err := l.instant.Sample(ctx, a)
	out.Prompt = make([]int32, 1000+1500*(len(a.Messages)/2))
	for i := range out.Prompt {
		out.Prompt[i] = int32(i * 7 % 50_000)
	}
	for i := range out.Tokens {
		out.Tokens[i] = int32((len(out.Prompt) + i) * 7 % 50_000)
	}
	return out, err
}

var _ = arena.Fixer
