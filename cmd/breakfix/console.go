package main

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"breakfix/internal/outcome"
	"breakfix/internal/selfplay"
	"breakfix/internal/store"
)

// newWatcher picks how a run is shown: nothing, one block that is redrawn, or
// plain lines where the output is no terminal.
func newWatcher(a *app) closingWatcher {
	f, isFile := a.stderr.(*os.File)
	switch {
	case a.Quiet:
		return silent{}
	case a.Plain || !isFile || !term.IsTerminal(int(f.Fd())):
		return &plainLines{w: a.stderr}
	default:
		return newBlock(f)
	}
}

type closingWatcher interface {
	selfplay.Watcher
	// Status shows how far the work has come.
	Status(s status)
	// Close may be called again.
	Close()
}

// status is how far some work had come at one moment.
type status interface {
	// lines renders it as it is some time later; width 0 means no bar.
	lines(later time.Duration, width int) []string
	// last tells that nothing comes after it.
	last() bool
}

// played is the status of a run of play.
type played selfplay.Progress

func (p played) lines(later time.Duration, width int) []string {
	p.Elapsed += later
	if p.Left > 0 {
		p.Left = max(0, p.Left-later)
	}
	return statusLines(selfplay.Progress(p), width)
}

func (p played) last() bool { return p.Episodes == p.Of }

type silent struct{}

func (silent) Stage(string, string)                     {}
func (silent) Episode(store.Episode, selfplay.Progress) {}
func (silent) Status(status)                            {}
func (silent) Notice(string)                            {}
func (silent) Close()                                   {}

// plainLines prints one line a stage and a status line every half minute.
type plainLines struct {
	w     io.Writer
	last  time.Time
	stage string
}

func (p *plainLines) Stage(stage, detail string) {
	if detail != "" {
		stage += ": " + detail
	}
	if stage != p.stage {
		p.stage = stage
		fmt.Fprintln(p.w, stage)
	}
}

func (p *plainLines) Notice(line string) { fmt.Fprintln(p.w, "*", line) }

func (p *plainLines) Episode(_ store.Episode, now selfplay.Progress) { p.Status(played(now)) }

func (p *plainLines) Status(s status) {
	if time.Since(p.last) < 30*time.Second && !s.last() {
		return
	}
	p.last = time.Now()
	fmt.Fprintln(p.w, strings.Join(s.lines(0, 0), " | "))
}

func (p *plainLines) Close() {}

// block is the status block of a terminal: a few lines redrawn in place, with
// notices above it. Drawing is mpb's.
type block struct {
	mu    sync.Mutex
	out   *mpb.Progress
	bars  []*mpb.Bar
	width int
	stage string
	since time.Time
	now   status
	at    time.Time

	closed sync.Once
}

// blockLines is the height of the status block.
const blockLines = 4

func newBlock(f *os.File) *block {
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	b := &block{width: width, since: time.Now()}
	b.out = mpb.New(mpb.WithOutput(f), mpb.WithAutoRefresh(), mpb.WithRefreshRate(250*time.Millisecond), mpb.WithWidth(width))
	for i := range blockLines {
		fill := mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
			_, err := io.WriteString(w, b.line(i))
			return err
		})
		b.bars = append(b.bars, b.out.MustAdd(0, fill, mpb.BarRemoveOnComplete(), mpb.BarFillerTrim()))
	}
	return b
}

func (b *block) line(i int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now == nil {
		if i == 0 {
			return cut(fmt.Sprintf("%s  %s", b.stage, span(time.Since(b.since))), b.width)
		}
		return ""
	}
	lines := b.now.lines(time.Since(b.at), b.width)
	if i < len(lines) {
		return cut(lines[i], b.width)
	}
	return ""
}

func (b *block) Stage(stage, detail string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if detail != "" {
		stage += ": " + detail
	}
	if stage != b.stage {
		b.stage, b.since = stage, time.Now()
	}
}

func (b *block) Notice(line string) { fmt.Fprintln(b.out, "•", cut(line, b.width-2)) }

func (b *block) Episode(_ store.Episode, now selfplay.Progress) { b.Status(played(now)) }

func (b *block) Status(s status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now, b.at = s, time.Now()
}

func (b *block) Close() {
	b.closed.Do(func() {
		for _, bar := range b.bars {
			bar.Abort(true)
		}
		b.out.Wait()
	})
}

// statusLines renders the status block; width 0 means no bar.
func statusLines(now selfplay.Progress, width int) []string {
	first := headLine("episode", now.Episodes, now.Of, now.Elapsed, now.Left, width)
	var breaks []string
	for _, o := range outcome.Breaks {
		if n := now.Breaks[o]; n > 0 {
			breaks = append(breaks, fmt.Sprintf("%d %s", n, words(string(o))))
		}
	}
	total := 0
	for _, o := range outcome.Attempts {
		if o != outcome.Infrastructure {
			total += now.Attempts[o]
		}
	}
	repairs := fmt.Sprintf("repairs  %d of %d fixed", now.Attempts[outcome.Fixed], total)
	for _, order := range sortedInts(now.Recent) {
		r := now.Recent[order]
		repairs += fmt.Sprintf(" · order %d: %d %%", order, 100*r.Solved/max(1, r.Attempts))
	}
	last := fmt.Sprintf("tests    %.1f a second, %.0f %% from the cache", now.TestsPerSec, 100*now.CachedShare)
	if len(now.Waiting) > 0 {
		last += " · waiting"
		for _, order := range sortedInts(now.Waiting) {
			last += fmt.Sprintf(" %d of order %d", now.Waiting[order], order)
		}
	}
	if now.Version != "" {
		last += " · " + now.Version
	}
	return []string{first, "breaks   " + strings.Join(breaks, ", "), repairs, last}
}

// headLine is the first line of a status: what of how many, elapsed, left; with
// a bar where there is room.
func headLine(what string, n, of int, elapsed, left time.Duration, width int) string {
	head := fmt.Sprintf("%s %d", what, n)
	if of > 0 {
		head = fmt.Sprintf("%s %d of %d", what, n, of)
	}
	tail := span(elapsed) + " elapsed"
	if left > 0 {
		tail += ", about " + span(left) + " left"
	}
	if room := min(width-len(head)-len(tail)-4, 40); of > 0 && room >= 10 {
		done := min(room, room*n/of)
		head += "  " + strings.Repeat("━", done) + strings.Repeat("─", room-done)
	}
	return head + "  " + tail
}

// words makes an outcome readable: "timed_out" → "timed out".
func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

func sortedInts[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	return keys
}

// span writes a duration as people say it: "8s", "3m20s", "1h02m".
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// cut shortens s to n runes.
func cut(s string, n int) string {
	r := []rune(s)
	if n < 1 || len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
