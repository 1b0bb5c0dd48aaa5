package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"breakfix/internal/mutate"
	"breakfix/internal/tree"
)

// Shuffle returns the mutations in an order drawn with the seed. The place of
// one depends on the seed and its id alone: the first n are a fair sample, the
// same n come first whatever else is there, and a check that is stopped has
// judged a fair sample too.
func Shuffle(ms []mutate.Mutation, seed uint64) []mutate.Mutation {
	ms = slices.Clone(ms)
	key := map[string][sha256.Size]byte{}
	for _, m := range ms {
		key[m.ID] = sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), m.ID...))
	}
	sort.SliceStable(ms, func(i, k int) bool {
		a, b := key[ms[i].ID], key[ms[k].ID]
		return bytes.Compare(a[:], b[:]) < 0
	})
	return ms
}

// Shard is one of several equal parts of a check; the zero value is the whole.
type Shard struct {
	K int `json:"k"` // 1 to N
	N int `json:"n"`
}

// ParseShard reads "k/n".
func ParseShard(s string) (Shard, error) {
	k, n, ok := strings.Cut(s, "/")
	a, err1 := strconv.Atoi(k)
	b, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || b < 1 || a < 1 || a > b {
		return Shard{}, fmt.Errorf("%q is no shard: it must be k/n with k from 1 to n, as in 1/4", s)
	}
	return Shard{a, b}, nil
}

// String is the shard as it is typed, "" for the whole.
func (s Shard) String() string {
	if s.N == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.K, s.N)
}

// Of returns the mutations that fall to the shard. Which one falls to which
// depends on its id and n alone: all n together are the whole, each once.
func (s Shard) Of(ms []mutate.Mutation) []mutate.Mutation {
	if s.N == 0 {
		return ms
	}
	return slices.DeleteFunc(slices.Clone(ms), func(m mutate.Mutation) bool {
		sum := sha256.Sum256([]byte(m.ID))
		return binary.BigEndian.Uint64(sum[:8])%uint64(s.N) != uint64(s.K-1)
	})
}

// ChangedLines returns the lines of the files of now, among paths, that differ
// from then. Where lines were only taken out, the line before and the line
// after count: what they do without them is new.
func ChangedLines(now, then *tree.Tree, paths []string) ([]tree.Span, error) {
	var spans []tree.Span
	for _, p := range paths {
		if then.Has(p) && then.FileDigest(p) == now.FileDigest(p) {
			continue
		}
		b, err := now.Read(p)
		if err != nil {
			return nil, err
		}
		var old []byte
		if then.Has(p) && then.Kind(p) != tree.Link {
			if old, err = then.Read(p); err != nil {
				return nil, err
			}
		}
		found, err := changedIn(p, b, old)
		if err != nil { // what it was cannot be compared as text: all of it is new
			found = []tree.Span{{Path: p, First: 1, Last: bytes.Count(b, []byte("\n")) + 1}}
		}
		spans = append(spans, found...)
	}
	return spans, nil
}

// changedIn looks at one file, whatever its mode: in the diff from now to old,
// the lines that go are those that are new.
func changedIn(p string, now, old []byte) ([]tree.Span, error) {
	a, err := tree.FromFiles(map[string]*tree.File{p: {Kind: tree.Regular, Data: now}})
	if err != nil {
		return nil, err
	}
	was := map[string]*tree.File{}
	if old != nil {
		was[p] = &tree.File{Kind: tree.Regular, Data: old}
	}
	b, err := tree.FromFiles(was)
	if err != nil {
		return nil, err
	}
	diff, err := tree.Diff(a, b)
	if err != nil {
		return nil, err
	}
	return tree.ChangedSpans(diff)
}

// Touching returns the mutations that touch one of the lines.
func Touching(ms []mutate.Mutation, spans []tree.Span) []mutate.Mutation {
	lines := map[string][]tree.Span{}
	for _, s := range spans {
		lines[s.Path] = append(lines[s.Path], s)
	}
	return slices.DeleteFunc(slices.Clone(ms), func(m mutate.Mutation) bool {
		return !slices.ContainsFunc(lines[m.Path], func(s tree.Span) bool { return m.LastLine >= s.First && m.Line <= s.Last })
	})
}

// AcceptedFile is where a target lists the mutations that may be missed.
const AcceptedFile = "breakfix-accepted.txt"

var acceptedLine = regexp.MustCompile(`^([0-9a-f]{12})\s+(\S.*)$`)

// Accepted reads the text of an AcceptedFile: lines "ID  reason", blank ones
// and those that begin with # apart. It returns the reasons by id.
func Accepted(text []byte) (map[string]string, error) {
	reasons := map[string]string{}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := acceptedLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s:%d: %q is not the id of a mutation, a space and a reason", AcceptedFile, i+1, line)
		}
		if _, twice := reasons[m[1]]; twice {
			return nil, fmt.Errorf("%s:%d: %s is there already, further up", AcceptedFile, i+1, m[1])
		}
		reasons[m[1]] = m[2]
	}
	return reasons, nil
}
