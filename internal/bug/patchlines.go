package bug

import (
	"strings"

	"breakfix/internal/tree"
)

// sizeOf counts what the estimate of difficulty looks at.
func sizeOf(patch []byte, red, order int) (Size, error) {
	hunks, err := tree.Hunks(patch)
	if err != nil {
		return Size{}, err
	}
	s := Size{Hunks: len(hunks), Red: red, Order: order}
	files := map[string]bool{}
	for _, h := range hunks {
		files[h.Path] = true
		for _, l := range h.Body() {
			if strings.HasPrefix(l, "-") {
				s.Lines++
			}
		}
	}
	s.Files = len(files)
	return s, nil
}
