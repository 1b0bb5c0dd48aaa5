package mutate_test

import (
	"testing"

	"breakfix/internal/lang/python"
	"breakfix/internal/mutate"
)

func BenchmarkEnumerate(b *testing.B) {
	for _, name := range []string{"queue.py", "zipfile.py", "collections/__init__.py"} {
		src := readLib(b, name)
		b.Run(name, func(b *testing.B) {
			f, err := python.Python.Parse(src)
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				n = len(mutate.Enumerate(python.Python, name, f, mutate.Operators()))
			}
			b.ReportMetric(float64(n), "mutations")
		})
	}
}
