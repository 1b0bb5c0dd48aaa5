package tree

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var hunkHeader = regexp.MustCompile(`^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@`)

// normalise checks the frame of a patch line by line before it is parsed: the
// parser skips what it does not know and drops leading folders from any name,
// and a patch that is silently read otherwise than it is written is a hole.
// Headers without a "diff --git" line get one. Text before the first header
// (a commit message) and the signature of git format-patch are left out.
func normalise(patch []byte) ([]byte, error) {
	if len(patch) > MaxPatch {
		return nil, fmt.Errorf("it has %d bytes, over the limit of %d", len(patch), MaxPatch)
	}
	if i := bytes.IndexByte(patch, 0); i >= 0 {
		return nil, fmt.Errorf("it has a NUL byte at offset %d, so it is not text", i)
	}
	if len(patch) > 0 && patch[len(patch)-1] != '\n' {
		patch = append(append([]byte{}, patch...), '\n') // a lost last newline is not "no newline at end of file"
	}
	var out bytes.Buffer
	var oldLeft, newLeft int    // lines of the current hunk that are still to come
	inFile, git := false, false // below a header; it began with "diff --git"
	lines := bytes.SplitAfter(patch, []byte("\n"))
	for n := 0; n < len(lines); n++ {
		raw := lines[n]
		if len(raw) == 0 {
			continue
		}
		if len(raw) > MaxLine {
			return nil, fmt.Errorf("line %d has %d bytes, over the limit of %d", n+1, len(raw), MaxLine)
		}
		if oldLeft > 0 || newLeft > 0 {
			switch raw[0] {
			case ' ', '\n':
				oldLeft--
				newLeft--
			case '-':
				oldLeft--
			case '+':
				newLeft--
			case '\\':
			default:
				return nil, fmt.Errorf("line %d is not part of the hunk that it stands in: %q", n+1, clip(raw))
			}
			out.Write(raw)
			continue
		}
		line := strings.TrimRight(string(raw), "\r\n")
		switch {
		case strings.HasPrefix(line, "diff --git "):
			inFile, git = true, true
			if name := strings.TrimPrefix(line[len("diff --git "):], `"`); strings.HasPrefix(name, "/") {
				return nil, fmt.Errorf("line %d names an absolute path: %w", n+1, ErrUnsafePath)
			} else if !strings.HasPrefix(name, "a/") || strings.HasPrefix(name, "a//") {
				return nil, fmt.Errorf("line %d has not the prefixes a/ and b/ that git writes: %q", n+1, clip(raw))
			}
			out.WriteString(line + "\n")
		case strings.HasPrefix(line, "--- ") && n+1 < len(lines) && bytes.HasPrefix(lines[n+1], []byte("+++ ")):
			to := strings.TrimRight(string(lines[n+1]), "\r\n")
			if err := checkNames(line[4:], to[4:]); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
			if !git {
				writeGitHeader(&out, line[4:], to[4:])
			}
			inFile, git = true, false
			out.WriteString(line + "\n" + to + "\n")
			n++
		case strings.HasPrefix(line, "@@ ") && inFile:
			m := hunkHeader.FindStringSubmatch(line)
			if m == nil {
				return nil, fmt.Errorf("line %d is not a hunk header: %q", n+1, clip(raw))
			}
			var err error
			if oldLeft, err = count(m[1]); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
			if newLeft, err = count(m[2]); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
			out.WriteString(line + "\n")
		case !inFile:
			if strings.HasPrefix(line, "@@ -") {
				return nil, fmt.Errorf("line %d is a hunk without the name of a file above it", n+1)
			}
		case hasAny(line, "GIT binary patch", "Binary files "):
			return nil, fmt.Errorf("line %d is a binary change, and only text can be changed", n+1)
		case hasAny(line, "rename ", "copy ", "similarity index ", "dissimilarity index "):
			return nil, fmt.Errorf("line %d renames or copies a file; write it as a removal and a new file", n+1)
		case hasAny(line, "old mode ", "new mode "):
			return nil, fmt.Errorf("line %d changes the mode of a file, and a patch changes only text", n+1)
		case hasAny(line, "index ", "new file mode ", "deleted file mode "):
			out.WriteString(line + "\n")
		case hasAny(line, `\ No newline`):
			out.WriteString(line + "\n")
		case line == "-- ":
			return out.Bytes(), nil // what follows is git's version
		case strings.TrimSpace(line) == "":
		default:
			return nil, fmt.Errorf("line %d is not part of a patch: %q", n+1, clip(raw))
		}
	}
	if oldLeft > 0 || newLeft > 0 {
		return nil, errors.New("it ends in the middle of a hunk")
	}
	return out.Bytes(), nil
}

// checkNames demands the a/ and b/ in front that git writes, so that dropping
// the first folder never turns one path into another.
func checkNames(from, to string) error {
	for _, s := range []struct{ name, prefix string }{{from, "a/"}, {to, "b/"}} {
		name := strings.TrimPrefix(s.name, `"`)
		if bare, _, _ := strings.Cut(name, "\t"); bare == devNull {
			continue
		}
		if strings.HasPrefix(name, "/") {
			return fmt.Errorf("%q is absolute: %w", clip([]byte(name)), ErrUnsafePath)
		}
		if !strings.HasPrefix(name, s.prefix) || strings.HasPrefix(name, s.prefix+"/") {
			return fmt.Errorf("%q does not begin with %s as git writes it; make the diff with git's prefixes", clip([]byte(name)), s.prefix)
		}
		if strings.Contains(name, "//") {
			return fmt.Errorf("%q is not a clean path: %w", clip([]byte(name)), ErrUnsafePath)
		}
	}
	return nil
}

func writeGitHeader(out *bytes.Buffer, from, to string) {
	a, _, _ := strings.Cut(from, "\t")
	b, _, _ := strings.Cut(to, "\t")
	switch devNull {
	case a:
		fmt.Fprintf(out, "diff --git %s %s\nnew file mode 100644\n", strings.Replace(b, "b/", "a/", 1), b)
	case b:
		fmt.Fprintf(out, "diff --git %s %s\ndeleted file mode 100644\n", a, strings.Replace(a, "a/", "b/", 1))
	default:
		fmt.Fprintf(out, "diff --git %s %s\n", a, b)
	}
}

// count reads the number of lines of a hunk header, 1 when it has none.
func count(s string) (int, error) {
	if s == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > MaxPatch {
		return 0, fmt.Errorf("a hunk of %s lines is over the limit", s)
	}
	return n, nil
}

func hasAny(line string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

func clip(b []byte) string {
	if len(b) > 80 {
		b = b[:80]
	}
	return strings.TrimRight(string(b), "\r\n")
}
