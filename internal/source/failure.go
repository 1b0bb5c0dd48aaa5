package source

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	networkTrouble = regexp.MustCompile(`(?i)dns error|failed to lookup address|error sending request|connection refused|tcp connect error|network is unreachable|certificate verify failed|invalid peer certificate`)
	diskTrouble    = regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`)
	pythonError    = regexp.MustCompile(`^\s*(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit)\b.*`)
	// backendError is what a build back end said, which uv shows indented.
	backendError  = regexp.MustCompile(`^\s+(?:error|ERROR): (.+)`)
	uvError       = regexp.MustCompile(`^\s*(?:╰─▶|error:)\s*(.+)$`)
	compilerError = regexp.MustCompile(`(?i)\b(?:fatal )?error: .+`)
)

// ours returns an error when an installation failed for a reason that is not
// the target's.
func ours(log, file string) error {
	switch {
	case diskTrouble.MatchString(log):
		return fmt.Errorf("the disk is full (log: %s); free some space and start again", file)
	case networkTrouble.MatchString(log):
		return fmt.Errorf("the package index cannot be reached from the box: %s (log: %s); check the network and the proxy", firstError(log), file)
	}
	return nil
}

// firstError finds the line that says why an installation failed.
func firstError(log string) string {
	lines := strings.Split(log, "\n")
	found := ""
	for _, l := range lines {
		if pythonError.MatchString(l) {
			found = strings.TrimSpace(l) // the last exception is the one that ended it
		}
	}
	for _, form := range []*regexp.Regexp{backendError, uvError, compilerError} {
		for i, l := range lines {
			if found != "" {
				break
			}
			if m := form.FindStringSubmatch(l); m != nil {
				found = strings.TrimSpace(m[len(m)-1])
				// uv wraps its sentences.
				for _, more := range lines[i+1:] {
					if more = strings.TrimSpace(more); more == "" || strings.HasPrefix(more, "[") {
						break
					}
					found += " " + more
				}
			}
		}
	}
	if found == "" {
		found = lastLine(log)
	}
	if r := []rune(found); len(r) > 300 {
		found = string(r[:300]) + "…"
	}
	return found
}
