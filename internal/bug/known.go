package bug

import (
	"fmt"
	"strings"
	"sync"

	"breakfix/internal/testrun"
	"breakfix/internal/tree"
)

// Known is the set of bugs that were found before, for the check duplicate.
// The zero value is an empty set; it is safe for concurrent use.
type Known struct {
	mu   sync.Mutex
	keys map[tree.Digest]string
}

// Add records a bug.
func (k *Known) Add(b *Bug) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[tree.Digest]string{}
	}
	keys := keysOf(b.Base, b.Broken, b.Inject)
	if b.Look != "" {
		keys = append(keys, b.Look)
	}
	for _, key := range keys {
		if _, ok := k.keys[key]; !ok {
			k.keys[key] = b.ID
		}
	}
}

// looking returns the id of the known bug that shows the same, "" when none does.
func (k *Known) looking(look tree.Digest) string {
	if k == nil {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[look]
}

// lookOf names what a break shows and from where: the lines of the base that it
// changes, the red set, and for each red test the exception and its words.
func lookOf(base tree.Digest, inject []byte, red []string, failures map[string]testrun.Failure) (tree.Digest, error) {
	spans, err := tree.ChangedSpans(inject)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "looks\n%s\n", base)
	for _, s := range spans {
		fmt.Fprintf(&b, "%s:%d-%d\n", s.Path, s.First, s.Last)
	}
	for _, id := range red {
		fmt.Fprintf(&b, "%s\t%s\t%q\n", id, failures[id].Kind, failures[id].Message)
	}
	return tree.DigestOf([]byte(b.String())), nil
}

// Again says why b is no new bug, "" when it is one: what the check duplicate
// would have said had it known.
func (k *Known) Again(b *Bug) string {
	if id := k.find(b.Base, b.Broken, b.Inject); id != "" {
		return itIs(id)
	}
	if b.Look != "" {
		if id := k.looking(b.Look); id != "" {
			return showsTheSame(id)
		}
	}
	return ""
}

func itIs(id string) string { return "it is bug " + id + " again" }

func showsTheSame(id string) string {
	return "it shows the same as bug " + id + ", from the same lines: the same tests are red for the same reasons"
}

// find returns the id of the known bug that equals this break, "" when it is new.
func (k *Known) find(base, broken tree.Digest, inject []byte) string {
	if k == nil {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range keysOf(base, broken, inject) {
		if id, ok := k.keys[key]; ok {
			return id
		}
	}
	return ""
}

// keysOf names a break by what it makes and by its patch without new line numbers,
// context and white space, so that the same change is the same bug also when
// only its layout differs. The hunks' places in the base stay part of it.
func keysOf(base, broken tree.Digest, inject []byte) []tree.Digest {
	return []tree.Digest{broken, tree.DigestOf([]byte(string(base) + normalised(inject)))}
}

func normalised(patch []byte) string {
	var b strings.Builder
	for _, line := range strings.Split(string(patch), "\n") {
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "diff --git "):
			b.WriteString(line)
		case strings.HasPrefix(line, "@@"):
			// Where the hunk lies in the old file: without it two equal edits
			// at two places would be one bug.
			if f := strings.Fields(line); len(f) > 1 {
				b.WriteString(f[1])
			}
		case strings.HasPrefix(line, "--- "):
			continue
		case strings.HasPrefix(line, "+"), strings.HasPrefix(line, "-"):
			b.WriteString(line[:1] + strings.Join(strings.Fields(line[1:]), " "))
		default:
			continue
		}
		b.WriteByte('\n')
	}
	return b.String()
}
