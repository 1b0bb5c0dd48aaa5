package bug

import "testing"

func TestAVariantOfWhichNothingIsLeftHasNoStatement(t *testing.T) {
	for _, src := range []string{"", "\n", "\n\n   \n\t\n"} {
		if v := newVariant("", []byte(src), testID{}, marks{}); v.size != 0 {
			t.Errorf("%q has %d statements", src, v.size)
		}
	}
}
