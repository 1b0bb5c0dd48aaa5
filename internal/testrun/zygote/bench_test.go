package zygote

import (
	"bytes"
	"context"
	"testing"

	"breakfix/internal/sandbox"
	"breakfix/internal/tree"
)

func BenchmarkChild(b *testing.B) {
	for name, req := range map[string]Request{"plain": {}, "init": {Init: true}, "network": {Network: true}} {
		b.Run(name, func(b *testing.B) {
			s := serve(b, sandbox.Limits{})
			req.Body, req.Nonce, req.Report = ask{Code: "pass"}, "nonce", &bytes.Buffer{}
			req.Changes = map[string]*tree.File{"pkg/one.py": tree.Text("x")}
			for b.Loop() {
				if exit, err := s.Do(context.Background(), req); err != nil || exit.Status != 0 {
					b.Fatal(exit, err)
				}
			}
		})
	}
}
